//! Days and hours in Hong Kong, and ages.

use sluice_model::EventTime;

/// The hours by which Hong Kong is ahead of UTC; it has had no daylight saving since 1979.
pub(crate) const HONG_KONG_OFFSET_HOURS: i64 = 8;

pub(super) const WEEKDAYS: &[&str] =
    &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Seconds since 1970, as Hong Kong's clocks would count them.
pub(super) fn local_seconds(at: EventTime) -> i64 {
    at.micros().div_euclid(1_000_000) + HONG_KONG_OFFSET_HOURS * 3_600
}

/// From 0 for Monday; 1970 began on a Thursday.
pub(super) fn weekday(at: EventTime) -> usize {
    usize::try_from((local_seconds(at).div_euclid(86_400) + 3).rem_euclid(7)).unwrap_or_default()
}

pub(super) fn date(at: EventTime, days_before: i64) -> String {
    let seconds = local_seconds(at) - days_before * 86_400;
    match jiff::Timestamp::from_second(seconds) {
        Ok(moment) => jiff::tz::Offset::UTC.to_datetime(moment).date().to_string(),
        Err(_) => String::new(),
    }
}

/// Full years between a birth date, exact to the year at least, and a day. A date exact to the year or month
/// only counts from its end: younger, never older, than the person is.
pub(super) fn age(birth: &str, today: &str) -> Option<i64> {
    let year = |text: &str| text.get(..4)?.parse::<i64>().ok();
    let had_birthday = match (birth.len(), birth.get(5..), today.get(5..)) {
        (10, Some(birth), Some(today)) => birth <= today,
        (7, Some(birth), Some(today)) => birth < today.get(..2)?,
        (4, ..) => false,
        _ => return None,
    };
    Some(year(today)? - year(birth)? - i64::from(!had_birthday))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_never_overstate() {
        assert_eq!(age("2000-11-20", "2026-11-20"), Some(26));
        assert_eq!(age("2000-11-21", "2026-11-20"), Some(25));
        assert_eq!(age("2000-11", "2026-11-20"), Some(25));
        assert_eq!(age("2000", "2026-11-20"), Some(25));
        assert_eq!(age("unknown", "2026-11-20"), None);
    }

    #[test]
    fn weekdays_and_dates_are_hong_kongs() {
        let at: EventTime = "2026-11-19T17:00:00Z".parse().unwrap();
        assert_eq!(
            (WEEKDAYS[weekday(at)], date(at, 0), date(at, 1)),
            ("friday", "2026-11-20".into(), "2026-11-19".into())
        );
    }
}
