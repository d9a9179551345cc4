//! Requests that carried an `Idempotency-Key`: a repeated one gets the answer of the first and does nothing.
//!
//! The answer becomes durable in the transaction that does what was asked, so that a crash between the two is
//! not possible. What is remembered here is read back from the log at the start.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use sluice_driver::records;
use sluice_http::idempotency::{LIFE, Scoped};
use sluice_log::{Log, Topic};
use sluice_model::{EventTime, Hash256};

use crate::{RuntimeError, limits::IDEMPOTENCY_KEYS_MAX};

/// What was answered to a request under its key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Answered {
    /// Who asked: a key is its caller's own. Empty in records of older versions.
    #[serde(default)]
    pub caller: String,
    /// The `Idempotency-Key`.
    pub key: String,
    /// The hash of the request: another request may not use the key.
    pub fingerprint: Hash256,
    /// When it was taken in.
    pub at: EventTime,
    /// The answer's body; `None` where the request itself, asked again, gives the same answer.
    pub answer: Option<String>,
}

/// What a key means now.
#[derive(Debug, PartialEq)]
pub(crate) enum KeyUse {
    /// Not seen: it is now reserved for the request that asked.
    New,
    /// The same request was answered before.
    Answered(Option<String>),
    /// The same or another request is under way with it.
    UnderWay,
    /// Another request used it.
    OtherRequest,
}

/// The keys of the last day.
#[derive(Default)]
pub(crate) struct Requests {
    held: Mutex<Requested>,
}

#[derive(Default)]
struct Requested {
    by_key: HashMap<Scoped, Entry>,
    oldest_first: VecDeque<(EventTime, Scoped)>,
}

struct Entry {
    fingerprint: Hash256,
    /// `None` while the request is under way.
    answer: Option<Option<String>>,
}

impl Requests {
    /// What the log remembers.
    pub(crate) fn load(log: &dyn Log, now: EventTime) -> Result<Self, RuntimeError> {
        let partition = Topic::Requests.partition(0);
        let requests = Self::default();
        for record in log.newest(partition, IDEMPOTENCY_KEYS_MAX)? {
            requests.remember(&records::parse(partition, &record)?, now);
        }
        Ok(requests)
    }

    /// What a key means; a new one is reserved until [`Requests::remember`] or [`Requests::forget`].
    pub(crate) fn reserve(&self, key: &Scoped, fingerprint: Hash256, now: EventTime) -> KeyUse {
        let mut held = self.lock();
        held.expire(now);
        match held.by_key.get(key) {
            Some(entry) if entry.fingerprint != fingerprint => KeyUse::OtherRequest,
            Some(Entry { answer: Some(answer), .. }) => KeyUse::Answered(answer.clone()),
            Some(_) => KeyUse::UnderWay,
            None => {
                held.by_key.insert(key.clone(), Entry { fingerprint, answer: None });
                KeyUse::New
            }
        }
    }

    /// The request was answered, durably.
    pub(crate) fn remember(&self, answered: &Answered, now: EventTime) {
        let mut held = self.lock();
        let entry = Entry { fingerprint: answered.fingerprint, answer: Some(answered.answer.clone()) };
        let scoped = Scoped::new(&answered.caller, &answered.key);
        held.by_key.insert(scoped.clone(), entry);
        held.oldest_first.push_back((answered.at, scoped));
        held.expire(now);
    }

    /// Another process answered a request, or this one did and knows it.
    pub(crate) fn learn(&self, answered: &Answered, now: EventTime) {
        let scoped = Scoped::new(&answered.caller, &answered.key);
        let is_known = self.lock().by_key.get(&scoped).is_some_and(|entry| entry.answer.is_some());
        if !is_known {
            self.remember(answered, now);
        }
    }

    /// The request was not done: it may be tried again.
    pub(crate) fn forget(&self, key: &Scoped) {
        let mut held = self.lock();
        if held.by_key.get(key).is_some_and(|entry| entry.answer.is_none()) {
            held.by_key.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Requested> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Requested {
    fn expire(&mut self, now: EventTime) {
        let oldest = now.minus(LIFE);
        while self.oldest_first.len() > IDEMPOTENCY_KEYS_MAX
            || self.oldest_first.front().is_some_and(|(at, _)| *at < oldest)
        {
            let Some((_, key)) = self.oldest_first.pop_front() else { return };
            self.by_key.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use sluice_model::Span;

    use super::*;

    fn answered(key: &str, at: EventTime) -> Answered {
        let (caller, key) = ("a".to_owned(), key.to_owned());
        Answered { caller, key, fingerprint: Hash256::of(b"one"), at, answer: Some("done".into()) }
    }

    #[test]
    fn a_key_stands_for_one_request_until_it_expires() {
        let (requests, now) = (Requests::default(), EventTime::from_micros(0));
        let (one, other) = (Hash256::of(b"one"), Hash256::of(b"other"));
        assert_eq!(requests.reserve(&Scoped::new("a", "k"), one, now), KeyUse::New);
        assert_eq!(requests.reserve(&Scoped::new("a", "k"), one, now), KeyUse::UnderWay);
        assert_eq!(requests.reserve(&Scoped::new("a", "k"), other, now), KeyUse::OtherRequest);
        requests.forget(&Scoped::new("a", "k"));
        assert_eq!(requests.reserve(&Scoped::new("a", "k"), one, now), KeyUse::New);
        requests.remember(&answered("k", now), now);
        requests.forget(&Scoped::new("a", "k"));
        assert_eq!(requests.reserve(&Scoped::new("a", "k"), one, now), KeyUse::Answered(Some("done".into())));
        assert_eq!(requests.reserve(&Scoped::new("a", "k"), other, now), KeyUse::OtherRequest);
        let later = now.plus(LIFE).plus(Span::seconds(1));
        assert_eq!(requests.reserve(&Scoped::new("a", "k"), other, later), KeyUse::New);
    }

    #[test]
    fn a_key_is_its_callers_own() {
        let (requests, now) = (Requests::default(), EventTime::from_micros(0));
        let (one, other) = (Hash256::of(b"one"), Hash256::of(b"other"));
        requests.remember(&answered("k", now), now);
        assert_eq!(
            requests.reserve(&Scoped::new("b", "k"), one, now),
            KeyUse::New,
            "not the answer of another"
        );
        assert_eq!(
            requests.reserve(&Scoped::new("c", "k"), other, now),
            KeyUse::New,
            "nor a conflict with it"
        );
    }
}
