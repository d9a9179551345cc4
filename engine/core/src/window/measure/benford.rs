//! First digits against Benford's law: amounts that people invent have too many sevens and too few ones.

use sluice_model::WindowValue;

use super::NOTHING;

/// `log10(1 + 1/d)` for d = 1 … 9, written out so that every platform has the same bits.
#[expect(clippy::approx_constant, reason = "log10(2) is the law's first term")]
const LAW: [f64; 9] = [
    0.301_029_995_663_981_2,
    0.176_091_259_055_681_24,
    0.124_938_736_608_299_95,
    0.096_910_013_008_056_4,
    0.079_181_246_047_624_83,
    0.066_946_789_630_613_22,
    0.057_991_946_977_686_73,
    0.051_152_522_447_381_29,
    0.045_757_490_560_675_13,
];

/// How many samples begin with each digit; a zero begins with none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Digits([u32; 9]);

impl Digits {
    pub(crate) fn add(&mut self, value: i64) {
        if let Some(digit) = first_digit(value) {
            self.0[digit - 1] += 1;
        }
    }

    pub(crate) fn remove(&mut self, value: i64) {
        if let Some(digit) = first_digit(value) {
            self.0[digit - 1] -= 1;
        }
    }

    pub(crate) fn add_all(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }

    /// `Σ (observed − expected)² / expected`, 8 degrees of freedom.
    pub(crate) fn chi_square(&self) -> WindowValue {
        let count: f64 = self.0.iter().copied().map(f64::from).sum();
        if count < 1.0 {
            return NOTHING;
        }
        let term = |(law, seen): (f64, u32)| (f64::from(seen) - law * count).powi(2) / (law * count);
        WindowValue::Float(LAW.into_iter().zip(self.0).map(term).sum())
    }
}

/// From 1 to 9; none for zero.
fn first_digit(value: i64) -> Option<usize> {
    let magnitude = value.unsigned_abs();
    let power = magnitude.checked_ilog10()?;
    Some((magnitude / 10u64.pow(power)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_law_is_the_law() {
        for (d, law) in (1..).zip(LAW) {
            assert!((law - (1.0 + 1.0 / f64::from(d)).log10()).abs() < 1e-15, "{d}");
        }
    }

    #[test]
    fn first_digits() {
        for (value, digit) in [(0, None), (7, Some(7)), (-1_999, Some(1)), (i64::MIN, Some(9)), (10, Some(1))]
        {
            assert_eq!(first_digit(value), digit, "{value}");
        }
    }
}
