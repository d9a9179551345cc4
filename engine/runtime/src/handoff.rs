//! Records that have just become durable, handed to the engine in memory. The log is the truth: what does not
//! fit here, or came before this process, the engine reads from there.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use sluice_log::Offset;
use sluice_model::PaymentRecord;

use crate::limits::HANDOFF_RECORDS_MAX;

/// What there is from an offset on.
#[derive(Debug, PartialEq)]
pub(crate) enum Taken {
    /// These records, in order, without a gap.
    Records(Vec<(Offset, PaymentRecord)>),
    /// Records that are only in the log.
    InTheLog,
    /// None yet.
    None,
}

/// A bounded queue of durable records, by offset.
pub(crate) struct Handoff {
    state: Mutex<State>,
    arrived: Condvar,
}

struct State {
    records: VecDeque<(Offset, PaymentRecord)>,
    /// The end of the log, as far as is known here.
    end: Offset,
    closed: bool,
}

impl Handoff {
    /// A queue for a log that ends at `end`.
    pub fn new(end: Offset) -> Self {
        let state = State { records: VecDeque::new(), end, closed: false };
        Self { state: Mutex::new(state), arrived: Condvar::new() }
    }

    /// Records that became durable from `first` on. Called in the order of the log.
    pub fn push(&self, first: Offset, records: Vec<PaymentRecord>) {
        let mut state = self.lock();
        state.end = first + records.len() as Offset;
        let room = HANDOFF_RECORDS_MAX.saturating_sub(state.records.len());
        state.records.extend((first..).zip(records).take(room));
        drop(state);
        self.arrived.notify_one();
    }

    /// What there is from `from` on, at most `limit`. What lies before is forgotten.
    pub fn take(&self, from: Offset, limit: usize) -> Taken {
        let mut state = self.lock();
        while state.records.front().is_some_and(|(offset, _)| *offset < from) {
            state.records.pop_front();
        }
        if from >= state.end {
            return Taken::None;
        }
        let whole = (from..).zip(&state.records).take_while(|(due, (offset, _))| due == offset).count();
        match whole.min(limit) {
            0 => Taken::InTheLog,
            count => Taken::Records(state.records.drain(..count).collect()),
        }
    }

    /// Wait until there is something from `from` on. `false` when nothing will come any more.
    pub fn wait(&self, from: Offset) -> bool {
        let idle = |state: &mut State| from >= state.end && !state.closed;
        let state = self.arrived.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        from < state.end
    }

    /// Nothing more will be pushed: whoever waits goes on once all is taken.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// Whether nothing more will be pushed.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// The end of the log, as far as is known here.
    pub fn end(&self) -> Offset {
        self.lock().end
    }

    /// How many durable records lie at or after `from`.
    pub fn ahead_of(&self, from: Offset) -> u64 {
        self.lock().end.saturating_sub(from)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use sluice_model::{Control, Hash256};

    use super::*;

    fn record() -> PaymentRecord {
        PaymentRecord::Control(Control::Activate { rules: Hash256::default() })
    }

    fn offsets(taken: Taken) -> Vec<Offset> {
        match taken {
            Taken::Records(records) => records.into_iter().map(|(offset, _)| offset).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_not_here_is_in_the_log_and_nothing_is_skipped() {
        let handoff = Handoff::new(5);
        assert_eq!(handoff.take(0, 10), Taken::InTheLog, "from before this process");
        assert_eq!(handoff.take(5, 10), Taken::None);
        handoff.push(5, vec![record(), record(), record()]);
        assert_eq!(handoff.take(3, 10), Taken::InTheLog, "a gap before what is here");
        assert_eq!(offsets(handoff.take(5, 2)), [5, 6]);
        assert_eq!(offsets(handoff.take(7, 2)), [7]);
        assert_eq!(handoff.take(8, 2), Taken::None);
        assert_eq!(handoff.ahead_of(6), 2);
    }

    #[test]
    fn what_does_not_fit_is_left_to_the_log() {
        let handoff = Handoff::new(0);
        handoff.push(0, vec![record(); HANDOFF_RECORDS_MAX]);
        let beyond = HANDOFF_RECORDS_MAX as Offset;
        handoff.push(beyond, vec![record()]);
        assert_eq!(offsets(handoff.take(0, usize::MAX)).len(), HANDOFF_RECORDS_MAX);
        assert_eq!(handoff.take(beyond, 10), Taken::InTheLog);
        handoff.push(beyond + 1, vec![record()]);
        assert_eq!(handoff.take(beyond, 10), Taken::InTheLog, "the gap comes first");
        assert_eq!(offsets(handoff.take(beyond + 1, 10)), [beyond + 1]);
    }

    #[test]
    fn a_closed_queue_is_emptied_first() {
        let handoff = Handoff::new(0);
        handoff.push(0, vec![record()]);
        handoff.close();
        assert!(handoff.wait(0));
        assert!(!handoff.wait(1));
    }
}
