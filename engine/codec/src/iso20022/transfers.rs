//! Payments from one institution to another: pacs.008 (credit transfers), pacs.009 (credit transfers of the
//! institutions' own, or that cover a customer's) and pacs.003 (direct debits). The instructing institution has taken
//! the order and the money is on its way, which is the canonical `authorized`; the status report that follows
//! completes or declines it.

use sluice_model::{PaymentEvent, PaymentStatus};

use super::{
    Header, References, Transactions, code,
    everyone::{around, collect},
    keep, keep_money,
    party::Sides,
    remittance,
};
use crate::{DecodeError, xml::Element};

/// The method of a transfer between institutions.
pub(super) const WIRE: &str = "wire";
/// The method of a payment that the creditor asks for.
pub(super) const DIRECT_DEBIT: &str = "direct_debit";

pub(super) fn credits(message: &Element, out: &mut Transactions<'_>) {
    read(message, "CdtTrfTxInf", WIRE, out);
}

pub(super) fn debits(message: &Element, out: &mut Transactions<'_>) {
    read(message, "DrctDbtTxInf", DIRECT_DEBIT, out);
}

fn read(message: &Element, name: &str, method: &str, out: &mut Transactions<'_>) {
    let group = message.child("GrpHdr");
    let around = around(&[], message, name);
    for transaction in message.apart(name) {
        out.add(transaction, |header, transaction, place| {
            let mut event = transfer(header, group, &around, transaction, place)?;
            event.method = Some(method.to_owned());
            Ok(event)
        });
    }
}

fn transfer(
    header: &Header<'_>,
    group: Option<&Element>,
    around: &[&Element],
    transaction: &Element,
    place: usize,
) -> Result<PaymentEvent, DecodeError> {
    let references = References::own(transaction.child("PmtId"), place);
    let accepted = transaction.text_at("AccptncDtTm");
    let mut event = header.event(&references, accepted)?;
    event.payment_id = Some(references.payment_id(header.message_id));
    event.status = PaymentStatus::Authorized;
    event.amount = Some(header.required_money(&references, transaction, "IntrBkSttlmAmt")?);
    let sides = Sides::of(&[transaction]);
    event.debtor = sides.debtor.read("debtor", &mut event.attributes);
    event.creditor = sides.creditor.read("creditor", &mut event.attributes);
    event.purpose = code(transaction.child("Purp")).map(str::to_owned);
    event.remittance = remittance(transaction);
    details(header, group, transaction, &references, &mut event)?;
    keep(&mut event.attributes, "acceptance_time", accepted);
    keep(&mut event.attributes, "mandate_id", transaction.text_at("DrctDbtTx/MndtRltdInf/MndtId"));
    let covered = transaction.child("UndrlygCstmrCdtTrf").and_then(remittance);
    keep(&mut event.attributes, "underlying_remittance", covered.as_deref());
    collect(&mut event, header, &sides, around, transaction);
    Ok(event)
}

/// What the canonical event has no field for.
fn details(
    header: &Header<'_>,
    group: Option<&Element>,
    transaction: &Element,
    references: &References<'_>,
    event: &mut PaymentEvent,
) -> Result<(), DecodeError> {
    if let Some(element) = transaction.child("InstdAmt") {
        let instructed = header.money(references, element)?;
        if Some(instructed) != event.amount {
            keep_money(&mut event.attributes, "instructed_amount", instructed);
        }
    }
    let kept = &mut event.attributes;
    let of_group = |path: &str| group.and_then(|group| group.text_at(path));
    let settled = transaction.text_at("IntrBkSttlmDt").or_else(|| of_group("IntrBkSttlmDt"));
    keep(kept, "settlement_date", settled);
    keep(kept, "settlement_method", of_group("SttlmInf/SttlmMtd"));
    keep(kept, "clearing_system", code(group.and_then(|group| group.at("SttlmInf/ClrSys"))));
    keep(kept, "exchange_rate", transaction.text_at("XchgRate"));
    keep(kept, "charge_bearer", transaction.text_at("ChrgBr"));
    keep(kept, "service_level", code(transaction.at("PmtTpInf/SvcLvl")));
    keep(kept, "local_instrument", code(transaction.at("PmtTpInf/LclInstrm")));
    keep(kept, "category_purpose", code(transaction.at("PmtTpInf/CtgyPurp")));
    let instructions: Vec<&str> = ["InstrForCdtrAgt", "InstrForNxtAgt"]
        .into_iter()
        .flat_map(|name| transaction.children(name))
        .flat_map(|instruction| ["Cd", "InstrInf"].into_iter().filter_map(|part| instruction.text_at(part)))
        .collect();
    keep(kept, "instructions", Some(instructions.join(" ").as_str()).filter(|text| !text.is_empty()));
    Ok(())
}
