//! Reading the canonical event: one visitor a structure, over JSON or any other self-describing source (TOML
//! cases, a CSV row behind a mapping).
//!
//! What holds once an event has been read: known fields have the types of their structures; a field that the
//! structure does not know stands in `attributes` under its path (`debtor.segment`, `intermediaries.0.lei`), but one
//! that looks like a known field is refused (`spelling`);
//! nothing was given twice; a blank text or an empty object is the same as an absent one.
//!
//! **Invariant.** No value ever enters an error message: a message says what was expected, and the decoder
//! that called adds the path. The size of texts and lists is the decoder's to limit, not this module's.

mod numbers;
mod seeds;
mod tables;
mod values;

use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed as _, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use self::{
    seeds::{AnyValue, Reader},
    tables::{MoneyDraft, ProxyDraft, RelatedDraft},
};
use crate::{
    Attributes, BOOKING_DATE, Card, Device, Merchant, Money, Party, PaymentEvent, Proxy, RelatedParty,
    spelling::Level,
};

/// Where a reader stands: the fields and list places that lead to it.
#[derive(Clone, Copy)]
struct Place<'a> {
    up: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(up) = self.up {
            write!(f, "{up}.")?;
        }
        match self.step {
            Step::Field(name) => f.write_str(name),
            Step::Item(at) => write!(f, "{at}"),
        }
    }
}

/// What an event gathers while it is read, beside its own fields.
#[derive(Default)]
struct Gathered {
    attributes: Attributes,
    /// The day of an `occurred_at` that has no time.
    booking_date: Option<String>,
    /// Whether the input is JSON text, of whose numbers every digit is to be kept.
    is_json_text: bool,
}

/// What a reader needs beside its input: where it stands, and where unknown fields go.
struct Reading<'a> {
    place: Option<Place<'a>>,
    /// `None` for a structure that is read alone, which has nowhere to keep what it does not know.
    gathered: Option<&'a mut Gathered>,
}

impl Reading<'_> {
    fn alone() -> Self {
        Self { place: None, gathered: None }
    }

    /// The reading one step further in.
    fn within<'b>(&'b mut self, step: Step<'b>) -> Reading<'b> {
        Reading {
            place: Some(Place { up: self.place.as_ref(), step }),
            gathered: self.gathered.as_deref_mut(),
        }
    }

    /// How a value that no field knows is read.
    fn any_value(&self) -> AnyValue {
        AnyValue { is_json_text: self.gathered.as_ref().is_some_and(|gathered| gathered.is_json_text) }
    }

    /// Keep a field that the structure does not know.
    fn keep<E: Error>(&mut self, field: &str, value: Value) -> Result<(), E> {
        let Some(gathered) = self.gathered.as_deref_mut() else {
            return Err(E::custom("has a field that is not known here"));
        };
        let path = match &self.place {
            Some(place) => format!("{place}.{field}"),
            None => field.to_owned(),
        };
        match gathered.attributes.insert(path, value) {
            None => Ok(()),
            Some(_) => Err(E::custom("is given twice")),
        }
    }
}

/// The fields met so far, a bit each.
#[derive(Default)]
struct FieldsSeen(u64);

impl FieldsSeen {
    fn once<E: Error>(&mut self, field: u32) -> Result<(), E> {
        let bit = 1 << field;
        if self.0 & bit != 0 {
            return Err(E::custom("has a field that is given twice"));
        }
        self.0 |= bit;
        Ok(())
    }
}

/// What has fields.
trait Fields {
    /// Their names.
    const NAMES: &'static [&'static str];
    /// What sort of fields they are.
    const LEVEL: Level;

    /// Read the value of a known field; `false`, with nothing read, for any other.
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        field: &str,
        seen: &mut FieldsSeen,
        map: &mut A,
        reading: &mut Reading<'_>,
    ) -> Result<bool, A::Error>;
}

/// A structure that is read field by field into a draft of itself.
trait Object: Fields + Sized {
    /// What the draft becomes.
    type Output;
    /// A draft with nothing in it.
    fn blank() -> Self;
    /// The draft as a value; nothing where the structure was empty; or what it lacks.
    fn finish(self) -> Result<Option<Self::Output>, String>;
}

impl<'de> Deserialize<'de> for PaymentEvent {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if !d.is_human_readable() {
            return d.deserialize_bytes(JsonBytes);
        }
        event(d, Gathered::default())
    }
}

/// An event read from JSON text: of numbers in `attributes` every digit is kept. Only `serde_json` reads it, from a text
/// or bytes.
pub struct EventOfJson(pub PaymentEvent);

impl<'de> Deserialize<'de> for EventOfJson {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        event(d, Gathered { is_json_text: true, ..Gathered::default() }).map(Self)
    }
}

fn event<'de, D: Deserializer<'de>>(d: D, mut gathered: Gathered) -> Result<PaymentEvent, D::Error> {
    let reading = Reading { place: None, gathered: Some(&mut gathered) };
    let event = Reader::<PaymentEvent>::new(reading).deserialize(d)?;
    let mut event = event.ok_or_else(|| D::Error::custom("must be an object, in braces"))?;
    let Gathered { mut attributes, booking_date, .. } = gathered;
    // Here as everywhere, null is the same as absent; it counted only against being given twice.
    attributes.retain(|_, value| !value.is_null());
    if let Some(date) = booking_date {
        attributes.entry(BOOKING_DATE.to_owned()).or_insert(Value::String(date));
    }
    event.attributes = attributes;
    Ok(event)
}

/// An event inside a binary format, which cannot carry free attributes: its JSON, as bytes.
struct JsonBytes;

impl Visitor<'_> for JsonBytes {
    type Value = PaymentEvent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of an event in JSON")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<PaymentEvent, E> {
        serde_json::from_slice(bytes).map_err(E::custom)
    }
}

/// A structure read alone: a field that it does not know is refused, for there is nowhere to keep it.
fn alone<'de, D: Deserializer<'de>, O: Object>(d: D) -> Result<Option<O::Output>, D::Error> {
    Reader::<O>::new(Reading::alone()).deserialize(d)
}

macro_rules! read_alone {
    ($($type:ty: $draft:ty, $empty:expr;)*) => { $(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let empty: Result<Self, &str> = $empty;
                alone::<D, $draft>(d)?.map_or(empty, Ok).map_err(de::Error::custom)
            }
        }
    )* };
}
read_alone! {
    Party: Party, Ok(Self::default());
    Device: Device, Ok(Self::default());
    Card: Card, Ok(Self::default());
    Merchant: Merchant, Ok(Self::default());
    Money: MoneyDraft, Err("an amount needs a value and a currency");
    Proxy: ProxyDraft, Err("a proxy needs a type and an id");
    RelatedParty: RelatedDraft, Err("a related party needs a role");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{FUTURE_DAY_TOLERANCE, FUTURE_TOLERANCE};

    fn read(text: &str) -> Result<PaymentEvent, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    fn with(fields: &str) -> Result<PaymentEvent, String> {
        read(&format!(r#"{{"event_id":"E1","occurred_at":"2026-11-20T08:30:00Z",{fields}}}"#))
    }

    #[test]
    fn an_account_may_be_overdrawn_but_no_payment_is_negative() {
        let with =
            |field: &str| format!(r#"{{"event_id":"E","occurred_at":"2026-11-20T08:30:00Z",{field}}}"#);
        let overdrawn = with(r#""debtor":{"balance_after":{"value":"-12.50","currency":"HKD"}}"#);
        let event = read(&overdrawn).unwrap();
        assert_eq!(event.debtor.as_ref().unwrap().balance_after.unwrap().minor, -1_250);
        assert_eq!(read(&serde_json::to_string(&event).unwrap()).unwrap(), event);
        let twice = overdrawn.replace("-12.50", "--12.50");
        assert!(read(&twice).unwrap_err().contains("negative"));
        let negative = with(r#""amount":{"value":"-12.50","currency":"HKD"}"#);
        assert!(read(&negative).unwrap_err().contains("negative"));
    }

    #[test]
    fn unknown_fields_are_kept_under_the_path_on_which_they_stood() {
        let event = with(
            r#""segment":"retail","attributes":{"own":1},"debtor":{"name":"A","risk":{"x":[1]},"proxy":{"type":"fps_id","id":"1","flag":true}},
               "intermediaries":[{"name":"B"},{"name":"C","lei":"X"}],"related_parties":[{"role":"ubo","name":"D","share":0.3}],
               "amount":{"value":"1","currency":"HKD","rounded":false}"#,
        )
        .unwrap();
        let keys: Vec<&str> = event.attributes.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "amount.rounded",
                "debtor.proxy.flag",
                "debtor.risk",
                "intermediaries.1.lei",
                "own",
                "related_parties.0.share",
                "segment"
            ]
        );
        let again = read(&serde_json::to_string(&event).unwrap()).unwrap();
        assert_eq!(again, event);
    }

    #[test]
    fn what_is_verified_is_named_in_order_and_once() {
        let event = with(r#""debtor":{"name":"A","verified":["country","birth_date","country"]}"#).unwrap();
        let debtor = event.debtor.as_ref().unwrap();
        assert_eq!(debtor.verified, ["birth_date", "country"]);
        assert_eq!(read(&serde_json::to_string(&event).unwrap()).unwrap(), event);
        assert!(with(r#""debtor":{"verified":null},"creditor":{"verified":[]}"#).unwrap().debtor.is_none());
    }

    /// What was kept once is read again: the names of attributes are the source's.
    #[test]
    fn attributes_may_be_called_as_they_like() {
        let event = with(r#""attributes":{"beneficiary":"B","debtor.Name":"D"}"#).unwrap();
        assert_eq!(event.attributes.len(), 2);
        assert_eq!(read(&serde_json::to_string(&event).unwrap()).unwrap(), event);
    }

    #[test]
    fn a_field_given_twice_is_refused_wherever_it_stands() {
        for twice in [
            r#""method":"fps","method":"fps""#,
            r#""method":null,"method":"fps""#,
            r#""x":1,"x":2"#,
            r#""x":1,"attributes":{"x":2}"#,
            r#""attributes":{"x":{"y":1,"y":2}}"#,
            r#""debtor":{"name":"A","name":"B"}"#,
            r#""debtor":{"name":"A"},"debtor":{"name":"A"}"#,
            r#""related_parties":[{"role":"ubo","role":"ubo"}]"#,
            r#""amount":{"value":"1","currency":"HKD","value":"2"}"#,
        ] {
            let refused = with(twice).unwrap_err();
            assert!(refused.contains("given twice"), "{twice}: {refused}");
        }
    }

    #[test]
    fn blank_and_null_are_nothing() {
        let event = with(
            r#""payment_id":"","method":null,"debtor":{"name":" ","country":""},"device":{},"creditor":null,
               "intermediaries":null,"type":null,"status":"","attributes":null,"amount":{}"#,
        );
        let at = "2026-11-20T08:30:00Z".parse().unwrap();
        assert_eq!(event.unwrap(), PaymentEvent::new("E1".into(), at));
    }

    #[test]
    fn a_refusal_says_what_was_expected_and_never_what_was_given() {
        for (fields, expected) in [
            (r#""amount":{"value":7800.19,"currency":"HKD"}"#, "JSON number"),
            (r#""amount":{"value":"7800.19","currency":"SECRET"}"#, "ISO 4217"),
            (r#""amount":{"value":"SECRET","currency":"HKD"}"#, "not a decimal amount"),
            (r#""amount":{"value":"99999999999999999999","currency":"HKD"}"#, "too large"),
            (r#""amount":"SECRET""#, "must be an object"),
            (r#""debtor":["SECRET"]"#, "must be an object"),
            (r#""debtor":{"name":7800.19}"#, "must be a text"),
            (r#""debtor":{"birth_date":"SECRET"}"#, "must be a date"),
            (r#""debtor":{"birth_date":"1980-02-31"}"#, "must be a date"),
            (r#""debtor":{"country":"SECRET"}"#, "ISO 3166-1"),
            (r#""intermediaries":{"name":"SECRET"}"#, "must be a list"),
            (r#""related_parties":[{"name":"SECRET"}]"#, "needs a role"),
            (r#""type":"SECRET""#, "must be payment"),
            (r#""status":"SECRET""#, "must be initiated"),
            (r#""direction":7"#, "must be inbound"),
            (r#""attributes":"SECRET""#, "must be an object"),
            (r#""debtor":{"verified":["SECRET"]}"#, "must be a list of the names"),
            (r#""debtor":{"verified":"SECRET"}"#, "must be a list of the names"),
            (r#""beneficiary":{"name":"SECRET"}"#, "otherwise here: `creditor`"),
            (r#""debtor":{"Name":"SECRET"}"#, "otherwise here: `name`"),
            (r#""intermediaries":[{"IBAN":"SECRET"}]"#, "otherwise here: `account`"),
            (r#""related_parties":[{"role":"ubo","full_name":"SECRET"}]"#, "otherwise here: `name`"),
            (r#""device":{"IP":"SECRET"}"#, "otherwise here: `ip`"),
        ] {
            let refused = with(fields).unwrap_err();
            assert!(refused.contains(expected), "{fields}: {refused}");
            assert!(!refused.contains("SECRET") && !refused.contains("7800.19"), "{refused}");
        }
        for whole in [r#""SECRET""#, "7800.19", "[]", "null", "true"] {
            assert!(read(whole).unwrap_err().starts_with("must be an object"), "{whole}");
        }
        assert!(read(r#"{"occurred_at":"2026-11-20T08:30:00Z"}"#).unwrap_err().contains("event_id"));
        assert!(read(r#"{"event_id":"E1"}"#).unwrap_err().contains("occurred_at"));
    }

    #[test]
    fn countries_and_uetrs_are_written_one_way() {
        let event =
            with(r#""debtor":{"country":"kp"},"uetr":"8A562C67-CA16-48BA-B074-65581BE6F011""#).unwrap();
        assert_eq!(event.debtor.unwrap().country.unwrap(), "KP");
        assert_eq!(event.uetr.unwrap(), "8a562c67-ca16-48ba-b074-65581be6f011");
    }

    #[test]
    fn a_date_alone_is_the_start_of_that_day_and_stays_the_booking_date() {
        let booked = |date: &str| read(&format!(r#"{{"event_id":"E1","occurred_at":"{date}"}}"#)).unwrap();
        let event = booked("2026-11-20+08:00");
        assert_eq!(event.occurred_at.to_string(), "2026-11-19T16:00:00Z");
        assert_eq!(event.attributes[BOOKING_DATE], "2026-11-20");
        assert_eq!(read(&serde_json::to_string(&event).unwrap()).unwrap(), event);
        assert_eq!(booked("2026-11-20").occurred_at.to_string(), "2026-11-20T00:00:00Z");
        assert_eq!(event.future_tolerance(), FUTURE_DAY_TOLERANCE);
        let with_time = booked("2026-11-20T00:00:00+08:00");
        assert!(with_time.attributes.is_empty());
        assert_eq!(with_time.future_tolerance(), FUTURE_TOLERANCE);
        // What the source itself calls so stays.
        let own = r#"{"event_id":"E1","occurred_at":"2026-11-20","booking_date":"2026-11-19"}"#;
        assert_eq!(read(own).unwrap().attributes[BOOKING_DATE], "2026-11-19");
    }

    #[test]
    fn an_event_survives_a_binary_format() {
        let event = with(r#""debtor":{"name":"A"},"attributes":{"n":1.5,"deep":{"x":[null,true]}}"#).unwrap();
        let bytes = postcard::to_stdvec(&event).unwrap();
        assert_eq!(postcard::from_bytes::<PaymentEvent>(&bytes).unwrap(), event);
    }
}
