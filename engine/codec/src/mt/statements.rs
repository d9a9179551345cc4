//! MT940 and MT942: what was, or will be, booked on an account, a line (field 61) each; MT900 and MT910: one
//! booking. The account is the own side; what is known of the other stands in field 86, or in 50 and 52.

use std::collections::BTreeMap;

use jiff::civil::Date;
use sluice_model::{
    Attributes, Currency, Direction, EntryKind, EventTime, EventType, Hash256, Party, PaymentEvent,
    PaymentStatus, RelatedParty, identifier::is_placeholder,
};

use super::{
    Header, Kind,
    agents::{Agent, between},
    customers,
    fields::{Field, Fields},
    information,
    transfers::{agent, dated_amount, reference, text},
    values::{self, keep},
};
use crate::DecodeError;

/// MT900: an account was debited; MT910: credited.
pub(super) fn confirmation(header: &Header, mut fields: Fields<'_>) -> Result<PaymentEvent, DecodeError> {
    let reference = reference(&mut fields)?;
    let own = own(header, &mut fields)?;
    let (value_date, amount) = dated_amount(&mut fields)?;
    let made_at =
        made_at(&mut fields)?.or(header.sent_at).or_else(|| values::start_of(value_date, &header.zone));
    let made_at = made_at.ok_or_else(|| header.place.refuse_field("32A", "has a date that is none"))?;
    let mut event = header.event(&reference, made_at);
    event.amount = Some(amount);
    let kept = &mut event.attributes;
    keep(kept, "instruction_id", Some(&reference));
    keep(kept, "related_reference", text(fields.take("21", &[""])?).as_deref());
    keep(kept, "settlement_date", Some(&value_date.to_string()));
    keep(kept, "instructions", text(fields.take("72", &[""])?).as_deref());
    let ordering = agent(&mut fields, "52")?;
    if header.kind == Kind::Debit {
        event.direction = Some(Direction::Outbound);
        event.debtor = Some(own);
        event.related_parties.extend(ordering.map(|agent| RelatedParty {
            role: "ordering_institution".to_owned(),
            party: agent.into_party(),
        }));
    } else {
        event.direction = Some(Direction::Inbound);
        event.creditor = Some(own);
        event.intermediaries = between(&[], agent(&mut fields, "56")?);
        event.debtor = match (fields.take("50", customers::ORDERING)?, ordering) {
            (Some(field), ordering) => {
                let mut party = customers::read(&field, "debtor", kept, header.place)?;
                if let Some(agent) = ordering {
                    agent.serve(&mut party, "debtor", kept);
                }
                Some(party)
            }
            (None, ordering) => ordering.map(Agent::into_party),
        };
    }
    fields.keep_left(&mut event.attributes);
    Ok(event)
}

/// Every line of a statement.
pub(super) fn read(header: &Header, mut fields: Fields<'_>) -> Result<Vec<PaymentEvent>, DecodeError> {
    let place = header.place;
    // What stands behind the lines is about the account as a whole.
    let mut closing = fields.split_off("62", &["F", "M"]);
    closing = fields.split_off("90", &["C", "D"]).and(closing);
    let statement = Statement {
        header,
        reference: reference(&mut fields)?,
        number: text(fields.take("28", &["", "C"])?).unwrap_or_default(),
        own: own(header, &mut fields)?,
        made_at: made_at(&mut fields)?.or(header.sent_at),
        balance: Balance::read(&mut fields, &mut closing)?,
    };
    let mut lines: Vec<(Line<'_>, Vec<&str>)> = Vec::new();
    for field in fields.into_left() {
        match (field.tag, lines.last_mut()) {
            ("61", _) => {
                let place_in = lines.len() + 1;
                let line = Line::read(&field).map_err(|why| {
                    place.refuse(&format!("field 61, line {place_in} of the statement: {why}"))
                })?;
                lines.push((line, Vec::new()));
            }
            ("86", Some((_, said))) => said.extend(field.lines),
            _ => {}
        }
    }
    let mut times_given: BTreeMap<&str, usize> = BTreeMap::new();
    for (line, _) in &lines {
        *times_given.entry(line.bank_reference).or_default() += 1;
    }
    (1..)
        .zip(&lines)
        .map(|(at, (line, said))| {
            statement.booking(at, line, said, times_given.get(line.bank_reference) == Some(&1))
        })
        .collect()
}

/// What the lines of a statement share.
struct Statement<'a> {
    header: &'a Header,
    reference: String,
    number: String,
    own: Party,
    made_at: Option<EventTime>,
    balance: Balance,
}

/// The currency of an account, and the day on which a statement closes it.
struct Balance {
    currency: Currency,
    closed_on: Option<Date>,
}

impl Balance {
    fn read(fields: &mut Fields<'_>, closing: &mut Fields<'_>) -> Result<Self, DecodeError> {
        let place = fields.place();
        let opened = fields.take("60", &["F", "M"])?;
        let closed = closing.take("62", &["F", "M"])?;
        let floor = fields.take_all("34", &["F"]).next();
        // A balance is a mark, a date and an amount; the least amount that is told begins with its currency.
        let balance = closed.as_ref().or(opened.as_ref());
        let (field, code) = match (balance, &floor) {
            (Some(balance), _) => (balance, balance.first().get(7..10)),
            (None, Some(floor)) => (floor, floor.first().get(..3)),
            (None, None) => {
                return Err(place.refuse("fields 60a and 34F are missing: nothing names the currency"));
            }
        };
        let currency = code.unwrap_or_default().parse::<Currency>();
        let currency = currency.map_err(|error| place.refuse_amount(field.tag, error))?;
        Ok(Self { currency, closed_on: closed.and_then(|f| values::date(f.first().get(1..7)?)) })
    }
}

impl Statement<'_> {
    /// A line as an event; `alone` says that no other of the statement has its reference.
    fn booking(
        &self,
        at: usize,
        line: &Line<'_>,
        said: &[&str],
        alone: bool,
    ) -> Result<PaymentEvent, DecodeError> {
        let header = self.header;
        let refuse = |why: &str| header.place.refuse(&format!("field 61, line {at} of the statement: {why}"));
        // A bank may give every statement the same reference and number: account and day tell them apart.
        let account = self.own.account.as_deref().unwrap_or_default();
        let day = match (header.kind, self.made_at, self.balance.closed_on) {
            (Kind::Interim, Some(made_at), _) => made_at.to_string(),
            (_, _, closed_on) => closed_on.map(|date| date.to_string()).unwrap_or_default(),
        };
        let which = Hash256::of_parts([account.as_bytes(), day.as_bytes()]).short();
        let id = format!("{}:{}:{which}:{at}", self.reference, self.number);
        let mut event = header.event(&id, self.booked_at(line).ok_or_else(|| refuse("a date is none"))?);
        event.uetr = None;
        event.payment_id = (alone && !line.is_reversal && !is_placeholder(line.bank_reference))
            .then(|| format!("{}:{}:{}", header.sender, line.value_date, line.bank_reference));
        let amount = values::decimal(line.amount, self.balance.currency);
        event.amount = Some(amount.map_err(|error| refuse(&error.to_string()))?);
        event.status = if line.is_expected { PaymentStatus::Processing } else { PaymentStatus::Completed };
        if line.is_reversal {
            event.event_type = EventType::Refund;
        }
        event.direction = Some(if line.is_credit { Direction::Inbound } else { Direction::Outbound });
        let own = Some(self.own.clone());
        // The other side of a reversal is that of the line it takes back.
        let other = information::counterparty(said, line.is_credit != line.is_reversal);
        let (debtor, creditor) = if line.is_credit { (other, own) } else { (own, other) };
        (event.debtor, event.creditor) = (debtor, creditor);
        event.remittance = Some(information::whole(said)).filter(|text| !text.is_empty());
        let kept = &mut event.attributes;
        keep(kept, "statement", Some(&format!("{}:{}", self.reference, self.number)));
        keep(kept, "value_date", Some(&line.value_date.to_string()));
        keep(kept, "transaction_type", Some(line.transaction_type));
        keep(kept, "customer_reference", Some(line.customer_reference));
        keep(kept, "bank_reference", Some(line.bank_reference));
        keep(kept, "supplementary_details", Some(line.supplement));
        Ok(event)
    }

    /// When the day begins on which a line was booked: no later than the statement itself, since a value date may
    /// be yet to come.
    fn booked_at(&self, line: &Line<'_>) -> Option<EventTime> {
        let day = line.entry_date.unwrap_or(line.value_date);
        let day = self.balance.closed_on.map_or(day, |closed_on| day.min(closed_on));
        let begins = values::start_of(day, &self.header.zone)?;
        Some(self.made_at.map_or(begins, |made_at| begins.min(made_at)))
    }
}

/// The account of the message: its number, who keeps it, and by option P whose it is.
fn own(header: &Header, fields: &mut Fields<'_>) -> Result<Party, DecodeError> {
    let field = fields.required("25", &["", "P"])?;
    let account = customers::account(field.first());
    let account = account.ok_or_else(|| header.place.refuse_field(field.tag, "has no account"))?;
    let owner = field.lines.get(1).map(|line| line.trim()).filter(|line| values::is_bic(line));
    let mut own = Party {
        account: Some(account),
        kind: owner.map(|_| EntryKind::Organisation),
        id_number: owner.map(str::to_owned),
        ..Party::default()
    };
    Agent::of_bic(&header.sender).serve(&mut own, "", &mut Attributes::new());
    Ok(own)
}

/// Field 13D: when a message was made.
fn made_at(fields: &mut Fields<'_>) -> Result<Option<EventTime>, DecodeError> {
    let Some(field) = fields.take("13", &["D"])? else { return Ok(None) };
    let at = values::moment_with_offset(field.first());
    at.map(Some).ok_or_else(|| fields.place().refuse_field("13D", "is not a time with its offset"))
}

/// Field 61: `2608010801D1500,00NTRFCUSTOMER//BANK`, and a line of details.
struct Line<'a> {
    value_date: Date,
    entry_date: Option<Date>,
    /// Whether the account gains.
    is_credit: bool,
    is_reversal: bool,
    is_expected: bool,
    amount: &'a str,
    /// `NTRF`
    transaction_type: &'a str,
    customer_reference: &'a str,
    bank_reference: &'a str,
    supplement: &'a str,
}

impl<'a> Line<'a> {
    fn read(field: &Field<'a>) -> Result<Self, &'static str> {
        let (date, rest) = field.first().split_at_checked(6).unwrap_or_default();
        let value_date = values::date(date).ok_or("does not begin with a date (YYMMDD)")?;
        let (entry_date, rest) = match rest.split_at_checked(4) {
            Some((day, after)) if day.bytes().all(|b| b.is_ascii_digit()) => {
                (Some(values::month_and_day(day, value_date).ok_or("has an entry date that is none")?), after)
            }
            _ => (None, rest),
        };
        let mark = MARKS.iter().find(|(mark, ..)| rest.starts_with(mark));
        let (mark, is_credit, is_reversal, is_expected) =
            *mark.ok_or("has no mark such as C, D, RC or RD")?;
        let rest = rest.strip_prefix(mark).unwrap_or(rest);
        // The last letter of the currency may stand before the amount.
        let rest = rest.strip_prefix(|c: char| c.is_ascii_uppercase()).unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(rest.len());
        let (amount, rest) = rest.split_at_checked(end).unwrap_or_default();
        let (transaction_type, references) = rest.split_at_checked(4).ok_or("ends before its type")?;
        let (customer_reference, bank_reference) = references.split_once("//").unwrap_or((references, ""));
        Ok(Self {
            value_date,
            entry_date,
            is_credit,
            is_reversal,
            is_expected,
            amount,
            transaction_type,
            customer_reference: customer_reference.trim(),
            bank_reference: bank_reference.trim(),
            supplement: field.lines.get(1).copied().unwrap_or_default(),
        })
    }
}

/// The marks of a line, longest first: whether the account gains, whether an earlier line is taken back, and whether
/// it is only expected. The reversal of a credit takes from the account.
const MARKS: [(&str, bool, bool, bool); 6] = [
    ("RC", false, true, false),
    ("RD", true, true, false),
    ("EC", true, false, true),
    ("ED", false, false, true),
    ("C", true, false, false),
    ("D", false, false, false),
];
