//! Where times without an offset are at home.

use std::{fmt, str::FromStr};

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::{Offset, TimeZone, TimeZoneDatabase},
};
use sluice_model::EventTime;

/// Where nobody names another: Hong Kong.
const HOME: &str = "Asia/Hong_Kong";
/// Its offset since 1979.
const HOME_OFFSET: Offset = Offset::constant(8);

/// The zone of a source, to which its times without an offset belong: by name, of the time zone database of IANA that is
/// compiled in. No file is read, so that the same bytes give the same events anywhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone(TimeZone);

/// A name that no zone has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no zone of IANA's time zone database, such as {HOME}")]
pub struct UnknownZone;

impl Zone {
    pub(crate) const UTC: Self = Self(TimeZone::UTC);

    pub(crate) fn fixed(offset: Offset) -> Self {
        Self(TimeZone::fixed(offset))
    }

    /// The moment of a local time. One that the zone has twice, when clocks go back, is the first of the two; one that it
    /// skips, when they go forward, is moved forward by what is skipped (as in RFC 5545).
    pub(crate) fn moment(&self, local: DateTime) -> Option<Timestamp> {
        self.0.to_ambiguous_timestamp(local).compatible().ok()
    }

    /// The same as the time of an event.
    pub(crate) fn event_time(&self, local: DateTime) -> Option<EventTime> {
        self.moment(local).map(|at| EventTime::from_micros(at.as_microsecond()))
    }

    /// The date of a moment.
    pub(crate) fn date(&self, at: Timestamp) -> Date {
        self.0.to_datetime(at).date()
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        TimeZoneDatabase::bundled().get(name).map(Self).map_err(|_| UnknownZone)
    }
}

impl Default for Zone {
    fn default() -> Self {
        HOME.parse().unwrap_or_else(|_| Self::fixed(HOME_OFFSET))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or(HOME))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_name() {
        assert_eq!(Zone::default().to_string(), HOME);
        assert_eq!("europe/zurich".parse::<Zone>().unwrap().to_string(), "Europe/Zurich");
        for name in ["", "Asia/Hongkong", "+08:00", "/etc/localtime", "../UTC"] {
            assert_eq!(name.parse::<Zone>(), Err(UnknownZone), "{name}");
        }
    }
}
