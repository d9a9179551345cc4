//! How often a rule speaks of a key: on every event, once on crossing, or at most once in a period.
//! Remembered per rule id, so that a new version of a rule does not repeat what the old one said.

use serde::{Deserialize, Serialize};
use sluice_model::EventTime;
use sluice_rules::Speaks;
use smallvec::SmallVec;

/// What one key remembers of the rules that have spoken of it. Most keys are never spoken of.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Spoken(SmallVec<[(Box<str>, Memory); 1]>);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Memory {
    /// When the rule last spoke.
    last: EventTime,
    /// Whether its condition held when it was last judged.
    holds: bool,
}

impl Spoken {
    /// Whether a rule whose condition holds at `at` is to speak now; remembered as spoken if so.
    pub fn may_speak(&mut self, rule_id: &str, speaks: Speaks, at: EventTime) -> bool {
        if matches!(speaks, Speaks::Every) {
            return true;
        }
        let Some((_, memory)) = self.0.iter_mut().find(|(id, _)| &**id == rule_id) else {
            self.0.push((rule_id.into(), Memory { last: at, holds: true }));
            return true;
        };
        let speak = match speaks {
            Speaks::Every => true,
            Speaks::Crossing => !memory.holds,
            // A late event within the period of an alert already given says nothing new either.
            Speaks::OncePer(period) => at.since(memory.last).max(memory.last.since(at)) >= period,
        };
        memory.holds = true;
        if speak {
            memory.last = memory.last.max(at);
        }
        speak
    }

    /// The rule was judged and its condition did not hold.
    pub fn fell_silent(&mut self, rule_id: &str) {
        if let Some((_, memory)) = self.0.iter_mut().find(|(id, _)| &**id == rule_id) {
            memory.holds = false;
        }
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
