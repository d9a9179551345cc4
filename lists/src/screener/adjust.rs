//! What is known beside the name, and how far it moves a score. Each step is a reason of its own.
//!
//! A contradiction costs more than an agreement earns: many people share a birthday, nobody has two. But what a payment
//! says of a party is a hint: whoever bears a listed name whole is not cleared by it, unless somebody has verified it.

use sluice_model::{EntryKind, Reason};
use smallvec::SmallVec;

use super::{Query, query::Verified};
use crate::{BirthDate, Entry, NameQuality, matching::explain::reason};

/// The same day of birth.
const SAME_DAY: f64 = 0.03;
/// Dates of birth that agree as far as both are known.
const SAME_YEAR: f64 = 0.015;
/// The same year, another day.
const OTHER_DAY: f64 = -0.04;
/// Years further apart than [`YEARS_TOLERATED`].
const OTHER_YEAR: f64 = -0.15;
/// Lists and documents differ by a year often enough.
const YEARS_TOLERATED: i16 = 1;
/// The same for dates that the list calls approximate.
const YEARS_TOLERATED_CIRCA: i16 = 5;
/// A country that the entry is tied to.
const SAME_COUNTRY: f64 = 0.01;
/// Only countries that the entry is not tied to.
const OTHER_COUNTRY: f64 = -0.03;
/// Another gender.
const OTHER_GENDER: f64 = -0.1;
/// A person is no vessel.
const OTHER_KIND: f64 = -0.12;
/// A weak alias says little about who bears it.
const WEAK_ALIAS: f64 = -0.06;

/// The most that a score can rise: names this far below the threshold must still be found.
pub(super) fn most_gained(query: &Query) -> f64 {
    let birth = if query.birth_date.is_some() { SAME_DAY } else { 0.0 };
    let country = if query.country.is_some() { SAME_COUNTRY } else { 0.0 };
    birth + country
}

/// What the query's other facts do to a score. Of a name that met whole, `whole` is asked, they do not take it below
/// the threshold unless they are verified.
pub(super) fn adjust(
    query: &Query,
    entry: &Entry,
    quality: NameQuality,
    mut score: f64,
    threshold: f64,
    whole: impl FnOnce() -> bool,
) -> (f64, Vec<Reason>) {
    let mut reasons = Vec::new();
    let mut unverified: SmallVec<[&str; 4]> = SmallVec::new();
    let mut taken = 0.0;
    let mut step = |name: &'static str, text: String, by: f64| {
        score += by;
        if by < 0.0 && Verified::is_fact(name) && !query.verified.has(name) {
            unverified.push(name);
            taken += by;
        }
        reasons.push(reason(name, text, by));
    };
    if quality == NameQuality::Weak {
        step("weak_alias", "the list calls this a weak alias".to_owned(), WEAK_ALIAS);
    }
    if let Some(kind) = query.kind.filter(|k| conflict(*k, entry.kind)) {
        step("kind", format!("{} against {}", named(kind), named(entry.kind)), OTHER_KIND);
    }
    if let Some(born) = query.birth_date
        && let Some((text, by)) = birth_date(born, &entry.birth_dates)
    {
        step("birth_date", text.to_owned(), by);
    }
    if let Some(country) = &query.country {
        let mut tied = entry
            .nationalities
            .iter()
            .chain(entry.addresses.iter().filter_map(|a| a.country.as_ref()))
            .chain(entry.birth_places.iter().filter_map(|p| p.country.as_ref()))
            .peekable();
        if tied.peek().is_some() {
            if tied.any(|c| c == country) {
                step("country", format!("{country} is tied to the entry"), SAME_COUNTRY);
            } else {
                step("country", format!("{country} is not tied to the entry"), OTHER_COUNTRY);
            }
        }
    }
    if let (Some(a), Some(b)) = (query.gender, entry.gender)
        && a != b
    {
        step("gender", "another gender".to_owned(), OTHER_GENDER);
    }
    let adjusted = in_four_decimals(score);
    if adjusted >= threshold || in_four_decimals(score - taken) < threshold || !whole() {
        return (adjusted, reasons);
    }
    let at_threshold = match in_four_decimals(threshold) {
        rounded if rounded >= threshold => rounded,
        rounded => in_four_decimals(rounded + 1e-4),
    };
    let text = format!(
        "the name met whole, and nobody has verified what speaks against it: {}",
        unverified.join(", ")
    );
    reasons.push(reason("unverified", text, at_threshold - adjusted));
    (at_threshold, reasons)
}

fn in_four_decimals(score: f64) -> f64 {
    (score.clamp(0.0, 1.0) * 1e4).round() / 1e4
}

/// Persons are told from the rest; vessels and aircraft are often entered as companies.
fn conflict(a: EntryKind, b: EntryKind) -> bool {
    (a == EntryKind::Person) != (b == EntryKind::Person)
}

fn named(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Person => "a person",
        EntryKind::Organisation => "an organisation",
        EntryKind::Vessel => "a vessel",
        EntryKind::Aircraft => "an aircraft",
    }
}

/// The best that any of the entry's dates says.
fn birth_date(born: BirthDate, listed: &[BirthDate]) -> Option<(&'static str, f64)> {
    let judged = listed.iter().map(|l| compare(born, *l));
    judged.max_by(|a, b| a.1.total_cmp(&b.1))
}

fn compare(a: BirthDate, b: BirthDate) -> (&'static str, f64) {
    let exact = |d: BirthDate| d.first_day() == d.last_day();
    if a.first_day() <= b.last_day() && b.first_day() <= a.last_day() {
        return if exact(a) && exact(b) {
            ("born on the same day", SAME_DAY)
        } else {
            ("born on dates that agree as far as they are known", SAME_YEAR)
        };
    }
    let (first, second) = if a.first_day() < b.first_day() { (a, b) } else { (b, a) };
    let apart = second.first_day().year() - first.last_day().year();
    let tolerated = if a.circa || b.circa { YEARS_TOLERATED_CIRCA } else { YEARS_TOLERATED };
    match apart {
        0 if a.from.day().is_some() && a.from.day() == b.from.month() && a.from.month() == b.from.day() => {
            ("born on dates that agree once day and month change places", 0.0)
        }
        0 => ("born in the same year, on another day", OTHER_DAY),
        years if years <= tolerated => ("born in years next to each other", 0.0),
        _ => ("born in another year", OTHER_YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(a: &str, b: &str) -> f64 {
        birth_date(BirthDate::parse(a).unwrap(), &[BirthDate::parse(b).unwrap()]).unwrap().1
    }

    #[test]
    fn dates_agree_as_far_as_they_are_known() {
        let earned = [
            judged("1962-03-05", "1962-03-05"),
            judged("1962-03-05", "1962"),
            judged("1962-03-05", "1963-03-05"),
            judged("1962-03-05", "1962-07-01"),
            judged("1962-03-05", "1970"),
        ];
        let expected = [SAME_DAY, SAME_YEAR, 0.0, OTHER_DAY, OTHER_YEAR];
        assert_eq!(earned.map(f64::to_bits), expected.map(f64::to_bits));
        assert_eq!(birth_date(BirthDate::parse("1962").unwrap(), &[]), None);
    }
}
