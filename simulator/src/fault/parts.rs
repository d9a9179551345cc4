//! The parts of the composite engine, driven apart as they are where each is a stage of its own: homes say what is to be
//! judged and gathered, and only what they say reaches the keys and the gathering.

use std::{collections::VecDeque, sync::Arc};

use sluice_core::{Distributor, Gather, Home, Layout, Library, Offset, Publication, Published, Shard, Stage};
use sluice_model::{Control, PaymentRecord, Topic};

/// A number of shards that neither the simulated engine nor its replay has.
const SHARDS: u32 = 2;

/// Home, shards and gathering over one partition of payments.
struct Parts {
    home: Home,
    shards: Vec<Shard>,
    gather: Gather,
}

/// What the parts publish of a partition's records, one after another.
pub(super) fn replay(records: &[(Offset, PaymentRecord)], library: &Arc<dyn Library>) -> Vec<Publication> {
    let mut parts = Parts {
        home: Home::new(Arc::clone(library)),
        shards: (0..SHARDS).map(|_| Shard::new(Arc::clone(library))).collect(),
        gather: Gather::default(),
    };
    let mut published = Vec::new();
    for (at, (offset, record)) in records.iter().enumerate() {
        if let PaymentRecord::Control(Control::Activate { rules }) = record
            && parts.shards.iter().any(|shard| shard.wants_filling() == Some(*rules))
        {
            parts.fill(&records[..at]);
        }
        published.extend(parts.apply(*offset, record));
    }
    published
}

/// One partition of payments, and the keys over several.
fn layout() -> Layout {
    Layout::of_stages(1).with(Topic::Keyed, SHARDS)
}

/// What a stage publishes of one record.
fn publish<S: Stage>(stage: &mut S, offset: Offset, record: &S::Record) -> Vec<Publication> {
    let mut output = S::Output::default();
    stage.apply(offset, record, &mut output);
    S::publish(output, &layout())
}

impl Parts {
    /// What leaves the parts, of one record of payments, events and control records alike.
    fn apply(&mut self, offset: Offset, record: &PaymentRecord) -> Vec<Publication> {
        let mut waiting = VecDeque::from(match record {
            PaymentRecord::Event(_) => publish(&mut self.home, offset, record),
            PaymentRecord::Control(control) => publish(&mut Distributor, offset, control),
        });
        let (mut verdicts, mut published) = (Vec::new(), Vec::new());
        while let Some(one) = waiting.pop_front() {
            match &one.record {
                Published::Payment(record) => waiting.extend(publish(&mut self.home, offset, record)),
                Published::Keyed(record) => {
                    let shard = &mut self.shards[one.partition.index as usize];
                    waiting.extend(publish(shard, 0, record));
                }
                Published::Verdict(record) => verdicts.push(record.clone()),
                _ => published.push(one),
            }
        }
        // The gathering hears of a record when all have spoken of it.
        for verdict in verdicts {
            published.extend(publish(&mut self.gather, 0, &verdict));
        }
        published
    }

    /// Shards under the prepared rules, filled with the past, take the place of those that lack its windows.
    fn fill(&mut self, past: &[(Offset, PaymentRecord)]) {
        let mut filling = Self {
            home: self.home.successor(),
            shards: self.shards.iter().map(Stage::successor).collect(),
            gather: Gather::default(),
        };
        for (offset, record) in past {
            filling.apply(*offset, record);
        }
        self.shards.iter_mut().zip(filling.shards).for_each(|(shard, filled)| shard.adopt(filled));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sluice_core::{Engine, EngineConfig, Output};
    use sluice_model::PaymentRecord;

    use super::*;
    use crate::fault::{
        SimLibrary,
        rng::Rng,
        script::{Order, Script},
    };

    /// Rules and lists in force, then events with the orders that officers give between them.
    fn records(seed: u64, events: usize, library: &SimLibrary) -> Vec<(Offset, PaymentRecord)> {
        let repertoire = library.repertoire();
        let script = Script::new(repertoire, events, &mut Rng::new(seed));
        let [prepare, activate] = repertoire.rules_in_force(0);
        let mut records: Vec<_> = [repertoire.lists_in_force(0), prepare, activate]
            .into_iter()
            .map(PaymentRecord::Control)
            .collect();
        for (n, event) in script.events.into_iter().enumerate() {
            let orders = script.orders.iter().filter(|(before, _)| *before == n);
            records.extend(orders.filter_map(|(_, order)| match order {
                Order::Control(control) => Some(PaymentRecord::Control(control.clone())),
                Order::Release(_) => None,
            }));
            records.push(PaymentRecord::Event(event));
        }
        (0..).zip(records).collect()
    }

    /// The composite engine over all records at once, with windows filled where rules that need them are activated.
    fn engine(
        records: &[(Offset, PaymentRecord)],
        shards: u32,
        library: &Arc<dyn Library>,
    ) -> Vec<Publication> {
        let mut engine = Engine::new(EngineConfig { shards }, Arc::clone(library));
        let mut published = Vec::new();
        for (at, (offset, record)) in records.iter().enumerate() {
            if Engine::activates(record).is_some_and(|rules| engine.wants_filling() == Some(rules)) {
                let mut successor = engine.successor();
                successor.apply_all(&records[..at], &mut Output::default());
                engine.adopt(successor);
            }
            published.extend(publish(&mut engine, *offset, record));
        }
        published
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        /// Whatever happens, the composite says what home, keys and gathering say that are driven apart.
        #[test]
        fn the_engine_is_its_parts(seed in any::<u64>(), events in 1..120_usize, shards in 1..4_u32) {
            let library = Arc::new(SimLibrary::new());
            let records = records(seed, events, &library);
            let library: Arc<dyn Library> = library;
            let (whole, apart) = (engine(&records, shards, &library), replay(&records, &library));
            for topic in Topic::ALL {
                let of = |all: &[Publication]| -> Vec<Published> {
                    all.iter().filter(|one| one.partition.topic == topic).map(|one| one.record.clone()).collect()
                };
                prop_assert_eq!(of(&whole), of(&apart), "{:?}", topic);
            }
        }
    }
}
