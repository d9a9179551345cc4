//! What was published, in the model's words, beside what the model says.

use std::collections::BTreeMap;

use sluice_core::{KeyedRecord, Publication, Published, Speaker, VerdictRecord};
use sluice_model::{Cause, Control, HoldOutcome, HoldRecord, Key, Observation, Outcome, PaymentRecord};

use super::{
    features::Features,
    gather::{self, Gather},
    home::{self, Home, JudgedEvent},
    names::{Names, said},
    parties, rules,
    sets::Book,
    shard::Shard,
    words::{self, GatherInput, ModelAlert, Out},
};
use crate::fault::{
    SimLibrary, Topology,
    history::{History, StageId},
    oracle::Broken,
};

/// Compare everything that was published with what the model says of the same logs. How many lines were compared.
///
/// # Errors
/// The first stage that differs, with what only one of the two says.
pub(crate) fn agrees(
    log: &History,
    topology: Topology,
    library: &std::sync::Arc<SimLibrary>,
    features: &Features,
) -> Result<usize, Broken> {
    let comparison = Comparison { log, library, features, names: Names::of_log(log), book: library.book() };
    match topology {
        Topology::Embedded => comparison.embedded(),
        Topology::Distributed => comparison.distributed(),
    }
}

struct Comparison<'a> {
    log: &'a History,
    library: &'a std::sync::Arc<SimLibrary>,
    features: &'a Features,
    names: Names,
    book: &'a Book,
}

impl Comparison<'_> {
    fn home(&self) -> Home<'_> {
        Home::new(std::sync::Arc::<SimLibrary>::clone(self.library), self.book, self.features)
    }

    /// One record after another through home, keys and gathering.
    fn embedded(&self) -> Result<usize, Broken> {
        let mut home = self.home();
        let mut keys = Shard::new(self.book, self.features);
        let mut gather = Gather::default();
        let mut lines = Vec::new();
        for (_, record) in &self.log.payments[0] {
            let mut out = Out::default();
            match record {
                PaymentRecord::Event(record) => {
                    if let Some(judged) = home.event(record, &mut out) {
                        // Rules that watch another kind of key find its past in the log all the same.
                        for (key, role) in rules::every_key(&judged.event, &judged.past) {
                            if judged.asked.iter().any(|(asked, _)| *asked == key) {
                                keys.event(&key, role, &judged, &mut out);
                            } else {
                                keys.remember(&key, role, &judged);
                            }
                        }
                    }
                }
                PaymentRecord::Control(control) => {
                    home.control(control, &self.names, &mut out);
                    keys.control(control);
                }
            }
            for input in std::mem::take(&mut out.to_gather) {
                gather.apply(&input, &mut out, self.features);
            }
            lines.extend(out.lines);
        }
        self.same(StageId::Engine(0), lines)
    }

    fn distributed(&self) -> Result<usize, Broken> {
        self.controls_reach_everybody()?;
        let mut compared = 0;
        // An event may be judged twice, where its id was forgotten in between.
        let mut judged: BTreeMap<String, Vec<JudgedEvent>> = BTreeMap::new();
        for (p, partition) in (0..).zip(&self.log.payments) {
            let (mut home, mut out) = (self.home(), Out::default());
            for (_, record) in partition {
                match record {
                    PaymentRecord::Event(record) => {
                        if let Some(one) = home.event(record, &mut out) {
                            judged.entry(one.event.event_id.clone()).or_default().push(one);
                        }
                    }
                    PaymentRecord::Control(control) => home.control(control, &self.names, &mut out),
                }
            }
            compared += self.same(StageId::Home(p), out.all_lines())?;
        }
        for (k, partition) in (0..).zip(&self.log.keyed) {
            let (mut keys, mut out) = (Shard::new(self.book, self.features), Out::default());
            let mut times: BTreeMap<(&Key, &str), usize> = BTreeMap::new();
            for (_, record) in partition {
                match record {
                    KeyedRecord::Event(copy) => {
                        let time = times.entry((&copy.key, &copy.event.event_id)).or_default();
                        // Of the judgements of one id, those that asked this key; under other rules it may not have been.
                        let asked = |one: &JudgedEvent| {
                            one.asked.iter().find(|(key, _)| *key == copy.key).map(|(_, role)| *role)
                        };
                        let all = judged.get(&copy.event.event_id).into_iter().flatten();
                        let one = all.filter_map(|one| Some((one, asked(one)?))).nth(*time);
                        *time += 1;
                        // Copies were compared above.
                        if let Some((one, role)) = one {
                            keys.event(&copy.key, role, one, &mut out);
                        }
                    }
                    KeyedRecord::Control(control) => keys.control(control),
                }
            }
            compared += self.same(StageId::Shard(k), out.all_lines())?;
        }
        for (p, partition) in (0..).zip(&self.log.verdicts) {
            let (mut gather, mut out) = (Gather::default(), Out::default());
            for (_, record) in partition {
                gather.apply(&self.gather_input(record), &mut out, self.features);
            }
            compared += self.same(StageId::Gather(p), out.lines)?;
        }
        Ok(compared)
    }

    /// Every home has every order but those about one payment, which the payment's home has; keys have those about rules and time.
    /// All in the order in which they were given.
    fn controls_reach_everybody(&self) -> Result<(), Broken> {
        let partitions = u32::try_from(self.log.payments.len()).unwrap_or(1);
        let given: Vec<&Control> = self.log.control.iter().map(|(_, control)| control).collect();
        for p in 0..partitions {
            let for_home = |control: &&&Control| match control {
                Control::Release(order) => sluice_core::partition_of(&order.payment_id, partitions) == p,
                Control::Deadline { payment_id, .. } => {
                    sluice_core::partition_of(payment_id, partitions) == p
                }
                _ => true,
            };
            let want: Vec<_> = given.iter().filter(for_home).copied().collect();
            let got: Vec<_> = self.log.payments[p as usize]
                .iter()
                .filter_map(|(_, record)| match record {
                    PaymentRecord::Control(control) => Some(control),
                    PaymentRecord::Event(_) => None,
                })
                .collect();
            let for_keys = |control: &&&Control| {
                matches!(
                    control,
                    Control::Prepare(_)
                        | Control::Activate { .. }
                        | Control::Quarantine(_)
                        | Control::LiftQuarantine(_)
                        | Control::SetStreamTime(_)
                )
            };
            let want_keys: Vec<_> = given.iter().filter(for_keys).copied().collect();
            let got_keys: Vec<_> = self.log.keyed[p as usize]
                .iter()
                .filter_map(|(_, record)| match record {
                    KeyedRecord::Control(control) => Some(control),
                    KeyedRecord::Event(_) => None,
                })
                .collect();
            if want != got || want_keys != got_keys {
                return Err(Broken(format!("orders did not all reach partition {p}, or not in their order")));
            }
        }
        Ok(())
    }

    fn same(&self, stage: StageId, mut model: Vec<String>) -> Result<usize, Broken> {
        let mut published: Vec<String> =
            self.log.published.get(&stage).into_iter().flatten().filter_map(|one| self.line(one)).collect();
        model.sort();
        published.sort();
        if model == published {
            return Ok(model.len());
        }
        let only = |these: &[String], those: &[String]| {
            let mut those = those.to_vec();
            let mut left = these.to_vec();
            left.retain(|line| match those.binary_search(line) {
                Ok(at) => {
                    those.remove(at);
                    false
                }
                Err(_) => true,
            });
            left.truncate(DIFFERENCES_SHOWN);
            left.join("\n    ")
        };
        Err(Broken(format!(
            "{stage:?} differs from the model\n  only the model says:\n    {}\n  only was published:\n    {}",
            only(&model, &published),
            only(&published, &model),
        )))
    }

    fn line(&self, Publication { partition, record }: &Publication) -> Option<String> {
        Some(match record {
            Published::Alert(alert) => match &alert.cause {
                Cause::Event { .. } => format!("alert {}", said(alert)),
                Cause::Rescreen { list, entry_id, .. } => parties::line(&alert.key, list, entry_id),
            },
            Published::Observation(Observation::Shadow(alert)) => format!("shadow {}", said(alert)),
            Published::Observation(Observation::Failure(failure)) => {
                home::failure(&failure.rule_id, &failure.event_id)
            }
            Published::Hold(hold) => self.hold(hold),
            Published::DeadLetter(letter) => {
                format!("dead letter {}: {:?}", letter.code, String::from_utf8(letter.original.clone()))
            }
            Published::Decision(d) => gather::decision(
                &d.payment_id,
                &d.event_id,
                d.decision,
                d.deadline_passed,
                &self.names.all(&d.alerts),
            ),
            Published::Keyed(KeyedRecord::Event(copy)) => {
                home::copy(&copy.key, &copy.event.event_id, copy.awaited, &copy.screened.not_screened)
            }
            Published::Keyed(KeyedRecord::Control(control))
            | Published::Payment(PaymentRecord::Control(control)) => format!("{control:?}"),
            Published::Payment(PaymentRecord::Event(record)) => format!("{:?}", record.event),
            // Given to every partition, and said once.
            Published::Verdict(VerdictRecord::StreamTime { .. }) if partition.index > 0 => return None,
            Published::Verdict(record) => words::line_of(&self.gather_input(record)),
        })
    }

    fn hold(&self, d: &HoldRecord) -> String {
        let alerts = self.names.all(&d.alerts);
        let state = match d.state {
            HoldOutcome::Held => "held",
            HoldOutcome::Rejected => "rejected",
            HoldOutcome::Released => "released",
        };
        // Of those that still hold after an order to release, one is named.
        let still = d.event_id.is_empty() && d.alerts.iter().any(|id| id.to_string() == d.because);
        let because = if still { "one of them".to_owned() } else { self.names.because(&d.because) };
        words::hold_line(&d.payment_id, &d.event_id, state, &because, &alerts)
    }

    fn gather_input(&self, record: &VerdictRecord) -> GatherInput {
        let found = |found: &sluice_core::VerdictFinding| {
            let said = self.names.of(found.alert_id);
            let as_said = Outcome::from(said.action) == found.outcome;
            if as_said {
                said
            } else {
                ModelAlert { rule: format!("{} as {:?}", said.rule, found.outcome), ..said }
            }
        };
        match record {
            VerdictRecord::Verdict(v) => {
                let (from, asked) = match &v.from {
                    Speaker::Home { asked } => (None, *asked as usize),
                    Speaker::Key(key) => (Some(key.clone()), 0),
                };
                GatherInput::Verdict {
                    payment: v.payment_id.clone(),
                    event: v.event_id.clone(),
                    at: v.at,
                    awaited: v.awaited,
                    from,
                    asked,
                    found: v.found.iter().map(found).collect(),
                }
            }
            VerdictRecord::Again { at, payment_id, event_id, .. } => {
                GatherInput::Again { at: *at, payment: payment_id.clone(), event: event_id.clone() }
            }
            VerdictRecord::Deadline { payment_id, event_id, found: why } => GatherInput::Deadline {
                payment: payment_id.clone(),
                event: event_id.clone(),
                found: why.as_ref().map(found),
            },
            VerdictRecord::Released(order) => GatherInput::Released {
                payment: order.payment_id.clone(),
                case: order.case_id.clone(),
                alerts: order.alerts.as_ref().map(|ids| self.names.all(ids)),
            },
            VerdictRecord::StreamTime { to } => GatherInput::StreamTime { to: *to },
        }
    }
}

/// As many as tell what kind of difference it is.
const DIFFERENCES_SHOWN: usize = 6;
