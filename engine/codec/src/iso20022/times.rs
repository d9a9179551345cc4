//! Dates and times of ISO 20022. One without an offset belongs to the source's zone.

use jiff::{Timestamp, civil::Date};
use sluice_model::EventTime;

use crate::Zone;

/// What a date or time says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum When {
    /// A date and time with an offset.
    Moment(EventTime),
    /// A local time, as the moment that it is in the source's zone.
    Local(EventTime),
    /// A date, as the moment at which it begins in the source's zone.
    Day(EventTime),
}

impl When {
    pub(super) fn read(text: &str, zone: &Zone) -> Option<Self> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(Self::Moment(EventTime::from_micros(at.as_microsecond())));
        }
        if let Some(date) = date(text) {
            return zone.event_time(date.at(0, 0, 0, 0)).map(Self::Day);
        }
        zone.event_time(text.parse().ok()?).map(Self::Local)
    }

    pub(super) const fn at(self) -> EventTime {
        match self {
            Self::Moment(at) | Self::Local(at) | Self::Day(at) => at,
        }
    }

    /// Whether it has no offset of its own.
    pub(super) const fn is_local(self) -> bool {
        !matches!(self, Self::Moment(_))
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
    fn a_time_without_an_offset_belongs_to_the_zone() {
        let at = |text: &str| text.parse::<EventTime>().unwrap();
        let zone = Zone::default();
        for (text, when) in [
            ("2026-11-27T03:00:00Z", When::Moment(at("2026-11-27T03:00:00Z"))),
            ("2026-11-27T11:00:00.5+08:00", When::Moment(at("2026-11-27T03:00:00.5Z"))),
            ("2026-11-27T11:00:00", When::Local(at("2026-11-27T03:00:00Z"))),
            ("2026-11-27", When::Day(at("2026-11-26T16:00:00Z"))),
            ("2026-11-27Z", When::Day(at("2026-11-26T16:00:00Z"))),
            ("2026-11-27+08:00", When::Day(at("2026-11-26T16:00:00Z"))),
        ] {
            assert_eq!(When::read(text, &zone), Some(when), "{text}");
        }
        for text in ["", "27.11.2026", "2026-11-31", "2026-11-27+8", "2026-11-27x", "soon", "2026-11-2é"] {
            assert_eq!(When::read(text, &zone), None, "{text}");
        }
    }
}
