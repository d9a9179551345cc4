//! Fewer alerts of the failures of rules in quarantine. Such a rule goes on judging: what it finds is alerted, a failure that
//! holds holds each time, and every failure is noted. Only "could not be judged", where it asks for no more than an alert,
//! is alerted once a day of each key, and once an hour by a home, whose keys are single payments.
//!
//! It must never leave out anything else. What is forgotten here is alerted again, so forgetting alerts more, never less.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sluice_model::{Action, EventTime, Hash256, Span};
use sluice_rules::{Finding, Rule};

use crate::rulebook::Rulebook;

/// How often the failures of one quarantined rule are alerted on one key, by the events' own time.
const PER_KEY: Span = Span::days(1);
/// How often by a home, by stream time: a rule on payments has a new key at each event.
const PER_HOME: Span = Span::hours(1);
/// The days that are remembered of a rule on a key: the newest and those before it. An older event, which somebody sent
/// again with a reason, says it once more.
const DAYS_REMEMBERED: u32 = u64::BITS;
/// The rules that are remembered on one key: people quarantine them one by one, and forget none for long.
const RULES_REMEMBERED: usize = 32;

/// Whether a finding is noise: that a quarantined rule failed, by a policy that asks for an alert alone.
pub(crate) fn is_noise(rules: &Rulebook, rule: &Rule, finding: &Finding) -> bool {
    finding.error.is_some() && finding.action == Action::Alert && rules.is_quarantined(rule.content)
}

/// On which days the failures of quarantined rules were alerted on one key. Most keys never hear of any.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct NoiseOfKey(Vec<(Hash256, Days)>);

/// Civil days of UTC on which something was alerted.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Days {
    /// The newest, in days since 1970.
    newest: i64,
    /// The newest is the lowest bit, the day before it the next.
    said: u64,
}

impl NoiseOfKey {
    /// Whether a rule's failure may be alerted at `at`; noted, then.
    pub(crate) fn may_say(&mut self, rule: Hash256, at: EventTime) -> bool {
        let day = at.micros().div_euclid(PER_KEY.micros());
        if let Some((_, days)) = self.0.iter_mut().find(|(held, _)| *held == rule) {
            return days.may_say(day);
        }
        if self.0.len() == RULES_REMEMBERED {
            self.0.remove(0);
        }
        self.0.push((rule, Days { newest: day, said: 1 }));
        true
    }
}

impl Days {
    fn may_say(&mut self, day: i64) -> bool {
        let bits = |days: i64| u32::try_from(days).ok().filter(|days| *days < DAYS_REMEMBERED);
        if day > self.newest {
            let kept = bits(day.saturating_sub(self.newest)).map_or(0, |days| self.said << days);
            *self = Self { newest: day, said: kept | 1 };
            return true;
        }
        let Some(back) = bits(self.newest.saturating_sub(day)) else { return true };
        let unsaid = self.said & (1 << back) == 0;
        self.said |= 1 << back;
        unsaid
    }
}

/// Which quarantined rules' failures a home has alerted in the present hour of stream time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct NoiseOfHome(BTreeMap<Hash256, i64>);

impl NoiseOfHome {
    /// Whether a rule's failure may be alerted at this stream time; noted, then. Other hours need no remembering.
    pub(crate) fn may_say(&mut self, rule: Hash256, stream_time: EventTime) -> bool {
        let hour = stream_time.micros().div_euclid(PER_HOME.micros());
        self.0.retain(|_, said| *said == hour);
        self.0.insert(rule, hour).is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn rule(n: u8) -> Hash256 {
        Hash256::of(&[n])
    }

    fn at(hour: i64) -> EventTime {
        EventTime::from_micros(0).plus(Span::hours(hour))
    }

    proptest! {
        /// In whatever order events come: once for each rule and day, and never unsaid.
        #[test]
        fn a_key_hears_of_each_rule_once_a_day(
            failures in prop::collection::vec((0..3u8, -600..600i64), 1..80),
        ) {
            let (mut noise, mut said) = (NoiseOfKey::default(), BTreeSet::new());
            for (n, hour) in failures {
                let first = said.insert((n, hour.div_euclid(24)));
                prop_assert_eq!(noise.may_say(rule(n), at(hour)), first);
            }
        }

        /// However far apart they are: a day of which nothing was alerted is alerted.
        #[test]
        fn a_day_of_which_nothing_was_said_is_never_left_unsaid(
            failures in prop::collection::vec((0..50u8, -10_000..10_000i64), 1..80),
        ) {
            let (mut noise, mut said) = (NoiseOfKey::default(), BTreeSet::new());
            for (n, hour) in failures {
                let first = said.insert((n, hour.div_euclid(24)));
                prop_assert!(noise.may_say(rule(n), at(hour)) || !first);
                prop_assert!(noise.0.len() <= RULES_REMEMBERED);
            }
        }
    }

    #[test]
    fn a_home_says_a_rules_failures_once_an_hour() {
        let mut noise = NoiseOfHome::default();
        let said: Vec<bool> = [0, 0, 1, 1, 2, 1].map(|hour| noise.may_say(rule(1), at(hour))).into();
        // Stream time that was set back is another hour.
        assert_eq!(said, [true, false, true, false, true, true]);
        assert!(noise.may_say(rule(2), at(1)) && noise.0.len() == 2);
        assert!(noise.may_say(rule(1), at(5)) && noise.0.len() == 1, "nothing else is remembered");
    }
}
