//! What must be true when the dust has settled.
//!
//! 1. What each stage has published equals an undisturbed replay of its partition, record by record, by a
//!    replayer that knows nothing of batches, snapshots or workers.
//! 2. The composite engine has published what its parts say that are driven apart: see [`super::parts`].
//! 3. Every event that was acknowledged has been judged exactly once on each of its keys, or stands in the dead
//!    letters.
//! 4. Every acknowledged event that somebody waits for has one answer, the same however often it was asked.
//! 5. The clocks that stamped the events change nothing of it, as long as they are off by no more than is tolerated: see
//!    [`super::clocks`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sluice_core::{KeyedRecord, Layout, Offset, Publication, Published};
use sluice_model::{Control, Decision, PaymentEvent, PaymentRecord, Topic};

use super::{
    history::{History, StageId},
    stages::SimStage,
};

/// A difference that must not be: in words, for whoever repeats the seed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

/// Replay a partition undisturbed and compare what it says with what was published.
///
/// Output is published a batch at a time, and a batch sorts what it publishes by topic; so topics are compared one
/// by one, each in order.
pub(super) fn equals_replay<S: SimStage>(
    log: &History,
    id: StageId,
    partition: u32,
    fresh: S,
) -> Result<usize, Broken> {
    equals(log, id, replay(S::input(log, partition), &log.layout(), fresh))
}

/// Compare what was published by a stage with what it is to be.
pub(super) fn equals(log: &History, id: StageId, expected: Vec<Publication>) -> Result<usize, Broken> {
    let published = log.published.get(&id).cloned().unwrap_or_default();
    let (mut expected, mut published) = (by_topic(expected), by_topic(published));
    for topic in Topic::ALL {
        let (want, got) = (expected.entry(topic).or_default(), published.entry(topic).or_default());
        if let Some(at) = (0..want.len().max(got.len())).find(|at| want.get(*at) != got.get(*at)) {
            return Err(Broken(format!(
                "{id:?} differs from its replay at {at} of {} (published {}):\n  replay:    {:?}\n  published: {:?}",
                want.len(),
                got.len(),
                want.get(at),
                got.get(at),
            )));
        }
    }
    Ok(published.values().map(Vec::len).sum())
}

/// One record after another, and where rules are activated whose windows must be filled, the past once more.
pub(super) fn replay<S: SimStage>(
    records: &[(Offset, S::Record)],
    layout: &Layout,
    mut stage: S,
) -> Vec<Publication> {
    let mut published = Vec::new();
    for (at, (offset, record)) in records.iter().enumerate() {
        if S::activates(record).is_some_and(|rules| stage.wants_filling() == Some(rules)) {
            let mut successor = stage.successor();
            for (offset, past) in &records[..at] {
                successor.apply(*offset, past, &mut S::Output::default());
            }
            stage.adopt(successor);
        }
        let mut output = S::Output::default();
        stage.apply(*offset, record, &mut output);
        published.extend(S::publish(output, layout));
    }
    published
}

fn by_topic(all: Vec<Publication>) -> BTreeMap<Topic, Vec<Publication>> {
    let mut topics = BTreeMap::<_, Vec<_>>::new();
    for one in all {
        topics.entry(one.partition.topic).or_default().push(one);
    }
    topics
}

/// An event's id and content.
type EventIdentity<'a> = (&'a str, u64);
/// How many copies each key was given, by kind and value.
type CopiesByKey<'a> = BTreeMap<(u8, &'a str), usize>;

/// Every acknowledged event is in the log, and judged once on each key or in the dead letters. Every rule set of the
/// simulation watches accounts; an event without one need not have been asked of any key. Where stream time was set back,
/// ids were forgotten before their time.
pub(super) fn nothing_lost_nothing_doubled(
    log: &History,
    acknowledged: &[Arc<PaymentEvent>],
) -> Result<(), Broken> {
    let in_log: BTreeSet<EventIdentity<'_>> = log
        .payments
        .iter()
        .flatten()
        .filter_map(|(_, record)| match record {
            PaymentRecord::Event(record) => {
                Some((record.event.event_id.as_str(), record.event.content_hash()))
            }
            PaymentRecord::Control(_) => None,
        })
        .collect();
    let mut copies: BTreeMap<EventIdentity<'_>, CopiesByKey<'_>> = BTreeMap::new();
    for (_, record) in log.keyed.iter().flatten() {
        if let KeyedRecord::Event(keyed) = record {
            let event = (keyed.event.event_id.as_str(), keyed.event.content_hash());
            let key = (keyed.key.kind as u8, keyed.key.value.as_str());
            *copies.entry(event).or_default().entry(key).or_default() += 1;
        }
    }
    let dead = DeadLetters::of(log);
    let is_set_back = log.control.iter().any(|(_, control)| matches!(control, Control::SetStreamTime(_)));
    for event in acknowledged {
        let id = (event.event_id.as_str(), event.content_hash());
        if !in_log.contains(&id) {
            return Err(Broken(format!("acknowledged event {} is not in the log", event.event_id)));
        }
        match copies.get(&id) {
            None if has_account(event) && !dead.hold(event) => {
                return Err(Broken(format!("event {} was neither judged nor dead-lettered", event.event_id)));
            }
            Some(keys) if !is_set_back && keys.values().any(|times| *times != 1) => {
                return Err(Broken(format!("event {} was judged more than once on a key", event.event_id)));
            }
            _ => {}
        }
    }
    Ok(())
}

fn has_account(event: &PaymentEvent) -> bool {
    [&event.debtor, &event.creditor].into_iter().flatten().any(|party| party.account.is_some())
}

/// The canonical bytes of every event in the dead letters.
struct DeadLetters(BTreeSet<Vec<u8>>);

impl DeadLetters {
    fn of(log: &History) -> Self {
        let letters = log.everything().filter_map(|published| match published {
            Published::DeadLetter(letter) => Some(letter.original.clone()),
            _ => None,
        });
        Self(letters.collect())
    }

    fn hold(&self, event: &PaymentEvent) -> bool {
        self.0.contains(&serde_json::to_vec(event).unwrap_or_default())
    }
}

/// Every event that somebody waits for, and that could be judged, has one answer, which only a deadline changes:
/// whoever was told "hold" because it passed is told so ever after.
pub(super) fn every_question_answered(log: &History, asked: &[Arc<PaymentEvent>]) -> Result<(), Broken> {
    let mut answers: BTreeMap<&str, Vec<Decision>> = BTreeMap::new();
    for published in log.everything() {
        if let Published::Decision(decision) = published {
            let given = answers.entry(&decision.event_id).or_default();
            // Whichever question it answers, the answer is the same.
            let answer = Decision { offset: None, ..decision.clone() };
            if given.last() != Some(&answer) {
                given.push(answer);
            }
        }
    }
    let dead = DeadLetters::of(log);
    // Where stream time was set back, an id may be forgotten whose event is in time again: it is judged once more.
    let is_set_back = log
        .payments
        .iter()
        .flatten()
        .any(|(_, record)| matches!(record, PaymentRecord::Control(Control::SetStreamTime(_))));
    for event in asked.iter().filter(|event| !dead.hold(event)) {
        match answers.get(event.event_id.as_str()).map_or(&[][..], Vec::as_slice) {
            [_] => {}
            [_, ..] if is_set_back => {}
            [before, after] if after.deadline_passed && after.decision >= before.decision => {}
            others => return Err(Broken(format!("event {} was answered so: {others:?}", event.event_id))),
        }
    }
    Ok(())
}
