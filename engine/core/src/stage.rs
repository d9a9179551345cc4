//! A stage: a state machine over one partition of one log.

use std::sync::Arc;

use sluice_model::{Hash256, Topic};

use crate::{Counts, Format, Layout, Library, Publication, SnapshotError};

/// A record's place in its partition. The next record's is greater; it need not be the next number, since a
/// log with transactions keeps places for its own markers.
pub type Offset = u64;

/// State that is a pure function of the records applied to it, in order.
pub trait Stage: Sized {
    /// What it is called: its place in the log and its snapshots are kept under this name.
    const NAME: &'static str;
    /// What it reads.
    const READS: Topic;

    /// What the partition holds.
    type Record;
    /// What judging produces; gathered over a batch and committed with the batch's offset, or not at all.
    type Output: Default;

    /// Apply one record, which is at `offset`.
    fn apply(&mut self, offset: Offset, record: &Self::Record, output: &mut Self::Output);

    /// Apply several records in order. The same as applying each; a stage may do it faster.
    fn apply_all(&mut self, records: &[(Offset, Self::Record)], output: &mut Self::Output) {
        for (offset, record) in records {
            self.apply(*offset, record, output);
        }
    }

    /// Each record that an output amounts to, and where it goes.
    fn publish(output: Self::Output, layout: &Layout) -> Vec<Publication>;

    /// What an output says became of events, for whoever counts; nothing where another stage says it.
    fn counts(_: &Self::Output) -> Counts {
        Counts::default()
    }

    /// Everything that [`Stage::restore`] needs, without the library's content.
    fn snapshot(&self) -> Result<Vec<u8>, SnapshotError>;

    /// The state that a snapshot of that format stands for.
    fn restore(bytes: &[u8], format: Format, library: &Arc<dyn Library>) -> Result<Self, SnapshotError>;

    /// Rules that were prepared and need windows which this state does not hold: a [`Stage::successor`] must be
    /// filled with the partition's past before they may be activated.
    fn wants_filling(&self) -> Option<Hash256>;

    /// An empty stage under the prepared rules, which the worker fills aside.
    fn successor(&self) -> Self;

    /// The rules that this record puts in force, if they are the ones prepared.
    fn activates(record: &Self::Record) -> Option<Hash256>;

    /// Take over the windows of a successor that has applied every record this stage has applied.
    fn adopt(&mut self, successor: Self);
}
