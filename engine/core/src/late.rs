//! A late event completes what its key had already seen: the rules are asked again at the time of each later payment in
//! their windows, with the late event for its facts.

use sluice_model::EventTime;
use sluice_rules::{Facts, Failures, Finding, Judgement, Plan};

use crate::window::{KeyWindows, Values, WindowPlan};

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

impl Late<'_> {
    /// Add what rules that found nothing find at a later time.
    pub(crate) fn judge(&self, key: &mut KeyWindows, values: &mut Values, judgements: &mut Vec<Judgement>) {
        let before = judgements.len();
        for rule in 0..self.plan.rules.len() {
            let found = judgements[..before].iter().any(|judgement| judgement.rule == rule);
            let finding = if found { None } else { self.finding(rule, key, values) };
            judgements.extend(finding.map(|finding| Judgement { rule, finding }));
        }
        if judgements.len() > before {
            self.plan.weigh_again(self.facts, judgements);
        }
    }

    /// What a rule finds at the first later time at which it finds anything. That it fails there is no finding.
    fn finding(&self, rule: usize, key: &mut KeyWindows, values: &mut Values) -> Option<Finding> {
        let at = self.facts.event.occurred_at;
        let slots = self.plan.slots_at_any_time(rule)?;
        let streams: Vec<usize> = slots.iter().map(|slot| self.plan.windows[*slot].stream).collect();
        let reached = |later: &EventTime| slots.iter().any(|slot| self.windows.reaches(*slot, at, *later));
        let times: Vec<EventTime> = key.later(&streams, at, LATER_TIMES_MAX).take_while(reached).collect();
        times.into_iter().find_map(|later| {
            let reading = key.read_at(self.windows, later, self.samples, values);
            let finding = self.plan.judge_one(rule, self.facts, &reading, self.failures);
            finding.filter(|finding| finding.error.is_none())
        })
    }
}
