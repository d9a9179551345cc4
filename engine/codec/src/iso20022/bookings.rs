//! camt.054: what was booked on an account of the institution's customer. Each transaction of an entry is an
//! event; an entry without details is one event itself.

use sluice_model::{Direction, EventType, PaymentEvent, PaymentStatus};

use super::{
    Header, References, code,
    everyone::{around, collect},
    keep,
    party::Sides,
    remittance,
};
use crate::{DecodeError, xml::Element};

pub(super) fn read(header: &Header<'_>, message: &Element) -> Result<Vec<PaymentEvent>, DecodeError> {
    let mut events = Vec::new();
    let around_notifications = around(&[], message, "Ntfctn");
    for notification in message.children("Ntfctn") {
        let around_entries = around(&around_notifications, notification, "Ntry");
        for entry in notification.children("Ntry") {
            let mut details = entry.children("NtryDtls").flat_map(|d| d.children("TxDtls")).peekable();
            if details.peek().is_none() {
                events.push(booking(header, notification, entry, &around_entries, entry, events.len() + 1)?);
            }
            let around_details = around(&around_entries, entry, "NtryDtls");
            for detail in details {
                events.push(booking(header, notification, entry, &around_details, detail, events.len() + 1)?);
            }
        }
    }
    Ok(events)
}

fn booking(
    header: &Header<'_>,
    notification: &Element,
    entry: &Element,
    around: &[&Element],
    detail: &Element,
    place: usize,
) -> Result<PaymentEvent, DecodeError> {
    let references = References::own(detail.child("Refs"), place);
    let booked_at = entry.text_at("BookgDt/DtTm").or_else(|| entry.text_at("BookgDt/Dt"));
    let mut event = header.event(&references, booked_at)?;
    event.payment_id = Some(references.payment_id(header.message_id));
    event.method = Some(super::transfers::WIRE.to_owned());
    let booked = entry.text_at("Sts/Cd").or_else(|| entry.text_at("Sts")) == Some("BOOK");
    event.status = if booked { PaymentStatus::Completed } else { PaymentStatus::Processing };
    if entry.text_at("RvslInd") == Some("true") {
        event.event_type = EventType::Refund;
    }
    // A single transaction has its entry's amount; one of several must give its own.
    let amount = ["Amt", "AmtDtls/TxAmt/Amt"].into_iter().find_map(|path| detail.at(path));
    let alone = entry.children("NtryDtls").flat_map(|d| d.children("TxDtls")).count() <= 1;
    let amount = amount.or_else(|| entry.child("Amt").filter(|_| alone));
    let amount = amount.ok_or_else(|| header.refuse(&references, "Amt is missing"))?;
    event.amount = Some(header.money(&references, amount)?);

    let mut sides = sides(detail);
    let indicator = detail.text_at("CdtDbtInd").or_else(|| entry.text_at("CdtDbtInd"));
    let (own, direction) = match indicator {
        Some("CRDT") => (&mut sides.creditor, Direction::Inbound),
        Some("DBIT") => (&mut sides.debtor, Direction::Outbound),
        _ => return Err(header.refuse(&references, "CdtDbtInd is neither CRDT nor DBIT")),
    };
    own.account = notification.child("Acct");
    own.party = own.party.or_else(|| notification.at("Acct/Ownr"));
    own.agent = own.agent.or_else(|| notification.at("Acct/Svcr"));
    event.direction = Some(direction);
    event.debtor = sides.debtor.read("debtor", &mut event.attributes);
    event.creditor = sides.creditor.read("creditor", &mut event.attributes);
    event.purpose = code(detail.child("Purp")).map(str::to_owned);
    event.remittance = remittance(detail);
    keep(&mut event.attributes, "entry_reference", entry.text_at("NtryRef"));
    keep(&mut event.attributes, "servicer_reference", detail.text_at("Refs/AcctSvcrRef"));
    collect(&mut event, &sides, around, detail);
    Ok(event)
}

/// Parties and their agents stand apart in a booking.
fn sides(detail: &Element) -> Sides<'_> {
    let places: Vec<&Element> =
        ["RltdPties", "RltdAgts"].into_iter().filter_map(|n| detail.child(n)).collect();
    Sides::of(&places)
}
