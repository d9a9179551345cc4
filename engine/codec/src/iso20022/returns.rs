//! pacs.004: a transfer sent back. The return is a payment of its own, a refund of the original: its debtor is
//! who gives the money back.

use sluice_model::{EventType, PaymentEvent, PaymentStatus};

use super::{
    Header, References, Transactions, code,
    everyone::{around, collect},
    keep,
    party::Sides,
};
use crate::{
    DecodeError,
    xml::{Element, Spot},
};

pub(super) fn read(message: &Element, out: &mut Transactions<'_>) {
    // Older versions name the original message once for all of its transactions.
    let original = message.text_at("OrgnlGrpInf/OrgnlMsgId");
    let around = around(&[], message, "TxInf");
    for transaction in message.apart("TxInf") {
        out.add(transaction, |header, transaction, place| {
            give_back(header, original, &around, transaction, place)
        });
    }
    if out.count() == 0 {
        let why = "a whole message sent back, without its transactions, is not read";
        out.reject(Spot::Open(message), DecodeError::unsupported(why));
    }
}

fn give_back(
    header: &Header<'_>,
    original: Option<&str>,
    around: &[&Element],
    transaction: &Element,
    place: usize,
) -> Result<PaymentEvent, DecodeError> {
    let references = References::original(transaction, place);
    let original = transaction.text_at("OrgnlGrpInf/OrgnlMsgId").or(original);
    let mut event = header.event(&references, None)?;
    event.event_type = EventType::Refund;
    event.status = PaymentStatus::Authorized;
    event.method = Some(super::transfers::WIRE.to_owned());
    let return_id = transaction.text_at("RtrId").map(str::to_owned);
    let return_id = return_id.unwrap_or_else(|| references.reference());
    event.payment_id = Some(format!("{}:{return_id}", header.message_id));
    event.original_payment_id = references.original_id(original);
    event.amount = Some(header.required_money(&references, transaction, "RtrdIntrBkSttlmAmt")?);
    let sides = sides(transaction);
    event.debtor = sides.debtor.read("debtor", &mut event.attributes);
    event.creditor = sides.creditor.read("creditor", &mut event.attributes);
    keep(&mut event.attributes, "original_message_id", original);
    keep(&mut event.attributes, "settlement_date", transaction.text_at("IntrBkSttlmDt"));
    keep(&mut event.attributes, "charge_bearer", transaction.text_at("ChrgBr"));
    keep(&mut event.attributes, "return_reason", code(transaction.at("RtrRsnInf/Rsn")));
    collect(&mut event, header, &sides, around, transaction);
    Ok(event)
}

/// The return's own chain; older versions give only the original's parties, whose parts are then exchanged.
fn sides(transaction: &Element) -> Sides<'_> {
    if let Some(chain) = transaction.child("RtrChain") {
        return Sides::of(&[chain]);
    }
    let original = Sides::of(transaction.child("OrgnlTxRef").as_slice());
    Sides { debtor: original.creditor, creditor: original.debtor }
}
