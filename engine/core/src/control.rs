//! Gives every control record to the partitions that must feel it. There is one owner of the one control
//! partition, so that every partition meets the changes in the same order.

use std::sync::Arc;

use sluice_model::{Control, Hash256, Release};

use crate::{
    Library, SnapshotError, Stage,
    output::{DistributorOutput, Routed},
    wire::KeyedRecord,
};

/// The stage on the control topic: it has no state at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Distributor;

impl Stage for Distributor {
    type Record = Control;
    type Output = DistributorOutput;

    fn apply(&mut self, control: &Control, out: &mut DistributorOutput) {
        match control {
            Control::Release(Release { payment_id, .. }) | Control::Deadline { payment_id, .. } => {
                out.routed.push(Routed::HomeOf { payment_id: payment_id.clone(), control: control.clone() });
            }
            _ => out.routed.push(Routed::Homes(control.clone())),
        }
        if matches!(
            control,
            Control::Prepare(_)
                | Control::Activate { .. }
                | Control::Quarantine(_)
                | Control::LiftQuarantine(_)
                | Control::SetStreamTime(_)
        ) {
            out.routed.push(Routed::Shards(KeyedRecord::Control(control.clone())));
        }
    }

    fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        Ok(Vec::new())
    }

    fn restore(_: &[u8], _: &Arc<dyn Library>) -> Result<Self, SnapshotError> {
        Ok(Self)
    }

    fn wants_filling(&self) -> Option<Hash256> {
        None
    }

    fn candidate(&self) -> Self {
        Self
    }

    fn activates(_: &Control) -> Option<Hash256> {
        None
    }

    fn adopt(&mut self, _: Self) {}
}
