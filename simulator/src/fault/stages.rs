//! Where each stage reads, and how what it produces is published.

use sluice_core::{
    Distributor, DistributorOutput, Engine, Gather, GatherOutput, Home, HomeOutput, KeyedRecord, Output,
    Routed, Shard, ShardOutput, Stage, VerdictRecord, partition_of,
};
use sluice_model::{Control, PaymentRecord};

use super::log::{Partition, Published, SimLog};

/// A stage that the simulation can run.
pub trait SimStage: Stage<Record: Clone> {
    /// The partition that it reads.
    fn input(log: &SimLog, partition: u32) -> &Partition<Self::Record>;

    /// What it publishes, and where.
    fn publish(output: Self::Output, partitions: u32) -> Vec<Published>;
}

fn verdict(record: VerdictRecord, partitions: u32) -> Vec<Published> {
    let payment_id = match &record {
        VerdictRecord::Verdict(verdict) => &verdict.payment_id,
        VerdictRecord::Again { payment_id, .. } | VerdictRecord::Deadline { payment_id, .. } => payment_id,
        VerdictRecord::Released(order) => &order.payment_id,
        VerdictRecord::StreamTime { .. } => {
            return (0..partitions).map(|p| Published::Verdict(p, record.clone())).collect();
        }
    };
    vec![Published::Verdict(partition_of(payment_id, partitions), record)]
}

impl SimStage for Home {
    fn input(log: &SimLog, partition: u32) -> &Partition<PaymentRecord> {
        &log.payments[partition as usize]
    }

    fn publish(output: HomeOutput, partitions: u32) -> Vec<Published> {
        let keyed = |copy: sluice_core::Copy| {
            Published::Keyed(partition_of(&copy.key.value, partitions), KeyedRecord::Copy(Box::new(copy)))
        };
        let mut published: Vec<Published> = output.copies.into_iter().map(keyed).collect();
        published.extend(output.alerts.into_iter().map(Published::Alert));
        published.extend(output.observations.into_iter().map(Published::Observation));
        published.extend(output.dispositions.into_iter().map(Published::Disposition));
        published.extend(output.dead_letters.into_iter().map(Published::DeadLetter));
        published.extend(output.verdicts.into_iter().flat_map(|record| verdict(record, partitions)));
        published
    }
}

impl SimStage for Shard {
    fn input(log: &SimLog, partition: u32) -> &Partition<KeyedRecord> {
        &log.keyed[partition as usize]
    }

    fn publish(output: ShardOutput, partitions: u32) -> Vec<Published> {
        let mut published: Vec<Published> = output.alerts.into_iter().map(Published::Alert).collect();
        published.extend(output.observations.into_iter().map(Published::Observation));
        published.extend(output.dispositions.into_iter().map(Published::Disposition));
        published.extend(output.verdicts.into_iter().flat_map(|record| verdict(record, partitions)));
        published
    }
}

impl SimStage for Gather {
    fn input(log: &SimLog, partition: u32) -> &Partition<VerdictRecord> {
        &log.verdicts[partition as usize]
    }

    fn publish(output: GatherOutput, _: u32) -> Vec<Published> {
        let decisions = output.decisions.into_iter().map(Published::Decision);
        decisions.chain(output.dispositions.into_iter().map(Published::Disposition)).collect()
    }
}

impl SimStage for Distributor {
    fn input(log: &SimLog, _: u32) -> &Partition<Control> {
        &log.control
    }

    fn publish(output: DistributorOutput, partitions: u32) -> Vec<Published> {
        let everywhere = 0..partitions;
        let publish = |routed| -> Vec<Published> {
            match routed {
                Routed::Homes(control) => {
                    everywhere.clone().map(|p| Published::Control(p, control.clone())).collect()
                }
                Routed::HomeOf { payment_id, control } => {
                    vec![Published::Control(partition_of(&payment_id, partitions), control)]
                }
                Routed::Shards(record) => {
                    everywhere.clone().map(|k| Published::Keyed(k, record.clone())).collect()
                }
            }
        };
        output.routed.into_iter().flat_map(publish).collect()
    }
}

impl SimStage for Engine {
    fn input(log: &SimLog, partition: u32) -> &Partition<PaymentRecord> {
        &log.payments[partition as usize]
    }

    fn publish(output: Output, _: u32) -> Vec<Published> {
        let mut published: Vec<Published> = output.alerts.into_iter().map(Published::Alert).collect();
        published.extend(output.observations.into_iter().map(Published::Observation));
        published.extend(output.dispositions.into_iter().map(Published::Disposition));
        published.extend(output.dead_letters.into_iter().map(Published::DeadLetter));
        published.extend(output.decisions.into_iter().map(Published::Decision));
        published
    }
}
