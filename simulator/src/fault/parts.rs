//! The parts of the composite engine, driven apart as they are where each is a stage of its own: homes say what is to be
//! judged and gathered, and only what they say reaches the keys and the gathering.

use std::sync::Arc;

use sluice_core::{
    Distributor, DistributorOutput, Gather, GatherOutput, Home, HomeOutput, KeyedRecord, Library, Routed,
    Shard, ShardOutput, Stage, VerdictRecord, partition_of,
};
use sluice_model::{Control, PaymentRecord};

use super::log::Published;

/// A number of shards that neither the simulated engine nor its replay has.
const SHARDS: u32 = 2;

/// Home, shards and gathering over one partition of payments.
struct Parts {
    home: Home,
    shards: Vec<Shard>,
    gather: Gather,
}

/// What the parts publish of a partition's records, one after another.
pub fn replay(records: &[PaymentRecord], library: &Arc<dyn Library>) -> Vec<Published> {
    let mut parts = Parts {
        home: Home::new(Arc::clone(library)),
        shards: (0..SHARDS).map(|_| Shard::new(Arc::clone(library))).collect(),
        gather: Gather::default(),
    };
    let mut published = Vec::new();
    for (at, record) in records.iter().enumerate() {
        if let PaymentRecord::Control(Control::Activate { rules }) = record
            && parts.shards.iter().any(|shard| shard.wants_filling() == Some(*rules))
        {
            parts.fill(&records[..at]);
        }
        parts.apply(record, &mut published);
    }
    published
}

impl Parts {
    fn apply(&mut self, record: &PaymentRecord, published: &mut Vec<Published>) {
        let mut verdicts = Vec::new();
        match record {
            PaymentRecord::Event(_) => self.home_and_keys(record, &mut verdicts, published),
            PaymentRecord::Control(control) => {
                let mut out = DistributorOutput::default();
                Distributor.apply(control, &mut out);
                for routed in out.routed {
                    match routed {
                        Routed::Homes(control) | Routed::HomeOf { control, .. } => {
                            let record = PaymentRecord::Control(control);
                            self.home_and_keys(&record, &mut verdicts, published);
                        }
                        Routed::Shards(record) => self.shards.iter_mut().for_each(|shard| {
                            shard.apply(&record, &mut ShardOutput::default());
                        }),
                    }
                }
            }
        }
        let mut gathered = GatherOutput::default();
        verdicts.iter().for_each(|verdict| self.gather.apply(verdict, &mut gathered));
        published.extend(gathered.decisions.into_iter().map(Published::Decision));
        published.extend(gathered.dispositions.into_iter().map(Published::Disposition));
    }

    /// A record at the home, and what it asks of keys on their shards.
    fn home_and_keys(
        &mut self,
        record: &PaymentRecord,
        verdicts: &mut Vec<VerdictRecord>,
        published: &mut Vec<Published>,
    ) {
        let mut of_home = HomeOutput::default();
        self.home.apply(record, &mut of_home);
        published.extend(of_home.alerts.into_iter().map(Published::Alert));
        published.extend(of_home.observations.into_iter().map(Published::Observation));
        published.extend(of_home.dispositions.into_iter().map(Published::Disposition));
        published.extend(of_home.dead_letters.into_iter().map(Published::DeadLetter));
        verdicts.extend(of_home.verdicts);
        for copy in of_home.copies {
            let mut of_key = ShardOutput::default();
            let shard = partition_of(&copy.key.value, SHARDS) as usize;
            self.shards[shard].apply(&KeyedRecord::Copy(Box::new(copy)), &mut of_key);
            published.extend(of_key.alerts.into_iter().map(Published::Alert));
            published.extend(of_key.observations.into_iter().map(Published::Observation));
            published.extend(of_key.dispositions.into_iter().map(Published::Disposition));
            verdicts.extend(of_key.verdicts);
        }
    }

    /// Shards under the prepared rules, filled with the past, take the place of those that lack its windows.
    fn fill(&mut self, past: &[PaymentRecord]) {
        let mut filling = Self {
            home: self.home.candidate(),
            shards: self.shards.iter().map(Stage::candidate).collect(),
            gather: Gather::default(),
        };
        past.iter().for_each(|record| filling.apply(record, &mut Vec::new()));
        self.shards.iter_mut().zip(filling.shards).for_each(|(shard, filled)| shard.adopt(filled));
    }
}
