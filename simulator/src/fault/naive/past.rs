//! What a payment has been through: every one of its events.

use std::sync::Arc;

use sluice_model::{
    EventTime, Money, Party, PaymentEvent, PaymentStatus, Span, StatusSet, limits::PAYMENT_HORIZON,
};

use super::{desk::ScreeningResult, features::Features};

/// What one event meets of its payment's past.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The payment's events before this one.
    pub earlier: Vec<Arc<PaymentEvent>>,
    /// What each of them made the payment worth.
    worths: Vec<Option<Money>>,
    /// How many of them came before the payment went on after an end: as another payment would.
    begun_at: usize,
    /// How many of them came up to the last end.
    ended_at: usize,
    /// Whether the event ends the payment before any money moved.
    pub ends_unpaid: bool,
    /// Whether the payment is not what it was.
    changed: bool,
    /// What the event says of each group of facts.
    says: Vec<Option<String>>,
    /// The statuses of those events before it that came since the payment last changed, with what each says of those
    /// groups and its amount.
    since: Vec<(PaymentStatus, Vec<Option<String>>, Option<Money>)>,
    /// What the event makes the payment worth: its amount, or what the captures up to it add up to.
    pub worth: Option<Money>,
    /// Whether the debtor and the creditor were named, and screened then.
    pub named: [bool; 2],
}

/// A payment that is remembered.
#[derive(Debug)]
struct Payment {
    id: String,
    events: Vec<(Arc<PaymentEvent>, ScreeningResult)>,
    /// What each of those made it worth.
    worths: Vec<Option<Money>>,
    /// Of each of those, whether it made the payment another.
    differed: Vec<bool>,
    /// See [`Past`].
    begun_at: usize,
    /// What was said of it at its home, in these words.
    said: Vec<String>,
}

/// Every payment that is remembered, and on which day of the stream each id was last heard of.
#[derive(Debug, Default)]
pub(super) struct Payments {
    payments: Vec<Payment>,
    heard: Vec<(String, i64)>,
}

/// The payment that an event belongs to, where nothing was forgotten since.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(usize);

impl Payments {
    /// The past of an event's payment; the event becomes part of it.
    ///
    /// Events of one id belong to one payment unless the debtor or the creditor is known to be another. An id that is not
    /// heard of for thirty days of the stream is forgotten.
    pub(super) fn past(
        &mut self,
        event: &Arc<PaymentEvent>,
        screened: &ScreeningResult,
        stream_time: EventTime,
        features: &Features,
    ) -> (Past, Place) {
        let id = event.payment_id();
        let same_id = self.payments.iter().any(|payment| payment.id == id);
        let fits = |payment: &Payment| payment.id == id && payment.may_have(event);
        let at = self.payments.iter().position(fits).unwrap_or_else(|| {
            if same_id {
                features.met("past: another payment of the same id");
            }
            self.payments.push(Payment {
                id: id.to_owned(),
                events: Vec::new(),
                worths: Vec::new(),
                begun_at: 0,
                differed: Vec::new(),
                said: Vec::new(),
            });
            self.payments.len() - 1
        });
        let payment = &mut self.payments[at];
        if payment.has_ended() && StatusSet::ALIVE.has(event.status) {
            features.met("past: goes on after its end");
            payment.begun_at = payment.events.len();
            payment.said.clear();
        }
        let (past, differs) = payment.past(event, screened, features);
        payment.worths.push(past.worth);
        payment.events.push((Arc::clone(event), screened.clone()));
        payment.differed.push(differs);
        let today = day(stream_time);
        match self.heard.iter_mut().find(|(heard, _)| heard == id) {
            Some((_, last)) => *last = today.max(*last),
            None => self.heard.push((id.to_owned(), today)),
        }
        self.forget(stream_time, features);
        let own = self
            .payments
            .iter()
            .position(|payment| payment.events.last().is_some_and(|(last, _)| Arc::ptr_eq(last, event)));
        (past, Place(own.unwrap_or(at)))
    }

    /// Whether something is said of the payment for the first time since it was worth as much as now; said, then.
    pub(super) fn says_new(&mut self, Place(at): Place, words: String) -> bool {
        let all: StatusSet = PaymentStatus::ALL.into_iter().collect();
        let payment = &mut self.payments[at];
        let earlier = payment.events.iter().map(|(event, _)| Arc::clone(event)).collect();
        let (worths, begun_at) = (payment.worths.clone(), payment.begun_at);
        let worth = Past { earlier, worths, begun_at, ..Past::default() }.worth(all);
        let (said, words) = (&mut payment.said, format!("{words}, worth {worth:?}"));
        let is_new = !said.contains(&words);
        if is_new {
            said.push(words);
        }
        is_new
    }

    fn forget(&mut self, stream_time: EventTime, features: &Features) {
        let oldest = day(stream_time.minus(PAYMENT_HORIZON));
        let (heard, forgotten): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.heard).into_iter().partition(|(_, last)| *last >= oldest);
        self.heard = heard;
        if !forgotten.is_empty() {
            features.met("past: forgotten");
            self.payments.retain(|payment| forgotten.iter().all(|(id, _)| *id != payment.id));
        }
    }
}

fn day(at: EventTime) -> i64 {
    at.micros().div_euclid(Span::days(1).micros())
}

impl Payment {
    /// Whether neither side of the event contradicts what is known of the payment's.
    fn may_have(&self, event: &PaymentEvent) -> bool {
        let agrees = |side: fn(&PaymentEvent) -> Option<&Party>| {
            // Account, customer, proxy: the first of which both know something decides.
            IDENTITIES.iter().find_map(|of| {
                let known = self.events.iter().rev().find_map(|(held, _)| of(side(held)?))?;
                Some(known == of(side(event)?)?)
            }) != Some(false)
        };
        agrees(debtor) && agrees(creditor)
    }

    /// Whether money has moved.
    fn is_paid(&self) -> bool {
        self.events.iter().any(|(event, _)| PAID.contains(&event.status))
    }

    /// Whether the newest event ended it before any money moved.
    fn has_ended(&self) -> bool {
        self.events.last().is_some_and(|(event, _)| UNPAID.contains(&event.status)) && !self.is_paid()
    }

    /// What an event makes the payment worth.
    fn worth_with(&self, event: &PaymentEvent, features: &Features) -> Option<Money> {
        let captures = self.events.iter().map(|(event, _)| &**event).chain([event]);
        let amounts = captures
            .filter(|event| event.status == PaymentStatus::Captured)
            .filter_map(|event| event.amount)
            .reduce(|sum, amount| match sum.currency == amount.currency {
                true => Money::new(sum.minor + amount.minor, sum.currency),
                false => amount,
            });
        let own = event.amount?;
        if event.status != PaymentStatus::Captured {
            return Some(own);
        }
        if amounts != Some(own) {
            features.met("past: captured again");
        }
        amounts
    }

    /// What an event meets, and whether it makes the payment another.
    fn past(&self, event: &PaymentEvent, screened: &ScreeningResult, features: &Features) -> (Past, bool) {
        let earlier: Vec<_> = self.events.iter().map(|(event, _)| Arc::clone(event)).collect();
        let sides: [(&str, SideOf); 2] = [("debtor", debtor), ("creditor", creditor)];
        let named = sides.map(|(role, side)| {
            self.events.iter().any(|(event, screened)| {
                side(event).is_some_and(|p| p.name.is_some() || p.name_local.is_some())
                    && screened.was_looked_at(role)
            })
        });
        // Once money has moved, nothing ends unpaid.
        let until_paid = self.events.iter().take_while(|(event, _)| !PAID.contains(&event.status));
        let ends = until_paid.enumerate().filter(|(_, (event, _))| UNPAID.contains(&event.status));
        let ended_at = ends.last().map_or(0, |(last, _)| last + 1);
        let mut past = Past {
            earlier,
            worths: self.worths.clone(),
            begun_at: self.begun_at,
            ended_at,
            ends_unpaid: UNPAID.contains(&event.status) && !self.is_paid(),
            worth: self.worth_with(event, features),
            named,
            ..Past::default()
        };
        if self.events.is_empty() {
            return (past, false);
        }
        features.met("past: next status");
        if event.debtor.is_none() && event.amount.is_none() {
            features.met("past: sparse event");
        }
        if matches!(event.status, PaymentStatus::Refunded | PaymentStatus::Disputed) {
            features.met("past: refunded or disputed");
        }
        let differs = self.other_facts(event, screened, features) | rises(&past, event, features);
        let says = |event: &PaymentEvent, screened: &ScreeningResult| {
            GROUPS.iter().map(|(_, group)| group(event, screened)).collect::<Vec<_>>()
        };
        past.changed = differs;
        past.says = says(event, screened);
        let changed_at = self.differed.iter().rposition(|differed| *differed).unwrap_or(0);
        past.since = self.events[changed_at..]
            .iter()
            .zip(&self.worths[changed_at..])
            .map(|((event, screened), worth)| (event.status, says(event, screened), *worth))
            .collect();
        if !differs
            && past.is_judged(StatusSet::ALL, event.status)
            && past.had(StatusSet::alike(event.status))
        {
            features.met("past: said again since another");
        }
        (past, differs)
    }

    /// Whether anything that a rule or a screener reads is another than when it was last told, or is told for the first
    /// time. What an event leaves out it says nothing of.
    fn other_facts(&self, event: &PaymentEvent, screened: &ScreeningResult, features: &Features) -> bool {
        let before = |group: &dyn Fn(&PaymentEvent, &ScreeningResult) -> Option<String>| {
            let now = group(event, screened)?;
            let then = self.events.iter().rev().find_map(|(event, screened)| group(event, screened));
            Some(then.as_ref() != Some(&now))
        };
        let mut changed = false;
        for (what, group) in GROUPS {
            if before(group) == Some(true) {
                features.met(what);
                changed = true;
            }
        }
        changed
    }
}

/// What an event says of a group of facts; nothing, where it leaves the group out.
type Group = &'static dyn Fn(&PaymentEvent, &ScreeningResult) -> Option<String>;

const SIDES: &str = "past: another debtor or creditor name";
const OTHERS: &str = "past: another intermediary or related party";
const FACTS: &str = "past: another fact";

const GROUPS: &[(&str, Group)] = &[
    (SIDES, &|event, _| event.debtor.as_ref().map(|party| format!("{party:?}"))),
    (SIDES, &|event, _| event.creditor.as_ref().map(|party| format!("{party:?}"))),
    (OTHERS, &|event, _| (!event.intermediaries.is_empty()).then(|| format!("{:?}", event.intermediaries))),
    (OTHERS, &|event, _| (!event.related_parties.is_empty()).then(|| format!("{:?}", event.related_parties))),
    (FACTS, &|event, _| {
        let texts = (&event.purpose, &event.remittance);
        (texts != (&None, &None)).then(|| format!("{texts:?}"))
    }),
    (FACTS, &|event, _| event.device.as_ref().map(|device| format!("{device:?}"))),
    (FACTS, &|_, screened| screened.entries()),
    ("past: another type of event", &|event, _| Some(event.event_type.name().to_owned())),
];

/// Whether the amount rose above all that the payment was worth, or is in another currency; among the events that windows
/// count, or among all.
fn rises(past: &Past, event: &PaymentEvent, features: &Features) -> bool {
    let all: StatusSet = PaymentStatus::ALL.into_iter().collect();
    let rises = past.rises(all) || (StatusSet::SETTLED.has(event.status) && past.rises(StatusSet::SETTLED));
    if let (true, Some(now), Some(before)) = (rises, past.worth, past.worth(all)) {
        features.met(if now.currency == before.currency {
            "past: amount rises"
        } else {
            "past: currency changes"
        });
    }
    rises
}

impl Past {
    /// Whether an event before had one of these statuses.
    pub fn had(&self, statuses: StatusSet) -> bool {
        let since_its_end = |at: usize, status| at >= self.ended_at || !StatusSet::ALIVE.has(status);
        let mut earlier = self.earlier.iter().enumerate();
        earlier.any(|(at, event)| statuses.has(event.status) && since_its_end(at, event.status))
    }

    /// The greatest amount at one of these statuses since the currency last changed.
    pub fn worth(&self, statuses: StatusSet) -> Option<Money> {
        let events = self.earlier.iter().zip(&self.worths).skip(self.begun_at);
        let amounts = events.filter(|(event, _)| statuses.has(event.status)).filter_map(|(_, worth)| *worth);
        amounts.reduce(|worth, amount| {
            if worth.currency == amount.currency && worth.minor >= amount.minor { worth } else { amount }
        })
    }

    /// Whether the event makes it worth more than that, or in another currency.
    pub fn rises(&self, statuses: StatusSet) -> bool {
        self.worth.is_some_and(|now| {
            self.worth(statuses).is_none_or(|worth| worth.currency != now.currency || worth.minor < now.minor)
        })
    }

    /// Whether a rule of these statuses judges the event: alive once, refunded and disputed once each, and once more
    /// whenever the payment is not what it was.
    pub fn is_judged(&self, statuses: StatusSet, status: PaymentStatus) -> bool {
        let alike: StatusSet = if StatusSet::ALIVE.has(status) {
            statuses.iter().filter(|s| StatusSet::ALIVE.has(*s)).collect()
        } else {
            StatusSet::EMPTY.with(status)
        };
        statuses.has(status) && (self.changed || !self.had(alike) || self.says_new(alike))
    }

    /// Whether the event says something that no event of these statuses has said since the payment last changed: of a
    /// group of facts; or an amount, where none of those had the greatest.
    fn says_new(&self, statuses: StatusSet) -> bool {
        let alike: Vec<_> = self.since.iter().filter(|(status, ..)| statuses.has(*status)).collect();
        let is_new_of = |group: usize| {
            self.says[group].is_some() && alike.iter().all(|(_, says, _)| says[group].is_none())
        };
        let amounts = self.since.iter().map(|(.., amount)| *amount).chain([self.worth]).flatten();
        let greatest = amounts.map(|amount| amount.minor).max();
        let is_new_amount = self.worth.is_some()
            && alike.iter().all(|(.., amount)| amount.map(|amount| amount.minor) != greatest);
        (0..self.says.len()).any(is_new_of) || is_new_amount
    }
}

/// Ends at which no money has moved.
const UNPAID: [PaymentStatus; 4] =
    [PaymentStatus::Failed, PaymentStatus::Declined, PaymentStatus::Cancelled, PaymentStatus::Expired];
/// Statuses at which money has moved, be it back.
const PAID: [PaymentStatus; 4] =
    [PaymentStatus::Captured, PaymentStatus::Completed, PaymentStatus::Refunded, PaymentStatus::Disputed];

/// A side of an event.
pub(super) type SideOf = fn(&PaymentEvent) -> Option<&Party>;

fn debtor(event: &PaymentEvent) -> Option<&Party> {
    event.debtor.as_ref()
}

fn creditor(event: &PaymentEvent) -> Option<&Party> {
    event.creditor.as_ref()
}

const IDENTITIES: [fn(&Party) -> Option<&str>; 3] = [
    |party| party.account.as_deref(),
    |party| party.customer_id.as_deref(),
    |party| party.proxy.as_ref().map(|proxy| proxy.id.as_str()),
];
