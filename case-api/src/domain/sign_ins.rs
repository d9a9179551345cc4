//! Failed sign-ins of one period, counted up to a limit.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sluice_model::EventTime;

use crate::limits::SIGN_IN_SUMMARY_NAMES_MAX;

/// What failed in one period.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FailedSignIns {
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

impl FailedSignIns {
    /// None yet, in a period that begins now.
    pub const fn none(now: EventTime) -> Self {
        Self {
            from: now,
            to: now,
            wrong: 0,
            limited: 0,
            names: BTreeMap::new(),
            others: 0,
            addresses: 0,
            seen: BTreeSet::new(),
        }
    }

    /// Somebody gave a wrong password. `name`: of a user, if there is one.
    pub fn wrong(&mut self, name: Option<&str>) {
        self.wrong += 1;
        let known = name
            .filter(|name| self.names.contains_key(*name) || self.names.len() < SIGN_IN_SUMMARY_NAMES_MAX);
        match known {
            Some(name) => *self.names.entry(name.to_owned()).or_default() += 1,
            None => self.others += 1,
        }
    }

    /// One more from there, at that time.
    pub fn from(&mut self, origin: String, now: EventTime) {
        self.to = now;
        if self.seen.len() < SIGN_IN_SUMMARY_NAMES_MAX {
            self.seen.insert(origin);
            self.addresses = self.seen.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_counted_once_each_and_up_to_a_limit() {
        let at = EventTime::from_micros;
        let mut failed = FailedSignIns::none(at(0));
        for n in 1..=2 {
            failed.from("10.0.0.1".to_owned(), at(n));
        }
        assert_eq!((failed.from, failed.to, failed.addresses), (at(0), at(2), 1));
        for n in 0..SIGN_IN_SUMMARY_NAMES_MAX + 5 {
            failed.from(format!("10.0.1.{n}"), at(3));
        }
        assert_eq!(failed.addresses, SIGN_IN_SUMMARY_NAMES_MAX);
    }
}
