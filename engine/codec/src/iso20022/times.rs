//! Dates and times of ISO 20022. Only one with an offset is a moment.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};
use sluice_model::EventTime;

/// What a date or time says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum When {
    /// A date and time with an offset.
    Moment(EventTime),
    /// A date, or a local time of which nobody says where: the earliest moment that it can be. So it never lies ahead
    /// of whoever receives it.
    Local(EventTime),
}

/// Where every day begins first: 14 hours ahead of UTC.
const EARLIEST: Offset = Offset::constant(14);

impl When {
    pub(super) fn read(text: &str) -> Option<Self> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(Self::Moment(EventTime::from_micros(at.as_microsecond())));
        }
        let local: DateTime = match text.parse() {
            Ok(local) => local,
            Err(_) => date(text)?.at(0, 0, 0, 0),
        };
        let at = EARLIEST.to_timestamp(local).ok()?;
        Some(Self::Local(EventTime::from_micros(at.as_microsecond())))
    }

    /// The moment, or the earliest that it can be.
    pub(super) const fn at(self) -> EventTime {
        match self {
            Self::Moment(at) | Self::Local(at) => at,
        }
    }
}

/// A date, with an offset or without.
fn date(text: &str) -> Option<Date> {
    let (date, offset) = text.split_at_checked("YYYY-MM-DD".len())?;
    let is_offset = match offset.as_bytes() {
        [] | [b'Z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].into_iter().all(u8::is_ascii_digit),
        _ => false,
    };
    date.parse().ok().filter(|_| is_offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_offset_makes_a_moment() {
        let at = |text: &str| text.parse::<EventTime>().unwrap();
        for (text, when) in [
            ("2026-11-27T03:00:00Z", When::Moment(at("2026-11-27T03:00:00Z"))),
            ("2026-11-27T11:00:00.5+08:00", When::Moment(at("2026-11-27T03:00:00.5Z"))),
            ("2026-11-27T11:00:00", When::Local(at("2026-11-26T21:00:00Z"))),
            ("2026-11-27", When::Local(at("2026-11-26T10:00:00Z"))),
            ("2026-11-27Z", When::Local(at("2026-11-26T10:00:00Z"))),
            ("2026-11-27+08:00", When::Local(at("2026-11-26T10:00:00Z"))),
        ] {
            assert_eq!(When::read(text), Some(when), "{text}");
        }
        for text in ["", "27.11.2026", "2026-11-31", "2026-11-27+8", "2026-11-27x", "soon", "2026-11-2é"] {
            assert_eq!(When::read(text), None, "{text}");
        }
    }
}
