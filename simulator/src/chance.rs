//! Distributions, as tables of whole numbers: the same draw on every machine, which floating point would not
//! promise.

use sluice_model::Span;

use crate::fault::rng::Rng;

/// Quantiles of the exponential distribution with mean 1, in 1/1024.
const EXPONENTIAL: [u64; 65] = [
    8, 24, 40, 57, 73, 91, 108, 126, 144, 162, 180, 199, 219, 238, 258, 279, 300, 321, 343, 365, 388, 411,
    435, 459, 484, 510, 536, 563, 591, 619, 649, 679, 710, 742, 775, 809, 844, 881, 919, 958, 999, 1042,
    1086, 1133, 1182, 1233, 1287, 1344, 1404, 1468, 1536, 1609, 1688, 1774, 1867, 1969, 2083, 2211, 2358,
    2529, 2734, 2992, 3336, 3859, 4984,
];

/// Quantiles of the log-normal distribution with median 1 and a spread of 0.8 (that of ticket sizes), in 1/1024.
const LOG_NORMAL: [u64; 65] = [
    147, 208, 249, 283, 313, 341, 367, 393, 417, 441, 464, 488, 511, 534, 557, 580, 603, 626, 649, 673, 697,
    721, 746, 771, 797, 823, 850, 877, 905, 933, 963, 993, 1024, 1056, 1089, 1124, 1159, 1196, 1234, 1274,
    1316, 1360, 1405, 1453, 1504, 1558, 1615, 1675, 1740, 1809, 1884, 1965, 2053, 2150, 2257, 2378, 2514,
    2671, 2855, 3075, 3350, 3709, 4216, 5048, 7115,
];

/// A draw from a table of quantiles, between its neighbours by the draw's lower bits.
fn draw(table: &[u64; 65], rng: &mut Rng) -> u64 {
    let bits = rng.bits();
    let at = (bits & 63) as usize;
    let within = (bits >> 6) & 1023;
    table[at] + (table[at + 1] - table[at]) * within / 1024
}

/// A time between two events that come at random, so many microseconds apart on average.
pub(super) fn gap(mean_micros: u64, rng: &mut Rng) -> Span {
    let micros = u128::from(mean_micros) * u128::from(draw(&EXPONENTIAL, rng)) / 1024;
    Span::from_micros(i64::try_from(micros).unwrap_or(i64::MAX).max(1_000))
}

/// An amount in minor units about a median, some much larger and none without cents' worth.
pub(super) fn amount(median: i64, rng: &mut Rng) -> i64 {
    let factor = i64::try_from(draw(&LOG_NORMAL, rng)).unwrap_or(1024);
    (median.saturating_mul(factor) / 1024).max(100)
}

/// A number from `low` up to and including `high`.
pub(super) fn between(low: i64, high: i64, rng: &mut Rng) -> i64 {
    let width = high.saturating_sub(low).max(0).unsigned_abs() + 1;
    low.saturating_add_unsigned(rng.bits() % width)
}

/// A time up to and including `most`.
pub(super) fn within(most: Span, rng: &mut Rng) -> Span {
    Span::from_micros(between(0, most.micros(), rng))
}

/// The amount cut to whole multiples of `step`, at least one.
pub(super) fn rounded(amount: i64, step: i64) -> i64 {
    (amount / step).max(1) * step
}
