//! Payments from one institution to another: pacs.008 (credit transfers), pacs.009 (credit transfers of the
//! institutions' own, or that cover a customer's) and pacs.003 (direct debits). The instructing institution has taken
//! the order and the money is on its way, which is the canonical `authorized`; the status report that follows
//! completes or declines it.

use sluice_model::{PaymentEvent, PaymentStatus, RelatedParty};

use super::{
    Header, References, Transactions, code, keep, keep_money,
    party::{Sides, intermediaries, related},
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
    for transaction in message.apart(name) {
        out.add(transaction, |header, transaction, place| {
            let mut event = transfer(header, group, transaction, place)?;
            event.method = Some(method.to_owned());
            Ok(event)
        });
    }
}

fn transfer(
    header: &Header<'_>,
    group: Option<&Element>,
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
    event.intermediaries = intermediaries(transaction, &sides);
    event.related_parties = related(&[transaction]);
    event.purpose = code(transaction.child("Purp")).map(str::to_owned);
    event.remittance = remittance(transaction);
    details(header, group, transaction, &references, &mut event)?;
    transaction.children("UndrlygCstmrCdtTrf").for_each(|covered| cover(covered, &mut event));
    keep(&mut event.attributes, "acceptance_time", accepted);
    keep(&mut event.attributes, "mandate_id", transaction.text_at("DrctDbtTx/MndtRltdInf/MndtId"));
    Ok(event)
}

/// Who stands in the customers' transfer that a payment between institutions covers (pacs.009 COV), and what is said
/// there.
fn cover(covered: &Element, event: &mut PaymentEvent) {
    let sides = Sides::of(&[covered]);
    for (side, role) in [(&sides.debtor, "underlying_debtor"), (&sides.creditor, "underlying_creditor")] {
        let party = side.read(role, &mut event.attributes);
        event.related_parties.extend(party.map(|party| RelatedParty { role: role.to_owned(), party }));
    }
    event.related_parties.extend(related(&[covered]));
    event.intermediaries.extend(intermediaries(covered, &sides));
    keep(&mut event.attributes, "underlying_remittance", remittance(covered).as_deref());
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
        .filter_map(|instruction| instruction.text_at("InstrInf"))
        .collect();
    keep(kept, "instructions", Some(instructions.join(" ").as_str()).filter(|text| !text.is_empty()));
    Ok(())
}
