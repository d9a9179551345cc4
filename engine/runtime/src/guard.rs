//! Stamps what is taken in, and refuses to while the machine's clock cannot be believed. One event taken in under a
//! clock that is a year ahead would make every later event too old.
//!
//! At the start the clock is held against the newest record of the log, while the process runs against a clock that
//! nobody can set. It is believed again as soon as it agrees.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sluice_driver::records;
use sluice_log::{Log, Partition, StoredRecord, Topic};
use sluice_model::{EventTime, PaymentRecord, Span};

use crate::{
    Clock, RuntimeError,
    limits::{CLOCK_ANCHORED_EVERY, CLOCK_LOOKBACK_RECORDS, CLOCK_TOLERANCE, OFF_FOR_MAX},
};

/// Why the clock is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClockFault {
    /// At the start it is before the newest record of the log.
    BehindTheLog(Span),
    /// At the start it is further past the newest record of the log than a service is off.
    AheadOfTheLog(Span),
    /// It was set forward while the process ran.
    SetForward(Span),
    /// It was set back while the process ran.
    SetBack(Span),
}

impl fmt::Display for ClockFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |by: Span| Span::seconds(by.micros() / Span::seconds(1).micros());
        match *self {
            Self::BehindTheLog(by) => write!(
                f,
                "the machine's clock is {} behind the newest record of the log: set it right, or confirm it with \
                 `--accept-clock`",
                whole(by)
            ),
            Self::AheadOfTheLog(by) => write!(
                f,
                "the machine's clock is {} past the newest record of the log, and a service is off for {OFF_FOR_MAX} \
                 at most: set it right, or confirm it with `--accept-clock`",
                whole(by)
            ),
            Self::SetForward(by) => write!(
                f,
                "the machine's clock was set forward by {} while Sluice ran: set it right, or, if it is right now, \
                 start Sluice again",
                whole(by)
            ),
            Self::SetBack(by) => write!(
                f,
                "the machine's clock was set back by {} while Sluice ran: set it right, or, if it is right now, start \
                 Sluice again with `--accept-clock`",
                whole(by)
            ),
        }
    }
}

impl std::error::Error for ClockFault {}

/// The clock, and what it is held against.
pub(crate) struct Guard {
    clock: Arc<dyn Clock>,
    /// What spoke against the clock at the start, where somebody confirmed it all the same.
    pub accepted: Option<ClockFault>,
    state: Mutex<State>,
}

struct State {
    /// The newest record of the log, as long as the clock has not agreed with it.
    unconfirmed: Option<EventTime>,
    /// The machine's time and the even time when they last agreed.
    anchor: (EventTime, Duration),
}

impl Guard {
    /// A guard over a log whose newest event was taken in then. `accepted`: somebody has confirmed that the clock is
    /// right, whatever the log says.
    pub(crate) fn new(clock: Arc<dyn Clock>, newest: Option<EventTime>, accepted: bool) -> Self {
        let state =
            State { unconfirmed: newest.filter(|_| !accepted), anchor: (clock.now(), clock.elapsed()) };
        let against = newest.and_then(|newest| agrees_with_the_log(clock.now(), newest).err());
        Self { clock, accepted: against.filter(|_| accepted), state: Mutex::new(state) }
    }

    /// Now, where the clock is believed.
    pub(crate) fn stamp(&self) -> Result<EventTime, ClockFault> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, elapsed) = (self.clock.now(), self.clock.elapsed());
        if let Some(newest) = state.unconfirmed {
            agrees_with_the_log(now, newest)?;
            *state = State { unconfirmed: None, anchor: (now, elapsed) };
            return Ok(now);
        }
        let (then, elapsed_then) = state.anchor;
        let passed = elapsed.saturating_sub(elapsed_then);
        let off = now.since(then.plus(span(passed)));
        if off > CLOCK_TOLERANCE {
            return Err(ClockFault::SetForward(off));
        }
        if off < negative(CLOCK_TOLERANCE) {
            return Err(ClockFault::SetBack(negative(off)));
        }
        if passed >= CLOCK_ANCHORED_EVERY {
            state.anchor = (now, elapsed);
        }
        Ok(now)
    }

    /// The even time: for measuring, whatever the clock says.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }
}

fn agrees_with_the_log(now: EventTime, newest: EventTime) -> Result<(), ClockFault> {
    let past = now.since(newest);
    if past > OFF_FOR_MAX {
        return Err(ClockFault::AheadOfTheLog(past));
    }
    if past < negative(CLOCK_TOLERANCE) {
        return Err(ClockFault::BehindTheLog(negative(past)));
    }
    Ok(())
}

fn negative(span: Span) -> Span {
    Span::from_micros(span.micros().saturating_neg())
}

fn span(duration: Duration) -> Span {
    Span::from_micros(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}

/// When the newest event of the first so many partitions of payments was taken in; `None` where there is none among their
/// last records.
pub(crate) fn newest_received_at(log: &dyn Log, partitions: u32) -> Result<Option<EventTime>, RuntimeError> {
    let mut newest = None;
    for index in 0..partitions {
        newest = newest.max(newest_of(log, Topic::Payments.partition(index))?);
    }
    Ok(newest)
}

fn newest_of(log: &dyn Log, partition: Partition) -> Result<Option<EventTime>, RuntimeError> {
    let received_at = |stored: &StoredRecord| match records::parse(partition, stored) {
        Ok(PaymentRecord::Event(event)) => Some(event.received_at),
        // What cannot be read is reported by whoever judges it.
        Ok(PaymentRecord::Control(_)) | Err(_) => None,
    };
    // The last record is an event nearly always.
    for looked_at in [1, CLOCK_LOOKBACK_RECORDS] {
        if let Some(at) = log.newest(partition, looked_at)?.iter().rev().find_map(received_at) {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock of which both sides are set by hand.
    #[derive(Default)]
    struct Hands(Mutex<(i64, u64)>);

    impl Hands {
        /// Time passes, as both clocks see it.
        fn pass(&self, seconds: u32) {
            let mut hands = self.0.lock().unwrap();
            *hands = (hands.0 + i64::from(seconds), hands.1 + u64::from(seconds));
        }

        /// Somebody sets the machine's time.
        fn set(&self, by: Span) {
            self.0.lock().unwrap().0 += by.micros() / 1_000_000;
        }
    }

    impl Clock for Hands {
        fn now(&self) -> EventTime {
            EventTime::default().plus(Span::seconds(self.0.lock().unwrap().0))
        }

        fn elapsed(&self) -> Duration {
            Duration::from_secs(self.0.lock().unwrap().1)
        }
    }

    fn guard(newest: Option<i64>, accepted: bool) -> (Arc<Hands>, Guard) {
        let hands = Arc::new(Hands::default());
        hands.set(Span::days(1_000));
        let newest = newest.map(|days| EventTime::default().plus(Span::days(days)));
        let guard = Guard::new(Arc::clone(&hands) as Arc<dyn Clock>, newest, accepted);
        (hands, guard)
    }

    #[test]
    fn a_clock_that_is_set_is_refused_until_it_agrees_again() {
        let (hands, guard) = guard(None, false);
        for (by, fault) in [
            (Span::days(400), ClockFault::SetForward(Span::days(400))),
            (Span::minutes(-2), ClockFault::SetBack(Span::minutes(2))),
        ] {
            hands.pass(3_600);
            assert!(guard.stamp().is_ok());
            hands.set(by);
            assert_eq!(guard.stamp(), Err(fault));
            hands.pass(100_000);
            assert_eq!(guard.stamp(), Err(fault), "time alone mends nothing");
            hands.set(negative(by));
            assert_eq!(guard.stamp(), Ok(hands.now()));
        }
    }

    #[test]
    fn a_clock_may_be_off_by_the_tolerance() {
        let (hands, guard) = guard(None, false);
        hands.set(CLOCK_TOLERANCE);
        assert!(guard.stamp().is_ok());
        hands.set(Span::seconds(1));
        assert!(guard.stamp().is_err(), "small steps within the hour add up");
        hands.set(Span::seconds(-1));
        hands.pass(3_600);
        assert!(guard.stamp().is_ok());
        hands.set(CLOCK_TOLERANCE);
        assert!(guard.stamp().is_ok(), "those of another hour do not");
    }

    #[test]
    fn at_the_start_the_log_is_asked() {
        for (newest, is_believed) in [(970, true), (969, false), (1_000, true), (1_001, false)] {
            let (_, guard) = guard(Some(newest), false);
            assert_eq!(guard.stamp().is_ok(), is_believed, "{newest}");
        }
        let (_, far) = guard(Some(600), false);
        assert_eq!(far.stamp(), Err(ClockFault::AheadOfTheLog(Span::days(400))));
        let (_, accepted) = guard(Some(600), true);
        assert!(accepted.stamp().is_ok(), "somebody has confirmed it");
    }

    #[test]
    fn a_clock_that_was_wrong_at_the_start_is_believed_once_it_is_right() {
        let (hands, guard) = guard(Some(600), false);
        assert!(guard.stamp().is_err());
        hands.set(Span::days(-400));
        assert!(guard.stamp().is_ok());
        hands.set(Span::days(400));
        assert_eq!(guard.stamp(), Err(ClockFault::SetForward(Span::days(400))));
    }
}
