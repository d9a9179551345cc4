//! A customer's orders: pain.001 to pay, pain.008 to collect. Nothing has moved: the canonical `initiated`.

use sluice_model::{Direction, PaymentEvent, PaymentStatus};

use super::{
    Header, References, Transactions, code,
    everyone::{around, collect},
    keep,
    party::Sides,
    remittance,
    transfers::{DIRECT_DEBIT, WIRE},
};
use crate::{DecodeError, xml::Element};

/// The orders of one account.
pub(super) const BATCH: &str = "PmtInf";

pub(super) fn transfers(message: &Element, out: &mut Transactions<'_>) {
    read(message, "CdtTrfTxInf", (WIRE, Direction::Outbound), out);
}

pub(super) fn collections(message: &Element, out: &mut Transactions<'_>) {
    read(message, "DrctDbtTxInf", (DIRECT_DEBIT, Direction::Inbound), out);
}

fn read(message: &Element, name: &str, (method, direction): (&str, Direction), out: &mut Transactions<'_>) {
    let around_batches = around(&[], message, BATCH);
    for batch in message.apart(BATCH) {
        let Some(batch) = out.open(batch) else { continue };
        out.check_count(&batch, batch.apart(name).count());
        let around = around(&around_batches, &batch, name);
        for transaction in batch.apart(name) {
            out.add(transaction, |header, transaction, place| {
                let mut event = order(header, &batch, &around, transaction, place)?;
                event.method = Some(method.to_owned());
                event.direction = Some(direction);
                Ok(event)
            });
        }
    }
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
    // A collection has its amount directly.
    let amount =
        ["Amt/InstdAmt", "Amt/EqvtAmt/Amt", "InstdAmt"].into_iter().find_map(|path| transaction.at(path));
    let amount = amount.ok_or_else(|| header.refuse(&references, "Amt/InstdAmt is missing"))?;
    event.amount = Some(header.money(&references, amount)?);
    let sides = Sides::of(&[transaction, batch]);
    event.debtor = sides.debtor.read("debtor", &mut event.attributes);
    event.creditor = sides.creditor.read("creditor", &mut event.attributes);
    event.purpose = code(transaction.child("Purp")).map(str::to_owned);
    event.remittance = remittance(transaction);
    let execution = ["ReqdExctnDt/DtTm", "ReqdExctnDt/Dt", "ReqdExctnDt", "ReqdColltnDt"];
    keep(&mut event.attributes, "execution_date", execution.into_iter().find_map(|path| batch.text_at(path)));
    keep(&mut event.attributes, "batch_id", batch.text_at("PmtInfId"));
    keep(&mut event.attributes, "mandate_id", transaction.text_at("DrctDbtTx/MndtRltdInf/MndtId"));
    keep(&mut event.attributes, "category_purpose", code(batch.at("PmtTpInf/CtgyPurp")));
    collect(&mut event, header, &sides, around, transaction);
    Ok(event)
}
