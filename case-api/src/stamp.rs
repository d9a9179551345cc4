//! A stored moment, as rows hold it and as officers read it: in Hong Kong time, and as how long ago.

use std::fmt;

use jiff::{Timestamp, tz::Offset};
use serde::{Deserialize, Serialize};
use sluice_model::{EventTime, Span};

/// Hong Kong has had no daylight saving since 1979.
const HONG_KONG: Offset = Offset::constant(8);

/// A moment out of the store. JSON: RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = DateTime)]
pub struct Stamp(pub EventTime);

impl From<i64> for Stamp {
    fn from(micros: i64) -> Self {
        Self(EventTime::from_micros(micros))
    }
}

impl Stamp {
    /// `22 Nov 2026 14:03:09`, in Hong Kong.
    pub fn hkt(self) -> String {
        self.formatted("%d %b %Y %H:%M:%S")
    }

    /// `22 Nov 14:03`, in Hong Kong: for lists.
    pub fn hkt_short(self) -> String {
        self.formatted("%d %b %H:%M")
    }

    /// `14:03`, in Hong Kong: for axes.
    pub fn hkt_hour(self) -> String {
        self.formatted("%H:%M")
    }

    fn formatted(self, format: &str) -> String {
        match Timestamp::from_microsecond(self.0.micros()) {
            Ok(at) => jiff::fmt::strtime::format(format, HONG_KONG.to_datetime(at)).unwrap_or_default(),
            Err(_) => self.0.to_string(),
        }
    }

    /// `just now`, `5 min ago`, `in 3 h`, `12 d ago`.
    pub fn relative(self, now: EventTime) -> String {
        let span = now.since(self.0);
        let (apart, ahead) = (Span::from_micros(span.micros().abs()), span.micros() < 0);
        match (apart < Span::minutes(1), ahead) {
            (true, true) => "in under 1 min".to_owned(),
            (true, false) => "just now".to_owned(),
            (false, true) => format!("in {}", length(apart)),
            (false, false) => format!("{} ago", length(apart)),
        }
    }
}

/// A length of time in the largest unit that fits: `30 s`, `5 min`, `26 h`, `12 d`.
pub(crate) fn length(span: Span) -> String {
    // Two days at least before days are counted: `26 h` says more than `1 d`.
    let units = [
        (Span::days(2), Span::days(1), "d"),
        (Span::hours(1), Span::hours(1), "h"),
        (Span::minutes(1), Span::minutes(1), "min"),
    ];
    let (unit, name) = units
        .into_iter()
        .find_map(|(least, unit, name)| (span >= least).then_some((unit, name)))
        .unwrap_or((Span::seconds(1), "s"));
    format!("{} {name}", span.micros() / unit.micros())
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn officers_read_hong_kong_time() {
        let at = Stamp("2026-11-20T18:30:00Z".parse().unwrap());
        assert_eq!(at.hkt(), "21 Nov 2026 02:30:00");
        assert_eq!(serde_json::to_value(at).unwrap(), "2026-11-20T18:30:00Z");
    }

    #[test]
    fn ages_are_said_in_the_largest_unit_that_fits() {
        let now = EventTime::from_micros(Span::days(100).micros());
        for (ago, text) in [
            (Span::seconds(59), "just now"),
            (Span::seconds(60), "1 min ago"),
            (Span::hours(26), "26 h ago"),
            (Span::days(2), "2 d ago"),
        ] {
            assert_eq!(Stamp(now.minus(ago)).relative(now), text);
        }
        assert_eq!(Stamp(now.plus(Span::hours(3))).relative(now), "in 3 h");
    }
}
