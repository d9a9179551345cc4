//! How often a rule alerts on a key: on every event, once on crossing, or at most once in a period. What was alerted never
//! silences what is harder: a hold is alerted although an alert was given within the period.
//! Remembered per rule id, so that a new version of a rule does not repeat the alerts of the old one.

use serde::{Deserialize, Serialize};
use sluice_model::{Action, EventTime};
use sluice_rules::Speaks;
use smallvec::SmallVec;

/// What one key remembers of the rules that have alerted on it. Most keys never have an alert.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Utterances(SmallVec<[(Box<str>, Memory); 1]>);

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Memory {
    /// When the rule last asked for each action, from the softest on.
    last: [Option<EventTime>; Action::ALL.len()],
    /// The hardest action asked for since the condition came to hold; none where it does not hold.
    holds: Option<Action>,
}

impl Utterances {
    /// Whether a rule that asks for `action` at `at` is to alert now; remembered if so.
    pub(crate) fn may_speak(&mut self, rule_id: &str, speaks: Speaks, action: Action, at: EventTime) -> bool {
        if matches!(speaks, Speaks::Every) {
            return true;
        }
        let memory = self.of(rule_id);
        let speak = match speaks {
            Speaks::Every => true,
            Speaks::Crossing => memory.holds < Some(action),
            // A late event within the period of an alert already given says nothing new either.
            Speaks::OncePer(period) => {
                let mut as_hard = memory.last[action as usize..].iter().flatten();
                as_hard.all(|last| at.since(*last).max(last.since(at)) >= period)
            }
        };
        memory.holds = memory.holds.max(Some(action));
        if speak {
            let last = &mut memory.last[action as usize];
            *last = (*last).max(Some(at));
        }
        speak
    }

    fn of(&mut self, rule_id: &str) -> &mut Memory {
        let place = self.0.iter().position(|(id, _)| &**id == rule_id).unwrap_or_else(|| {
            self.0.push((rule_id.into(), Memory::default()));
            self.0.len() - 1
        });
        &mut self.0[place].1
    }

    /// The rule was judged and its condition did not hold.
    pub(crate) fn fell_silent(&mut self, rule_id: &str) {
        if let Some((_, memory)) = self.0.iter_mut().find(|(id, _)| &**id == rule_id) {
            memory.holds = None;
        }
    }

    /// Whether nothing is remembered.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sluice_model::Span;

    use super::*;

    const PERIOD: i64 = 10;

    fn at(minute: i64) -> EventTime {
        EventTime::from_micros(0).plus(Span::minutes(minute))
    }

    proptest! {
        /// Findings in any order of time: what is left unsaid was said within the period, by one at least as hard; what
        /// is said was not, by the newest of any.
        #[test]
        fn what_is_left_unsaid_was_said_within_the_period_and_as_hard(
            findings in prop::collection::vec((0..40i64, prop::sample::select(&Action::ALL)), 1..40),
        ) {
            let (mut spoken, mut said) = (Utterances::default(), Vec::<(i64, Action)>::new());
            let speaks = Speaks::OncePer(Span::minutes(PERIOD));
            for (minute, action) in findings {
                let covers = |(then, as_hard): &(i64, Action)| {
                    (minute - then).abs() < PERIOD && *as_hard >= action
                };
                if spoken.may_speak("R", speaks, action, at(minute)) {
                    let newest = |hard: Action| said.iter().filter(|(_, a)| *a == hard).max().copied();
                    prop_assert!(!Action::ALL.into_iter().filter_map(newest).any(|one| covers(&one)));
                    said.push((minute, action));
                } else {
                    prop_assert!(said.iter().any(covers), "{action:?} at {minute} after {said:?}");
                }
            }
        }

        /// While a condition holds, each finding is said that is harder than all before it since it came to hold.
        #[test]
        fn on_crossing_only_what_is_harder_is_said_again(
            judged in prop::collection::vec(prop::option::of(prop::sample::select(&Action::ALL)), 1..40),
        ) {
            let (mut spoken, mut hardest) = (Utterances::default(), None);
            for (minute, found) in (0..).zip(judged) {
                match found {
                    Some(action) => {
                        let speaks = spoken.may_speak("R", Speaks::Crossing, action, at(minute));
                        prop_assert_eq!(speaks, hardest.is_none_or(|before| before < action));
                        hardest = hardest.max(found);
                    }
                    None => {
                        spoken.fell_silent("R");
                        hardest = None;
                    }
                }
            }
        }
    }
}
