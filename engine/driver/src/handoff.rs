//! Records that have just become durable, handed to a driver in memory. The log is the truth: what does not fit here, or
//! came before this process, the driver reads from there.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use sluice_log::{Appended, Offset};

/// What there is from an offset on.
#[derive(Debug, PartialEq)]
pub enum Available<R> {
    /// These records, in order, and nothing of the partition between them.
    Records(Vec<(Offset, R)>),
    /// Records that are only in the log.
    InTheLog,
    /// None yet.
    None,
}

/// A bounded queue of the durable records of one partition.
pub struct Handoff<R> {
    state: Mutex<State<R>>,
    arrived: Condvar,
    records_max: usize,
}

struct State<R> {
    entries: VecDeque<Entry<R>>,
    /// The end of the partition, as far as is known here.
    end: Offset,
    closed: bool,
}

struct Entry<R> {
    /// The end of the partition before it: nothing is between.
    after: Offset,
    offset: Offset,
    record: R,
}

impl<R> Handoff<R> {
    /// A queue of at most so many records, for a partition that ends at `end`.
    pub fn new(end: Offset, records_max: usize) -> Self {
        let state = State { entries: VecDeque::new(), end, closed: false };
        Self { state: Mutex::new(state), arrived: Condvar::new(), records_max }
    }

    /// Records that became durable, with their offsets. Called in the order of the log.
    pub fn push(&self, appended: &Appended, records: Vec<R>) {
        let mut state = self.lock();
        state.end = appended.end();
        let room = self.records_max.saturating_sub(state.entries.len());
        let mut after = appended.after;
        let entries = appended.offsets.iter().zip(records).take(room).map(|(offset, record)| {
            let entry = Entry { after, offset: *offset, record };
            after = offset + 1;
            entry
        });
        state.entries.extend(entries);
        drop(state);
        self.arrived.notify_one();
    }

    /// What there is from `from` on, at most `limit`. What lies before is forgotten.
    pub fn take(&self, from: Offset, limit: usize) -> Available<R> {
        let mut state = self.lock();
        while state.entries.front().is_some_and(|entry| entry.offset < from) {
            state.entries.pop_front();
        }
        if from >= state.end {
            return Available::None;
        }
        let mut due = from;
        let follows = |entry: &&Entry<R>| {
            let follows = entry.after <= due;
            due = entry.offset + 1;
            follows
        };
        match state.entries.iter().take(limit).take_while(follows).count() {
            0 => Available::InTheLog,
            count => Available::Records(
                state.entries.drain(..count).map(|entry| (entry.offset, entry.record)).collect(),
            ),
        }
    }

    /// Whether there is something from `from` on.
    pub fn reaches(&self, from: Offset) -> bool {
        self.lock().end > from
    }

    /// Wait until there is something from `from` on. `false` when nothing will come any more.
    pub fn wait(&self, from: Offset) -> bool {
        let idle = |state: &mut State<R>| from >= state.end && !state.closed;
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

    /// The end of the partition, as far as is known here.
    pub fn end(&self) -> Offset {
        self.lock().end
    }

    /// How far the end lies beyond `from`, in offsets: at most so many durable records are to come.
    pub fn ahead_of(&self, from: Offset) -> u64 {
        self.lock().end.saturating_sub(from)
    }

    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const ROOM: usize = 3;

    fn offsets(taken: Available<char>) -> Vec<Offset> {
        match taken {
            Available::Records(records) => records.into_iter().map(|(offset, _)| offset).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn push(handoff: &Handoff<char>, after: Offset, offsets: &[Offset]) {
        let records = offsets.iter().map(|_| 'r').collect();
        handoff.push(&Appended { after, offsets: offsets.to_vec() }, records);
    }

    #[test]
    fn what_is_not_here_is_in_the_log_and_nothing_is_skipped() {
        let handoff = Handoff::new(5, ROOM);
        assert_eq!(handoff.take(0, 10), Available::InTheLog, "from before this process");
        assert_eq!(handoff.take(5, 10), Available::None);
        push(&handoff, 5, &[5, 6, 7]);
        assert_eq!(handoff.take(3, 10), Available::InTheLog, "a gap before what is here");
        assert_eq!(offsets(handoff.take(5, 2)), [5, 6]);
        assert_eq!(offsets(handoff.take(7, 2)), [7]);
        assert_eq!(handoff.take(8, 2), Available::None);
        assert_eq!(handoff.ahead_of(6), 2);
    }

    #[test]
    fn numbers_that_the_log_leaves_out_are_no_gap() {
        let handoff = Handoff::new(5, ROOM);
        push(&handoff, 5, &[7, 10]);
        push(&handoff, 11, &[13]);
        assert!(handoff.reaches(13) && !handoff.reaches(14));
        assert_eq!(offsets(handoff.take(5, 10)), [7, 10, 13]);
        push(&handoff, 14, &[15]);
        push(&handoff, 18, &[20]);
        assert_eq!(offsets(handoff.take(14, 10)), [15], "somebody else appended what stands before 18");
        assert_eq!(handoff.take(16, 10), Available::InTheLog);
        assert_eq!(offsets(handoff.take(18, 10)), [20]);
    }

    #[test]
    fn what_does_not_fit_is_left_to_the_log() {
        let handoff = Handoff::new(0, ROOM);
        push(&handoff, 0, &[0, 1, 2]);
        push(&handoff, 3, &[3]);
        assert_eq!(offsets(handoff.take(0, 10)), [0, 1, 2]);
        assert_eq!(handoff.take(3, 10), Available::InTheLog);
        push(&handoff, 4, &[4]);
        assert_eq!(handoff.take(3, 10), Available::InTheLog, "the gap comes first");
        assert_eq!(offsets(handoff.take(4, 10)), [4]);
    }

    #[test]
    fn a_closed_queue_is_emptied_first() {
        let handoff = Handoff::new(0, ROOM);
        push(&handoff, 0, &[0]);
        handoff.close();
        assert!(handoff.is_closed());
        assert!(handoff.wait(0));
        assert!(!handoff.wait(1));
    }

    #[test]
    fn whoever_waits_goes_on_when_something_comes() {
        let handoff = Handoff::new(5, ROOM);
        assert!(!handoff.is_closed() && handoff.end() == 5);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| handoff.wait(5));
            push(&handoff, 5, &[5]);
            assert!(waiting.join().unwrap());
        });
        assert_eq!(handoff.end(), 6);
    }
}
