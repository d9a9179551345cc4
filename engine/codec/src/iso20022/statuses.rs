//! What became of a payment: pacs.002 between institutions, pain.002 to the customer. The event carries the payment's
//! id and its new status; what else it says of the payment stands in `OrgnlTxRef`, and is often nothing.
//!
//! A status of a whole message, or of a batch in it, names no payment, and nobody here knows which stood in it. It is
//! an event of its own that moves no money.

use sluice_model::{EventType, PaymentEvent, PaymentStatus};

use super::{
    Header, References, Transactions, code,
    everyone::{around, collect},
    header::NO_ORIGINAL,
    keep,
    party::Sides,
};
use crate::{
    DecodeError,
    xml::{Element, Spot},
};

/// The transactions of one batch of the original.
pub(super) const BATCH: &str = "OrgnlPmtInfAndSts";

pub(super) fn read(message: &Element, out: &mut Transactions<'_>) {
    let group = message.child("OrgnlGrpInfAndSts");
    let original = group.and_then(|group| group.text_at("OrgnlMsgId"));
    let of_group = group.and_then(|group| group.text_at("GrpSts"));
    let around_batches = around(&[], message, BATCH);
    for transaction in message.apart("TxInfAndSts") {
        out.add(transaction, |header, transaction, place| {
            status(header, (original, of_group), &around_batches, transaction, place)
        });
    }
    for batch in message.apart(BATCH) {
        let Some(batch) = out.open(batch) else { continue };
        let of_batch = batch.text_at("PmtInfSts").or(of_group);
        let around = around(&around_batches, &batch, "TxInfAndSts");
        let mut transactions = batch.apart("TxInfAndSts").peekable();
        if transactions.peek().is_none() && batch.child("PmtInfSts").is_some() {
            let batch_id = batch.text_at("OrgnlPmtInfId");
            out.add(Spot::Open(&batch), |header, batch, place| {
                whole(header, (original, batch_id), &around_batches, (batch, of_batch), place)
            });
        }
        for transaction in transactions {
            out.add(transaction, |header, transaction, place| {
                status(header, (original, of_batch), &around, transaction, place)
            });
        }
    }
    if out.count() == 0 {
        let around = around(&[], message, "OrgnlGrpInfAndSts");
        for group in message.children("OrgnlGrpInfAndSts") {
            out.add(Spot::Open(group), |header, group, place| {
                let original = group.text_at("OrgnlMsgId");
                whole(header, (original, None), &around, (group, group.text_at("GrpSts")), place)
            });
        }
    }
}

/// The status of a message, or of a batch in it.
fn whole(
    header: &Header<'_>,
    (original, batch): (Option<&str>, Option<&str>),
    around: &[&Element],
    (element, code_given): (&Element, Option<&str>),
    place: usize,
) -> Result<PaymentEvent, DecodeError> {
    let mut event = of_message(header, original, batch, place)?;
    let status = code_given.and_then(meaning);
    event.status = status
        .ok_or_else(|| header.refuse(&References::none(place), "the status is missing or not known"))?;
    keep(&mut event.attributes, "original_transactions", element.text_at("OrgnlNbOfTxs"));
    keep(&mut event.attributes, "message_status", code_given);
    keep(&mut event.attributes, "status_reason", code(element.at("StsRsnInf/Rsn")));
    collect(&mut event, header, &Sides::of(&[]), around, element);
    Ok(event)
}

/// An event about an original message, or a batch of it, that moves no money.
pub(super) fn of_message(
    header: &Header<'_>,
    original: Option<&str>,
    batch: Option<&str>,
    place: usize,
) -> Result<PaymentEvent, DecodeError> {
    let references = References::none(place);
    let message = original.ok_or_else(|| header.refuse(&references, "OrgnlMsgId is missing"))?;
    let mut event = header.event(&references, None)?;
    event.event_type = EventType::Account;
    event.payment_id = Some([Some(message), batch].into_iter().flatten().collect::<Vec<_>>().join(":"));
    keep(&mut event.attributes, "original_message_id", Some(message));
    keep(&mut event.attributes, "original_batch_id", batch);
    Ok(event)
}

fn status(
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
    let code_given = transaction.text_at("TxSts").or(of_all);
    let status = code_given.and_then(meaning);
    let status = status.ok_or_else(|| header.refuse(&references, "TxSts is missing or not known"))?;
    let mut event = header.event(&references, transaction.text_at("AccptncDtTm"))?;
    event.payment_id = Some(payment_id);
    event.status = status;
    event.method = Some(super::transfers::WIRE.to_owned());
    let reference = transaction.child("OrgnlTxRef");
    if let Some(amount) = reference.and_then(|reference| reference.child("IntrBkSttlmAmt")) {
        event.amount = Some(header.money(&references, amount)?);
    }
    let sides = Sides::of(reference.as_slice());
    event.debtor = sides.debtor.read("debtor", &mut event.attributes);
    event.creditor = sides.creditor.read("creditor", &mut event.attributes);
    keep(&mut event.attributes, "acceptance_time", transaction.text_at("AccptncDtTm"));
    keep(&mut event.attributes, "original_message_id", original);
    keep(&mut event.attributes, "transaction_status", code_given);
    keep(&mut event.attributes, "status_reason", code(transaction.at("StsRsnInf/Rsn")));
    collect(&mut event, header, &sides, around, transaction);
    Ok(event)
}

/// The status that a code of ISO 20022's ExternalPaymentTransactionStatus set stands for.
fn meaning(code: &str) -> Option<PaymentStatus> {
    Some(match code {
        "RCVD" | "PDNG" | "PATC" | "PART" => PaymentStatus::Processing,
        "ACCP" | "ACTC" | "ACWC" | "ACSP" | "ACFC" | "ACWP" => PaymentStatus::Authorized,
        "ACSC" | "ACCC" => PaymentStatus::Completed,
        "RJCT" | "BLCK" => PaymentStatus::Declined,
        "CANC" => PaymentStatus::Cancelled,
        _ => return None,
    })
}
