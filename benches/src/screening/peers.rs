//! Two plain measures that matchers in Rust are often built on, to stand beside the scorer in the same run.

use std::collections::BTreeSet;

/// A measure of two names, from 0 to 1.
pub type Measure = fn(&str, &str) -> f64;

/// The peers by name.
pub const PEERS: [(&str, Measure); 2] =
    [("Jaro-Winkler", strsim::jaro_winkler), ("token-set ratio", token_set_ratio)];

/// What both peers are given: lower case, letters and digits, words in alphabetical order.
pub fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let mut words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    words.sort_unstable();
    words.join(" ")
}

/// The best ratio between what two names share and each of them whole, as fuzzywuzzy defined it.
fn token_set_ratio(a: &str, b: &str) -> f64 {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
    let (a, b) = (words(a), words(b));
    let joined = |words: Vec<&str>| words.join(" ");
    let shared = joined(a.intersection(&b).map(String::as_str).collect());
    let with = |rest: Vec<&str>| format!("{shared} {}", rest.join(" ")).trim().to_owned();
    let left = with(a.difference(&b).map(String::as_str).collect());
    let right = with(b.difference(&a).map(String::as_str).collect());
    let ratio = |x: &str, y: &str| if x.is_empty() || y.is_empty() { 0.0 } else { indel_ratio(x, y) };
    ratio(&shared, &left).max(ratio(&shared, &right)).max(ratio(&left, &right))
}

/// Twice the longest common subsequence over both lengths.
fn indel_ratio(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut row = vec![0_usize; b.len() + 1];
    for x in &a {
        let mut before = 0;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if x == y { before + 1 } else { above.max(row[j]) };
            before = above;
        }
    }
    2.0 * row[b.len()] as f64 / (a.len() + b.len()).max(1) as f64
}
