//! Bodies to what is taken in: events, and what could not be read.

use sluice_codec::{Code, DecodeError, Form, Refused, Zone, iso20022::Decoded};
use sluice_model::{DeadLetter, EventRecord, EventTime, PaymentEvent, PaymentRecord};

/// The formats that are read, by media type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// `application/json`: one event.
    Json,
    /// `application/x-ndjson`: one event a line.
    Ndjson,
    /// `application/xml`: an ISO 20022 message.
    Iso20022,
    /// `application/x-swift-mt`: SWIFT MT messages.
    Mt,
}

impl Format {
    /// The format of a `Content-Type`; its parameters do not matter.
    pub(crate) fn of(content_type: &str) -> Option<Self> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/json" => Some(Self::Json),
            "application/x-ndjson" | "application/ndjson" => Some(Self::Ndjson),
            "application/xml" | "text/xml" => Some(Self::Iso20022),
            "application/x-swift-mt" => Some(Self::Mt),
            _ => None,
        }
    }

    /// The media type to ask for.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Iso20022 => "application/xml",
            Self::Mt => "application/x-swift-mt",
        }
    }
}

impl From<Form> for Format {
    fn from(form: Form) -> Self {
        match form {
            Form::Json => Self::Ndjson,
            Form::Iso20022 => Self::Iso20022,
            Form::Mt => Self::Mt,
        }
    }
}

/// What a body holds.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The events, in order.
    pub events: Vec<PaymentEvent>,
    /// What could not be read, in order.
    pub refused: Vec<Refused>,
    /// What a body says of itself that is not so, without personal data.
    pub notes: Vec<String>,
}

/// Read a body, whose times without an offset belong to a zone. Whatever is not an event is refused with its line, reason
/// and bytes; the rest goes on.
pub(crate) fn read(format: Format, body: &[u8], zone: &Zone) -> Contents {
    let mut contents = Contents::default();
    match format {
        Format::Json => contents.one(1, body, sluice_codec::decode_json(body)),
        Format::Ndjson => {
            for (line, bytes) in sluice_codec::lines(body) {
                contents.one(line, bytes, sluice_codec::decode_json(bytes));
            }
        }
        Format::Iso20022 => match sluice_codec::decode_iso20022(body, zone) {
            Ok(Decoded { events, refused, notes }) => contents = Contents { events, refused, notes },
            Err(error) => contents.one(1, body, Err(error)),
        },
        Format::Mt => match sluice_codec::decode_mt(body, zone) {
            Ok(events) => contents.events = events,
            Err(error) => contents.one(1, body, Err(error)),
        },
    }
    contents
}

impl Contents {
    /// Add what became of one event's bytes.
    pub(crate) fn one(&mut self, line: u64, original: &[u8], decoded: Result<PaymentEvent, DecodeError>) {
        match decoded {
            Ok(event) => self.events.push(event),
            Err(error) => self.refused.push(Refused {
                line,
                code: error.code(),
                reason: error.to_string(),
                original: original.to_vec(),
            }),
        }
    }

    /// Add that there is nothing in it.
    pub(crate) fn nothing(&mut self, original: &[u8]) {
        self.refused.push(Refused {
            line: 1,
            code: Code::Malformed.name(),
            reason: "there is nothing in it".to_owned(),
            original: original.to_vec(),
        });
    }

    /// The records that take this in: events stamped with the time at which they came, and dead letters.
    pub(crate) fn into_records(
        self,
        received_at: EventTime,
        source: &str,
    ) -> (Vec<PaymentRecord>, Vec<DeadLetter>) {
        let events =
            self.events.into_iter().map(|event| record(event, received_at)).map(PaymentRecord::Event);
        (events.collect(), dead_letters(self.refused, received_at, source))
    }
}

/// What could not be read, as it is kept.
pub(crate) fn dead_letters(refused: Vec<Refused>, received_at: EventTime, source: &str) -> Vec<DeadLetter> {
    let letters = refused.into_iter().map(|refused| DeadLetter {
        received_at,
        source: source.to_owned(),
        code: refused.code.to_owned(),
        reason: refused.reason,
        original: refused.original,
        event: None,
    });
    letters.collect()
}

/// An event as it came, for which nobody waits.
pub(crate) fn record(event: PaymentEvent, received_at: EventTime) -> EventRecord {
    EventRecord { received_at, awaited: false, late_reason: None, event: event.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_says_the_format() {
        assert_eq!(Format::of("application/json; charset=utf-8"), Some(Format::Json));
        assert_eq!(Format::of("Application/X-NDJSON"), Some(Format::Ndjson));
        assert_eq!(Format::of("application/xml"), Some(Format::Iso20022));
        assert_eq!(Format::of("application/x-swift-mt"), Some(Format::Mt));
        assert_eq!(Format::of("text/csv"), None);
    }
}
