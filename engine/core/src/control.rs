//! Gives every control record to the partitions that must apply it. There is one owner of the one control
//! partition, so that every partition applies the changes in the same order.

use std::sync::Arc;

use sluice_model::{Control, Hash256, PaymentRecord, Topic};

use crate::{
    Format, Layout, Library, Offset, Publication, Published, SnapshotError, Stage, output::DistributorOutput,
    publication::publications, wire::KeyedRecord,
};

/// The stage on the control topic: it has no state at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Distributor;

impl Stage for Distributor {
    const NAME: &str = "distributor";
    const READS: Topic = Topic::Control;

    type Record = Control;
    type Output = DistributorOutput;

    fn apply(&mut self, _: Offset, control: &Control, out: &mut DistributorOutput) {
        out.orders.push(Published::Payment(PaymentRecord::Control(control.clone())));
        if control.is_for_keys() {
            out.orders.push(Published::Keyed(KeyedRecord::Control(control.clone())));
        }
    }

    fn publish(output: DistributorOutput, layout: &Layout) -> Vec<Publication> {
        publications(output.orders.into_iter(), layout)
    }

    fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        Ok(Vec::new())
    }

    fn restore(_: &[u8], _: Format, _: &Arc<dyn Library>) -> Result<Self, SnapshotError> {
        Ok(Self)
    }

    fn wants_filling(&self) -> Option<Hash256> {
        None
    }

    fn successor(&self) -> Self {
        Self
    }

    fn activates(_: &Control) -> Option<Hash256> {
        None
    }

    fn adopt(&mut self, _: Self) {}
}
