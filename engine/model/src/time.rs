//! Event time: microseconds since the Unix epoch, and spans of it. The only clock the core knows.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::Offset};
use serde::{Deserialize, Serialize, de};

/// A moment, in microseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 with a `Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventTime(i64);

/// A length of time in microseconds. Written in rules and configuration as `90s`, `15m`, `24h`, `7d`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(i64);

/// Why a text is not a time or a span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339, or a date without a time that is not `YYYY-MM-DD`.
    #[error("not an RFC 3339 date and time (such as 2026-11-20T08:30:00Z)")]
    NotATime,
    /// Not a number and a unit.
    #[error("not a length of time (such as 90s, 15m, 24h or 7d)")]
    NotASpan,
}

impl EventTime {
    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The moment `span` earlier; stops at the ends of time.
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// The moment `span` later; stops at the ends of time.
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// How long after `earlier` this is; negative when it is before.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The start of the civil day that holds this moment at a fixed offset from UTC, in hours.
    /// Hong Kong has had no daylight saving since 1979, so its offset (8) is a constant.
    pub const fn day_start(self, utc_offset_hours: i64) -> Self {
        const DAY: i64 = Span::days(1).0;
        let offset = utc_offset_hours * Span::hours(1).0;
        Self((self.0 + offset).div_euclid(DAY) * DAY - offset)
    }

    /// The start of the civil year that holds this moment at a fixed offset from UTC, in hours.
    pub fn year_start(self, utc_offset_hours: i64) -> Self {
        let offset = i8::try_from(utc_offset_hours).map(Offset::constant).unwrap_or(Offset::UTC);
        let Ok(at) = Timestamp::from_microsecond(self.0) else { return self };
        let year = offset.to_datetime(at).date().first_of_year();
        offset.to_timestamp(year.at(0, 0, 0, 0)).map_or(self, |t| Self(t.as_microsecond()))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// From microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }
    /// From whole seconds.
    pub const fn seconds(n: i64) -> Self {
        Self(n * 1_000_000)
    }
    /// From whole minutes.
    pub const fn minutes(n: i64) -> Self {
        Self::seconds(n * 60)
    }
    /// From whole hours.
    pub const fn hours(n: i64) -> Self {
        Self::minutes(n * 60)
    }
    /// From days of 24 hours.
    pub const fn days(n: i64) -> Self {
        Self::hours(n * 24)
    }
    /// Microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// This and `other` together.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl FromStr for EventTime {
    type Err = TimeError;

    /// RFC 3339 with an offset; a date alone is the start of that day at its own offset, or in UTC.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self(at.as_microsecond()));
        }
        let (date, offset) = date_with_offset(text).ok_or(TimeError::NotATime)?;
        offset
            .unwrap_or(Offset::UTC)
            .to_timestamp(date.at(0, 0, 0, 0))
            .map(|t| Self(t.as_microsecond()))
            .map_err(|_| TimeError::NotATime)
    }
}

/// A date without a time: `2026-11-20`, or with the offset at which it begins, `2026-11-20Z`, `2026-11-20+08:00` (as XML
/// writes dates).
pub fn date_with_offset(text: &str) -> Option<(Date, Option<Offset>)> {
    let (date, offset) = text.split_at_checked("YYYY-MM-DD".len())?;
    let date = date.parse().ok()?;
    let (sign, [h1, h2, b':', m1, m2]) = (match offset.as_bytes() {
        [] => return Some((date, None)),
        b"Z" => return Some((date, Some(Offset::UTC))),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    }) else {
        return None;
    };
    let number = |tens: &u8, ones: &u8| {
        let is_number = tens.is_ascii_digit() && ones.is_ascii_digit();
        is_number.then(|| i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
    };
    let (hours, minutes) = (number(h1, h2)?, number(m1, m2).filter(|minutes| *minutes < 60)?);
    Some((date, Some(Offset::from_seconds(sign * (hours * 60 + minutes) * 60).ok()?)))
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_microsecond(self.0) {
            Ok(at) => write!(f, "{at}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Span {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let n: i64 = text[..digits].parse().map_err(|_| TimeError::NotASpan)?;
        let unit = match &text[digits..] {
            "s" => Self::seconds(1),
            "m" => Self::minutes(1),
            "h" => Self::hours(1),
            "d" => Self::days(1),
            _ => return Err(TimeError::NotASpan),
        };
        unit.0.checked_mul(n).map(Self).ok_or(TimeError::NotASpan)
    }
}

impl fmt::Display for Span {
    /// The largest unit that divides the span: `7d`, not `168h`; microseconds where none does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, name) in
            [(Self::days(1), "d"), (Self::hours(1), "h"), (Self::minutes(1), "m"), (Self::seconds(1), "s")]
        {
            if self.0 != 0 && self.0 % unit.0 == 0 {
                return write!(f, "{}{name}", self.0 / unit.0);
            }
        }
        write!(f, "{}us", self.0)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Serde by `Display` and `FromStr` where a person may read it, and by the plain integer in binary formats.
macro_rules! text_or_micros {
    ($t:ident) => {
        impl Serialize for $t {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() { s.collect_str(self) } else { s.serialize_i64(self.0) }
            }
        }
        impl<'de> Deserialize<'de> for $t {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if !d.is_human_readable() {
                    return i64::deserialize(d).map($t);
                }
                struct Text;
                impl de::Visitor<'_> for Text {
                    type Value = $t;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a text")
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$t, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                d.deserialize_str(Text)
            }
        }
    };
}
text_or_micros!(EventTime);
text_or_micros!(Span);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_at_their_offset_and_written_in_utc() {
        let at: EventTime = "2026-08-01T10:15:30+08:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-08-01T02:15:30Z");
        assert_eq!("2017-01-01".parse::<EventTime>().unwrap().to_string(), "2017-01-01T00:00:00Z");
        for bad in [
            "2017-01-01x",
            "2017-01-01+8",
            "2017-01-01+08:60",
            "2017-01-01+99:00",
            "2017-02-29",
            "日2017-01-01",
        ] {
            assert_eq!(bad.parse::<EventTime>(), Err(TimeError::NotATime), "{bad}");
        }
        assert_eq!("2026-11-20+08:00".parse::<EventTime>().unwrap().to_string(), "2026-11-19T16:00:00Z");
        assert_eq!("2026-11-20-03:30".parse::<EventTime>().unwrap().to_string(), "2026-11-20T03:30:00Z");
        assert_eq!("2026-11-20Z".parse::<EventTime>().unwrap().to_string(), "2026-11-20T00:00:00Z");
    }

    #[test]
    fn civil_days_and_years_begin_at_local_midnight() {
        let at: EventTime = "2026-01-01T02:00:00+08:00".parse().unwrap();
        assert_eq!(at.day_start(8).to_string(), "2025-12-31T16:00:00Z");
        assert_eq!(at.year_start(8).to_string(), "2025-12-31T16:00:00Z");
        assert_eq!(at.year_start(0).to_string(), "2025-01-01T00:00:00Z");
    }

    #[test]
    fn spans_read_what_they_write() {
        for text in ["90s", "15m", "36h", "7d", "400d"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("24h".parse::<Span>().unwrap(), Span::days(1));
        for bad in ["", "d", "1w", "1.5h", "-1d", "9999999999999d"] {
            assert_eq!(bad.parse::<Span>(), Err(TimeError::NotASpan), "{bad}");
        }
    }
}
