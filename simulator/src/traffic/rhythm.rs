//! When a city pays: by hour of the day and day of the week, in Hong Kong's time.

use sluice_model::{EventTime, Span};

use crate::{chance, fault::rng::Rng};

/// Hong Kong is eight hours ahead of UTC, all year.
pub(super) const UTC_OFFSET_HOURS: i64 = 8;

/// How busy each hour is, in percent of the average hour.
const HOURS: [u64; 24] = [
    25, 15, 9, 6, 6, 12, 35, 80, 125, 120, 115, 135, 175, 155, 120, 115, 120, 145, 185, 190, 170, 140, 115,
    87,
];
/// How busy each day is, from Monday, in percent of the average day.
const DAYS: [u64; 7] = [92, 90, 92, 97, 112, 118, 99];

const DAY: i64 = Span::days(1).micros();
const HOUR: i64 = Span::hours(1).micros();
/// 1970-01-01 was a Thursday: days since then, plus this, count from a Monday.
const EPOCH_WEEKDAY: i64 = 3;

/// When the next event happens after `from`, where so many come in a day.
pub(super) fn next(from: EventTime, events_per_day: u64, rng: &mut Rng) -> EventTime {
    let mut from = from;
    loop {
        let local = from.plus(Span::hours(UTC_OFFSET_HOURS)).micros();
        let weekday = (local.div_euclid(DAY) + EPOCH_WEEKDAY).rem_euclid(7);
        let hour = local.rem_euclid(DAY) / HOUR;
        let percent = HOURS[hour as usize] * DAYS[weekday as usize];
        let mean = u128::from(DAY.unsigned_abs()) * 10_000 / u128::from(events_per_day.max(1) * percent);
        let at = from.plus(chance::gap(u64::try_from(mean).unwrap_or(u64::MAX), rng));
        // Waiting has no memory: what does not happen within the hour is drawn anew in the next, at its pace.
        let hour_ends = from.plus(Span::from_micros(HOUR - local.rem_euclid(HOUR)));
        if at < hour_ends {
            return at;
        }
        from = hour_ends;
    }
}

/// Midnight in Hong Kong of the day that holds this moment.
pub(super) const fn midnight(at: EventTime) -> EventTime {
    at.day_start(UTC_OFFSET_HOURS)
}

/// The same time of day, a month of 30 days later: pay and rent keep their hour.
pub(super) const fn month_after(at: EventTime) -> EventTime {
    at.plus(Span::days(30))
}
