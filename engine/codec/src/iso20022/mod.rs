//! ISO 20022 messages to events, in any version, bare or in an envelope, with a business application header or
//! without. Which messages are read, and the mapping field by field, is in `docs/events.md`.
//!
//! **Ids.** An event's id is `<message>:<MsgId>:<reference>`, so that a message sent twice is a duplicate and a
//! message changed under the same id is a conflict. The reference is the first of TxId, InstrId, UETR and
//! EndToEndId that is given, else `#` and the transaction's place in the message; where several transactions have the
//! same, each has its place behind it (`identity`). A payment's id is its UETR, else `<MsgId>:<reference>`, which a
//! status report repeats as the original's.
//!
//! **None is lost.** A transaction that cannot be read is refused by itself, and the others go on. A document that is
//! no XML, or a message without an id or a time, is refused whole.
//!
//! **As many as there are.** A document is looked through before the first transaction is told, and read in full one
//! transaction after another: what is held beyond its text does not grow with them, but for a few words on each.

mod bookings;
mod cancellations;
mod everyone;
mod header;
mod identity;
mod names;
mod orders;
mod party;
mod returns;
mod roles;
mod statuses;
mod times;
mod totals;
mod transactions;
mod transfers;

use std::ops::ControlFlow;

use header::{Header, References};
use serde_json::{Value, json};
use sluice_model::{Attributes, Money, PaymentEvent};
use transactions::{Surveyed, Transactions};

use crate::{
    DecodeError, Refused, Zone,
    xml::{self, Element},
};

pub use names::split_scripts;

/// What an ISO 20022 document holds. Every transaction in it is either an event or refused.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The events, in order.
    pub events: Vec<PaymentEvent>,
    /// The transactions that could not be read, in order, each with its text in the document, or with the whole
    /// document where it is the only one.
    pub refused: Vec<Refused>,
    /// Control totals that contradict what stands in the document, without personal data.
    pub notes: Vec<String>,
}

/// A message that Sluice reads: the element that holds it, and what reads it.
struct Message {
    element: &'static str,
    name: &'static str,
    /// The newest version when this was written.
    newest: u32,
    /// The elements that hold transactions together, and the one that holds one.
    batches: &'static [&'static str],
    transaction: &'static str,
    /// Whether each transaction is a payment. Elsewhere several may speak of one.
    makes_payments: bool,
    read: fn(&Element, &mut Transactions<'_>),
}

const MESSAGES: [Message; 14] = [
    payments("FIToFICstmrCdtTrf", "pacs.008", 12, &[], "CdtTrfTxInf", transfers::credits),
    payments("FICdtTrf", "pacs.009", 11, &[], "CdtTrfTxInf", transfers::credits),
    payments("FIToFICstmrDrctDbt", "pacs.003", 11, &[], "DrctDbtTxInf", transfers::debits),
    payments("PmtRtr", "pacs.004", 13, &[], "TxInf", returns::read),
    payments("CstmrCdtTrfInitn", "pain.001", 12, &[orders::BATCH], "CdtTrfTxInf", orders::transfers),
    payments("CstmrDrctDbtInitn", "pain.008", 11, &[orders::BATCH], "DrctDbtTxInf", orders::collections),
    payments("BkToCstmrAcctRpt", "camt.052", 12, &bookings::REPORTS, bookings::ENTRY, bookings::read),
    payments("BkToCstmrStmt", "camt.053", 12, &bookings::REPORTS, bookings::ENTRY, bookings::read),
    payments("BkToCstmrDbtCdtNtfctn", "camt.054", 12, &bookings::REPORTS, bookings::ENTRY, bookings::read),
    news("FIToFIPmtStsRpt", "pacs.002", 14, &[statuses::BATCH], "TxInfAndSts", statuses::read),
    news("CstmrPmtStsRpt", "pain.002", 14, &[statuses::BATCH], "TxInfAndSts", statuses::read),
    news(
        "RsltnOfInvstgtn",
        "camt.029",
        13,
        &[cancellations::ANSWERED],
        "TxInfAndSts",
        cancellations::answers,
    ),
    news("FIToFIPmtCxlReq", "camt.056", 11, &[cancellations::ASKED], "TxInf", cancellations::requests),
    news("CstmrPmtCxlReq", "camt.055", 12, &[cancellations::ASKED], "TxInf", cancellations::requests),
];

/// So many of a document's transactions are read in full when it is looked through, and kept: those of a small document
/// are read once.
const WHOLE_MAX: usize = 256;

/// What is set apart in a document wherever it stands, since it repeats.
const APART: [&str; 7] = [
    "CdtTrfTxInf",
    "DrctDbtTxInf",
    "TxInf",
    "TxInfAndSts",
    bookings::ENTRY,
    bookings::DETAILS,
    bookings::DETAIL,
];

/// A message of payments.
const fn payments(
    element: &'static str,
    name: &'static str,
    newest: u32,
    batches: &'static [&'static str],
    transaction: &'static str,
    read: fn(&Element, &mut Transactions<'_>),
) -> Message {
    Message { element, name, newest, batches, transaction, makes_payments: true, read }
}

/// A message that tells of payments made elsewhere.
const fn news(
    element: &'static str,
    name: &'static str,
    newest: u32,
    batches: &'static [&'static str],
    transaction: &'static str,
    read: fn(&Element, &mut Transactions<'_>),
) -> Message {
    Message { element, name, newest, batches, transaction, makes_payments: false, read }
}

/// The name under which an element is set apart: a transaction's wherever it stands, and in a message those that hold
/// many of them.
fn set_apart(parent: &str, name: &str) -> Option<&'static str> {
    let found = |names: &'static [&'static str]| names.iter().find(|known| **known == name).copied();
    let batch = || found(MESSAGES.iter().find(|message| message.element == parent)?.batches);
    found(&APART).or_else(batch)
}

/// An ISO 20022 document that is well-formed.
#[derive(Debug)]
pub struct Document<'a> {
    bytes: &'a [u8],
    tree: xml::Document<'a>,
}

impl<'a> Document<'a> {
    /// The document in those bytes.
    ///
    /// # Errors
    /// When it is no XML, or beyond a limit.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(Self { bytes, tree: xml::Document::parse(bytes, set_apart)? })
    }

    /// Look through its messages. Times without an offset belong to `zone`.
    ///
    /// # Errors
    /// When it is refused whole: it holds no message that is read here, or one that cannot be read.
    pub fn messages<'d>(&'d self, zone: &'d Zone) -> Result<Messages<'d>, DecodeError> {
        let found = Search::all(&self.tree.roots);
        if found.is_empty() {
            let names: Vec<&str> = MESSAGES.iter().map(|message| message.name).collect();
            let why = format!("no message that is read here: {}", names.join(", "));
            return Err(DecodeError::unsupported(why));
        }
        let mut messages = Messages { bytes: self.bytes, tree: &self.tree, surveyed: Vec::new() };
        let mut whole = WHOLE_MAX;
        for message in found {
            let surveyed = Surveyed::of(&self.tree, message, zone, whole)?;
            whole = whole.saturating_sub(surveyed.kept());
            messages.surveyed.push(surveyed);
        }
        Ok(messages)
    }
}

/// The messages of a document, none of which is refused whole.
pub struct Messages<'d> {
    bytes: &'d [u8],
    tree: &'d xml::Document<'d>,
    surveyed: Vec<Surveyed<'d>>,
}

impl Messages<'_> {
    /// How many transactions there are: each is an event or refused.
    pub fn transactions(&self) -> usize {
        self.surveyed.iter().map(|message| message.count).sum()
    }

    /// Control totals that contradict what stands in the document, without personal data.
    pub fn notes(&self) -> Vec<String> {
        let notes = |message: &Surveyed<'_>| {
            let of_message = message.contradictions.iter();
            of_message.map(|found| format!("{}: {found}", message.name())).collect::<Vec<_>>()
        };
        self.surveyed.iter().flat_map(notes).collect()
    }

    /// Hand on each transaction in order, one read at a time, until `take` wants no more. One that is refused comes with
    /// its text in the document, or with the whole document where it is the only one.
    pub fn each(self, mut take: impl FnMut(Result<PaymentEvent, Refused>) -> ControlFlow<()>) {
        let is_only = self.transactions() == 1;
        for message in self.surveyed {
            let next = message.each(self.tree, |mut read| {
                if let Err(refused) = read.as_mut()
                    && is_only
                {
                    refused.original = self.bytes.to_vec();
                }
                take(read)
            });
            if next.is_break() {
                return;
            }
        }
    }
}

/// Everything that an ISO 20022 document holds, together; an error where it is refused whole. Times without an offset
/// belong to `zone`.
pub fn decode_iso20022(bytes: &[u8], zone: &Zone) -> Result<Decoded, DecodeError> {
    let document = Document::parse(bytes)?;
    let messages = document.messages(zone)?;
    let mut decoded = Decoded { notes: messages.notes(), ..Decoded::default() };
    messages.each(|read| {
        match read {
            Ok(event) => decoded.events.push(event),
            Err(refused) => decoded.refused.push(refused),
        }
        ControlFlow::Continue(())
    });
    Ok(decoded)
}

/// The messages of a document, wherever an envelope put them.
#[derive(Default)]
struct Search<'a> {
    found: Vec<Found<'a>>,
    /// The business application header that came last.
    business: Option<&'a Element>,
}

/// A message, with the namespace it stands in and its business header.
#[derive(Clone, Copy)]
struct Found<'a> {
    message: &'static Message,
    element: &'a Element,
    namespace: Option<&'a str>,
    business: Option<&'a Element>,
}

impl<'a> Search<'a> {
    /// The messages, each with the header that it stands behind or in; the last may also stand before its own.
    fn all(roots: &'a [Element]) -> Vec<Found<'a>> {
        let mut search = Self::default();
        roots.iter().for_each(|root| search.under(root, None));
        if let Some(last) = search.found.last_mut() {
            last.business = last.business.or(search.business);
        }
        search.found
    }

    fn under(&mut self, element: &'a Element, namespace: Option<&'a str>) {
        let namespace = element.namespace.as_deref().or(namespace);
        if element.name == "AppHdr" {
            self.business = Some(element);
        }
        match MESSAGES.iter().find(|message| message.element == element.name) {
            Some(message) => {
                self.found.push(Found { message, element, namespace, business: self.business.take() });
            }
            None => element.children.iter().for_each(|child| self.under(child, namespace)),
        }
    }
}

/// What stands where a scheme demands a reference and there is none.
const NOT_PROVIDED: &str = "NOTPROVIDED";

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
