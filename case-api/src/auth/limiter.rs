//! A brake on guessing: so many failures for one name within a window, then it must wait.

use std::{collections::HashMap, sync::Mutex};

use sluice_model::EventTime;

use crate::limits::{SIGN_IN_FAILURES_MAX, SIGN_IN_NAMES_MAX, SIGN_IN_WINDOW};

/// Failed sign-ins by name. In memory: a restart forgives, and costs an attacker more than it gains.
#[derive(Default)]
pub struct Limiter {
    failures: Mutex<HashMap<String, (u32, EventTime)>>,
}

impl Limiter {
    /// Whether a name may try now. An attempt counts as failed until it is `forgive`n, so that attempts made at
    /// the same time are counted too.
    pub fn attempt(&self, name: &str, now: EventTime) -> bool {
        let mut failures = self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if failures.len() >= SIGN_IN_NAMES_MAX {
            failures.retain(|_, (_, since)| now.since(*since) < SIGN_IN_WINDOW);
        }
        if failures.len() >= SIGN_IN_NAMES_MAX
            && let Some(oldest) = failures.iter().min_by_key(|(_, (_, since))| *since).map(|(n, _)| n.clone())
        {
            failures.remove(&oldest);
        }
        let (count, since) = failures.entry(name.to_owned()).or_insert((0, now));
        if now.since(*since) >= SIGN_IN_WINDOW {
            (*count, *since) = (0, now);
        }
        if *count >= SIGN_IN_FAILURES_MAX {
            return false;
        }
        *count += 1;
        true
    }

    /// A sign-in succeeded: the name starts afresh.
    pub fn forgive(&self, name: &str) {
        self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(name);
    }
}

#[cfg(test)]
mod tests {
    use sluice_model::Span;

    use super::*;

    #[test]
    fn a_name_waits_after_its_failures_and_may_try_again_later() {
        let limiter = Limiter::default();
        let start = EventTime::from_micros(0);
        for _ in 0..SIGN_IN_FAILURES_MAX {
            assert!(limiter.attempt("ada", start));
        }
        assert!(!limiter.attempt("ada", start));
        assert!(limiter.attempt("bo", start), "others may try");
        assert!(!limiter.attempt("ada", start.plus(SIGN_IN_WINDOW).minus(Span::from_micros(1))));
        assert!(limiter.attempt("ada", start.plus(SIGN_IN_WINDOW)));
    }

    #[test]
    fn success_forgives() {
        let limiter = Limiter::default();
        let now = EventTime::from_micros(0);
        for _ in 0..10 * SIGN_IN_FAILURES_MAX {
            assert!(limiter.attempt("ada", now));
            limiter.forgive("ada");
        }
    }
}
