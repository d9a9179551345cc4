//! What a key has seen, looked through from the beginning for every window of every event.

use std::sync::Arc;

use sluice_model::{EventTime, Money, PaymentEvent, Role, Span, StatusSet};

use super::{features::Features, past::Past};

/// An event as one key saw it.
#[derive(Clone, Debug)]
pub struct KeyEvent {
    pub event: Arc<PaymentEvent>,
    pub role: Role,
    pub past: Arc<Past>,
    /// The sides from which its amount was taken back, since its payment ended before any money moved.
    pub taken_back: Role,
}

/// On which side the key stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Debtor,
    Creditor,
    Either,
}

/// What of an event is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// That it happened.
    Event,
    /// Its amount in HKD.
    Amount,
    /// The account across, where there is one.
    Counterparty,
}

/// The value of one event in a window.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Value {
    Number(i64),
    Text(String),
}

/// What a rule needs is not there: a rate, an amount; or it divides by zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    NoRate,
    NoAmount,
    ByZero,
    NotScreened,
}

/// An amount in HKD cents: one USD is 7.80 HKD, rounded half away from zero; no other currency has a rate.
pub(super) fn in_hkd(amount: Option<Money>) -> Result<i64, Fault> {
    let amount = amount.ok_or(Fault::NoAmount)?;
    match amount.currency.code() {
        "HKD" => Ok(amount.minor),
        "USD" => Ok((amount.minor * 780 + 50) / 100),
        _ => Err(Fault::NoRate),
    }
}

impl KeyEvent {
    /// What the event adds to a window: its value where it is the first of its payment that moves money at one of
    /// authorized, captured, completed. Where the payment counted before and its amount rises, the difference of a number
    /// and nothing of anything else; the whole, where what it was worth before could not enter.
    fn adds(&self, side: Side, what: What, features: Option<&Features>) -> Result<Option<Value>, Fault> {
        let counted = StatusSet::SETTLED;
        let stands = match side {
            Side::Debtor => self.role.is_debtor(),
            Side::Creditor => self.role.is_creditor(),
            Side::Either => true,
        };
        let event = &*self.event;
        let is_gone = match side {
            Side::Debtor => self.taken_back.is_debtor(),
            Side::Creditor => self.taken_back.is_creditor(),
            Side::Either => self.taken_back != Role::NONE,
        };
        if is_gone && what == What::Amount {
            return Ok(None);
        }
        if !stands || !event.event_type.moves_money() || !counted.has(event.status) {
            return Ok(None);
        }
        if !self.past.had(counted) {
            return self.value(self.past.worth, what);
        }
        if !self.past.rises(counted) {
            return Ok(None);
        }
        let then = self.value(self.past.worth(counted), what).ok().flatten();
        let now = self.value(self.past.worth, what)?;
        Ok(match (then, now) {
            (Some(Value::Number(then)), Some(Value::Number(now))) if what == What::Amount => {
                if let Some(features) = features {
                    features.met("windows: difference taken");
                }
                (now > then).then(|| Value::Number(now - then))
            }
            (None, now) => now,
            _ => None,
        })
    }

    fn value(&self, amount: Option<Money>, what: What) -> Result<Option<Value>, Fault> {
        Ok(match what {
            What::Event => Some(Value::Number(1)),
            What::Amount => Some(Value::Number(in_hkd(amount)?)),
            What::Counterparty => {
                // Who stands on both sides pays.
                let across = if self.role.is_debtor() { &self.event.creditor } else { &self.event.debtor };
                across.as_ref().and_then(|party| party.account.clone()).map(Value::Text)
            }
        })
    }
}

/// How far back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Back {
    /// (t − length, t].
    Span(Span),
    /// From midnight in Hong Kong.
    Day,
    /// From the beginning.
    Ever,
}

impl Back {
    fn reaches(self, then: EventTime, now: EventTime) -> bool {
        match self {
            Self::Span(length) => now.since(then) < length,
            Self::Day => then >= now.day_start(8),
            Self::Ever => true,
        }
    }
}

/// One event, with all that its key saw before it in the log.
pub struct View<'a> {
    pub before: &'a [KeyEvent],
    pub now: &'a KeyEvent,
    /// The time at which it is judged: its own, or that of a later one.
    pub at: EventTime,
    pub features: &'a Features,
}

impl View<'_> {
    /// What this event adds.
    pub fn own(&self, side: Side, what: What) -> Result<Option<Value>, Fault> {
        self.now.adds(side, what, Some(self.features))
    }

    /// What each of those before adds that do not lie after this event, with its time.
    fn earlier(&self, side: Side, what: What) -> Vec<(EventTime, Value)> {
        let adds = |seen: &KeyEvent| Some((seen.event.occurred_at, seen.adds(side, what, None).ok()??));
        self.before.iter().filter(|seen| seen.event.occurred_at <= self.at).filter_map(adds).collect()
    }

    /// The values before this event, as far back as the window reaches.
    pub fn before(&self, side: Side, what: What, back: Back) -> Vec<Value> {
        let all = self.earlier(side, what);
        if let Back::Span(length) = back
            && all.iter().any(|(then, _)| self.at.since(*then) == length)
        {
            self.features.met("windows: sample at the edge");
        }
        all.into_iter().filter(|(then, _)| back.reaches(*then, self.at)).map(|(_, value)| value).collect()
    }

    /// The same with this event's own.
    pub fn with_own(&self, side: Side, what: What, back: Back) -> Result<Vec<Value>, Fault> {
        let is_inside = back.reaches(self.now.event.occurred_at, self.at);
        let own = self.own(side, what)?.filter(|_| is_inside);
        Ok(self.before(side, what, back).into_iter().chain(own).collect())
    }

    /// How many different values of the window were not there before it began.
    pub fn new_ones(&self, side: Side, what: What, back: Back) -> Result<usize, Fault> {
        let own = self.own(side, what)?.map(|own| (self.now.event.occurred_at, own));
        let known: Vec<Value> = self
            .earlier(side, what)
            .into_iter()
            .chain(own)
            .filter(|(then, _)| !back.reaches(*then, self.at))
            .map(|(_, value)| value)
            .collect();
        Ok(distinct(self.with_own(side, what, back)?.into_iter().filter(|value| !known.contains(value))))
    }

    /// The times of later events that entered one of these windows, as far as it reaches back to this event: the first 64.
    pub fn later(&self, windows: &[(Side, What, Back)]) -> Vec<EventTime> {
        let own = self.now.event.occurred_at;
        let is_later = |seen: &&KeyEvent| seen.event.occurred_at > own;
        let enters = |seen: &&KeyEvent| {
            windows.iter().any(|(side, what, _)| matches!(seen.adds(*side, *what, None), Ok(Some(_))))
        };
        let reached = |at: &EventTime| windows.iter().any(|(.., back)| back.reaches(own, *at));
        let mut times: Vec<EventTime> =
            self.before.iter().filter(is_later).filter(enters).map(|seen| seen.event.occurred_at).collect();
        times.sort_unstable();
        times.dedup();
        times.into_iter().filter(reached).take(64).collect()
    }

    /// How long ago the last event was that the window counts.
    pub fn time_since(&self, side: Side, what: What) -> Option<Span> {
        self.earlier(side, what).into_iter().map(|(then, _)| then).max().map(|then| self.at.since(then))
    }
}

/// How many different values.
pub(super) fn distinct(values: impl IntoIterator<Item = Value>) -> usize {
    values.into_iter().collect::<std::collections::BTreeSet<_>>().len()
}

/// The numbers among values.
pub(super) fn numbers(values: Vec<Value>) -> Vec<i64> {
    let number = |value| match value {
        Value::Number(n) => Some(n),
        Value::Text(_) => None,
    };
    values.into_iter().filter_map(number).collect()
}
