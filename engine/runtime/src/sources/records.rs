//! Records of a topic to what is taken in: every record is an event, several, or a dead letter; nothing of it is dropped but
//! what a mapping leaves out.

use std::collections::BTreeMap;

use sluice_codec::{Form, topic::SourceFile};
use sluice_core::Layout;
use sluice_driver::records;
use sluice_log::{Append, Partition, Record, SourceRecord, Topic, Transaction};
use sluice_model::{DeadLetter, EventTime};

use crate::{
    RuntimeError,
    ingest::{self, Contents, Format},
    limits::SOURCE_RECORD_BYTES_MAX,
};

/// What takes these records in: events, each on its payment's partition, and dead letters.
pub(super) fn transaction(
    file: &SourceFile,
    source: &[SourceRecord],
    received_at: EventTime,
    layout: &Layout,
) -> Result<Transaction, RuntimeError> {
    let mut by_partition: BTreeMap<Partition, Vec<Record>> = BTreeMap::new();
    for record in source {
        let place = format!("{}/{}@{}", file.topic, record.partition, record.offset);
        let (payments, letters) = match contents(file, &record.value) {
            Some(contents) => contents.into_records(received_at, &place),
            None => (Vec::new(), vec![too_large(place, received_at)]),
        };
        for payment in payments {
            let stored = records::payment(&payment)?;
            by_partition.entry(layout.partition(Topic::Payments, &stored.key)).or_default().push(stored);
        }
        for letter in letters {
            let stored = records::json(&letter.code, &letter)?;
            by_partition.entry(layout.partition(Topic::DeadLetters, &stored.key)).or_default().push(stored);
        }
    }
    let appends = by_partition.into_iter().map(|(partition, records)| Append { partition, records });
    Ok(Transaction { appends: appends.collect(), ..Transaction::default() })
}

/// What a record holds; `None` where it is too large to be kept.
fn contents(file: &SourceFile, value: &[u8]) -> Option<Contents> {
    if value.len() > SOURCE_RECORD_BYTES_MAX {
        return None;
    }
    let mut contents = Contents::default();
    let bytes = match file.source.unframe(value) {
        Ok(bytes) => bytes,
        Err(error) => {
            contents.one(1, value, Err(error));
            return Some(contents);
        }
    };
    match &file.source.mapping {
        Some(mapping) => match mapping.read(&bytes) {
            Ok(event) => contents.events.extend(event),
            Err(error) => contents.one(1, value, Err(error)),
        },
        None => {
            contents = ingest::read(Format::from(Form::of(&bytes)), &bytes, &file.source.zone);
            if contents.events.is_empty() && contents.refused.is_empty() {
                contents.nothing(value);
            }
        }
    }
    Some(contents)
}

fn too_large(place: String, received_at: EventTime) -> DeadLetter {
    DeadLetter {
        received_at,
        reason: format!(
            "the record is larger than {SOURCE_RECORD_BYTES_MAX} bytes; it is not kept here, but at {place}"
        ),
        source: place,
        code: "too_large".to_owned(),
        original: Vec::new(),
        event: None,
    }
}
