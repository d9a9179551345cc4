//! Where each stage reads.

use sluice_core::{Distributor, Engine, Gather, Home, KeyedRecord, Shard, Stage, VerdictRecord};
use sluice_model::{Control, PaymentRecord};

use super::log::{Partition, SimLog};

/// A stage that the simulation can run.
pub trait SimStage: Stage<Record: Clone> {
    /// The partition that it reads.
    fn input(log: &SimLog, partition: u32) -> &Partition<Self::Record>;
}

impl SimStage for Home {
    fn input(log: &SimLog, partition: u32) -> &Partition<PaymentRecord> {
        &log.payments[partition as usize]
    }
}

impl SimStage for Shard {
    fn input(log: &SimLog, partition: u32) -> &Partition<KeyedRecord> {
        &log.keyed[partition as usize]
    }
}

impl SimStage for Gather {
    fn input(log: &SimLog, partition: u32) -> &Partition<VerdictRecord> {
        &log.verdicts[partition as usize]
    }
}

impl SimStage for Distributor {
    fn input(log: &SimLog, _: u32) -> &Partition<Control> {
        &log.control
    }
}

impl SimStage for Engine {
    fn input(log: &SimLog, partition: u32) -> &Partition<PaymentRecord> {
        &log.payments[partition as usize]
    }
}
