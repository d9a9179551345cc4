//! A late event completes what its key had already seen: the rules are asked again at the time of each later payment in
//! their windows, with the late event for its facts.

use std::collections::BTreeSet;

use sluice_model::EventTime;
use sluice_rules::{Facts, Failures, Finding, Judgement, Plan};

use crate::window::{KeyWindows, Reading, Values, WindowPlan};

/// Later times at which one rule is asked: the first so many. An event that comes before more is judged without the rest.
const LATER_TIMES_MAX: usize = 64;

/// A late event that has entered its key's windows and was judged at its own time.
pub(crate) struct Late<'a> {
    pub plan: &'a Plan,
    pub windows: &'a WindowPlan,
    pub facts: &'a Facts<'a>,
    pub samples: &'a [(usize, i64)],
    pub failures: &'a Failures,
}

/// A rule that found nothing at the event's own time, and at which later times it is asked.
struct Asked {
    rule: usize,
    times: Vec<EventTime>,
}

impl Late<'_> {
    /// Add what rules that found nothing find at a later time.
    pub(crate) fn judge(&self, key: &mut KeyWindows, values: &mut Values, judgements: &mut Vec<Judgement>) {
        let before = judgements.len();
        let silent = |rule: &usize| judgements.iter().all(|judgement| judgement.rule != *rule);
        let mut asked: Vec<Asked> =
            (0..self.plan.rules.len()).filter(silent).filter_map(|rule| self.asked(rule, key)).collect();
        let times: BTreeSet<EventTime> = asked.iter().flat_map(|asked| &asked.times).copied().collect();
        // Time by time, so that rules share what is read, and each window moves on from one time to the next.
        for later in times {
            let reading = key.read_at(self.windows, later, self.samples, values);
            asked.retain(|asked| {
                let finding =
                    asked.times.binary_search(&later).ok().and_then(|_| self.finding(asked.rule, &reading));
                let is_open = finding.is_none();
                judgements.extend(finding.map(|finding| Judgement { rule: asked.rule, finding }));
                is_open
            });
        }
        if judgements.len() > before {
            self.plan.weigh_again(self.facts, judgements);
        }
    }

    /// The later times at which a rule is asked, if any.
    fn asked(&self, rule: usize, key: &KeyWindows) -> Option<Asked> {
        let at = self.facts.event.occurred_at;
        self.plan.rules.get(rule).filter(|rule| rule.meta.judges(self.facts))?;
        let slots = self.plan.slots_at_any_time(rule)?;
        let streams: Vec<usize> = slots.iter().map(|slot| self.plan.windows[*slot].stream).collect();
        let reached = |later: &EventTime| slots.iter().any(|slot| self.windows.reaches(*slot, at, *later));
        let times = key.later(&streams, at, LATER_TIMES_MAX).take_while(reached).collect();
        Some(Asked { rule, times })
    }

    /// What a rule finds at one later time. That it fails there is no finding.
    fn finding(&self, rule: usize, reading: &Reading<'_>) -> Option<Finding> {
        let finding = self.plan.judge_one(rule, self.facts, reading, self.failures);
        finding.filter(|finding| finding.error.is_none())
    }
}
