//! Figures of an evaluation, and how sure they are.

/// Precision, recall and their harmonic mean.
#[derive(Clone, Copy, Debug)]
pub struct Quality {
    /// Of what was called the same, how much is.
    pub precision: f64,
    /// Of what is the same, how much was called so.
    pub recall: f64,
    /// The harmonic mean.
    pub f1: f64,
}

impl Quality {
    /// Of scores with their labels, at a threshold.
    pub fn at(threshold: f64, scored: impl Iterator<Item = (f64, bool)>) -> Self {
        let (mut hit, mut wrong, mut missed) = (0.0_f64, 0.0, 0.0);
        for (score, same) in scored {
            match (score >= threshold, same) {
                (true, true) => hit += 1.0,
                (true, false) => wrong += 1.0,
                (false, true) => missed += 1.0,
                (false, false) => {}
            }
        }
        let (precision, recall) = (hit / (hit + wrong).max(1.0), hit / (hit + missed).max(1.0));
        Self { precision, recall, f1: 2.0 * hit / (2.0 * hit + wrong + missed).max(1.0) }
    }
}

/// The threshold at which a share of names is hit.
pub fn threshold_at(scores: &mut [f64], share: f64) -> f64 {
    scores.sort_by(|a, b| b.total_cmp(a));
    // Strictly above the first score past the share: no more than the share is hit.
    scores.get((scores.len() as f64 * share) as usize).map_or(0.0, |s| s + 1e-9)
}

/// The share of scores at or above a threshold.
pub fn recall(scores: &[f64], threshold: f64) -> f64 {
    scores.iter().filter(|s| **s >= threshold).count() as f64 / scores.len().max(1) as f64
}

/// A figure with the interval that holds it in 95 of 100 resamplings of the cases.
#[derive(Clone, Copy, Debug)]
pub struct Interval {
    /// On all cases.
    pub value: f64,
    /// Of the resamplings.
    pub low: f64,
    /// Of the resamplings.
    pub high: f64,
}

/// How often cases are drawn anew.
const RESAMPLINGS: usize = 1_000;

/// A figure of cases, with its interval by the bootstrap. The same on every run.
pub fn bootstrap<T: Copy>(cases: &[T], figure: impl Fn(&[T]) -> f64) -> Interval {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let mut figures: Vec<f64> = (0..RESAMPLINGS)
        .map(|_| {
            let drawn: Vec<T> = (0..cases.len()).map(|_| cases[draw(cases.len())]).collect();
            figure(&drawn)
        })
        .collect();
    figures.sort_by(f64::total_cmp);
    Interval {
        value: figure(cases),
        low: figures[RESAMPLINGS / 40],
        high: figures[RESAMPLINGS - 1 - RESAMPLINGS / 40],
    }
}

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} [{:.3}, {:.3}]", self.value, self.low, self.high)
    }
}
