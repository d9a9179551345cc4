//! ISO 20022 messages to events: pacs.008 (credit transfers), pacs.002 (their status), pacs.004 (returns),
//! camt.054 (bookings) and pain.001 (orders), in any version, bare or inside an envelope such as Fedwire's or
//! FedNow's. The mapping, field by field, is in `docs/events.md`.
//!
//! **Ids.** An event's id is `<message>:<MsgId>:<reference>`, so that a message sent twice is a duplicate and a
//! message changed under the same id is a conflict. The reference is the first of TxId, InstrId, UETR and
//! EndToEndId that is given, else `#` and the transaction's place in the message. A payment's id is its UETR,
//! else `<MsgId>:<reference>`, which a status report repeats as the original's.
//!
//! **Whole or not at all.** A message of several transactions is refused whole if one of them cannot be read.

mod bookings;
mod everyone;
mod names;
mod orders;
mod party;
mod returns;
mod roles;
mod statuses;
mod transfers;

use serde_json::{Value, json};
use sluice_model::{Attributes, EventTime, Money, PaymentEvent};

use crate::{
    DecodeError, accept,
    xml::{self, Element},
};

pub use names::split_scripts;

/// A message that Sluice reads: the element that holds it, and what reads it.
struct Message {
    element: &'static str,
    name: &'static str,
    read: fn(&Header<'_>, &Element) -> Result<Vec<PaymentEvent>, DecodeError>,
}

const MESSAGES: [Message; 5] = [
    Message { element: "FIToFICstmrCdtTrf", name: "pacs.008", read: transfers::read },
    Message { element: "FIToFIPmtStsRpt", name: "pacs.002", read: statuses::read },
    Message { element: "PmtRtr", name: "pacs.004", read: returns::read },
    Message { element: "BkToCstmrDbtCdtNtfctn", name: "camt.054", read: bookings::read },
    Message { element: "CstmrCdtTrfInitn", name: "pain.001", read: orders::read },
];

/// Every event of an ISO 20022 document, in order.
pub fn decode_iso20022(bytes: &[u8]) -> Result<Vec<PaymentEvent>, DecodeError> {
    let root = xml::parse(bytes)?;
    let mut found = Vec::new();
    find(&root, None, &mut found);
    if found.is_empty() {
        return Err(DecodeError::unsupported(
            "no message that is read here: pacs.008, pacs.002, pacs.004, camt.054 or pain.001",
        ));
    }
    let mut events = Vec::new();
    for (message, element, namespace) in found {
        let header = Header::read(message, element, namespace)?;
        for mut event in (message.read)(&header, element)? {
            event.normalise();
            events.push(accept(event)?);
        }
    }
    if events.is_empty() {
        return Err(DecodeError::malformed("the message has no transaction"));
    }
    Ok(events)
}

/// The messages under an element, wherever an envelope put them, each with the namespace it stands in.
fn find<'a>(
    element: &'a Element,
    namespace: Option<&'a str>,
    found: &mut Vec<(&'static Message, &'a Element, Option<&'a str>)>,
) {
    let namespace = element.namespace.as_deref().or(namespace);
    match MESSAGES.iter().find(|message| message.element == element.name) {
        Some(message) => found.push((message, element, namespace)),
        None => element.children.iter().for_each(|child| find(child, namespace, found)),
    }
}

/// What every transaction of a message shares.
struct Header<'a> {
    /// `pacs.008`
    name: &'static str,
    /// `pacs.008.001.08`, where the namespace says so.
    version: &'a str,
    message_id: &'a str,
    created_at: EventTime,
}

impl<'a> Header<'a> {
    fn read(
        message: &'static Message,
        element: &'a Element,
        namespace: Option<&'a str>,
    ) -> Result<Self, DecodeError> {
        let missing =
            |what: &str| DecodeError::malformed(format!("{}: GrpHdr/{what} is missing", message.name));
        let created = element.text_at("GrpHdr/CreDtTm").ok_or_else(|| missing("CreDtTm"))?;
        let version = namespace.and_then(|namespace| namespace.rsplit(':').next());
        Ok(Self {
            name: message.name,
            version: version.filter(|version| version.starts_with(message.name)).unwrap_or(message.name),
            message_id: element.text_at("GrpHdr/MsgId").ok_or_else(|| missing("MsgId"))?,
            created_at: time(created).ok_or_else(|| {
                DecodeError::malformed(format!("{}: GrpHdr/CreDtTm is not a time", message.name))
            })?,
        })
    }

    /// An event of this message, at the time in `when` or else when the message was made.
    fn event(&self, references: &References<'_>, when: Option<&str>) -> Result<PaymentEvent, DecodeError> {
        let at = match when {
            Some(text) => time(text).ok_or_else(|| self.refuse(references, "a time is not one"))?,
            None => self.created_at,
        };
        let id = format!("{}:{}:{}", self.name, self.message_id, references.reference());
        let mut event = PaymentEvent::new(id, at);
        event.uetr = references.uetr.map(str::to_ascii_lowercase);
        event.end_to_end_id = references.end_to_end.map(str::to_owned);
        keep(&mut event.attributes, "message", Some(self.version));
        keep(&mut event.attributes, "message_id", Some(self.message_id));
        keep(&mut event.attributes, "instruction_id", references.instruction);
        keep(&mut event.attributes, "transaction_id", references.transaction);
        Ok(event)
    }

    fn refuse(&self, references: &References<'_>, why: &str) -> DecodeError {
        DecodeError::malformed(format!("{} transaction {}: {why}", self.name, references.place))
    }

    /// The amount that stands in an element, with its currency.
    fn money(&self, references: &References<'_>, element: &Element) -> Result<Money, DecodeError> {
        let read = || {
            let currency = element.currency.as_deref().unwrap_or_default().parse()?;
            Money::parse(element.text().unwrap_or_default(), currency)
        };
        read().map_err(|error| self.refuse(references, &format!("{}: {error}", element.name)))
    }

    /// The amount that must stand on a path.
    fn required_money(
        &self,
        references: &References<'_>,
        transaction: &Element,
        path: &str,
    ) -> Result<Money, DecodeError> {
        let element = transaction.at(path);
        let element = element.ok_or_else(|| self.refuse(references, &format!("{path} is missing")))?;
        self.money(references, element)
    }
}

/// The references by which a transaction is known.
struct References<'a> {
    instruction: Option<&'a str>,
    transaction: Option<&'a str>,
    end_to_end: Option<&'a str>,
    uetr: Option<&'a str>,
    /// The transaction's place in the message, from 1.
    place: usize,
}

impl<'a> References<'a> {
    /// From a transaction's own `PmtId` (or the `Refs` of a booking).
    fn own(ids: Option<&'a Element>, place: usize) -> Self {
        let text = |name| ids.and_then(|ids| ids.text_at(name));
        Self {
            instruction: text("InstrId"),
            transaction: text("TxId"),
            end_to_end: text("EndToEndId"),
            uetr: text("UETR"),
            place,
        }
    }

    /// From what a status report or a return says of the transaction it is about.
    fn original(transaction: &'a Element, place: usize) -> Self {
        Self {
            instruction: transaction.text_at("OrgnlInstrId"),
            transaction: transaction.text_at("OrgnlTxId"),
            end_to_end: transaction.text_at("OrgnlEndToEndId"),
            uetr: transaction.text_at("OrgnlUETR"),
            place,
        }
    }

    /// The first reference that tells this transaction from others.
    fn reference(&self) -> String {
        let end_to_end = self.end_to_end.filter(|id| *id != NOT_PROVIDED);
        let given = self.transaction.or(self.instruction).or(self.uetr).or(end_to_end);
        given.map_or_else(|| format!("#{}", self.place), str::to_owned)
    }

    /// The payment's id: its UETR, else the message that ordered it and its reference there.
    fn payment_id(&self, message_id: &str) -> String {
        match self.uetr {
            Some(uetr) => uetr.to_ascii_lowercase(),
            None => format!("{message_id}:{}", self.reference()),
        }
    }
}

/// What stands where a scheme demands a reference and there is none.
const NOT_PROVIDED: &str = "NOTPROVIDED";

/// A date and time of ISO 20022. One without an offset is taken as UTC, a date alone as its midnight in UTC.
fn time(text: &str) -> Option<EventTime> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let local: jiff::civil::DateTime = text.parse().ok()?;
    let at = jiff::tz::Offset::UTC.to_timestamp(local).ok()?;
    Some(EventTime::from_micros(at.as_microsecond()))
}

/// Keep a text that the canonical event has no field for.
fn keep(attributes: &mut Attributes, name: impl Into<String>, text: Option<&str>) {
    if let Some(text) = text {
        attributes.insert(name.into(), Value::String(text.to_owned()));
    }
}

/// Keep an amount that the canonical event has no field for.
fn keep_money(attributes: &mut Attributes, name: &str, money: Money) {
    attributes
        .insert(name.to_owned(), json!({ "value": money.decimal(), "currency": money.currency.code() }));
}

/// A code or a proprietary word, whichever an element gives.
fn code(element: Option<&Element>) -> Option<&str> {
    element.and_then(|element| element.text_at("Cd").or_else(|| element.text_at("Prtry")))
}

/// Remittance: free lines first, then what structured remittance names: documents, references, remarks.
fn remittance(transaction: &Element) -> Option<String> {
    let parts = remittance_parts(transaction);
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn remittance_parts(transaction: &Element) -> Vec<&str> {
    let Some(remittance) = transaction.child("RmtInf") else { return Vec::new() };
    let lines = remittance.children("Ustrd").filter_map(Element::text);
    let structured = remittance.children("Strd").flat_map(|structured| {
        let documents = structured.children("RfrdDocInf").filter_map(|document| document.text_at("Nb"));
        let reference = structured.text_at("CdtrRefInf/Ref");
        let remarks = structured.children("AddtlRmtInf").filter_map(Element::text);
        documents.chain(reference).chain(remarks)
    });
    lines.chain(structured).collect()
}
