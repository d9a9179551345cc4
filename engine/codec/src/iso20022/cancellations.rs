//! Payments that somebody wants back: camt.056 (one institution asks another) and camt.055 (a customer asks), and
//! camt.029, the answer. Asking changes nothing yet, nor does a refusal: the payment is `processing`. An answer that
//! grants it makes it `cancelled`; money that comes back is a return of its own.

use sluice_model::{EventType, PaymentEvent, PaymentStatus};

use super::{
    Header, References, Transactions, code, header::NO_ORIGINAL, keep, party::Sides, transfers::WIRE,
};
use crate::{DecodeError, xml::Element};

pub(super) fn requests(message: &Element, out: &mut Transactions<'_>) {
    for underlying in message.children("Undrlyg") {
        read(underlying, "OrgnlGrpInfAndCxl", "OrgnlPmtInfAndCxl", "TxInf", None, out);
    }
}

pub(super) fn answers(message: &Element, out: &mut Transactions<'_>) {
    let of_all = message.text_at("Sts/Conf");
    for underlying in message.children("CxlDtls") {
        read(underlying, "OrgnlGrpInfAndSts", "OrgnlPmtInfAndSts", "TxInfAndSts", of_all, out);
    }
    if out.count() == 0 {
        out.reject(message, DecodeError::unsupported("it answers no request to cancel"));
    }
}

/// The transactions under an element, also those in batches; where it names none, the message that it names.
fn read(
    underlying: &Element,
    group: &str,
    batch: &str,
    transaction: &str,
    of_all: Option<&str>,
    out: &mut Transactions<'_>,
) {
    let group = underlying.child(group);
    let original = group.and_then(|group| group.text_at("OrgnlMsgId"));
    let batches = underlying.children(batch).flat_map(|batch| batch.apart(transaction));
    let mut transactions = underlying.apart(transaction).chain(batches).peekable();
    if transactions.peek().is_none() {
        out.add(group.unwrap_or(underlying), |header, group, place| whole(header, group, of_all, place));
    }
    for transaction in transactions {
        out.add(transaction, |header, transaction, place| one(header, original, of_all, transaction, place));
    }
}

/// A request or an answer for a whole message: an event of its own, as the status of one is.
fn whole(
    header: &Header<'_>,
    group: &Element,
    of_all: Option<&str>,
    place: usize,
) -> Result<PaymentEvent, DecodeError> {
    let references = References::none(place);
    let original = group.text_at("OrgnlMsgId");
    let original = original.ok_or_else(|| header.refuse(&references, "OrgnlMsgId is missing"))?;
    let mut event = header.event(&references, None)?;
    event.event_type = EventType::Account;
    event.payment_id = Some(original.to_owned());
    outcome(&mut event, group.text_at("GrpCxlSts").or(of_all));
    keep(&mut event.attributes, "original_message_id", Some(original));
    keep(&mut event.attributes, "original_transactions", group.text_at("OrgnlNbOfTxs"));
    keep(&mut event.attributes, "cancellation_reason", reason(group));
    Ok(event)
}

fn one(
    header: &Header<'_>,
    original: Option<&str>,
    of_all: Option<&str>,
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
    if let Some(original) = transaction.child("OrgnlTxRef") {
        let sides = Sides::of(&[original]);
        event.debtor = sides.debtor.read("debtor", &mut event.attributes);
        event.creditor = sides.creditor.read("creditor", &mut event.attributes);
    }
    keep(&mut event.attributes, "original_message_id", original);
    keep(&mut event.attributes, "cancellation_reason", reason(transaction));
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
