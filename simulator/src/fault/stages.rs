//! Where each stage reads.

use sluice_core::{Distributor, Engine, Gather, Home, KeyedRecord, Shard, Stage, VerdictRecord};
use sluice_model::{Control, PaymentRecord};

use super::history::{History, Records};

/// A stage that the simulation can run.
pub(super) trait SimStage: Stage<Record: Clone> {
    /// The partition that it reads.
    fn input(history: &History, partition: u32) -> &Records<Self::Record>;
}

impl SimStage for Home {
    fn input(history: &History, partition: u32) -> &Records<PaymentRecord> {
        &history.payments[partition as usize]
    }
}

impl SimStage for Shard {
    fn input(history: &History, partition: u32) -> &Records<KeyedRecord> {
        &history.keyed[partition as usize]
    }
}

impl SimStage for Gather {
    fn input(history: &History, partition: u32) -> &Records<VerdictRecord> {
        &history.verdicts[partition as usize]
    }
}

impl SimStage for Distributor {
    fn input(history: &History, _: u32) -> &Records<Control> {
        &history.control
    }
}

impl SimStage for Engine {
    fn input(history: &History, partition: u32) -> &Records<PaymentRecord> {
        &history.payments[partition as usize]
    }
}
