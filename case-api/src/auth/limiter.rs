//! A brake on guessing that no stranger can turn against an officer: failures are counted by name *and* by where they
//! come from. Whoever signed in before from a browser is counted by that browser alone ([decision 0513]).
//!
//! [decision 0513]: ../../../docs/decisions/0513-nobody-locks-an-officer-out.md

use std::{collections::HashMap, net::IpAddr, sync::Mutex};

use sluice_model::EventTime;

use crate::limits::{SIGN_IN_ADDRESS_FAILURES_MAX, SIGN_IN_FAILURES_MAX, SIGN_IN_NAMES_MAX, SIGN_IN_WINDOW};

/// From where somebody tries.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Origin {
    /// A browser in which this name has signed in before: the digest of its token.
    Device(String),
    /// Anybody at an address. `None`: the server does not know addresses.
    Address(Option<IpAddr>),
}

impl Origin {
    /// An address as it is counted: a network of IPv6 that is given to one customer counts as one.
    pub(crate) fn of(address: Option<IpAddr>) -> Self {
        Self::Address(address.map(|address| match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 => v4,
        }))
    }
}

/// Failed sign-ins by name and origin, and by origin. In memory: a restart forgives, and costs an attacker more than it
/// gains.
#[derive(Default)]
pub(crate) struct Limiter {
    failures: Mutex<Failures>,
}

impl Limiter {
    /// Whether a name may be tried from there now. An attempt counts as failed until it is `forgive`n, so that attempts
    /// made at the same time are counted too.
    pub(crate) fn attempt(&self, name: &str, origin: &Origin, now: EventTime) -> bool {
        let mut failures = self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let pair = (origin.clone(), Some(name.to_owned()));
        if !may_try(&failures, &pair, SIGN_IN_FAILURES_MAX, now) {
            return false;
        }
        let of_address = (origin.clone(), None);
        let is_stranger = matches!(origin, Origin::Address(_));
        if is_stranger && !may_try(&failures, &of_address, SIGN_IN_ADDRESS_FAILURES_MAX, now) {
            return false;
        }
        count(&mut failures, pair, now);
        if is_stranger {
            count(&mut failures, of_address, now);
        }
        true
    }

    /// A sign-in succeeded: the name starts afresh there, and the attempt counts against nobody.
    pub(crate) fn forgive(&self, name: &str, origin: &Origin) {
        let mut failures = self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        failures.remove(&(origin.clone(), Some(name.to_owned())));
        if let Some((failed, _)) = failures.get_mut(&(origin.clone(), None)) {
            *failed = failed.saturating_sub(1);
        }
    }
}

/// How often, and since when.
type Failures = HashMap<(Origin, Option<String>), (u32, EventTime)>;

fn may_try(failures: &Failures, of: &(Origin, Option<String>), most: u32, now: EventTime) -> bool {
    failures.get(of).is_none_or(|(failed, since)| *failed < most || now.since(*since) >= SIGN_IN_WINDOW)
}

fn count(failures: &mut Failures, of: (Origin, Option<String>), now: EventTime) {
    if failures.len() >= SIGN_IN_NAMES_MAX {
        failures.retain(|_, (_, since)| now.since(*since) < SIGN_IN_WINDOW);
    }
    if failures.len() >= SIGN_IN_NAMES_MAX
        && let Some(oldest) = failures.iter().min_by_key(|(_, (_, since))| *since).map(|(of, _)| of.clone())
    {
        failures.remove(&oldest);
    }
    let (failed, since) = failures.entry(of).or_insert((0, now));
    if now.since(*since) >= SIGN_IN_WINDOW {
        (*failed, *since) = (0, now);
    }
    *failed += 1;
}

#[cfg(test)]
mod tests {
    use sluice_model::Span;

    use super::*;

    fn at(address: &str) -> Origin {
        Origin::of(Some(address.parse().unwrap()))
    }

    #[test]
    fn a_name_waits_where_it_failed_and_nowhere_else() {
        let (limiter, start) = (Limiter::default(), EventTime::from_micros(0));
        let (stranger, office) = (at("203.0.113.9"), at("198.51.100.1"));
        for _ in 0..SIGN_IN_FAILURES_MAX {
            assert!(limiter.attempt("ada", &stranger, start));
        }
        assert!(!limiter.attempt("ada", &stranger, start));
        assert!(limiter.attempt("ada", &office, start), "a stranger locks nobody out elsewhere");
        assert!(limiter.attempt("ada", &Origin::Device("d".into()), start), "nor in a known browser");
        assert!(limiter.attempt("bo", &stranger, start), "others may try");
        let almost = start.plus(SIGN_IN_WINDOW).minus(Span::from_micros(1));
        assert!(!limiter.attempt("ada", &stranger, almost));
        assert!(limiter.attempt("ada", &stranger, start.plus(SIGN_IN_WINDOW)));
    }

    #[test]
    fn one_address_tries_few_names() {
        let (limiter, now) = (Limiter::default(), EventTime::from_micros(0));
        let tried = (0..400).filter(|n| limiter.attempt(&format!("u{n}"), &at("203.0.113.9"), now)).count();
        assert_eq!(tried, SIGN_IN_ADDRESS_FAILURES_MAX as usize);
        // A customer's whole network of IPv6 is one address, and so is an IPv4 one that is written as IPv6.
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:203.0.113.9"), at("203.0.113.9"));
    }

    #[test]
    fn success_forgives_and_memory_is_bounded() {
        let (limiter, now) = (Limiter::default(), EventTime::from_micros(0));
        for _ in 0..10 * SIGN_IN_ADDRESS_FAILURES_MAX {
            assert!(limiter.attempt("ada", &at("203.0.113.9"), now));
            limiter.forgive("ada", &at("203.0.113.9"));
        }
        for n in 0..2 * SIGN_IN_NAMES_MAX {
            let device = Origin::Device(n.to_string());
            limiter.attempt("ada", &device, now);
        }
        assert!(limiter.failures.lock().unwrap().len() <= SIGN_IN_NAMES_MAX);
    }
}
