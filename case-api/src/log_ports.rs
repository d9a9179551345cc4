//! The feeds over `sluice-log`'s topics.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use sluice_log::{Log, LogError, ReadLimit, StoredRecord};

use crate::{
    ports::{Feed, Item, PortError, Record, Topic},
    store::source,
};

impl From<LogError> for PortError {
    fn from(error: LogError) -> Self {
        Self(error.to_string())
    }
}

/// Alerts, holds and decisions out of the log; alerts without the events that they judged.
pub struct LogFeed(pub Arc<dyn Log>);

impl Feed for LogFeed {
    fn read(&self, topic: Topic, from: u64, max: usize) -> Result<Vec<Item>, PortError> {
        let stored = self.0.read(source(topic), from, ReadLimit::records(max))?;
        stored.into_iter().map(|record| item(topic, &record)).collect()
    }

    fn end(&self, topic: Topic) -> Result<u64, PortError> {
        Ok(self.0.end(source(topic))?)
    }
}

fn item(topic: Topic, stored: &StoredRecord) -> Result<Item, PortError> {
    let record = match topic {
        Topic::Alerts => Record::Alert(parse(topic, stored)?, None),
        Topic::Holds => Record::Hold(parse(topic, stored)?),
        Topic::Decisions => Record::Decision(parse(topic, stored)?),
        Topic::Observations => Record::Observation(parse(topic, stored)?),
    };
    Ok(Item { offset: stored.offset, record })
}

fn parse<T: DeserializeOwned>(topic: Topic, stored: &StoredRecord) -> Result<T, PortError> {
    serde_json::from_slice(&stored.value)
        // The parser's own words may quote the record.
        .map_err(|_| PortError(format!("record {} of {} cannot be read", stored.offset, topic.name())))
}
