//! The sample standard deviation, from whole-number moments: nothing drifts, however often samples come and go.

use sluice_model::WindowValue;

use super::NOTHING;

/// A sample further from zero than this (45 trillion dollars in cents) is taken for this much: 2^24 squares of it
/// fit in 128 bits.
const MAGNITUDE_MAX: i64 = 1 << 52;

/// The first two moments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread {
    sum: i128,
    squares: u128,
}

impl Spread {
    pub(crate) fn add(&mut self, value: i64) {
        let value = value.clamp(-MAGNITUDE_MAX, MAGNITUDE_MAX);
        self.sum += i128::from(value);
        self.squares = self.squares.wrapping_add(square(value));
    }

    pub(crate) fn remove(&mut self, value: i64) {
        let value = value.clamp(-MAGNITUDE_MAX, MAGNITUDE_MAX);
        self.sum -= i128::from(value);
        self.squares = self.squares.wrapping_sub(square(value));
    }

    pub(crate) fn add_all(&mut self, other: &Self) {
        self.sum += other.sum;
        self.squares = self.squares.wrapping_add(other.squares);
    }

    /// `√((n·Σx² − (Σx)²) / (n·(n − 1)))`; no value under two samples.
    pub(crate) fn deviation(&self, count: u64) -> WindowValue {
        if count < 2 {
            return NOTHING;
        }
        let n = count as f64;
        let scatter = match (self.squares.checked_mul(count.into()), self.sum.unsigned_abs().checked_pow(2)) {
            (Some(squares), Some(square)) => squares.saturating_sub(square) as f64 / n,
            // Beyond 128 bits, digits are lost to floating point: some, not all, for such a spread is wide.
            _ => (self.squares as f64 - (self.sum as f64).powi(2) / n).max(0.0),
        };
        WindowValue::Float((scatter / (n - 1.0)).sqrt())
    }
}

fn square(value: i64) -> u128 {
    u128::from(value.unsigned_abs()).pow(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_spread_on_large_amounts_is_not_lost() {
        let mut spread = Spread::default();
        for value in [1_000_000_000_000_001, 1_000_000_000_000_002, 1_000_000_000_000_003] {
            spread.add(value);
        }
        assert_eq!(spread.deviation(3), WindowValue::Float(1.0));
    }

    /// Half of the samples at the greatest amount, half at nothing.
    #[test]
    fn a_spread_beyond_128_bits_is_right_to_many_digits() {
        const COUNT: u32 = 10_000;
        let mut spread = Spread::default();
        (0..COUNT).for_each(|n| spread.add(if n % 2 == 0 { MAGNITUDE_MAX } else { 0 }));
        let count = f64::from(COUNT);
        let expected = MAGNITUDE_MAX as f64 / 2.0 * (count / (count - 1.0)).sqrt();
        let WindowValue::Float(deviation) = spread.deviation(COUNT.into()) else { panic!("no value") };
        assert!((deviation / expected - 1.0).abs() < 1e-12, "{deviation}, expected {expected}");
    }
}
