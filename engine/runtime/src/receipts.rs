//! What came of each body's events, for its receipt. The engine judges in the log's order, so the events that somebody
//! wants to know of wait in that order, each with the slip of its body.
//!
//! No more wait than may run ahead of the engine: see [`crate::limits::BULK_AHEAD_RECORDS_MAX`].

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use sluice_core::Output;
use sluice_log::Offset;
use tokio::{sync::watch, time::timeout};

use crate::limits::RECEIPT_WAIT_MAX;

/// What came of the events of one body; together, as many as were sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Came {
    /// New, and judged.
    pub accepted: usize,
    /// Came before, with the same content.
    pub duplicates: usize,
    /// Came before, with other content: in the dead letters now.
    pub conflicts: usize,
    /// Durable, and not judged yet.
    pub pending: usize,
    /// Not readable, too old or in the future: in the dead letters now.
    pub refused: usize,
}

/// What the engine says of an event that it does not judge.
#[derive(Clone, Copy)]
enum NotJudged {
    Duplicate,
    Conflict,
    Refused,
}

impl Came {
    /// Nothing is judged yet, and `refused` could not be read.
    pub(crate) const fn durable(pending: usize, refused: usize) -> Self {
        Self { accepted: 0, duplicates: 0, conflicts: 0, pending, refused }
    }

    fn one(&mut self, not_judged: Option<NotJudged>) {
        self.pending -= 1;
        *match not_judged {
            None => &mut self.accepted,
            Some(NotJudged::Duplicate) => &mut self.duplicates,
            Some(NotJudged::Conflict) => &mut self.conflicts,
            Some(NotJudged::Refused) => &mut self.refused,
        } += 1;
    }
}

/// On which is written what comes of one body's events. It goes with them to the engine, and is gone when nothing more
/// will be written.
pub(crate) struct Slip(watch::Sender<Came>);

/// Whoever reads a slip.
pub(crate) struct Reader(watch::Receiver<Came>);

impl Slip {
    /// A slip, and its reader.
    pub(crate) fn new(durable: Came) -> (Arc<Self>, Reader) {
        let (slip, reader) = watch::channel(durable);
        (Arc::new(Self(slip)), Reader(reader))
    }

    /// So many more events will be told of.
    pub(crate) fn await_more(&self, events: usize) {
        self.0.send_modify(|came| came.pending += events);
    }

    fn write(&self, not_judged: Option<NotJudged>) {
        self.0.send_if_modified(|came| {
            came.one(not_judged);
            came.pending == 0
        });
    }
}

impl Reader {
    /// What came of the events, once the engine has judged all of them, or of as many as it judges in
    /// [`RECEIPT_WAIT_MAX`].
    pub(crate) async fn came(mut self) -> Came {
        let all = self.0.wait_for(|came| came.pending == 0);
        // Whether it was in time, the slip says.
        let _ = timeout(RECEIPT_WAIT_MAX, all).await;
        *self.0.borrow()
    }
}

/// The events whose slips are to be written.
#[derive(Default)]
pub(crate) struct Receipts {
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    /// In the log's order.
    waiting: VecDeque<(Offset, Arc<Slip>)>,
    /// Every event before this was told.
    told_to: Offset,
}

impl Receipts {
    /// A body's events are durable at these offsets, and not handed to the engine yet. Called in the order of the log.
    pub(crate) fn expect(&self, offsets: &[Offset], slip: &Arc<Slip>) {
        let mut line = self.lock();
        let told_to = line.told_to;
        // An engine that reads the log itself may have judged them before they were handed over: those stay pending.
        let expected = offsets.iter().filter(|offset| **offset >= told_to);
        line.waiting.extend(expected.map(|offset| (*offset, Arc::clone(slip))));
    }

    /// The engine has come to `to`, with this output.
    pub(crate) fn tell(&self, to: Offset, output: &Output) {
        let judged: Vec<_> = {
            let mut line = self.lock();
            line.told_to = to;
            let count = line.waiting.partition_point(|(offset, _)| *offset < to);
            line.waiting.drain(..count).collect()
        };
        if judged.is_empty() {
            return;
        }
        let duplicates = output.duplicates.iter().map(|offset| (*offset, NotJudged::Duplicate));
        let refused = output.dead_letters.iter().filter_map(|letter| {
            let why = if letter.code == "conflict" { NotJudged::Conflict } else { NotJudged::Refused };
            Some((letter.event.as_ref()?.offset, why))
        });
        let not_judged: HashMap<Offset, NotJudged> = duplicates.chain(refused).collect();
        for (offset, slip) in judged {
            slip.write(not_judged.get(&offset).copied());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_body_is_told_of_its_own_events() {
        let receipts = Receipts::default();
        let (one, of_one) = Slip::new(Came::durable(2, 1));
        let (other, of_other) = Slip::new(Came::durable(1, 0));
        receipts.expect(&[5], &one);
        receipts.expect(&[6], &other);
        receipts.expect(&[8], &one);
        drop((one, other));
        receipts.tell(7, &Output { duplicates: vec![3, 6], ..Output::default() });
        assert_eq!(of_other.came().await, Came { duplicates: 1, ..Came::durable(0, 0) });
        receipts.tell(9, &Output::default());
        assert_eq!(of_one.came().await, Came { accepted: 2, ..Came::durable(0, 1) });
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_judged_in_time_is_pending() {
        let receipts = Receipts::default();
        let (slip, reader) = Slip::new(Came::durable(2, 0));
        receipts.expect(&[0, 1], &slip);
        receipts.tell(1, &Output::default());
        assert_eq!(reader.came().await, Came { accepted: 1, ..Came::durable(1, 0) });
    }

    /// Without a clock: the wait ends because the slip is gone.
    #[tokio::test]
    async fn what_was_told_before_it_was_handed_over_is_pending_and_not_waited_for() {
        let receipts = Receipts::default();
        let (slip, reader) = Slip::new(Came::durable(2, 0));
        receipts.tell(6, &Output { duplicates: vec![5], ..Output::default() });
        receipts.expect(&[5, 6], &slip);
        drop(slip);
        receipts.tell(7, &Output::default());
        assert_eq!(reader.came().await, Came { accepted: 1, ..Came::durable(1, 0) });
    }
}
