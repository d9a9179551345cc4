//! What a callback tells of a payment, as an event.

use sluice_model::{
    Attributes, Card, Device, EventTime, EventType, Merchant, Money, Party, PaymentEvent,
    PaymentStatus::{self, Initiated, Processing},
};

use super::{
    card,
    operations::{self, Operation},
    statuses,
};
use crate::{DecodeError, accept, document::Document};

/// What stands before the ids, so that they are no other source's.
const SOURCE: &str = "ecommpay";
/// Fields without which a callback tells of something else than a payment: a card that was stored, an agreement.
const NO_PAYMENT: [&str; 2] = ["/token", "/recurring"];
/// What of the words of a callback is kept as it is, by the attribute that keeps it.
const KEPT: [(&str, &str); 6] = [
    ("payment_type", "/payment/type"),
    ("payment_status", "/payment/status"),
    ("operation_id", "/operation/id"),
    ("operation_type", "/operation/type"),
    ("operation_status", "/operation/status"),
    ("operation_code", "/operation/code"),
];

/// The event; nothing where there is none to tell.
pub(super) fn read(document: &Document) -> Result<Option<PaymentEvent>, DecodeError> {
    let callback = Callback(document);
    if document.get("payment").is_none() {
        return match NO_PAYMENT.iter().any(|field| document.pointer(field).is_some()) {
            true => Ok(None),
            false => Err(DecodeError::unsupported("the callback tells of no payment")),
        };
    }
    let payment_type = callback.text("/payment/type");
    let operation = match callback.text("/operation/type") {
        None => operations::of_payment(payment_type.as_deref()),
        Some(name) => operations::operation(&name).ok_or_else(|| unknown("operation.type"))?,
    };
    let (event_type, is_own) = match operation {
        Operation::Step(event_type) => (event_type, false),
        Operation::Own(event_type) => (event_type, true),
        Operation::Aside => return Ok(None),
    };
    let status = callback.status(if is_own { "/operation/status" } else { "/payment/status" })?;
    let Some(occurred_at) = callback.time()? else {
        // What is waited for says no time, and comes again once it has happened.
        return match status {
            Initiated | Processing => Ok(None),
            _ => Err(missing("/payment/date")),
        };
    };
    let mut event = PaymentEvent::new(callback.event_id()?, occurred_at);
    event.event_type = event_type;
    event.status = status;
    event.amount = callback.amount(event_type, is_own)?;
    let payment_id = callback.payment_id()?;
    if is_own {
        event.payment_id = Some(format!("{payment_id}:{}", callback.required("/operation/id")?));
        event.original_payment_id = Some(payment_id);
    } else {
        event.payment_id = Some(payment_id);
    }
    callback.describe(&mut event);
    event.normalise();
    accept(event).map(Some)
}

struct Callback<'a>(&'a Document);

impl Callback<'_> {
    /// The single value to which a pointer leads; a blank one is none.
    fn text(&self, pointer: &str) -> Option<String> {
        let text = self.0.pointer(pointer)?.text()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The first of them that is there.
    fn first(&self, pointers: &[&str]) -> Option<String> {
        pointers.iter().find_map(|pointer| self.text(pointer))
    }

    fn required(&self, pointer: &str) -> Result<String, DecodeError> {
        self.text(pointer).ok_or_else(|| missing(pointer))
    }

    fn project(&self) -> Result<String, DecodeError> {
        self.first(&["/project_id", "/general/project_id"]).ok_or_else(|| missing("/project_id"))
    }

    /// Each project numbers its payments.
    fn payment_id(&self) -> Result<String, DecodeError> {
        Ok(format!("{SOURCE}:{}:{}", self.project()?, self.required("/payment/id")?))
    }

    /// The same for a callback that is sent again, another for each state that the payment and its operation are in.
    fn event_id(&self) -> Result<String, DecodeError> {
        let [operation, state] =
            ["/operation/id", "/operation/status"].map(|at| self.text(at).unwrap_or_default());
        let payment_state = self.text("/payment/status").unwrap_or_default();
        Ok(format!("{}:{operation}:{state}:{payment_state}", self.payment_id()?))
    }

    fn status(&self, pointer: &str) -> Result<PaymentStatus, DecodeError> {
        statuses::status(&self.required(pointer)?).ok_or_else(|| unknown(&named(pointer)))
    }

    /// When it happened, where the callback says so.
    fn time(&self) -> Result<Option<EventTime>, DecodeError> {
        let Some(text) = self.first(&["/operation/date", "/payment/date", "/operation/created_date"]) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            DecodeError::malformed("a date of the callback is not such as 2026-11-20T08:30:00+0000")
        })
    }

    fn amount(&self, event_type: EventType, is_own: bool) -> Result<Option<Money>, DecodeError> {
        if !event_type.moves_money() {
            return Ok(None);
        }
        let sum = if is_own { "/operation/sum_initial" } else { "/payment/sum" };
        let minor = self.required(&format!("{sum}/amount"))?;
        let currency = self.required(&format!("{sum}/currency"))?;
        let digits = Some(&minor).filter(|minor| minor.bytes().all(|b| b.is_ascii_digit()));
        let minor = digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| {
            DecodeError::malformed(format!("{}.amount: must be a whole number of minor units", named(sum)))
        })?;
        let currency = currency.parse().map_err(|_| {
            DecodeError::malformed(format!(
                "{}.currency: must be a currency code of ISO 4217, such as HKD",
                named(sum)
            ))
        })?;
        Ok(Some(Money::new(minor, currency)))
    }

    /// Who pays or is paid, with what, and what else is said.
    fn describe(&self, event: &mut PaymentEvent) {
        event.method = self.text("/payment/method");
        event.remittance = self.text("/payment/description");
        event.merchant = self.project().ok().map(|id| Merchant { id: Some(id), ..Merchant::default() });
        event.device =
            self.text("/customer/ip_address").map(|ip| Device { ip: Some(ip), ..Device::default() });
        let unlike_a_card = |text: String| card::masked(&text).into_owned();
        let number = self.first(&["/account/number", "/card/number"]).map(unlike_a_card);
        let token = self.first(&["/account/token", "/card/token", "/token"]).map(unlike_a_card);
        let mut customer = Party {
            customer_id: self.text("/customer/id"),
            name: self.name(),
            country: self.country("/customer/country"),
            ..Party::default()
        };
        let is_card = event.method.as_deref().is_some_and(|method| method.contains("card"))
            || number.as_deref().is_some_and(card::is_masked);
        if is_card && (number.is_some() || token.is_some()) {
            let bin = number.as_deref().and_then(card::bin).map(str::to_owned);
            event.card = Some(Card {
                token: token.or(number),
                bin,
                network: None,
                country: self.country("/card/country"),
            });
        } else {
            customer.account = number.or(token);
        }
        let customer = Some(customer).filter(|customer| *customer != Party::default());
        match event.event_type {
            EventType::Refund | EventType::Chargeback | EventType::Payout => event.creditor = customer,
            _ => event.debtor = customer,
        }
        let kept = KEPT.iter().filter_map(|(name, at)| Some(((*name).to_owned(), self.text(at)?.into())));
        event.attributes = kept.collect::<Attributes>();
    }

    /// The customer's name, else what the card bears.
    fn name(&self) -> Option<String> {
        let parts = ["first_name", "middle_name", "last_name"].map(|part| format!("/customer/{part}"));
        let parts: Vec<String> = parts.iter().filter_map(|part| self.text(part)).collect();
        if parts.is_empty() {
            return self.first(&["/account/card_holder", "/card/holder", "/card/card_holder"]);
        }
        Some(parts.join(" "))
    }

    /// A country of two letters; ecommpay sends no other.
    fn country(&self, pointer: &str) -> Option<String> {
        let country = self.text(pointer)?.to_ascii_uppercase();
        Some(country).filter(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()))
    }
}

/// The field to which a pointer leads, as people write it.
fn named(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

fn missing(pointer: &str) -> DecodeError {
    DecodeError::malformed(format!("{} is missing", named(pointer)))
}

fn unknown(field: &str) -> DecodeError {
    DecodeError::unsupported(format!("{field}: is none that Sluice knows of ecommpay"))
}
