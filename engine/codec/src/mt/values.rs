//! What stands in fields: dates, times, amounts, BICs, countries.

use jiff::{
    civil::{Date, DateTime, Time},
    tz::Offset,
};
use serde_json::{Value, json};
use sluice_model::{Attributes, Currency, EventTime, Money, MoneyError};

use crate::Zone;

/// Keep a text that the canonical event has no field for.
pub(super) fn keep(attributes: &mut Attributes, name: &str, text: Option<&str>) {
    if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
        attributes.insert(name.to_owned(), Value::String(text.to_owned()));
    }
}

/// An amount that the canonical event has no field for, as it is kept.
pub(super) fn money_value(money: Money) -> Value {
    json!({ "value": money.decimal(), "currency": money.currency.code() })
}

/// `USD1814,28`: a currency and an amount.
pub(super) fn money(text: &str) -> Result<Money, MoneyError> {
    let (currency, amount) = text.trim_end().split_at_checked(3).ok_or(MoneyError::UnknownCurrency)?;
    decimal(amount, currency.parse()?)
}

/// `1814,28`: digits and one comma, which may end it.
pub(super) fn decimal(text: &str, currency: Currency) -> Result<Money, MoneyError> {
    if text.contains('.') {
        return Err(MoneyError::NotAnAmount);
    }
    Money::parse(&text.replace(',', "."), currency)
}

/// `260801`: years from 80 on are of the last century.
pub(super) fn date(text: &str) -> Option<Date> {
    let [year, month, day] = numbers(text)?;
    let century = if year >= 80 { 1900 } else { 2000 };
    Date::new(century + i16::from(year), month, day).ok()
}

/// `0801`: a month and a day, in the year in which they are nearest to another date.
pub(super) fn month_and_day(text: &str, near: Date) -> Option<Date> {
    let [month, day] = numbers(text)?;
    let years = [near.year() - 1, near.year(), near.year() + 1];
    let dates = years.into_iter().filter_map(|year| Date::new(year, month, day).ok());
    dates.min_by_key(|date| (*date - near).get_days().unsigned_abs())
}

/// A time of day (`1015`) on a date.
fn local(date: Date, hours: &str) -> Option<DateTime> {
    let [hour, minute] = numbers(hours)?;
    Some(date.to_datetime(Time::new(hour, minute, 0, 0).ok()?))
}

/// When a date begins.
pub(super) fn start_of(date: Date, zone: &Zone) -> Option<EventTime> {
    zone.event_time(date.at(0, 0, 0, 0))
}

/// `1015` on a date, of a sender's clock. A header names no offset: the time belongs to the zone, and is no later than the
/// sender's country has it, where that lies east. It may thus be early, never ahead.
pub(super) fn sent_at(date: Date, hours: &str, sender: &str, zone: &Zone) -> Option<EventTime> {
    let local = local(date, hours)?;
    let in_zone = zone.event_time(local)?;
    let there = east(sender).and_then(|offset| Zone::fixed(offset).event_time(local));
    Some(there.map_or(in_zone, |there| there.min(in_zone)))
}

/// `2608011015+0800`: a moment with its offset.
pub(super) fn moment_with_offset(text: &str) -> Option<EventTime> {
    let text = text.trim_end();
    let (day, hours, sign, offset) =
        (date(text.get(..6)?)?, text.get(6..10)?, text.get(10..11)?, text.get(11..)?);
    let [hour, minute] = numbers(offset)?;
    let seconds = (i32::from(hour) * 60 + i32::from(minute)) * 60;
    let seconds = match sign {
        "+" => seconds,
        "-" => -seconds,
        _ => return None,
    };
    Zone::fixed(Offset::from_seconds(seconds).ok()?).event_time(local(day, hours)?)
}

/// The greatest offset that a BIC's country has, where that is east of Hong Kong.
fn east(bic: &str) -> Option<Offset> {
    let hours = match bic.get(4..6).unwrap_or_default() {
        "JP" | "KR" | "KP" | "TL" | "PW" | "ID" | "MN" => 9,
        "AU" | "PG" | "GU" | "MP" | "FM" | "SB" | "NC" | "VU" | "NF" => 11,
        "RU" => 12,
        "NZ" | "FJ" | "TV" | "MH" | "NR" | "KI" | "WS" | "TO" | "TK" | "WF" => 14,
        _ => return None,
    };
    Some(Offset::constant(hours))
}

/// The BIC in a terminal's address: eight letters, the terminal's own, the branch.
pub(super) fn bic(terminal: &str) -> Option<String> {
    let is_address = terminal.len() == 12 && terminal.bytes().all(|b| b.is_ascii_alphanumeric());
    let (bic, branch) = (terminal.get(..8)?, terminal.get(9..)?);
    is_address.then(|| match branch {
        "XXX" => bic.to_owned(),
        _ => format!("{bic}{branch}"),
    })
}

/// Whether a text is a BIC: of 8 or 11 letters and digits, its country's letters among them.
pub(super) fn is_bic(text: &str) -> bool {
    matches!(text.len(), 8 | 11)
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
        && country(text.get(4..6)).is_some()
}

/// A country, where it is written as one.
pub(super) fn country(text: Option<&str>) -> Option<String> {
    let code = text?;
    (code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase())).then(|| code.to_owned())
}

/// Numbers of two digits each, and nothing else.
fn numbers<const N: usize>(text: &str) -> Option<[i8; N]> {
    if text.len() != N * 2 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut numbers = [0; N];
    for (number, at) in numbers.iter_mut().zip((0..).step_by(2)) {
        *number = text.get(at..at + 2)?.parse().ok()?;
    }
    Some(numbers)
}
