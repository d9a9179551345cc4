//! Who owns a consumer's place.

use std::collections::HashMap;

use crate::{LogError, Partition, Transaction};

/// Ownership of a consumer's place on a partition, until somebody else claims it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Who reads.
    pub consumer: String,
    /// What it reads.
    pub partition: Partition,
    /// Greater for every owner.
    pub epoch: u64,
}

/// The newest epoch of every place. Kept by whoever commits, so that no commit is between a claim and its answer.
#[derive(Debug, Default)]
pub struct Claims {
    epochs: HashMap<(String, Partition), u64>,
}

impl Claims {
    /// A new owner.
    pub fn claim(&mut self, consumer: &str, partition: Partition) -> Claim {
        let epoch = self.epochs.entry((consumer.to_owned(), partition)).or_default();
        *epoch += 1;
        Claim { consumer: consumer.to_owned(), partition, epoch: *epoch }
    }

    /// No owner, where this is the newest.
    pub fn release(&mut self, claim: &Claim) {
        if let Some(epoch) = self.epochs.get_mut(&(claim.consumer.clone(), claim.partition))
            && *epoch == claim.epoch
        {
            *epoch += 1;
        }
    }

    /// Whether a transaction may be committed.
    pub fn check(&self, transaction: &Transaction) -> Result<(), LogError> {
        match &transaction.claim {
            Some(Claim { consumer, partition, epoch })
                if self.epochs.get(&(consumer.clone(), *partition)) != Some(epoch) =>
            {
                Err(LogError::Fenced { consumer: consumer.clone(), partition: *partition })
            }
            _ => Ok(()),
        }
    }
}
