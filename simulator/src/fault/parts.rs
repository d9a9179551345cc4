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
pub fn replay(records: &[(Offset, PaymentRecord)], library: &Arc<dyn Library>) -> Vec<Publication> {
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
            home: self.home.candidate(),
            shards: self.shards.iter().map(Stage::candidate).collect(),
            gather: Gather::default(),
        };
        for (offset, record) in past {
            filling.apply(*offset, record);
        }
        self.shards.iter_mut().zip(filling.shards).for_each(|(shard, filled)| shard.adopt(filled));
    }
}
