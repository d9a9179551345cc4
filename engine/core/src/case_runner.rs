//! The core's engine as what cases of rules run through: from nothing, for each case.

use std::sync::Arc;

use sluice_lists::Screener;
use sluice_model::{
    Alert, Control, EventRecord, Observation, PaymentEvent, PaymentRecord, RuleBundle, Screening,
};
use sluice_rules::{CaseEngine, RuleSet};

use crate::{Engine, EngineConfig, Library, Output, Stage, Unavailable};

/// Runs cases in memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct CaseRunner;

/// A library that holds one compiled rule set.
struct Holding(Arc<RuleSet>);

impl Library for Holding {
    fn screener(&self, _: &Screening) -> Result<Arc<Screener>, Unavailable> {
        Err(Unavailable("cases run without lists".to_owned()))
    }

    fn rules(&self, _: &RuleBundle) -> Option<Arc<RuleSet>> {
        Some(Arc::clone(&self.0))
    }
}

impl CaseEngine for CaseRunner {
    fn run(&self, rules: &Arc<RuleSet>, events: &[PaymentEvent]) -> Result<Vec<Alert>, String> {
        let mut engine = Engine::new(EngineConfig { shards: 1 }, Arc::new(Holding(Arc::clone(rules))));
        // The library answers with the compiled rules, whatever files they are prepared from.
        let bundle = RuleBundle::default();
        let activate = Control::Activate { rules: rules.hash() };
        let mut output = Output::default();
        for control in [Control::Screening(Screening::default()), Control::Prepare(bundle), activate] {
            engine.apply(0, &PaymentRecord::Control(control), &mut output);
        }
        for (offset, event) in (0..).zip(events) {
            let received_at = event.occurred_at;
            let late_reason = Some("a case".to_owned());
            let event = Arc::new(event.clone());
            let record = EventRecord { received_at, awaited: false, late_reason, event };
            engine.apply(offset, &PaymentRecord::Event(record), &mut output);
        }
        match output.dead_letters.first() {
            Some(letter) => Err(format!("a payment was refused: {}", letter.reason)),
            // What a rule in shadow would have alerted is what its cases ask for.
            None => {
                let shadow = output.observations.into_iter().filter_map(|observed| match observed {
                    Observation::Shadow(alert) => Some(*alert),
                    Observation::Failure(_) => None,
                });
                Ok(output.alerts.into_iter().chain(shadow).collect())
            }
        }
    }
}
