//! pain.001: a customer's order to pay. Nothing has moved: the canonical `initiated`.

use sluice_model::{Direction, PaymentEvent, PaymentStatus};

use super::{
    Header, References, code, keep,
    party::{Sides, intermediaries, related},
    remittance,
};
use crate::{DecodeError, xml::Element};

pub(super) fn read(header: &Header<'_>, message: &Element) -> Result<Vec<PaymentEvent>, DecodeError> {
    let group = message.child("GrpHdr");
    let orders = message
        .children("PmtInf")
        .flat_map(|batch| batch.children("CdtTrfTxInf").map(move |transaction| (batch, transaction)));
    (1..)
        .zip(orders)
        .map(|(place, (batch, transaction))| order(header, group, batch, transaction, place))
        .collect()
}

fn order(
    header: &Header<'_>,
    group: Option<&Element>,
    batch: &Element,
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
    event.intermediaries = intermediaries(transaction, &sides);
    let mut places = vec![transaction, batch];
    places.extend(group);
    event.related_parties = related(&places);
    event.purpose = code(transaction.child("Purp")).map(str::to_owned);
    event.remittance = remittance(transaction);
    let execution = ["ReqdExctnDt/DtTm", "ReqdExctnDt/Dt", "ReqdExctnDt"];
    keep(&mut event.attributes, "execution_date", execution.into_iter().find_map(|path| batch.text_at(path)));
    keep(&mut event.attributes, "batch_id", batch.text_at("PmtInfId"));
    keep(&mut event.attributes, "category_purpose", code(batch.at("PmtTpInf/CtgyPurp")));
    Ok(event)
}
