//! How far apart two words are: how many edits are looked at, and the cheapest way from one to the other.

use super::costs::{Costs, PLAIN};

/// How many edits of the key of letters are looked at.
pub(crate) fn edits(key: &[u8], joined: bool) -> usize {
    edits_allowed(key.len()).min(if joined { 1 } else { usize::MAX })
}

/// The same by the key's length.
fn edits_allowed(key_len: usize) -> usize {
    match key_len {
        0..=3 => 0,
        4..=8 => 1,
        _ => 2,
    }
}

/// The same for the consonants under which letters meet an abjad.
pub(crate) fn consonant_edits_allowed(key_len: usize) -> usize {
    usize::from(key_len >= 4)
}

/// Whether two keys are within so many edits (one swap of neighbours is one).
pub(crate) fn near(a: &[u8], b: &[u8], edits: usize) -> bool {
    if a == b {
        return true;
    }
    if edits == 0 || a.len().abs_diff(b.len()) > edits {
        return false;
    }
    let (a, b) = differing(a, b);
    match (a.len().max(b.len()), edits) {
        (0 | 1, _) => true,
        (2, 1) => a.len() == 2 && b.len() == 2 && a[0] == b[1] && a[1] == b[0],
        (_, 1) => false,
        _ => distance(a, b, &PLAIN, 100 * edits as u32) <= 100 * edits as u32,
    }
}

/// What is left of two words without what they share at either end.
fn differing<'a>(a: &'a [u8], b: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let same_before = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[same_before..], &b[same_before..]);
    let same_after = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    (&a[..a.len() - same_after], &b[..b.len() - same_after])
}

/// Sounds beyond this are not compared.
const SOUNDS_MAX: usize = 48;

/// The cheapest way from `a` to `b`, neighbours swapped included (optimal string alignment), in hundredths; any
/// number above `limit` where it costs more than that.
pub(super) fn distance(a: &[u8], b: &[u8], costs: &Costs, limit: u32) -> u32 {
    let (a, b) = (&a[..a.len().min(SOUNDS_MAX)], &b[..b.len().min(SOUNDS_MAX)]);
    let (a, b) = differing(a, b);
    // Most words differ in a few sounds: less to clear.
    if b.len() < FEW_SOUNDS {
        distance_of::<FEW_SOUNDS>(a, b, costs, limit)
    } else {
        distance_of::<{ SOUNDS_MAX + 1 }>(a, b, costs, limit)
    }
}

const FEW_SOUNDS: usize = 9;

/// The same for words of fewer than `N` sounds that share neither the first nor the last.
fn distance_of<const N: usize>(a: &[u8], b: &[u8], costs: &Costs, limit: u32) -> u32 {
    let mut rows = [[0_u32; N]; 3];
    for j in 0..b.len() {
        rows[0][j + 1] = rows[0][j] + u32::from(costs.only_second[usize::from(b[j] & 127)]);
    }
    let mut least_above = 0;
    for i in 0..a.len() {
        let x = usize::from(a[i] & 127);
        let gone = u32::from(costs.only_first[x]);
        let replace = &costs.replace[x];
        let (above, this, before) = (i % 3, (i + 1) % 3, (i + 2) % 3);
        let mut left = rows[above][0] + gone;
        rows[this][0] = left;
        let mut least = left;
        for j in 0..b.len() {
            let y = usize::from(b[j] & 127);
            let mut best = rows[above][j] + u32::from(replace[y]);
            best = best.min(rows[above][j + 1] + gone).min(left + u32::from(costs.only_second[y]));
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] && a[i] != b[j] {
                best = best.min(rows[before][j - 1] + costs.swap);
            }
            rows[this][j + 1] = best;
            left = best;
            least = least.min(best);
        }
        // A swap reaches back two rows.
        if least.min(least_above) > limit {
            return u32::MAX;
        }
        least_above = least;
    }
    rows[a.len() % 3][b.len()]
}
