//! What stands on a log, read once all has happened.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use sluice_core::{
    Distributor, Engine, Gather, Home, KeyedRecord, Layout, Offset, Publication, Published, Shard, Stage,
    VerdictRecord,
};
use sluice_driver::{DriverError, records};
use sluice_log::{Partition, StoredRecord, Topic};
use sluice_model::{Control, PaymentRecord};

use super::log::SimLog;

/// One stage on one partition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum StageId {
    /// The owner of the control topic.
    Distributor,
    /// The home of a payments partition.
    Home(u32),
    /// The shard of a keyed partition.
    Shard(u32),
    /// The gathering of a verdicts partition.
    Gather(u32),
    /// The composite engine over a payments partition.
    Engine(u32),
}

impl StageId {
    /// What the stage is called, what it reads, and which partition of it.
    const fn parts(self) -> (&'static str, Topic, u32) {
        match self {
            Self::Distributor => (Distributor::NAME, Distributor::READS, 0),
            Self::Home(index) => (Home::NAME, Home::READS, index),
            Self::Shard(index) => (Shard::NAME, Shard::READS, index),
            Self::Gather(index) => (Gather::NAME, Gather::READS, index),
            Self::Engine(index) => (Engine::NAME, Engine::READS, index),
        }
    }

    /// What the stage is called.
    pub(super) const fn name(self) -> &'static str {
        self.parts().0
    }

    /// The partition that it reads.
    pub(super) const fn reads(self) -> Partition {
        let (_, topic, index) = self.parts();
        topic.partition(index)
    }

    /// The name under which its snapshots are kept.
    pub(super) fn snapshots_name(self) -> String {
        let (name, _, index) = self.parts();
        format!("{name}/{index}")
    }

    /// The stage whose snapshots are kept under a name.
    pub(super) fn named(snapshots_name: &str) -> Option<Self> {
        let (name, index) = snapshots_name.split_once('/')?;
        Self::of(name, index.parse().ok()?)
    }

    fn of(name: &str, index: u32) -> Option<Self> {
        [Self::Distributor, Self::Home(index), Self::Shard(index), Self::Gather(index), Self::Engine(index)]
            .into_iter()
            .find(|stage| stage.name() == name)
    }
}

/// Records with their offsets, in order.
pub(super) type Records<T> = Vec<(Offset, T)>;

/// Every topic that a stage reads, and what each stage has published.
#[derive(Debug)]
pub(super) struct History {
    /// `sluice.control`, one partition.
    pub control: Records<Control>,
    /// `sluice.payments`.
    pub payments: Vec<Records<PaymentRecord>>,
    /// `sluice.keyed`.
    pub keyed: Vec<Records<KeyedRecord>>,
    /// `sluice.verdicts`.
    pub verdicts: Vec<Records<VerdictRecord>>,
    /// Everything each stage has published, in the order of its commits.
    pub published: BTreeMap<StageId, Vec<Publication>>,
}

impl History {
    /// What stands on a log of so many partitions.
    ///
    /// # Errors
    /// A record that cannot be read back.
    pub(super) fn of(log: &SimLog, partitions: u32) -> Result<Self, DriverError> {
        let mut published = BTreeMap::new();
        for ((consumer, partition), places) in log.published() {
            let Some(stage) = StageId::of(&consumer, partition.index) else { continue };
            published.insert(stage, publications(log, &places)?);
        }
        Ok(Self {
            control: parse(log, Topic::Control.partition(0))?,
            payments: each(log, Topic::Payments, partitions)?,
            keyed: each(log, Topic::Keyed, partitions)?,
            verdicts: each(log, Topic::Verdicts, partitions)?,
            published,
        })
    }

    /// Into how many partitions its topics are divided.
    pub(super) fn layout(&self) -> Layout {
        Layout::of_stages(u32::try_from(self.payments.len()).unwrap_or(1))
    }

    /// Everything that was published, by any stage.
    pub(super) fn everything(&self) -> impl Iterator<Item = &Published> {
        self.published.values().flatten().map(|published| &published.record)
    }
}

fn each<T: DeserializeOwned>(
    log: &SimLog,
    topic: Topic,
    partitions: u32,
) -> Result<Vec<Records<T>>, DriverError> {
    (0..partitions).map(|index| parse(log, topic.partition(index))).collect()
}

fn parse<T: DeserializeOwned>(log: &SimLog, partition: Partition) -> Result<Records<T>, DriverError> {
    let all = log.all(partition);
    all.iter().map(|stored| Ok((stored.offset, records::parse(partition, stored)?))).collect()
}

/// The records that stand at these places.
fn publications(log: &SimLog, places: &[(Partition, Offset)]) -> Result<Vec<Publication>, DriverError> {
    let mut partitions: BTreeMap<Partition, BTreeMap<Offset, StoredRecord>> = BTreeMap::new();
    for (partition, _) in places {
        partitions.entry(*partition).or_insert_with(|| {
            log.all(*partition).into_iter().map(|stored| (stored.offset, stored)).collect()
        });
    }
    let stored = places
        .iter()
        .filter_map(|(partition, offset)| Some((*partition, partitions.get(partition)?.get(offset)?)));
    stored
        .map(|(partition, stored)| Ok(Publication { partition, record: published(partition, stored)? }))
        .collect()
}

/// What a stage has published, read back.
pub(super) fn published(partition: Partition, stored: &StoredRecord) -> Result<Published, DriverError> {
    Ok(match partition.topic {
        Topic::Alerts => Published::Alert(records::parse(partition, stored)?),
        Topic::Observations => Published::Observation(records::parse(partition, stored)?),
        Topic::Holds => Published::Hold(records::parse(partition, stored)?),
        Topic::DeadLetters => Published::DeadLetter(records::parse(partition, stored)?),
        Topic::Decisions => Published::Decision(records::parse(partition, stored)?),
        Topic::Keyed => Published::Keyed(records::parse(partition, stored)?),
        Topic::Verdicts => Published::Verdict(records::parse(partition, stored)?),
        Topic::Payments | Topic::Control | Topic::Requests => {
            Published::Payment(records::parse(partition, stored)?)
        }
    })
}
