//! Payments that somebody wants back: camt.056 (one institution asks another) and camt.055 (a customer asks), and
//! camt.029, the answer. Asking changes nothing yet, nor does a refusal: the payment is `processing`. An answer that
//! grants it makes it `cancelled`; money that comes back is a return of its own.

use sluice_model::{PaymentEvent, PaymentStatus};

use super::{
    Header, References, Transactions, code,
    everyone::{around, collect},
    header::NO_ORIGINAL,
    keep,
    party::Sides,
    statuses::of_message,
    transfers::WIRE,
};
use crate::{
    DecodeError,
    xml::{Element, Spot},
};

/// What a request is about, and an answer.
pub(super) const ASKED: &str = "Undrlyg";
pub(super) const ANSWERED: &str = "CxlDtls";

pub(super) fn requests(message: &Element, out: &mut Transactions<'_>) {
    let around = around(&[], message, ASKED);
    for underlying in message.apart(ASKED) {
        let Some(underlying) = out.open(underlying) else { continue };
        read(&underlying, ["OrgnlGrpInfAndCxl", "OrgnlPmtInfAndCxl", "TxInf"], None, &around, out);
    }
}

pub(super) fn answers(message: &Element, out: &mut Transactions<'_>) {
    let of_all = message.text_at("Sts/Conf");
    let around = around(&[], message, ANSWERED);
    for underlying in message.apart(ANSWERED) {
        let Some(underlying) = out.open(underlying) else { continue };
        read(&underlying, ["OrgnlGrpInfAndSts", "OrgnlPmtInfAndSts", "TxInfAndSts"], of_all, &around, out);
    }
    if out.count() == 0 {
        out.reject(Spot::Open(message), DecodeError::unsupported("it answers no request to cancel"));
    }
}

/// The transactions under an element, also those in batches, and batches that name none; where there is neither, the
/// message that it names.
fn read(
    underlying: &Element,
    [group, batch, transaction]: [&str; 3],
    of_all: Option<&str>,
    outside: &[&Element],
    out: &mut Transactions<'_>,
) {
    let before = out.count();
    let group = underlying.child(group);
    let of_group = group.and_then(|group| group.text_at("OrgnlMsgId"));
    let around_batches = around(outside, underlying, batch);
    for holder in std::iter::once(underlying).chain(underlying.children(batch)) {
        let around = if std::ptr::eq(holder, underlying) {
            around_batches.clone()
        } else {
            around(&around_batches, holder, transaction)
        };
        let original = holder.text_at("OrgnlGrpInf/OrgnlMsgId").or(of_group);
        let mut transactions = holder.apart(transaction).peekable();
        if let (None, Some(batch_id)) = (transactions.peek(), holder.text_at("OrgnlPmtInfId")) {
            out.add(Spot::Open(holder), |header, batch, place| {
                whole(header, (original, Some(batch_id)), of_all, &around_batches, (batch, place))
            });
        }
        for transaction in transactions {
            out.add(transaction, |header, transaction, place| {
                one(header, (original, of_all), &around, transaction, place)
            });
        }
    }
    if out.count() == before {
        out.add(Spot::Open(group.unwrap_or(underlying)), |header, group, place| {
            whole(header, (of_group, None), of_all, outside, (group, place))
        });
    }
}

/// A request or an answer for a whole message or a batch of it: an event of its own, as the status of one is.
fn whole(
    header: &Header<'_>,
    (original, batch): (Option<&str>, Option<&str>),
    of_all: Option<&str>,
    around: &[&Element],
    (element, place): (&Element, usize),
) -> Result<PaymentEvent, DecodeError> {
    let answer = ["GrpCxlSts", "PmtInfCxlSts"].into_iter().find_map(|name| element.text_at(name));
    let mut event = of_message(header, original, batch, place)?;
    outcome(&mut event, answer.or(of_all));
    keep(&mut event.attributes, "original_transactions", element.text_at("OrgnlNbOfTxs"));
    keep(&mut event.attributes, "cancellation_reason", reason(element));
    collect(&mut event, header, &Sides::of(&[]), around, element);
    Ok(event)
}

fn one(
    header: &Header<'_>,
    (original, of_all): (Option<&str>, Option<&str>),
    around: &[&Element],
    transaction: &Element,
    place: usize,
) -> Result<PaymentEvent, DecodeError> {
    let references = References::original(transaction, place);
    let original = transaction.text_at("OrgnlGrpInf/OrgnlMsgId").or(original);
    let payment_id =
        references.original_id(original).ok_or_else(|| header.refuse(&references, NO_ORIGINAL))?;
    let mut event = header.event(&references, None)?;
    event.payment_id = Some(payment_id);
    event.method = Some(WIRE.to_owned());
    outcome(&mut event, transaction.text_at("TxCxlSts").or(of_all));
    let amounts = ["OrgnlIntrBkSttlmAmt", "OrgnlInstdAmt", "OrgnlTxRef/IntrBkSttlmAmt"];
    if let Some(amount) = amounts.into_iter().find_map(|path| transaction.at(path)) {
        event.amount = Some(header.money(&references, amount)?);
    }
    let sides = Sides::of(transaction.child("OrgnlTxRef").as_slice());
    event.debtor = sides.debtor.read("debtor", &mut event.attributes);
    event.creditor = sides.creditor.read("creditor", &mut event.attributes);
    keep(&mut event.attributes, "original_message_id", original);
    keep(&mut event.attributes, "cancellation_reason", reason(transaction));
    collect(&mut event, header, &sides, around, transaction);
    Ok(event)
}

/// What an answer says: `requested` where there is none yet.
fn outcome(event: &mut PaymentEvent, answer: Option<&str>) {
    event.status = match answer {
        Some("ACCR" | "CNCL" | "ACNR") => PaymentStatus::Cancelled,
        _ => PaymentStatus::Processing,
    };
    keep(&mut event.attributes, "cancellation", Some(answer.unwrap_or("requested")));
}

fn reason(element: &Element) -> Option<&str> {
    ["CxlRsnInf/Rsn", "CxlStsRsnInf/Rsn"].into_iter().find_map(|path| code(element.at(path)))
}
