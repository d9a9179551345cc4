//! The readers of a field's value. Each takes the map, whose next value it is, and where that stands.

use serde::de::MapAccess;
use serde_json::Value;

use super::{
    Gathered, Object, Reading,
    seeds::{AttributesReader, ListReader, Parsed, Reader, Text, Texts},
};
use crate::{
    AsGiven, Attributes, Currency, Direction, EntryKind, EventTime, EventType, Party, PaymentStatus,
    date_with_offset,
};

/// Stands in a draft for a time that was not given; no text is read as it.
pub(super) const NEVER: EventTime = EventTime::from_micros(i64::MIN);

pub(super) fn text<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<Option<String>, A::Error> {
    map.next_value_seed(Text("must be a text, in quotes"))
}

pub(super) fn decimal<'de, A: MapAccess<'de>>(
    map: &mut A,
    _: Reading<'_>,
) -> Result<Option<String>, A::Error> {
    map.next_value_seed(Text("must be a text such as \"7800.00\", since a JSON number may lose digits"))
}

pub(super) fn required_text<'de, A: MapAccess<'de>>(
    map: &mut A,
    reading: Reading<'_>,
) -> Result<String, A::Error> {
    text(map, reading).map(Option::unwrap_or_default)
}

pub(super) fn lower_text<'de, A: MapAccess<'de>>(
    map: &mut A,
    reading: Reading<'_>,
) -> Result<Option<String>, A::Error> {
    let mut text = text(map, reading)?;
    if let Some(text) = &mut text {
        text.make_ascii_lowercase();
    }
    Ok(text)
}

pub(super) fn parsed<'de, A: MapAccess<'de>, T>(
    map: &mut A,
    parse: fn(&str) -> Option<T>,
    expected: &'static str,
) -> Result<Option<T>, A::Error> {
    map.next_value_seed(Parsed { parse, expected })
}

pub(super) fn event_type<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<EventType, A::Error> {
    let expected = "must be payment, payout, topup, withdrawal, refund, chargeback, fx, customer, account or \
                    authentication";
    parsed(map, EventType::from_name, expected).map(Option::unwrap_or_default)
}

pub(super) fn status<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<PaymentStatus, A::Error> {
    let expected = "must be initiated, processing, authorized, captured, completed, failed, declined, \
                    refunded, disputed, cancelled or expired";
    let status = parsed(map, PaymentStatus::from_name, expected)?;
    Ok(status.unwrap_or(PaymentStatus::Completed))
}

pub(super) fn direction<'de, A: MapAccess<'de>>(
    map: &mut A,
    _: Reading<'_>,
) -> Result<Option<Direction>, A::Error> {
    parsed(map, Direction::from_name, "must be inbound, outbound or internal")
}

pub(super) fn entry_kind<'de, A: MapAccess<'de>>(
    map: &mut A,
    _: Reading<'_>,
) -> Result<Option<EntryKind>, A::Error> {
    parsed(map, EntryKind::from_name, "must be person, organisation, vessel or aircraft")
}

pub(super) fn time<'de, A: MapAccess<'de>>(map: &mut A, reading: Reading<'_>) -> Result<EventTime, A::Error> {
    let expected = "must be an RFC 3339 date and time such as 2026-11-20T08:30:00Z";
    let with_date = |text: &str| {
        let at: EventTime = text.parse().ok()?;
        Some((at, date_with_offset(text).map(|(date, _)| date.to_string())))
    };
    let Some((at, date)) = parsed(map, with_date, expected)? else { return Ok(NEVER) };
    if let Some(gathered) = reading.gathered {
        gathered.booking_date = date;
    }
    Ok(at)
}

pub(super) fn currency<'de, A: MapAccess<'de>>(
    map: &mut A,
    _: Reading<'_>,
) -> Result<Option<Currency>, A::Error> {
    parsed(map, |text| text.parse().ok(), "must be a currency code of ISO 4217, such as HKD")
}

pub(super) fn country<'de, A: MapAccess<'de>>(
    map: &mut A,
    _: Reading<'_>,
) -> Result<Option<String>, A::Error> {
    // A country that rules would never recognise must not pass as one that is harmless.
    let two_letters = |text: &str| {
        (text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic())).then(|| text.to_ascii_uppercase())
    };
    parsed(map, two_letters, "must be a country code of two letters (ISO 3166-1), such as HK")
}

pub(super) fn birth_date<'de, A: MapAccess<'de>>(
    map: &mut A,
    _: Reading<'_>,
) -> Result<Option<String>, A::Error> {
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

pub(super) fn field_names<'de, A: MapAccess<'de>>(
    map: &mut A,
    _: Reading<'_>,
) -> Result<Vec<String>, A::Error> {
    map.next_value_seed(Texts {
        is_allowed: |name| Party::FIELDS.contains(&name),
        expected: "must be a list of the names of this party's fields, such as birth_date",
    })
}

pub(super) fn texts<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<Vec<String>, A::Error> {
    map.next_value_seed(Texts { is_allowed: |_| true, expected: "must be a list of texts" })
}

pub(super) fn object<'de, A: MapAccess<'de>, O: Object>(
    map: &mut A,
    reading: Reading<'_>,
) -> Result<Option<O::Output>, A::Error> {
    map.next_value_seed(Reader::<O>::new(reading))
}

pub(super) fn list<'de, A: MapAccess<'de>, O: Object>(
    map: &mut A,
    reading: Reading<'_>,
) -> Result<Vec<O::Output>, A::Error> {
    map.next_value_seed(ListReader::<O>(Reader::new(reading)))
}

pub(super) fn attributes<'de, A: MapAccess<'de>>(
    map: &mut A,
    reading: Reading<'_>,
) -> Result<Attributes, A::Error> {
    // They join the unknown fields; the event receives both once it is whole.
    map.next_value_seed(AttributesReader(Reading { place: None, ..reading }))?;
    Ok(Attributes::new())
}

pub(super) fn as_given<'de, A: MapAccess<'de>>(map: &mut A, _: Reading<'_>) -> Result<AsGiven, A::Error> {
    let mut gathered = Gathered::default();
    map.next_value_seed(AttributesReader(Reading { place: None, gathered: Some(&mut gathered) }))?;
    let texts = gathered.attributes.into_iter().filter_map(|(path, value)| match value {
        Value::String(text) => Some((path, text)),
        _ => None,
    });
    Ok(AsGiven(texts.collect()))
}
