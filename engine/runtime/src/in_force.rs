//! What is configured, held against what is in force. What screens and judges never becomes less by itself: a source that is
//! gone, a softer policy, rules that are gone change nothing until two persons have approved that ([decision 0514]).
//!
//! [decision 0514]: ../../../docs/decisions/0514-what-is-configured-never-becomes-less.md

use std::collections::BTreeSet;

use sluice_lists::DEFAULT_THRESHOLD;
use sluice_model::{EventTime, Hash256, Screening, Span};
use sluice_rules::RuleSet;

/// A version with fewer entries than this share of the one in force, in percent, is less; an import asks at the same line.
const ENTRIES_KEPT_PERCENT_MIN: usize = 90;
/// How far `checked_at` of a source must move until the log has it, where nothing else changed; a quarter of the limit
/// where that is less.
const CHECK_STEP: Span = Span::hours(6);
/// The age of a list from which it is reported, where its limit does not come sooner.
const LIST_AGE_REPORTED: Span = Span::days(7);
/// Of the rules in force, how many in a hundred a watched folder may lose at once; one always.
const RULES_GONE_PERCENT_MAX: usize = 10;

/// What of a wish may be in force at once: everything that is not less. And what it would take away.
pub fn without_loss(
    in_force: &Screening,
    wanted: &Screening,
    shrinks: impl Fn(&str, Hash256, Hash256) -> bool,
) -> (Screening, Vec<String>) {
    let (mut applied, mut lost) = (wanted.clone(), Vec::new());
    if *in_force == Screening::default() {
        return (applied, lost);
    }
    for (source, version) in &in_force.lists {
        let why = match wanted.lists.get(source) {
            None => format!("the list {source} is gone"),
            Some(new) if new != version && shrinks(source, *version, *new) => {
                format!("the list {source} lost more than a tenth of its entries, and nobody accepted that")
            }
            Some(_) => continue,
        };
        lost.push(why);
        applied.lists.insert(source.clone(), *version);
        match in_force.checked_at.get(source) {
            Some(at) => applied.checked_at.insert(source.clone(), *at),
            None => applied.checked_at.remove(source),
        };
    }
    let line = |screening: &Screening| screening.threshold.unwrap_or(DEFAULT_THRESHOLD);
    if line(wanted) > line(in_force) {
        lost.push(format!("the threshold would rise from {} to {}", line(in_force), line(wanted)));
        applied.threshold = in_force.threshold;
    }
    if wanted.unnamed < in_force.unnamed {
        lost.push("payments that name nobody on one side would be treated more softly".to_owned());
        applied.unnamed = in_force.unnamed;
    }
    if let Some(limit) = in_force.age_max
        && wanted.age_max.is_none_or(|wanted| wanted > limit)
    {
        lost.push(format!("lists might be older than {limit}"));
        applied.age_max = in_force.age_max;
    }
    (applied, lost)
}

/// Whether a version of so many entries is less than one of so many. `None`: it cannot be read.
pub fn shrinks(before: Option<usize>, after: Option<usize>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => after * 100 < before * ENTRIES_KEPT_PERCENT_MIN,
        // What cannot be counted is not known to be whole.
        (_, None) => true,
        (None, Some(_)) => false,
    }
}

/// Whether it has to go to the log: something changed, or a check moved by more than a step.
pub fn differs(in_force: &Screening, applied: &Screening) -> bool {
    let timeless = |screening: &Screening| Screening { checked_at: Default::default(), ..screening.clone() };
    let step = applied.age_max.map_or(CHECK_STEP, |limit| CHECK_STEP.min(part(limit, 4)));
    timeless(in_force) != timeless(applied)
        || applied.checked_at.iter().any(|(source, at)| {
            let moved = |known: &EventTime| at.since(*known).micros().abs() >= step.micros();
            in_force.checked_at.get(source).is_none_or(moved)
        })
}

/// The lists that are old, each with what that means.
pub fn old(screening: &Screening, now: EventTime) -> Vec<String> {
    let told_from =
        screening.age_max.map_or(LIST_AGE_REPORTED, |limit| LIST_AGE_REPORTED.min(part(limit, 2)));
    let aged = |(source, at): (&String, &EventTime)| {
        let age = now.since(*at);
        if age < told_from {
            return None;
        }
        let days = age.micros() / Span::days(1).micros();
        Some(match screening.age_max {
            Some(limit) if age > limit => format!(
                "The list {source} was last checked {days} days ago, beyond its limit of {limit}: payments count as not \
                 screened. Run: sluice lists update"
            ),
            _ => format!("The list {source} was last checked {days} days ago. Run: sluice lists update"),
        })
    };
    screening.checked_at.iter().filter_map(aged).collect()
}

fn part(of: Span, parts: i64) -> Span {
    Span::from_micros(of.micros() / parts)
}

/// The rules in force that a set would take away.
fn rules_gone(in_force: &RuleSet, wanted: &RuleSet) -> Vec<String> {
    let ids = |set: &RuleSet| -> BTreeSet<String> {
        set.descriptions().iter().filter(|rule| !rule.candidate).map(|rule| rule.id.clone()).collect()
    };
    ids(in_force).difference(&ids(wanted)).cloned().collect()
}

/// What a watched folder would take away that it may not: all rules, or many at once.
pub fn rules_lost(in_force: &RuleSet, wanted: &RuleSet) -> Vec<String> {
    let all = in_force.descriptions().iter().filter(|rule| !rule.candidate).count();
    let gone = rules_gone(in_force, wanted);
    let is_empty = !wanted.descriptions().iter().any(|rule| !rule.candidate);
    if is_empty && all > 0 {
        return vec!["the folder of rules holds no rule".to_owned()];
    }
    if gone.len() > 1 && gone.len() * 100 > all * RULES_GONE_PERCENT_MAX {
        return vec![format!("{} of {all} rules are gone from the folder: {}", gone.len(), gone.join(", "))];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use sluice_model::{RuleBundle, RuleFile, Unnamed};

    use super::*;

    fn version(of: &str) -> Hash256 {
        Hash256::of(of.as_bytes())
    }

    fn screening(lists: &[(&str, &str)]) -> Screening {
        let lists = lists.iter().map(|(source, of)| ((*source).to_owned(), version(of))).collect();
        Screening { lists, age_max: Some(Span::days(30)), ..Screening::default() }
    }

    fn never(_: &str, _: Hash256, _: Hash256) -> bool {
        false
    }

    #[test]
    fn what_is_less_is_left_out_and_told_and_the_rest_goes_on() {
        let in_force = screening(&[("a", "1"), ("b", "1")]);
        let wanted = screening(&[("b", "2"), ("c", "1")]);
        let (applied, lost) = without_loss(&in_force, &wanted, never);
        assert_eq!(lost, ["the list a is gone"]);
        assert_eq!(
            applied,
            screening(&[("a", "1"), ("b", "2"), ("c", "1")]),
            "a list that is updated goes on"
        );
        for less in [
            Screening::default(),
            screening(&[]),
            Screening { threshold: Some(0.81), ..in_force.clone() },
            Screening { unnamed: Unnamed::Alert, ..in_force.clone() },
            Screening { age_max: None, ..in_force.clone() },
            Screening { age_max: Some(Span::days(31)), ..in_force.clone() },
        ] {
            let (applied, lost) = without_loss(&in_force, &less, never);
            assert_eq!(applied, in_force);
            assert!(!lost.is_empty(), "{less:?}");
        }
        for more in [
            screening(&[("a", "2"), ("b", "1"), ("c", "1")]),
            Screening { threshold: Some(0.7), age_max: Some(Span::days(1)), ..in_force.clone() },
        ] {
            assert_eq!(without_loss(&in_force, &more, never), (more, vec![]));
        }
    }

    #[test]
    fn a_first_configuration_may_be_anything() {
        let wanted = Screening { unnamed: Unnamed::Accept, threshold: Some(0.95), ..Screening::default() };
        assert_eq!(without_loss(&Screening::default(), &wanted, never), (wanted, vec![]));
    }

    #[test]
    fn a_version_that_lost_its_entries_is_less() {
        let (in_force, wanted) = (screening(&[("a", "1")]), screening(&[("a", "2")]));
        let with =
            |after: Option<usize>| without_loss(&in_force, &wanted, |_, _, _| shrinks(Some(1_000), after));
        assert_eq!(with(Some(900)), (wanted.clone(), vec![]));
        for after in [Some(899), Some(0), None] {
            let (applied, lost) = with(after);
            assert_eq!((applied, lost.len()), (in_force.clone(), 1));
        }
    }

    #[test]
    fn a_check_is_told_by_steps() {
        let at = |hours| {
            let checked = EventTime::from_micros(0).plus(Span::hours(hours));
            Screening { checked_at: [("a".to_owned(), checked)].into(), ..screening(&[("a", "1")]) }
        };
        assert!(!differs(&at(0), &at(5)));
        assert!(differs(&at(0), &at(6)));
        assert!(differs(&screening(&[("a", "1")]), &at(0)), "the first is");
        let short = |hours| Screening { age_max: Some(Span::hours(4)), ..at(hours) };
        assert!(differs(&short(0), &short(1)), "a short limit has short steps");
    }

    #[test]
    fn an_old_list_is_told_before_its_limit_and_beyond_it() {
        let start = EventTime::from_micros(0);
        let list = Screening { checked_at: [("a".to_owned(), start)].into(), ..screening(&[("a", "1")]) };
        assert!(old(&list, start.plus(Span::days(6))).is_empty());
        assert!(old(&list, start.plus(Span::days(8)))[0].contains("8 days ago. Run"));
        assert!(old(&list, start.plus(Span::days(31)))[0].contains("not screened"));
    }

    #[test]
    fn a_watched_folder_may_lose_single_rules_and_never_all() {
        let set = |ids: std::ops::Range<u32>| {
            let rule = |n: u32| RuleFile {
                path: format!("R{n}.rhai"),
                text: format!(
                    r#"rule R{n} #{{ title: "t", key: "payment", severity: "high", action: "alert", typology: "t",
                    regulation: #{{ text: "a test", source: "https://example.com", date: "2026-01-01" }},
                    speaks: "every event" }};
                    condition amount >= hkd(1); reason `x`;"#
                ),
            };
            match RuleSet::compile(&RuleBundle::new(ids.map(rule).collect())) {
                Ok(set) => set,
                Err(errors) => panic!("{errors}"),
            }
        };
        let all = set(0..20);
        assert!(rules_lost(&all, &all).is_empty());
        assert!(rules_lost(&all, &set(0..18)).is_empty());
        assert!(rules_lost(&set(0..3), &set(0..2)).is_empty());
        assert_eq!(rules_lost(&all, &set(0..17)).len(), 1);
        assert_eq!(rules_lost(&set(0..1), &set(0..0)).len(), 1, "none at all is never taken");
        assert!(rules_lost(&set(0..0), &set(0..0)).is_empty());
    }
}
