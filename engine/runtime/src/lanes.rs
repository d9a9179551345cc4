//! Who may hand events to the log, and when. The log is one ordered sequence: an event that somebody waits for stands
//! behind everything that is durable already. So what nobody waits for (a file, a stream) is let in only as far as the
//! engine follows, piece by piece, and bodies take turns. Decisions and orders do not come here: they go at once.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sluice_log::Offset;
use tokio::{sync::oneshot, time::timeout};

use crate::{
    RuntimeError,
    limits::{
        BULK_AHEAD_RECORDS_MAX, BULK_AHEAD_RECORDS_MIN, BULK_AHEAD_TIME, BULK_CHUNKS_UNDER_WAY_MAX,
        BULK_TURN_WAIT_MAX, BULK_WAIT_MAX,
    },
};

/// How fast the engine judges, of late.
struct Pace {
    records: u64,
    micros: u64,
}

impl Default for Pace {
    /// Before anything was measured: what the smallest lead stands for.
    fn default() -> Self {
        Self { records: BULK_AHEAD_RECORDS_MIN, micros: micros(BULK_AHEAD_TIME) }
    }
}

impl Pace {
    /// So many records were judged in that time. A quarter of what was known before is forgotten each time.
    fn applied(&mut self, records: u64, took: Duration) {
        self.records = self.records - self.records / 4 + records;
        self.micros = self.micros - self.micros / 4 + micros(took);
    }

    fn records_in(&self, time: Duration) -> u64 {
        micros(time).saturating_mul(self.records) / self.micros.max(1)
    }

    fn time_for(&self, records: u64) -> Duration {
        Duration::from_micros(records.saturating_mul(self.micros) / self.records.max(1))
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Pieces that wait for their turn, and what they wait for.
struct Line<T> {
    waiting: VecDeque<(u64, T)>,
    /// Records of bodies that have come and are not let in yet.
    to_come: u64,
    /// Pieces let in that are not durable yet.
    pieces_under_way: usize,
    records_under_way: u64,
    /// The end of the log, and how far the engine has come.
    end: Offset,
    applied: Offset,
    pace: Pace,
    /// How many records may be before the engine, however slow it seems.
    lead_min: u64,
}

impl<T> Line<T> {
    fn new(end: Offset, applied: Offset, lead_min: u64) -> Self {
        Self {
            waiting: VecDeque::new(),
            to_come: 0,
            pieces_under_way: 0,
            records_under_way: 0,
            end,
            applied,
            pace: Pace::default(),
            lead_min,
        }
    }

    /// A body of so many records comes. When it is to come again, where it would have to wait too long.
    fn enter(&mut self, records: u64) -> Result<(), Duration> {
        let wait = self.pace.time_for(self.ahead() + self.to_come);
        if wait > BULK_WAIT_MAX {
            return Err(wait);
        }
        self.to_come += records;
        Ok(())
    }

    /// A body asks for its next piece: behind the pieces of the others.
    fn ask(&mut self, records: u64, who: T) {
        self.waiting.push_back((records, who));
    }

    /// Whose turn it is now, if there is room. Those who have gone are passed over.
    fn next(&mut self, is_there: impl Fn(&T) -> bool) -> Option<(u64, T)> {
        while self.waiting.front().is_some_and(|(_, who)| !is_there(who)) {
            self.waiting.pop_front();
        }
        let (records, _) = self.waiting.front()?;
        let lead = self.ahead() + records;
        let most = self.pace.records_in(BULK_AHEAD_TIME).clamp(self.lead_min, BULK_AHEAD_RECORDS_MAX);
        // An engine with nothing to do is given something, however large.
        let is_room =
            self.pieces_under_way < BULK_CHUNKS_UNDER_WAY_MAX && (lead <= most || self.ahead() == 0);
        let (records, who) = self.waiting.pop_front_if(|_| is_room)?;
        self.pieces_under_way += 1;
        self.records_under_way += records;
        Some((records, who))
    }

    /// A piece is durable, or was refused.
    fn ended(&mut self, records: u64) {
        self.pieces_under_way -= 1;
        self.records_under_way -= records;
    }

    /// Records before the engine, on the log or on their way there.
    fn ahead(&self) -> u64 {
        self.end.saturating_sub(self.applied) + self.records_under_way
    }
}

/// The line in which bodies wait for their turns.
pub(crate) struct Lanes {
    line: Mutex<Line<oneshot::Sender<Permit>>>,
}

/// A body that was let in; gives up what has not come of it when dropped.
pub(crate) struct Body {
    lanes: Arc<Lanes>,
    to_come: u64,
}

/// Leave to write one piece; given back when dropped, once the piece is durable or was refused.
pub(crate) struct Permit {
    lanes: Arc<Lanes>,
    records: u64,
}

impl Lanes {
    /// Before an engine that has come to `applied` of a log that ends at `end`.
    pub(crate) fn new(end: Offset, applied: Offset) -> Self {
        Self { line: Mutex::new(Line::new(end, applied, BULK_AHEAD_RECORDS_MIN)) }
    }

    /// Before engines of other processes: how fast they judge is seen from afar, and seldom.
    pub(crate) fn of_others() -> Self {
        Self { line: Mutex::new(Line::new(0, 0, BULK_AHEAD_RECORDS_MAX)) }
    }

    /// How many durable records lie before the engine.
    pub(crate) fn lag(&self) -> u64 {
        let line = self.lock();
        line.end.saturating_sub(line.applied)
    }

    /// Let a body of so many records in, unless it would have to wait too long.
    pub(crate) fn enter(self: &Arc<Self>, records: usize) -> Result<Body, RuntimeError> {
        let to_come = records as u64;
        match self.lock().enter(to_come) {
            Ok(()) => Ok(Body { lanes: Arc::clone(self), to_come }),
            Err(wait) => Err(RuntimeError::Behind { seconds: wait.as_secs().max(1) }),
        }
    }

    /// The log ends here now.
    pub(crate) fn durable_to(self: &Arc<Self>, end: Offset) {
        self.lock().end = end;
    }

    /// So many more records are durable.
    pub(crate) fn more_durable(&self, records: u64) {
        self.lock().end += records;
    }

    /// Engines of other processes have so many records before them, after they have judged others for so long.
    pub(crate) fn seen(self: &Arc<Self>, lag: u64, judged: u64, took: Duration) {
        {
            let mut line = self.lock();
            (line.end, line.applied) = (lag, 0);
            // Engines that have come to the end have waited for a part of the time.
            if lag > 0 && judged > 0 {
                line.pace.applied(judged, took);
            }
        }
        self.go();
    }

    /// The engine has come to `to`, and took that long to judge so many records.
    pub(crate) fn judged(self: &Arc<Self>, to: Offset, records: u64, took: Duration) {
        {
            let mut line = self.lock();
            line.applied = to;
            line.pace.applied(records, took);
        }
        self.go();
    }

    /// Whoever may go now goes.
    fn go(self: &Arc<Self>) {
        loop {
            let Some((records, who)) = self.lock().next(|who| !who.is_closed()) else { return };
            // Who has gone meanwhile drops its turn, which lets the next go.
            drop(who.send(Permit { lanes: Arc::clone(self), records }));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Line<oneshot::Sender<Permit>>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body {
    /// Wait for the turn of the next piece.
    pub(crate) async fn turn(&mut self, records: usize) -> Result<Permit, RuntimeError> {
        let (told, turn) = oneshot::channel();
        let records = records as u64;
        self.lanes.lock().ask(records, told);
        self.lanes.go();
        let behind = RuntimeError::Behind { seconds: BULK_TURN_WAIT_MAX.as_secs() };
        let Ok(Ok(turn)) = timeout(BULK_TURN_WAIT_MAX, turn).await else { return Err(behind) };
        let come = records.min(self.to_come);
        self.to_come -= come;
        self.lanes.lock().to_come -= come;
        Ok(turn)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.lanes.lock().to_come -= self.to_come;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.lanes.lock().ended(self.records);
        self.lanes.go();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: u64 = 100;

    /// Everything that may go now goes, becomes durable and is judged at once; who went, in order.
    fn run(line: &mut Line<&'static str>, mut more: impl FnMut(&'static str) -> bool) -> Vec<&'static str> {
        let mut went = Vec::new();
        while let Some((records, who)) = line.next(|_| true) {
            went.push(who);
            // It asks for its next piece while this one is on its way.
            if more(who) {
                line.ask(PIECE, who);
            }
            line.ended(records);
            line.end += records;
            line.applied = line.end;
        }
        went
    }

    #[test]
    fn bodies_take_turns_however_large_they_are() {
        let mut line = Line::new(0, 0, BULK_AHEAD_RECORDS_MIN);
        let (mut file, mut other) = (50, 2);
        line.ask(PIECE, "file");
        line.ask(PIECE, "other");
        let went = run(&mut line, |who| {
            let left = if who == "file" { &mut file } else { &mut other };
            *left -= 1;
            *left > 0
        });
        assert_eq!(went[..5], ["file", "other", "file", "other", "file"]);
        assert_eq!(went.len(), 52, "and none is forgotten");
    }

    #[test]
    fn nobody_runs_further_ahead_than_the_engine_follows() {
        let mut line = Line::new(0, 0, BULK_AHEAD_RECORDS_MIN);
        (0..100).for_each(|n| line.ask(PIECE, n));
        let let_in = |line: &mut Line<i32>| {
            let mut records = 0;
            while let Some((piece, _)) = line.next(|_| true) {
                line.ended(piece);
                line.end += piece;
                records += piece;
            }
            records
        };
        assert_eq!(let_in(&mut line), 200, "as much as is allowed before anything was measured");
        assert_eq!(let_in(&mut line), 0, "the engine stands still");
        // 10,000 records a second: 2,000 in a fifth of one.
        (0..40).for_each(|_| line.pace.applied(1_000, Duration::from_millis(100)));
        line.applied = 200;
        let lead = let_in(&mut line);
        assert!((1_800..=2_000).contains(&lead), "{lead}");
        line.applied += 500;
        assert!((400..=500).contains(&let_in(&mut line)), "as much as was judged");
        // However fast the engine is.
        (0..200).for_each(|n| line.ask(PIECE, n));
        (0..40).for_each(|_| line.pace.applied(1_000_000, Duration::from_millis(100)));
        line.applied = line.end;
        assert_eq!(let_in(&mut line), BULK_AHEAD_RECORDS_MAX / PIECE * PIECE);
    }

    #[test]
    fn few_pieces_are_on_their_way_to_the_disk_at_once() {
        let mut line = Line::new(0, 0, BULK_AHEAD_RECORDS_MIN);
        (0..40).for_each(|_| line.pace.applied(1_000_000, Duration::from_millis(100)));
        (0..10).for_each(|n| line.ask(PIECE, n));
        let under_way: Vec<_> = std::iter::from_fn(|| line.next(|_| true)).collect();
        assert_eq!(under_way.len(), BULK_CHUNKS_UNDER_WAY_MAX);
        line.ended(PIECE);
        assert_eq!(line.next(|_| true).map(|(_, who)| who), Some(4));
    }

    #[test]
    fn who_would_wait_too_long_is_told_when_to_come_again() {
        let mut line = Line::<()>::new(0, 0, BULK_AHEAD_RECORDS_MIN);
        // 1,000 records a second.
        (0..40).for_each(|_| line.pace.applied(1_000, Duration::from_secs(1)));
        assert_eq!(line.enter(190_000), Ok(()), "a body is let in, however large, where none waits");
        let wait = line.enter(1).unwrap_err();
        assert!((189..=191).contains(&wait.as_secs()), "{wait:?}");
        line.to_come = 9_000;
        assert_eq!(line.enter(1), Ok(()));
        line.end = 2_000;
        assert!(line.enter(1).is_err(), "what is on the log already counts");
    }

    #[test]
    fn a_piece_larger_than_the_lead_goes_when_there_is_nothing_else() {
        let mut line = Line::new(0, 0, BULK_AHEAD_RECORDS_MIN);
        line.ask(1_000_000, "large");
        line.end = 1;
        assert!(line.next(|_| true).is_none());
        line.applied = 1;
        assert!(line.next(|_| true).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_goes_away_is_passed_over_and_a_standstill_is_told() {
        let lanes = Arc::new(Lanes::new(10_000, 0));
        let mut body = lanes.enter(300).unwrap();
        assert!(matches!(body.turn(100).await, Err(RuntimeError::Behind { seconds: 10 })));
        lanes.judged(10_000, 1, Duration::from_micros(100));
        // The one that gave up is in nobody's way.
        let turn = body.turn(100).await.unwrap();
        assert_eq!(lanes.lock().ahead(), 100);
        drop((turn, body));
        let line = lanes.lock();
        assert_eq!((line.ahead(), line.to_come), (0, 0));
    }
}
