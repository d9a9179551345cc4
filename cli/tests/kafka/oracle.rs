//! What every partition must hold, by a replay of the partitions that are read for it.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use sluice_core::{Distributor, Gather, Home, Shard, Stage};
use sluice_driver::records;
use sluice_log::{Partition, Topic};

use crate::deployment::Deployment;

/// How often each record must be on each partition.
pub struct Oracle(BTreeMap<Partition, BTreeMap<Vec<u8>, usize>>);

/// The topics that only stages write to.
const PUBLISHED: [Topic; 7] = [
    Topic::Keyed,
    Topic::Verdicts,
    Topic::Decisions,
    Topic::Alerts,
    Topic::Observations,
    Topic::Holds,
    Topic::DeadLetters,
];

impl Oracle {
    /// Replay every partition that a stage reads.
    pub fn of(deployment: &Deployment) -> Self {
        let mut oracle = Self(BTreeMap::new());
        for index in 0..deployment.layout.partitions(Topic::Payments) {
            let library = deployment.library();
            oracle.replay(deployment, index, Home::new(library));
            let library = deployment.library();
            oracle.replay(deployment, index, Shard::new(library));
            oracle.replay(deployment, index, Gather::default());
        }
        oracle.replay(deployment, 0, Distributor);
        oracle
    }

    fn replay<S: Stage<Record: DeserializeOwned>>(
        &mut self,
        deployment: &Deployment,
        index: u32,
        mut stage: S,
    ) {
        let partition = S::READS.partition(index);
        for stored in deployment.all(partition) {
            let mut output = S::Output::default();
            stage.apply(stored.offset, &records::parse(partition, &stored).unwrap(), &mut output);
            for publication in S::publish(output, &deployment.layout) {
                let value = records::published(&publication.record).unwrap().value;
                *self.0.entry(publication.partition).or_default().entry(value).or_default() += 1;
            }
        }
    }

    /// How many records were to be published.
    pub fn records(&self) -> usize {
        self.0.values().flat_map(BTreeMap::values).sum()
    }

    /// The partitions that hold something else, with how many records are missing and how many are too many.
    pub fn compare(&self, deployment: &Deployment) -> Vec<(Partition, usize, usize)> {
        let partitions = PUBLISHED.into_iter().flat_map(|topic| deployment.partitions(topic));
        let differs = |partition: Partition| {
            let mut wanted = self.0.get(&partition).cloned().unwrap_or_default();
            let mut doubled = 0;
            for stored in deployment.all(partition) {
                match wanted.get_mut(&stored.value).filter(|left| **left > 0) {
                    Some(left) => *left -= 1,
                    None => doubled += 1,
                }
            }
            let lost = wanted.values().sum::<usize>();
            (lost + doubled > 0).then_some((partition, lost, doubled))
        };
        partitions.filter_map(differs).collect()
    }
}
