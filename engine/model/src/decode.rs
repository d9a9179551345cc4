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

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::{
    AsGiven, Attributes, Card, Currency, Device, Direction, EntryKind, EventTime, EventType, Merchant, Money,
    MoneyError, Party, PaymentEvent, PaymentStatus, Proxy, RelatedParty,
    spelling::{self, Level},
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

/// What a reader needs beside its input: where it stands, and where unknown fields go.
struct Reading<'a> {
    place: Option<Place<'a>>,
    /// `None` for a structure that is read alone, which has nowhere to keep what it does not know.
    attributes: Option<&'a mut Attributes>,
}

impl Reading<'_> {
    fn alone() -> Self {
        Self { place: None, attributes: None }
    }

    /// The reading one step further in.
    fn within<'b>(&'b mut self, step: Step<'b>) -> Reading<'b> {
        Reading {
            place: Some(Place { up: self.place.as_ref(), step }),
            attributes: self.attributes.as_deref_mut(),
        }
    }

    /// Keep a field that the structure does not know.
    fn keep<E: Error>(&mut self, field: &str, value: Value) -> Result<(), E> {
        let Some(attributes) = self.attributes.as_deref_mut() else {
            return Err(E::custom("has a field that is not known here"));
        };
        let path = match &self.place {
            Some(place) => format!("{place}.{field}"),
            None => field.to_owned(),
        };
        match attributes.insert(path, value) {
            None => Ok(()),
            Some(_) => Err(E::custom("is given twice")),
        }
    }
}

/// The fields met so far, a bit each.
#[derive(Default)]
struct Seen(u64);

impl Seen {
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
        seen: &mut Seen,
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

/// Declares the fields of a structure, and of which sort they are: the name in JSON, the Rust field, and the reader of
/// its value.
macro_rules! fields {
    ($level:ident $type:ident { $($key:literal $field:ident: $read:expr),* $(,)? }) => {
        impl $type {
            /// The fields, by the names that JSON carries.
            pub const FIELDS: &'static [&'static str] = &[$($key),*];
        }

        impl Fields for $type {
            const NAMES: &'static [&'static str] = Self::FIELDS;
            const LEVEL: Level = Level::$level;

            fn read<'de, A: MapAccess<'de>>(
                &mut self,
                field: &str,
                seen: &mut Seen,
                map: &mut A,
                reading: &mut Reading<'_>,
            ) -> Result<bool, A::Error> {
                #[allow(non_camel_case_types, reason = "these are the fields' own names, numbered")]
                enum Number { $($field),* }
                match field {
                    $($key => {
                        seen.once(Number::$field as u32)?;
                        self.$field = $read(map, reading.within(Step::Field($key)))?;
                    })*
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
    };
}

fields!(Event PaymentEvent {
    "event_id" event_id: required_text,
    "payment_id" payment_id: text,
    "original_payment_id" original_payment_id: text,
    "type" event_type: event_type,
    "status" status: status,
    "occurred_at" occurred_at: time,
    "method" method: text,
    "channel" channel: text,
    "direction" direction: direction,
    "amount" amount: object::<_, MoneyDraft>,
    "debtor" debtor: object::<_, Party>,
    "creditor" creditor: object::<_, Party>,
    "intermediaries" intermediaries: list::<_, Party>,
    "related_parties" related_parties: list::<_, RelatedDraft>,
    "purpose" purpose: text,
    "remittance" remittance: text,
    "uetr" uetr: lower_text,
    "end_to_end_id" end_to_end_id: text,
    "device" device: object::<_, Device>,
    "card" card: object::<_, Card>,
    "merchant" merchant: object::<_, Merchant>,
    "attributes" attributes: attributes,
    "as_given" as_given: as_given,
});

fields!(Party Party {
    "customer_id" customer_id: text,
    "name" name: text,
    "name_local" name_local: text,
    "kind" kind: entry_kind,
    "account" account: text,
    "country" country: country,
    "birth_date" birth_date: birth_date,
    "gender" gender: lower_text,
    "id_number" id_number: text,
    "address" address: text,
    "agent_bic" agent_bic: text,
    "agent_name" agent_name: text,
    "agent_member_id" agent_member_id: text,
    "agent_country" agent_country: country,
    "balance_after" balance_after: object::<_, BalanceDraft>,
    "proxy" proxy: object::<_, ProxyDraft>,
    "verified" verified: field_names,
});

fields!(Other Device { "id" id: text, "ip" ip: text, "country" country: country });
fields!(Other Card { "token" token: text, "bin" bin: text, "country" country: country });
fields!(Other Merchant { "id" id: text, "mcc" mcc: text, "domain" domain: text });

/// An amount as it is written: decimal text and a currency.
#[derive(Default, PartialEq)]
struct MoneyDraft {
    value: Option<String>,
    currency: Option<Currency>,
}
fields!(Other MoneyDraft { "value" value: decimal, "currency" currency: currency });

impl MoneyDraft {
    fn money(self, parse: fn(&str, Currency) -> Result<Money, MoneyError>) -> Result<Option<Money>, String> {
        match (self.value, self.currency) {
            (None, None) => Ok(None),
            (None, _) => Err("an amount needs a value".into()),
            (_, None) => Err("an amount needs a currency".into()),
            (Some(value), Some(currency)) => {
                parse(&value, currency).map(Some).map_err(|error| error.to_string())
            }
        }
    }
}

/// A balance: an account may be overdrawn.
#[derive(Default, PartialEq)]
struct BalanceDraft(MoneyDraft);

impl Fields for BalanceDraft {
    const NAMES: &'static [&'static str] = MoneyDraft::NAMES;
    const LEVEL: Level = MoneyDraft::LEVEL;

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        field: &str,
        seen: &mut Seen,
        map: &mut A,
        reading: &mut Reading<'_>,
    ) -> Result<bool, A::Error> {
        self.0.read(field, seen, map, reading)
    }
}

/// A proxy while it is read.
#[derive(Default, PartialEq)]
struct ProxyDraft {
    proxy_type: Option<String>,
    id: Option<String>,
}
fields!(Other ProxyDraft { "type" proxy_type: text, "id" id: text });

impl Money {
    /// The fields, by the names that JSON carries.
    pub const FIELDS: &'static [&'static str] = MoneyDraft::FIELDS;
}

impl Proxy {
    /// The fields, by the names that JSON carries.
    pub const FIELDS: &'static [&'static str] = ProxyDraft::FIELDS;
}

/// A party with a role beside its own fields.
#[derive(Default, PartialEq)]
struct RelatedDraft {
    role: Option<String>,
    party: Party,
}

/// The bit of `role` in a related party's `Seen`, beyond those of the party's own fields.
const ROLE: u32 = 63;

impl Fields for RelatedDraft {
    /// Of which nobody spells `role` otherwise.
    const NAMES: &'static [&'static str] = Party::NAMES;
    const LEVEL: Level = Party::LEVEL;

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        field: &str,
        seen: &mut Seen,
        map: &mut A,
        reading: &mut Reading<'_>,
    ) -> Result<bool, A::Error> {
        if field != "role" {
            return self.party.read(field, seen, map, reading);
        }
        seen.once(ROLE)?;
        self.role = text(map, reading.within(Step::Field("role")))?;
        Ok(true)
    }
}

/// Stands in a draft for a time that was not given; no text is read as it.
const NEVER: EventTime = EventTime::from_micros(i64::MIN);

/// Structures whose draft is themselves and whose fields may all be absent.
macro_rules! optional_fields {
    ($($type:ident),*) => { $(
        impl Object for $type {
            type Output = Self;

            fn blank() -> Self {
                Self::default()
            }

            fn finish(self) -> Result<Option<Self>, String> {
                Ok((self != Self::default()).then_some(self))
            }
        }
    )* };
}
optional_fields!(Party, Device, Card, Merchant);

impl Object for PaymentEvent {
    type Output = Self;

    fn blank() -> Self {
        Self::new(String::new(), NEVER)
    }

    fn finish(mut self) -> Result<Option<Self>, String> {
        self.normalise();
        if self.event_id.is_empty() {
            return Err("event_id is missing".into());
        }
        if self.occurred_at == NEVER {
            return Err("occurred_at is missing".into());
        }
        Ok(Some(self))
    }
}

impl Object for MoneyDraft {
    type Output = Money;

    fn blank() -> Self {
        Self::default()
    }

    fn finish(self) -> Result<Option<Money>, String> {
        self.money(Money::parse)
    }
}

impl Object for BalanceDraft {
    type Output = Money;

    fn blank() -> Self {
        Self::default()
    }

    fn finish(self) -> Result<Option<Money>, String> {
        self.0.money(Money::parse_signed)
    }
}

impl Object for ProxyDraft {
    type Output = Proxy;

    fn blank() -> Self {
        Self::default()
    }

    fn finish(self) -> Result<Option<Proxy>, String> {
        match (self.proxy_type, self.id) {
            (None, None) => Ok(None),
            (Some(proxy_type), Some(id)) => Ok(Some(Proxy { proxy_type, id })),
            _ => Err("a proxy needs a type and an id".into()),
        }
    }
}

impl Object for RelatedDraft {
    type Output = RelatedParty;

    fn blank() -> Self {
        Self::default()
    }

    fn finish(self) -> Result<Option<RelatedParty>, String> {
        match self.role {
            Some(role) => Ok(Some(RelatedParty { role, party: self.party })),
            None if self.party == Party::default() => Ok(None),
            None => Err("a related party needs a role".into()),
        }
    }
}

// The readers of a field's value. Each takes the map, whose next value it is, and where that stands.

fn text<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<Option<String>, A::Error> {
    map.next_value_seed(Text("must be a text, in quotes"))
}

fn decimal<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<Option<String>, A::Error> {
    map.next_value_seed(Text("must be a text such as \"7800.00\", since a JSON number may lose digits"))
}

fn required_text<'de, A: MapAccess<'de>>(map: &mut A, reading: Reading<'_>) -> Result<String, A::Error> {
    text(map, reading).map(Option::unwrap_or_default)
}

fn lower_text<'de, A: MapAccess<'de>>(map: &mut A, reading: Reading<'_>) -> Result<Option<String>, A::Error> {
    let mut text = text(map, reading)?;
    if let Some(text) = &mut text {
        text.make_ascii_lowercase();
    }
    Ok(text)
}

fn parsed<'de, A: MapAccess<'de>, T>(
    map: &mut A,
    parse: fn(&str) -> Option<T>,
    expected: &'static str,
) -> Result<Option<T>, A::Error> {
    map.next_value_seed(Parsed { parse, expected })
}

fn event_type<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<EventType, A::Error> {
    let expected = "must be payment, payout, topup, withdrawal, refund, chargeback, fx, customer, account or \
                    authentication";
    parsed(map, EventType::from_name, expected).map(Option::unwrap_or_default)
}

fn status<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<PaymentStatus, A::Error> {
    let expected = "must be initiated, processing, authorized, captured, completed, failed, declined, \
                    refunded, disputed, cancelled or expired";
    let status = parsed(map, PaymentStatus::from_name, expected)?;
    Ok(status.unwrap_or(PaymentStatus::Completed))
}

fn direction<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<Option<Direction>, A::Error> {
    parsed(map, Direction::from_name, "must be inbound, outbound or internal")
}

fn entry_kind<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<Option<EntryKind>, A::Error> {
    parsed(map, EntryKind::from_name, "must be person, organisation, vessel or aircraft")
}

fn time<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<EventTime, A::Error> {
    let expected = "must be an RFC 3339 date and time such as 2026-11-20T08:30:00Z";
    Ok(parsed(map, |text| text.parse().ok(), expected)?.unwrap_or(NEVER))
}

fn currency<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<Option<Currency>, A::Error> {
    parsed(map, |text| text.parse().ok(), "must be a currency code of ISO 4217, such as HKD")
}

fn country<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<Option<String>, A::Error> {
    // A country that rules would never recognise must not pass as one that is harmless.
    let two_letters = |text: &str| {
        (text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic())).then(|| text.to_ascii_uppercase())
    };
    parsed(map, two_letters, "must be a country code of two letters (ISO 3166-1), such as HK")
}

fn birth_date<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<Option<String>, A::Error> {
    let dated = |text: &str| {
        let whole = match text.len() {
            4 => format!("{text}-01-01"),
            7 => format!("{text}-01"),
            10 => text.to_owned(),
            _ => return None,
        };
        whole.parse::<jiff::civil::Date>().ok().map(|_| text.to_owned())
    };
    parsed(map, dated, "must be a date: YYYY-MM-DD, YYYY-MM or YYYY")
}

fn field_names<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<Vec<String>, A::Error> {
    map.next_value_seed(FieldNames)
}

fn object<'de, A: MapAccess<'de>, O: Object>(
    map: &mut A,
    reading: Reading<'_>,
) -> Result<Option<O::Output>, A::Error> {
    map.next_value_seed(Reader::<O>::new(reading))
}

fn list<'de, A: MapAccess<'de>, O: Object>(
    map: &mut A,
    reading: Reading<'_>,
) -> Result<Vec<O::Output>, A::Error> {
    map.next_value_seed(ListReader::<O>(Reader::new(reading)))
}

fn attributes<'de, A: MapAccess<'de>>(map: &mut A, reading: Reading<'_>) -> Result<Attributes, A::Error> {
    // They join the unknown fields; the event receives both once it is whole.
    map.next_value_seed(AttributesReader(Reading { place: None, ..reading }))?;
    Ok(Attributes::new())
}

fn as_given<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<AsGiven, A::Error> {
    let mut attributes = Attributes::new();
    map.next_value_seed(AttributesReader(Reading { place: None, attributes: Some(&mut attributes) }))?;
    let texts = attributes.into_iter().filter_map(|(path, value)| match value {
        Value::String(text) => Some((path, text)),
        _ => None,
    });
    Ok(AsGiven(texts.collect()))
}

/// Implements visits that refuse a kind of value, without repeating it.
macro_rules! refuse {
    ($why:expr; $($kind:ident)*) => { $(refuse!(@$kind $why);)* };
    (@bool $why:expr) => {
        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> { Err(E::custom($why(&self))) }
    };
    (@number $why:expr) => {
        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> { Err(E::custom($why(&self))) }
        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> { Err(E::custom($why(&self))) }
        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> { Err(E::custom($why(&self))) }
    };
    (@text $why:expr) => {
        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> { Err(E::custom($why(&self))) }
    };
    (@list $why:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err(A::Error::custom($why(&self)))
        }
    };
    (@object $why:expr) => {
        fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err(A::Error::custom($why(&self)))
        }
    };
}

/// A text; nothing where it is blank or null. Holds what to say of anything else.
struct Text(&'static str);

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok((!text.trim().is_empty()).then(|| text.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    refuse!(|text: &Self| text.0; bool number list object);
}

/// A list of the names of a party's fields, in order, each once.
struct FieldNames;

impl FieldNames {
    const EXPECTED: &'static str = "must be a list of the names of this party's fields, such as birth_date";
}

impl<'de> DeserializeSeed<'de> for FieldNames {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FieldNames {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = seq.next_element_seed(Text(Self::EXPECTED))? {
            let known = name.filter(|name| Party::FIELDS.contains(&name.as_str()));
            names.push(known.ok_or_else(|| A::Error::custom(Self::EXPECTED))?);
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    refuse!(|_: &Self| Self::EXPECTED; bool number text object);
}

/// A text with a meaning.
struct Parsed<T> {
    parse: fn(&str) -> Option<T>,
    expected: &'static str,
}

impl<'de, T> DeserializeSeed<'de> for Parsed<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de, T> Visitor<'de> for Parsed<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        (self.parse)(text).map(Some).ok_or_else(|| E::custom(self.expected))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    refuse!(|parsed: &Self| parsed.expected; bool number list object);
}

/// Reads one structure.
struct Reader<'a, O> {
    reading: Reading<'a>,
    object: PhantomData<O>,
}

impl<'a, O: Object> Reader<'a, O> {
    fn new(reading: Reading<'a>) -> Self {
        Self { reading, object: PhantomData }
    }
}

impl<'de, O: Object> DeserializeSeed<'de> for Reader<'_, O> {
    type Value = Option<O::Output>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de, O: Object> Visitor<'de> for Reader<'_, O> {
    type Value = Option<O::Output>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = O::blank();
        let mut seen = Seen::default();
        while let Some(field) = map.next_key_seed(FieldName)? {
            if !object.read(&field, &mut seen, &mut map, &mut self.reading)? {
                if let Some(right) = spelling::meant(O::LEVEL, O::NAMES, &field) {
                    return Err(A::Error::custom(format_args!(
                        "has a field that is spelt otherwise here: {right}"
                    )));
                }
                let value = map.next_value_seed(AnyValue)?;
                self.reading.keep(&field, value)?;
            }
        }
        object.finish().map_err(A::Error::custom)
    }

    refuse!(|_: &Self| "must be an object, in braces"; bool number text list);
}

/// Reads a list of structures.
struct ListReader<'a, O>(Reader<'a, O>);

impl<'de, O: Object> DeserializeSeed<'de> for ListReader<'_, O> {
    type Value = Vec<O::Output>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de, O: Object> Visitor<'de> for ListReader<'_, O> {
    type Value = Vec<O::Output>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        let mut at = 0;
        while let Some(item) =
            seq.next_element_seed(Reader::<O>::new(self.0.reading.within(Step::Item(at))))?
        {
            items.extend(item);
            at += 1;
        }
        Ok(items)
    }

    refuse!(|_: &Self| "must be a list, in square brackets"; bool number text object);
}

/// Reads `attributes` into those that the reading keeps.
struct AttributesReader<'a>(Reading<'a>);

impl<'de> DeserializeSeed<'de> for AttributesReader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AttributesReader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key_seed(FieldName)? {
            let value = map.next_value_seed(AnyValue)?;
            self.0.keep(&field, value)?;
        }
        Ok(())
    }

    refuse!(|_: &Self| "must be an object, in braces"; bool number text list);
}

/// The name of a field, borrowed from the input wherever it has no escapes.
struct FieldName;

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for FieldName {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// Any value, for `attributes`; objects inside it that give a field twice are refused too.
struct AnyValue;

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Self)? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some(field) = map.next_key_seed(FieldName)? {
            let value = map.next_value_seed(Self)?;
            if object.insert(field.into_owned(), value).is_some() {
                return Err(A::Error::custom("has a field that is given twice"));
            }
        }
        Ok(object.into())
    }
}

impl<'de> Deserialize<'de> for PaymentEvent {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if !d.is_human_readable() {
            return d.deserialize_bytes(JsonBytes);
        }
        let mut attributes = Attributes::new();
        let reading = Reading { place: None, attributes: Some(&mut attributes) };
        let event = Reader::<Self>::new(reading).deserialize(d)?;
        let mut event = event.ok_or_else(|| D::Error::custom("must be an object, in braces"))?;
        // Here as everywhere, null is the same as absent; it counted only against being given twice.
        attributes.retain(|_, value| !value.is_null());
        event.attributes = attributes;
        Ok(event)
    }
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
    fn an_event_survives_a_binary_format() {
        let event = with(r#""debtor":{"name":"A"},"attributes":{"n":1.5,"deep":{"x":[null,true]}}"#).unwrap();
        let bytes = postcard::to_stdvec(&event).unwrap();
        assert_eq!(postcard::from_bytes::<PaymentEvent>(&bytes).unwrap(), event);
    }
}
