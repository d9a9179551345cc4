//! SWIFT MT messages to events: MT103 (credit transfers), MT202 (transfers between institutions, with or without
//! the customers they cover), MT900 and MT910 (confirmations), MT940 and MT942 (statements). The mapping, field by
//! field, is in `docs/events.md`.
//!
//! **Ids.** An event's id is `<message>:<sender's BIC>:<field 20>`; a statement's line adds which statement of which
//! account it stands in, and its place there. So a message sent twice is a duplicate, and one changed under the
//! same reference a conflict. A transfer's payment id is its UETR, else `<sender's BIC>:<field 20>`.
//!
//! **Whole or not at all.** A file of several messages is refused whole if one of them cannot be read.

mod agents;
mod blocks;
mod customers;
mod fields;
mod information;
mod statements;
mod transfers;
mod values;

use sluice_model::{EventTime, PaymentEvent};

use self::{
    blocks::Block,
    fields::{Fields, Place},
};
use crate::{DecodeError, Zone, accept};

/// The most messages of one file.
const MESSAGES_MAX: usize = 100_000;

/// Whether bytes begin as MT messages do: a brace, the number of a block, a colon. No JSON or XML does.
pub fn is_mt(bytes: &[u8]) -> bool {
    let begin = bytes.iter().position(|byte| !blocks::is_between(char::from(*byte))).unwrap_or(bytes.len());
    matches!(bytes.get(begin..), Some([b'{', b'0'..=b'9', b':', ..]))
}

/// Every event of a file of MT messages, in order. Times without an offset belong to `zone`.
pub fn decode_mt(bytes: &[u8], zone: &Zone) -> Result<Vec<PaymentEvent>, DecodeError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| DecodeError::malformed(format!("not UTF-8 from byte {} on", error.valid_up_to())))?;
    let mut events = Vec::new();
    for (number, message) in (1..).zip(blocks::messages(text)) {
        if number > MESSAGES_MAX {
            return Err(DecodeError::too_large(format!("more than {MESSAGES_MAX} messages")));
        }
        let place = Place { message: number, name: "" };
        let blocks = message.map_err(|why| place.refuse(why))?;
        if let Some((header, fields)) = Header::read(&blocks, zone, place)? {
            for mut event in header.events(fields)? {
                event.normalise();
                events.push(accept(event)?);
            }
        }
    }
    if events.is_empty() {
        return Err(DecodeError::malformed("no message has a transaction"));
    }
    Ok(events)
}

/// What the headers of a message say: its type, between whom and when.
struct Header {
    /// `MT103`, `MT202 COV`: the type, with what block 3 says of its variant.
    name: String,
    kind: Kind,
    /// Who sent it, by BIC, with the branch if there is one.
    sender: String,
    receiver: String,
    /// When the sender gave it to the network; the copy of a sender does not say.
    sent_at: Option<EventTime>,
    /// Block 3's field 121, in small letters.
    uetr: Option<String>,
    /// Where times without an offset are at home.
    zone: Zone,
    place: Place,
}

/// The messages that are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    CustomerTransfer,
    InstitutionTransfer,
    Debit,
    Credit,
    Statement,
    Interim,
}

impl Kind {
    /// The message of that number, with the name that errors and ids give it.
    fn of(number: &str) -> Option<(Self, &'static str)> {
        Some(match number {
            "103" => (Self::CustomerTransfer, "MT103"),
            "202" => (Self::InstitutionTransfer, "MT202"),
            "900" => (Self::Debit, "MT900"),
            "910" => (Self::Credit, "MT910"),
            "940" => (Self::Statement, "MT940"),
            "942" => (Self::Interim, "MT942"),
            _ => return None,
        })
    }
}

impl Header {
    /// The headers and the text of a message; nothing for a message of the network itself, such as an
    /// acknowledgement.
    fn read<'a>(
        blocks: &[Block<'a>],
        zone: &Zone,
        place: Place,
    ) -> Result<Option<(Self, Fields<'a>)>, DecodeError> {
        let text_of = |id: &str| blocks.iter().find(|block| block.id == id).map(|block| block.text);
        let basic = text_of("1").ok_or_else(|| place.refuse("block 1 is missing"))?;
        let (Some(service), Some(own)) = (basic.get(1..3), basic.get(3..15).and_then(values::bic)) else {
            return Err(place.refuse("block 1 is no basic header"));
        };
        if service != FINANCIAL {
            return Ok(None);
        }
        let application = text_of("2").ok_or_else(|| place.refuse("block 2 is missing"))?;
        let Application { number, other, sent_at, received } = Application::read(application, zone)
            .ok_or_else(|| place.refuse("block 2 is no application header"))?;
        let (kind, name) = Kind::of(number).ok_or_else(|| {
            DecodeError::unsupported(format!(
                "message {}: of a type that is not read here: MT103, MT202, MT900, MT910, MT940 or MT942",
                place.message
            ))
        })?;
        let place = Place { name, ..place };
        let user = blocks::subfields(text_of("3").unwrap_or_default());
        let tag = |id: &str| user.iter().find(|(tag, _)| *tag == id).map(|(_, value)| *value);
        let variant = tag("119").filter(|v| ["COV", "STP", "REMIT"].contains(v));
        let text = text_of("4").ok_or_else(|| place.refuse("block 4 is missing"))?;
        let (sender, receiver) = if received { (other, own) } else { (own, other) };
        let header = Self {
            name: variant.map_or_else(|| name.to_owned(), |variant| format!("{name} {variant}")),
            kind,
            sender,
            receiver,
            sent_at,
            uetr: tag("121").map(str::to_ascii_lowercase),
            zone: zone.clone(),
            place,
        };
        Ok(Some((header, Fields::read(text, place)?)))
    }

    fn events(&self, fields: Fields<'_>) -> Result<Vec<PaymentEvent>, DecodeError> {
        match self.kind {
            Kind::CustomerTransfer => Ok(vec![transfers::customer(self, fields)?]),
            Kind::InstitutionTransfer => Ok(vec![transfers::institution(self, fields)?]),
            Kind::Debit | Kind::Credit => Ok(vec![statements::confirmation(self, fields)?]),
            Kind::Statement | Kind::Interim => statements::read(self, fields),
        }
    }

    /// An event of this message, known by its reference.
    fn event(&self, reference: &str, at: EventTime) -> PaymentEvent {
        let id = format!("{}:{}:{reference}", self.place.name, self.sender);
        let mut event = PaymentEvent::new(id, at);
        event.method = Some(WIRE.to_owned());
        event.uetr.clone_from(&self.uetr);
        event.payment_id = Some(self.uetr.clone().unwrap_or_else(|| format!("{}:{reference}", self.sender)));
        values::keep(&mut event.attributes, "message", Some(&self.name));
        event
    }
}

/// The method of a transfer between institutions.
const WIRE: &str = "wire";
/// The service of block 1 that carries financial messages; others are the network's own.
const FINANCIAL: &str = "01";

/// Block 2: the message's type, and the other end.
struct Application<'a> {
    number: &'a str,
    other: String,
    sent_at: Option<EventTime>,
    /// Whether the network handed it out, so that the other end sent it.
    received: bool,
}

impl<'a> Application<'a> {
    fn read(text: &'a str, zone: &Zone) -> Option<Self> {
        let number = text.get(1..4)?;
        if text.starts_with('I') {
            let other = values::bic(text.get(4..16)?)?;
            return Some(Self { number, other, sent_at: None, received: false });
        }
        // O, type, the sender's time, then the sender's date, terminal, session and sequence.
        text.strip_prefix('O')?;
        let (hours, date, other) = (text.get(4..8)?, text.get(8..14)?, values::bic(text.get(14..26)?)?);
        let sent_at = Some(values::sent_at(values::date(date)?, hours, &other, zone)?);
        Some(Self { number, other, sent_at, received: true })
    }
}
