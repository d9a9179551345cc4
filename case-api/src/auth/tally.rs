//! Failed sign-ins on their way into the evidence: counted in memory, written as one leaf for each period, so that
//! whoever sprays passwords takes no turn at the writer.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use serde::Serialize;
use sluice_model::EventTime;

use super::Origin;
use crate::limits::{SIGN_IN_SUMMARY_EVERY, SIGN_IN_SUMMARY_NAMES_MAX};

/// What failed in one period.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Failed {
    /// The first failure.
    pub from: EventTime,
    /// The last.
    pub to: EventTime,
    /// Wrong passwords and names.
    pub wrong: u64,
    /// Attempts that were not looked at, because there were too many.
    pub limited: u64,
    /// Wrong passwords for names that there are. A name that is nobody's may be a password typed in the wrong field: it
    /// is not written down.
    pub names: BTreeMap<String, u64>,
    /// Failures whose name is not among them.
    pub others: u64,
    /// From how many addresses, counted up to a limit.
    pub addresses: usize,
    #[serde(skip)]
    seen: BTreeSet<String>,
}

/// The period that runs.
#[derive(Default)]
pub struct Tally(Mutex<Option<Failed>>);

impl Tally {
    /// Somebody gave a wrong password. `name`: of a user, if there is one.
    pub fn wrong(&self, name: Option<&str>, origin: &Origin, now: EventTime) {
        self.count(origin, now, |failed| {
            failed.wrong += 1;
            let known = name.filter(|name| {
                failed.names.contains_key(*name) || failed.names.len() < SIGN_IN_SUMMARY_NAMES_MAX
            });
            match known {
                Some(name) => *failed.names.entry(name.to_owned()).or_default() += 1,
                None => failed.others += 1,
            }
        });
    }

    /// Somebody tried too often.
    pub fn limited(&self, origin: &Origin, now: EventTime) {
        self.count(origin, now, |failed| failed.limited += 1);
    }

    /// What is to be written down: a period that is over, or (`all`) whatever there is.
    pub fn take(&self, now: EventTime, all: bool) -> Option<Failed> {
        let mut failed = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        failed.take_if(|failed| all || now.since(failed.from) >= SIGN_IN_SUMMARY_EVERY)
    }

    fn count(&self, origin: &Origin, now: EventTime, count: impl FnOnce(&mut Failed)) {
        let mut failed = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let failed = failed.get_or_insert_with(|| Failed {
            from: now,
            to: now,
            wrong: 0,
            limited: 0,
            names: BTreeMap::new(),
            others: 0,
            addresses: 0,
            seen: BTreeSet::new(),
        });
        failed.to = now;
        if failed.seen.len() < SIGN_IN_SUMMARY_NAMES_MAX {
            failed.seen.insert(format!("{origin:?}"));
            failed.addresses = failed.seen.len();
        }
        count(failed);
    }
}

#[cfg(test)]
mod tests {
    use sluice_model::Span;

    use super::*;

    #[test]
    fn a_spray_is_one_summary_of_bounded_size() {
        let (tally, start) = (Tally::default(), EventTime::from_micros(0));
        for n in 0..10_000 {
            let origin = Origin::of(Some([10, 0, 0, u8::try_from(n % 200).unwrap()].into()));
            tally.wrong((n % 2 == 0).then_some(&*format!("u{n}")), &origin, start);
        }
        tally.limited(&Origin::of(None), start);
        assert_eq!(tally.take(start.plus(SIGN_IN_SUMMARY_EVERY).minus(Span::from_micros(1)), false), None);
        let failed = tally.take(start.plus(SIGN_IN_SUMMARY_EVERY), false).unwrap();
        assert_eq!(
            (failed.wrong, failed.limited, failed.names.len()),
            (10_000, 1, SIGN_IN_SUMMARY_NAMES_MAX)
        );
        assert_eq!(failed.names.values().sum::<u64>() + failed.others, 10_000);
        assert!(failed.addresses <= SIGN_IN_SUMMARY_NAMES_MAX);
        assert_eq!(tally.take(start, true), None, "written down once");
    }
}
