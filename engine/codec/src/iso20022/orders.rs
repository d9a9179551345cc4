//! pain.001: a customer's order to pay. Nothing has moved: the canonical `initiated`.

use sluice_model::{Direction, PaymentEvent, PaymentStatus};

use super::{
    Header, References, code,
    everyone::{around, collect},
    keep,
    party::Sides,
    remittance,
};
use crate::{DecodeError, xml::Element};

pub(super) fn read(header: &Header<'_>, message: &Element) -> Result<Vec<PaymentEvent>, DecodeError> {
    let around_batches = around(&[], message, "PmtInf");
    let mut events = Vec::new();
    for batch in message.children("PmtInf") {
        let around = around(&around_batches, batch, "CdtTrfTxInf");
        for transaction in batch.children("CdtTrfTxInf") {
            events.push(order(header, batch, &around, transaction, events.len() + 1)?);
        }
    }
    Ok(events)
}

fn order(
    header: &Header<'_>,
    batch: &Element,
    around: &[&Element],
    transaction: &Element,
    place: usize,
) -> Result<PaymentEvent, DecodeError> {
    let references = References::own(transaction.child("PmtId"), place);
    let mut event = header.event(&references, None)?;
    event.payment_id = Some(references.payment_id(header.message_id));
    event.status = PaymentStatus::Initiated;
    event.method = Some(super::transfers::WIRE.to_owned());
    event.direction = Some(Direction::Outbound);
    let amount = ["Amt/InstdAmt", "Amt/EqvtAmt/Amt"].into_iter().find_map(|path| transaction.at(path));
    let amount = amount.ok_or_else(|| header.refuse(&references, "Amt/InstdAmt is missing"))?;
    event.amount = Some(header.money(&references, amount)?);
    let sides = Sides::of(&[transaction, batch]);
    event.debtor = sides.debtor.read("debtor", &mut event.attributes);
    event.creditor = sides.creditor.read("creditor", &mut event.attributes);
    event.purpose = code(transaction.child("Purp")).map(str::to_owned);
    event.remittance = remittance(transaction);
    let execution = ["ReqdExctnDt/DtTm", "ReqdExctnDt/Dt", "ReqdExctnDt"];
    keep(&mut event.attributes, "execution_date", execution.into_iter().find_map(|path| batch.text_at(path)));
    keep(&mut event.attributes, "batch_id", batch.text_at("PmtInfId"));
    keep(&mut event.attributes, "category_purpose", code(batch.at("PmtTpInf/CtgyPurp")));
    collect(&mut event, &sides, around, transaction);
    Ok(event)
}
