//! How often a rule speaks of one key.

use sluice_model::{Action, EventTime, Hash256, Span};

use super::features::Features;

/// How often.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Often {
    /// Of every event that meets the condition.
    Every,
    /// Of the first that does after one that did not, and of a harder one.
    Crossing,
    /// Once in a period, before and after in event time, unless it is harder.
    Once(Span),
}

/// What was said of one key: under which name, asking for what, when.
#[derive(Clone, Debug, Default)]
pub(super) struct AlertHistory {
    said: Vec<(String, Action, EventTime)>,
    /// The hardest that was found since the condition came to hold.
    holding: Vec<(String, Action)>,
    /// On which days the failures of quarantined rules were told.
    failures: Vec<(Hash256, i64)>,
}

impl AlertHistory {
    /// The condition does not hold.
    pub(super) fn silent(&mut self, name: &str) {
        self.holding.retain(|(held, _)| held != name);
    }

    /// Whether the rule speaks; said, then. What was said silences nothing that is harder.
    pub(super) fn speaks(
        &mut self,
        name: &str,
        often: Often,
        action: Action,
        at: EventTime,
        features: &Features,
    ) -> bool {
        let speaks = match often {
            Often::Every => return true,
            Often::Crossing => {
                let holding = self.holding.iter().filter(|(held, _)| held == name).map(|(_, a)| *a).max();
                let speaks = holding.is_none_or(|held| held < action);
                if !speaks {
                    features.met("often: silenced while the condition holds");
                }
                if holding.is_some() && speaks {
                    features.met("often: harder speaks all the same");
                }
                speaks
            }
            Often::Once(period) => {
                // The newest of each action that is as hard.
                let newest = |hard: Action| {
                    let said = self.said.iter().filter(|(held, a, _)| held == name && *a == hard);
                    said.map(|(.., then)| *then).max()
                };
                let is_near = |then: EventTime| then.minus(period) < at && at < then.plus(period);
                let near = |hard: &Action| newest(*hard).is_some_and(is_near);
                let speaks = !Action::ALL.iter().filter(|hard| **hard >= action).any(near);
                if !speaks {
                    features.met("often: silenced within the period");
                } else if Action::ALL.iter().filter(|soft| **soft < action).any(near) {
                    features.met("often: harder speaks all the same");
                }
                speaks
            }
        };
        self.holding.push((name.to_owned(), action));
        if speaks {
            self.said.push((name.to_owned(), action, at));
        }
        speaks
    }

    /// Whether the failure of a quarantined rule is told: once for each civil day of UTC.
    pub(super) fn tells_failure(&mut self, rule: Hash256, at: EventTime) -> bool {
        let today = (rule, at.micros().div_euclid(Span::days(1).micros()));
        let tells = !self.failures.contains(&today);
        if tells {
            self.failures.push(today);
        }
        tells
    }
}
