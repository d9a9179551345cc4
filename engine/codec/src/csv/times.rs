//! A date or a time as a table writes it: by a pattern, or as a number. One without an offset belongs to a zone.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    fmt::strtime::BrokenDownTime,
    tz::{Offset, TimeZone},
};
use sluice_model::Span;

use crate::Zone;

/// How a column writes dates or times.
#[derive(Clone, Debug)]
pub(super) struct Times {
    pub spelling: Spelling,
    pub zone: Zone,
    pub wanted: Wanted,
}

#[derive(Clone, Debug)]
pub(super) enum Spelling {
    /// A pattern of strptime. Years of two digits are of the hundred years that begin with `years_from`.
    Pattern { pattern: String, years_from: Option<i16> },
    /// A number of units since the start.
    Since { start: DateTime, unit: Span, point: char },
    /// ISO 8601, with an offset or without.
    Iso,
}

/// What the field that is filled can hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// `occurred_at`: a date is the start of that day.
    Moment,
    /// `birth_date`: a time is its date.
    Date,
    /// Free text: either, as it is.
    Either,
}

/// The earliest year that is read: before it, four digits were asked for and two were given.
const YEAR_MIN: i16 = 1800;
/// The latest year from which years of two digits may count.
const YEAR_FROM_MAX: i16 = 2100;
/// The most digits of a number of units, on each side of its decimal sign.
const DIGITS_MAX: usize = 15;
/// To what fractions of days are rounded: spreadsheets keep them in floating point.
const FRACTION_MICROS: i128 = 1_000;

const PATTERN: &str = "the column does not follow the mapping's `format`";
const NUMBER: &str = "the column is not a number of the mapping's `unit`";
const BEYOND: &str = "the column is a time beyond all times";
const YEAR: &str = "the column's year is not one of four digits";
const ISO: &str = "the column is not a date and time such as 2026-11-20 16:30:00";

/// What a cell says.
enum Read {
    Moment(Timestamp),
    Local(DateTime),
    Day(Date, Option<Offset>),
    /// `YYYY-MM` or `YYYY`.
    Part(String),
}

impl Spelling {
    /// What is wrong with it, whatever the cells hold.
    pub(super) fn fault(&self, wanted: Wanted) -> Option<&'static str> {
        let Self::Pattern { pattern, years_from } = self else { return None };
        let has = |directives: [&str; 2]| directives.iter().any(|directive| pattern.contains(directive));
        let sample = BrokenDownTime::from(&jiff::Zoned::new(Timestamp::UNIX_EPOCH, TimeZone::UTC));
        if sample.to_string(pattern).is_err() {
            return Some("has a `format` that is no pattern of strptime");
        }
        if has(["%I", "%l"]) != has(["%p", "%P"]) {
            return Some("has a `format` of hours to 12 without AM and PM, or AM and PM beside hours to 24");
        }
        match (pattern.contains("%y"), years_from) {
            (true, None) if wanted == Wanted::Date => {
                Some("has years of two digits: `years_from` says which hundred years they are of")
            }
            (false, Some(_)) => Some("has `years_from` without a year of two digits (%y)"),
            (true, Some(from)) if !(YEAR_MIN..=YEAR_FROM_MAX).contains(from) => {
                Some("has `years_from` that is no year of our time")
            }
            _ => None,
        }
    }
}

impl Times {
    /// The date or time that a cell holds as the event's own visitor reads it; or why it holds none.
    pub(super) fn read(&self, cell: &str) -> Result<String, &'static str> {
        let read = match &self.spelling {
            Spelling::Pattern { pattern, years_from } => by_pattern(pattern, *years_from, self.wanted, cell)?,
            Spelling::Since { start, unit, point } => self.since(*start, *unit, *point, cell)?,
            Spelling::Iso => iso(cell)?,
        };
        match (self.wanted, read) {
            (Wanted::Date, Read::Local(at)) => Ok(at.date().to_string()),
            (Wanted::Date, Read::Moment(at)) => Ok(self.zone.date(at).to_string()),
            (Wanted::Date | Wanted::Either, Read::Day(date, _)) => Ok(date.to_string()),
            (Wanted::Date | Wanted::Either, Read::Part(part)) => Ok(part),
            (_, Read::Moment(at)) => Ok(at.to_string()),
            (_, Read::Local(at)) => Ok(self.moment(at)?.to_string()),
            (Wanted::Moment, Read::Day(date, offset)) => self.day(date, offset),
            (Wanted::Moment, Read::Part(_)) => Err(PATTERN),
        }
    }

    fn moment(&self, local: DateTime) -> Result<Timestamp, &'static str> {
        self.zone.moment(local).ok_or(BEYOND)
    }

    /// A date with the offset at which it begins: `2026-11-20+08:00`.
    fn day(&self, date: Date, offset: Option<Offset>) -> Result<String, &'static str> {
        let midnight = date.at(0, 0, 0, 0);
        let seconds = match offset {
            Some(offset) => i64::from(offset.seconds()),
            // Where clocks change at midnight, the offset with which midnight is when the day begins.
            None => {
                let in_utc = Offset::UTC.to_timestamp(midnight).map_err(|_| BEYOND)?;
                in_utc.as_second() - self.moment(midnight)?.as_second()
            }
        };
        let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
        Ok(format!("{date}{sign}{:02}:{:02}", minutes / 60, minutes % 60))
    }

    fn since(&self, start: DateTime, unit: Span, point: char, cell: &str) -> Result<Read, &'static str> {
        let (micros, is_whole) = micros(unit, point, cell)?;
        let at = start.checked_add(SignedDuration::from_micros(micros)).map_err(|_| BEYOND)?;
        // Days are the zone's own; what is counted finer is counted from a moment.
        if unit != Span::days(1) {
            return Offset::UTC.to_timestamp(at).map(Read::Moment).map_err(|_| BEYOND);
        }
        let is_day = is_whole && start.time() == jiff::civil::Time::midnight();
        Ok(if is_day { Read::Day(at.date(), None) } else { Read::Local(at) })
    }
}

fn by_pattern(
    pattern: &str,
    years_from: Option<i16>,
    wanted: Wanted,
    cell: &str,
) -> Result<Read, &'static str> {
    let mut broken = BrokenDownTime::parse(pattern, cell).map_err(|_| PATTERN)?;
    if let (Some(from), Some(year)) = (years_from, broken.year()) {
        let year = from + (year - from).rem_euclid(100);
        broken.set_year(Some(year)).map_err(|_| PATTERN)?;
    }
    if broken.year().is_some_and(|year| year < YEAR_MIN) {
        return Err(YEAR);
    }
    // A date that is wanted is the one that is written, whatever its time and offset.
    let has_time = broken.hour().is_some() || pattern.contains("%s");
    if has_time && (wanted != Wanted::Date || broken.to_date().is_err()) {
        return match broken.to_timestamp() {
            Ok(at) => Ok(Read::Moment(at)),
            Err(_) => broken.to_datetime().map(Read::Local).map_err(|_| PATTERN),
        };
    }
    if let Ok(date) = broken.to_date() {
        return Ok(Read::Day(date, broken.offset()));
    }
    match (broken.year(), broken.month(), broken.day()) {
        (Some(year), Some(month), None) => Ok(Read::Part(format!("{year}-{month:02}"))),
        (Some(year), None, None) => Ok(Read::Part(year.to_string())),
        _ => Err(PATTERN),
    }
}

fn iso(cell: &str) -> Result<Read, &'static str> {
    if let Ok(at) = cell.parse() {
        return Ok(Read::Moment(at));
    }
    if let Some((date, Some(offset))) = sluice_model::date_with_offset(cell) {
        return Ok(Read::Day(date, Some(offset)));
    }
    let at: DateTime = cell.parse().map_err(|_| ISO)?;
    Ok(if cell.len() == "YYYY-MM-DD".len() { Read::Day(at.date(), None) } else { Read::Local(at) })
}

/// A decimal number of units in microseconds, and whether it has no fraction.
fn micros(unit: Span, point: char, cell: &str) -> Result<(i64, bool), &'static str> {
    let (sign, number) = match cell.strip_prefix('-') {
        Some(number) => (-1, number),
        None => (1, cell),
    };
    let (whole, fraction) = match number.split_once(point) {
        Some((_, "")) => return Err(NUMBER),
        Some(parts) => parts,
        None => (number, ""),
    };
    let value = |digits: &str| -> Result<i128, &'static str> {
        let is_number = digits.len() <= DIGITS_MAX && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number { Err(NUMBER) } else { Ok(digits.parse().unwrap_or_default()) }
    };
    if whole.is_empty() {
        return Err(NUMBER);
    }
    let fraction = fraction.get(..DIGITS_MAX).filter(|_| is_digits(fraction)).unwrap_or(fraction);
    let scale = 10_i128.pow(u32::try_from(fraction.len()).unwrap_or_default());
    let unit = i128::from(unit.micros());
    let part = value(fraction)? * unit;
    let part = (part + scale * FRACTION_MICROS / 2) / (scale * FRACTION_MICROS) * FRACTION_MICROS;
    let micros = value(whole)? * unit + part;
    Ok((i64::try_from(sign * micros).map_err(|_| BEYOND)?, part == 0))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(spelling: Spelling, zone_name: &str, wanted: Wanted) -> Times {
        Times { spelling, zone: zone_name.parse().unwrap(), wanted }
    }

    fn by(pattern: &str, zone_name: &str, wanted: Wanted, cell: &str) -> Result<String, &'static str> {
        let spelling = Spelling::Pattern { pattern: pattern.into(), years_from: None };
        times(spelling, zone_name, wanted).read(cell)
    }

    fn moment(pattern: &str, cell: &str) -> Result<String, &'static str> {
        by(pattern, "Asia/Hong_Kong", Wanted::Moment, cell)
    }

    #[test]
    fn a_time_without_an_offset_belongs_to_its_zone() {
        assert_eq!(moment("%d/%m/%Y %H:%M", "20/11/2026 16:30").unwrap(), "2026-11-20T08:30:00Z");
        assert_eq!(moment("%d/%m/%Y %H:%M %z", "20/11/2026 16:30 +0000").unwrap(), "2026-11-20T16:30:00Z");
        assert_eq!(moment("%m/%d/%Y %I:%M %p", "11/20/2026 04:30 PM").unwrap(), "2026-11-20T08:30:00Z");
        assert_eq!(moment("%m/%d/%Y %I:%M %p", "11/20/2026 12:30 am").unwrap(), "2026-11-19T16:30:00Z");
        assert_eq!(moment("%d/%m/%y %H:%M", "20/11/26 16:30").unwrap(), "2026-11-20T08:30:00Z");
        assert_eq!(moment("%s", "1795163400").unwrap(), "2026-11-20T08:30:00Z");
        for (pattern, cell) in [
            ("%d/%m/%Y %H:%M", "11/20/2026 16:30"),
            ("%d/%m/%Y %H:%M", "20/11/26 16:30"),
            ("%d/%m/%Y %H:%M", "20/11/2026"),
            ("%d/%m/%Y", "20/11/2026 16:30"),
            ("%d/%m/%Y", "29/02/2026"),
            ("%m/%d/%Y %I:%M %p", "11/20/2026 16:30 PM"),
            ("%m/%Y", "11/2026"),
        ] {
            assert!(moment(pattern, cell).is_err(), "{pattern} {cell}");
        }
    }

    /// London skips 01:00 to 02:00 on 29 March 2026 and has it twice on 25 October.
    #[test]
    fn local_times_that_are_skipped_move_forward_and_doubled_ones_are_the_first() {
        let london = |cell| by("%F %H:%M", "Europe/London", Wanted::Moment, cell).unwrap();
        assert_eq!(london("2026-03-29 00:59"), "2026-03-29T00:59:00Z");
        assert_eq!(london("2026-03-29 01:30"), "2026-03-29T01:30:00Z");
        assert_eq!(london("2026-03-29 02:30"), "2026-03-29T01:30:00Z");
        assert_eq!(london("2026-10-25 01:30"), "2026-10-25T00:30:00Z");
        assert_eq!(london("2026-10-25 02:00"), "2026-10-25T02:00:00Z");
    }

    #[test]
    fn a_date_alone_begins_when_its_day_does() {
        assert_eq!(moment("%d.%m.%Y", "20.11.2026").unwrap(), "2026-11-20+08:00");
        assert_eq!(moment("%d.%m.%Y %:z", "20.11.2026 -03:30").unwrap(), "2026-11-20-03:30");
        // Clocks went forward at midnight: the day began at one.
        let day = by("%F", "America/Sao_Paulo", Wanted::Moment, "2018-11-04").unwrap();
        assert_eq!(day.parse::<sluice_model::EventTime>().unwrap().to_string(), "2018-11-04T03:00:00Z");
        assert_eq!(by("%d/%m/%Y", "UTC", Wanted::Either, "20/11/2026").unwrap(), "2026-11-20");
    }

    #[test]
    fn birth_dates_are_dates() {
        let born = |pattern, cell| by(pattern, "Asia/Hong_Kong", Wanted::Date, cell);
        assert_eq!(born("%d/%m/%Y", "05/03/1962").unwrap(), "1962-03-05");
        assert_eq!(born("%d/%m/%Y %H:%M", "05/03/1962 00:00").unwrap(), "1962-03-05");
        assert_eq!(born("%FT%H:%M%:z", "1962-03-05T00:00+09:00").unwrap(), "1962-03-05");
        assert_eq!(born("%m/%Y", "03/1962").unwrap(), "1962-03");
        assert_eq!(born("%Y", "1962").unwrap(), "1962");
        assert_eq!(born("%d %b %Y", "5 Mar 1962").unwrap(), "1962-03-05");
        for (pattern, cell) in [("%d/%m/%Y", "31/02/1962"), ("%d/%m/%Y", "05/03/62"), ("%Y", "62")] {
            assert!(born(pattern, cell).is_err(), "{cell}");
        }
        let spelling = Spelling::Pattern { pattern: "%d/%m/%y".into(), years_from: Some(1927) };
        let two = times(spelling, "UTC", Wanted::Date);
        assert_eq!(
            ["05/03/62", "29/02/00", "05/03/27", "05/03/26"].map(|cell| two.read(cell).unwrap()),
            ["1962-03-05", "2000-02-29", "1927-03-05", "2026-03-05"]
        );
    }

    #[test]
    fn numbers_of_days_are_days_of_the_zone() {
        let start = jiff::civil::date(1899, 12, 30).at(0, 0, 0, 0);
        let since =
            |unit, point, wanted| times(Spelling::Since { start, unit, point }, "Asia/Hong_Kong", wanted);
        let excel = since(Span::days(1), '.', Wanted::Moment);
        assert_eq!(excel.read("46346.6875").unwrap(), "2026-11-20T08:30:00Z");
        assert_eq!(excel.read("46346.354166666664").unwrap(), "2026-11-20T00:30:00Z");
        assert_eq!(excel.read("46346").unwrap(), "2026-11-20+08:00");
        assert_eq!(
            since(Span::days(1), ',', Wanted::Moment).read("46346,6875").unwrap(),
            "2026-11-20T08:30:00Z"
        );
        assert_eq!(since(Span::days(1), '.', Wanted::Date).read("22710").unwrap(), "1962-03-05");
        for bad in
            ["", ".", "46346.", ".5", "1e5", "46,346", "9999999999", "99999999999999999", "--1", "1.5x"]
        {
            assert!(excel.read(bad).is_err(), "{bad}");
        }
        // Seconds are counted from a moment, wherever the source is.
        let epoch = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);
        let unix = Spelling::Since { start: epoch, unit: Span::seconds(1), point: '.' };
        let unix = times(unix, "Asia/Hong_Kong", Wanted::Moment);
        assert_eq!(unix.read("1795163400").unwrap(), "2026-11-20T08:30:00Z");
        assert_eq!(unix.read("1795163400.25").unwrap(), "2026-11-20T08:30:00.25Z");
    }

    #[test]
    fn iso_times_need_no_pattern() {
        let hong_kong = times(Spelling::Iso, "Asia/Hong_Kong", Wanted::Moment);
        for cell in
            ["2026-11-20T16:30:00", "2026-11-20 16:30", "2026-11-20T08:30:00Z", "2026-11-20T09:30:00+01:00"]
        {
            assert_eq!(hong_kong.read(cell).unwrap(), "2026-11-20T08:30:00Z", "{cell}");
        }
        assert_eq!(hong_kong.read("2026-11-20").unwrap(), "2026-11-20+08:00");
        assert_eq!(hong_kong.read("2026-11-20+09:00").unwrap(), "2026-11-20+09:00");
        for bad in ["20/11/2026", "soon", "", "2026-11-20T25:00:00"] {
            assert!(hong_kong.read(bad).is_err(), "{bad}");
        }
    }
}
