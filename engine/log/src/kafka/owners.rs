//! Who owns which consumer's place: for each of them a producer of its own, whose name the brokers fence.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    Claim, LogError, Offsets, Partition, Transaction,
    kafka::{cluster::Cluster, producer::Transactions},
};

/// A consumer's place on a partition.
type Place = (String, Partition);

/// The places that this process owns, or has owned.
pub(super) struct Owners {
    cluster: Arc<Cluster>,
    by_place: Mutex<HashMap<Place, Arc<Mutex<Owner>>>>,
}

/// The newest owner of a place in this process.
#[derive(Default)]
struct Owner {
    epoch: u64,
    /// `None`: it has gone.
    producer: Option<Transactions>,
}

impl Owners {
    pub(super) fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster, by_place: Mutex::default() }
    }

    /// Become the owner: here under a greater epoch, among processes under the brokers'.
    pub(super) fn claim(&self, consumer: &str, partition: Partition) -> Result<Claim, LogError> {
        let owner = self.owner(consumer, partition);
        let mut owner = lock(&owner);
        owner.epoch += 1;
        // Closed before the next is opened: it would fence itself otherwise.
        owner.producer = None;
        let name = format!("sluice.owner.{consumer}.{}.{}", partition.topic.name(), partition.index);
        let fenced = LogError::Fenced { consumer: consumer.to_owned(), partition };
        owner.producer = Some(Transactions::open(&self.cluster, &name, fenced)?);
        Ok(Claim { consumer: consumer.to_owned(), partition, epoch: owner.epoch })
    }

    /// Own it no more, where nobody in this process has claimed it since.
    pub(super) fn release(&self, claim: &Claim) {
        let owner = self.owner(&claim.consumer, claim.partition);
        let mut owner = lock(&owner);
        if owner.epoch == claim.epoch {
            owner.producer = None;
        }
    }

    /// Make a transaction durable under its claim.
    pub(super) fn write(&self, claim: &Claim, transaction: &Transaction) -> Result<Offsets, LogError> {
        let owner = self.owner(&claim.consumer, claim.partition);
        let mut owner = lock(&owner);
        let epoch = owner.epoch;
        match owner.producer.as_mut().filter(|_| epoch == claim.epoch) {
            Some(producer) => Ok(producer.write(&[transaction])?.pop().unwrap_or_default()),
            None => Err(LogError::Fenced { consumer: claim.consumer.clone(), partition: claim.partition }),
        }
    }

    #[cfg(feature = "conformance")]
    pub(super) fn begin_and_stop(&self, claim: &Claim, transaction: &Transaction) {
        let owner = self.owner(&claim.consumer, claim.partition);
        if let Some(producer) = &lock(&owner).producer {
            producer.begin_and_stop(transaction);
        }
    }

    /// Have the brokers say what became of the owner's last commit, where that is in doubt.
    pub(super) fn resolve(&self, consumer: &str, partition: Partition) -> Result<(), LogError> {
        let owner = self.owner(consumer, partition);
        // While it is committing, nothing is in doubt that an answer will not settle.
        let Ok(mut owner) = owner.try_lock() else { return Ok(()) };
        match owner.producer.as_mut().map(Transactions::resolve) {
            Some(Err(error @ LogError::Unanswered { .. })) => Err(error),
            _ => Ok(()),
        }
    }

    fn owner(&self, consumer: &str, partition: Partition) -> Arc<Mutex<Owner>> {
        let mut by_place = self.by_place.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(by_place.entry((consumer.to_owned(), partition)).or_default())
    }
}

fn lock(owner: &Mutex<Owner>) -> MutexGuard<'_, Owner> {
    owner.lock().unwrap_or_else(PoisonError::into_inner)
}
