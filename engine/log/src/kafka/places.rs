//! How far consumers have come: the offsets of groups that have no members, and are moved by transactions.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rdkafka::{
    Offset as At, TopicPartitionList,
    consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata},
};

use crate::{
    LogError, Offset, Partition,
    kafka::{
        error::{explained, unanswered},
        options::{KafkaOptions, Logged},
    },
};

/// A client for each consumer that is asked about.
pub(super) struct Places {
    options: KafkaOptions,
    clients: Mutex<HashMap<String, Arc<BaseConsumer<Logged>>>>,
}

impl Places {
    pub(super) fn new(options: KafkaOptions) -> Self {
        Self { options, clients: Mutex::default() }
    }

    /// The offset that a consumer is to read next. Transactions under way are waited for.
    pub(super) fn committed(&self, consumer: &str, partition: Partition) -> Result<Offset, LogError> {
        let asked = self.list([(partition, At::Invalid)])?;
        let client = self.client(consumer)?;
        let answer = client.committed_offsets(asked, self.options.answer_within);
        let answer = answer.map_err(|error| explained(&client, &self.options.brokers, &error))?;
        match answer.elements().first().map(|element| (element.error(), element.offset())) {
            Some((Ok(()), At::Offset(offset))) => Ok(offset.unsigned_abs()),
            Some((Ok(()), At::Invalid)) => Ok(0),
            Some((Err(error), _)) => Err(unanswered(&self.options.brokers, error)),
            other => Err(unanswered(&self.options.brokers, format!("no place of {consumer}: {other:?}"))),
        }
    }

    /// What a transaction that moves the consumer's place names.
    pub(super) fn group(&self, consumer: &str) -> Result<ConsumerGroupMetadata, LogError> {
        let group = self.client(consumer)?.group_metadata();
        group.ok_or_else(|| unanswered(&self.options.brokers, format!("no group of {consumer}")))
    }

    /// Partitions, each with an offset.
    pub(super) fn list(
        &self,
        places: impl IntoIterator<Item = (Partition, At)>,
    ) -> Result<TopicPartitionList, LogError> {
        let mut list = TopicPartitionList::new();
        for (partition, at) in places {
            let index = i32::try_from(partition.index).unwrap_or(i32::MAX);
            list.add_partition_offset(&self.options.topic(partition.topic), index, at)
                .map_err(|error| unanswered(&self.options.brokers, error))?;
        }
        Ok(list)
    }

    fn client(&self, consumer: &str) -> Result<Arc<BaseConsumer<Logged>>, LogError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(consumer) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(self.options.consumer(consumer)?);
        clients.insert(consumer.to_owned(), Arc::clone(&client));
        Ok(client)
    }
}
