//! pacs.002: what became of a transfer. The event carries the payment's id and its new status; what else it
//! says of the payment stands in `OrgnlTxRef`, and is often nothing.

use sluice_model::{PaymentEvent, PaymentStatus};

use super::{
    Header, References, code,
    everyone::{around, collect},
    keep,
    party::Sides,
};
use crate::{DecodeError, xml::Element};

pub(super) fn read(header: &Header<'_>, message: &Element) -> Result<Vec<PaymentEvent>, DecodeError> {
    if message.child("TxInfAndSts").is_none() {
        return Err(DecodeError::unsupported(
            "pacs.002: a status for a whole message, without its transactions, is not read",
        ));
    }
    // Older versions name the original message once for all of its transactions.
    let original = message.text_at("OrgnlGrpInfAndSts/OrgnlMsgId");
    let around = around(&[], message, "TxInfAndSts");
    (1..)
        .zip(message.children("TxInfAndSts"))
        .map(|(place, transaction)| status(header, original, &around, transaction, place))
        .collect()
}

fn status(
    header: &Header<'_>,
    original: Option<&str>,
    around: &[&Element],
    transaction: &Element,
    place: usize,
) -> Result<PaymentEvent, DecodeError> {
    let references = References::original(transaction, place);
    let original = transaction.text_at("OrgnlGrpInf/OrgnlMsgId").or(original);
    if references.uetr.is_none() && original.is_none() {
        return Err(
            header.refuse(&references, "neither OrgnlUETR nor OrgnlMsgId says which payment it is about")
        );
    }
    let code_given = transaction.text_at("TxSts");
    let status = code_given.and_then(meaning);
    let status = status.ok_or_else(|| header.refuse(&references, "TxSts is missing or not known"))?;
    let mut event = header.event(&references, transaction.text_at("AccptncDtTm"))?;
    event.payment_id = Some(references.payment_id(original.unwrap_or_default()));
    event.status = status;
    event.method = Some(super::transfers::WIRE.to_owned());
    let reference = transaction.child("OrgnlTxRef");
    if let Some(amount) = reference.and_then(|reference| reference.child("IntrBkSttlmAmt")) {
        event.amount = Some(header.money(&references, amount)?);
    }
    let sides = Sides::of(reference.as_slice());
    event.debtor = sides.debtor.read("debtor", &mut event.attributes);
    event.creditor = sides.creditor.read("creditor", &mut event.attributes);
    keep(&mut event.attributes, "original_message_id", original);
    keep(&mut event.attributes, "transaction_status", code_given);
    keep(&mut event.attributes, "status_reason", code(transaction.at("StsRsnInf/Rsn")));
    collect(&mut event, &sides, around, transaction);
    Ok(event)
}

/// The status that a code of ISO 20022's ExternalPaymentTransactionStatus set stands for.
fn meaning(code: &str) -> Option<PaymentStatus> {
    Some(match code {
        "RCVD" | "PDNG" | "PATC" => PaymentStatus::Processing,
        "ACCP" | "ACTC" | "ACWC" | "ACSP" | "ACFC" | "ACWP" => PaymentStatus::Authorized,
        "ACSC" | "ACCC" => PaymentStatus::Completed,
        "RJCT" | "BLCK" => PaymentStatus::Declined,
        "CANC" => PaymentStatus::Cancelled,
        _ => return None,
    })
}
