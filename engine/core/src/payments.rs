//! What each payment has been through, so that it counts once in a window however many events it has, and is judged
//! again where it is not what it was.
//!
//! Events of one `payment_id` belong to one payment unless they name another pair of sides: what contradicts the sides
//! known so far is another payment that was given the same id, with a past of its own.

pub(crate) mod v9;

#[expect(deprecated, reason = "the stable SipHasher is wanted: its output is specified")]
use std::hash::SipHasher;
use std::{
    collections::{BTreeMap, HashMap},
    hash::{Hash, Hasher},
};

use serde::{Deserialize, Serialize};
use sluice_model::{
    Counted, Currency, EventTime, Key, KeyKind, Money, Party, PaymentEvent, PaymentPast, PaymentStatus, Role,
    Span, StatusSet, limits::PAYMENT_HORIZON,
};
use smallvec::SmallVec;

use crate::{dedupe::id_hash, wire::Screened};

/// Payments are forgotten a day of stream time at a time.
const BUCKET: Span = Span::days(1);
/// Payments that share an id: beyond it the one heard of longest ago is forgotten, and judged anew should it go on.
const PAYMENTS_OF_ONE_ID_MAX: usize = 64;
/// Findings that are remembered of one payment; what is not remembered is said again.
const SAID_MAX: usize = 64;
/// Amounts that are remembered of one payment to be taken back: one that rose more often stays counted.
const COUNTED_MAX: usize = 8;
/// Ends a key among a payment's: a sign that no identifier has.
const END_OF_KEY: char = '\u{1f}';
/// What stands among a payment's keys, in this order.
const KEYS: [(KeyKind, Role); 4] = [
    (KeyKind::Account, Role::DEBTOR),
    (KeyKind::Customer, Role::DEBTOR),
    (KeyKind::Account, Role::CREDITOR),
    (KeyKind::Customer, Role::CREDITOR),
];

/// The payments of the last [`PAYMENT_HORIZON`] since their latest event.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Payments {
    by_id: HashMap<u128, OfOneId, rustc_hash::FxBuildHasher>,
    by_day: BTreeMap<i64, Vec<u128>>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct OfOneId {
    /// The bucket in which they will be looked at again.
    day: i64,
    /// Heard of longest ago first. Apart from the table, whose spare room would be as wide as they are.
    payments: Vec<Payment>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Payment {
    statuses: StatusSet,
    /// The time and status of its newest event.
    newest: Option<(EventTime, PaymentStatus)>,
    debtor: Side,
    creditor: Side,
    facts: Facts,
    /// The statuses at which each of the facts was said since the payment last changed.
    facts_said_at: [StatusSet; FACTS],
    /// The greatest amount since then, and the statuses at which it was said.
    latest: Option<Worth>,
    latest_said_at: StatusSet,
    /// The greatest amount at a status that windows count unless they say otherwise.
    settled: Option<Worth>,
    /// The greatest amount at any status.
    alive: Option<Worth>,
    /// What its captures add up to.
    captured: Option<Worth>,
    /// The amounts with which it counted, until money moves.
    counted: SmallVec<[CountedWorth; 1]>,
    /// The accounts and customers on its sides, each followed by [`END_OF_KEY`]: debtor's account, debtor's customer,
    /// creditor's account, creditor's customer.
    keys: Box<str>,
    /// Hashes of what was found already.
    said: Vec<u64>,
}

/// Who stands on a side, as far as it tells payments of one id apart: hashes, zero where nothing is known.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Side {
    /// Account, customer, proxy: the first of which both of two events know something decides.
    ids: [u32; 3],
    /// Whether the side has been named, and screened then.
    named: bool,
}

/// How many groups of facts [`Facts`] has.
const FACTS: usize = 12;

/// A hash of each group of facts that a rule or a screener reads; zero where an event does not have it. An event that
/// leaves a group out says nothing of it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Facts {
    parties: [u64; 4],
    others: [u32; 7],
    matches: u64,
}

/// An amount as snapshots carry it.
#[derive(Clone, Copy, Hash, Debug, Serialize, Deserialize)]
struct Worth {
    minor: i64,
    currency: Currency,
}

/// An amount with which a payment counted, as snapshots carry it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct CountedWorth {
    at: EventTime,
    status: PaymentStatus,
    worth: Worth,
}

/// A payment's past, as one of its events meets it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct PaymentView {
    /// What rules read of it.
    pub past: PaymentPast,
    /// Whether an earlier event named the debtor.
    pub debtor_named: bool,
    /// Whether an earlier event named the creditor.
    pub creditor_named: bool,
    /// The accounts and customers of sides that this event leaves out: their windows count the payment all the same.
    pub left_out: Vec<(Key, Role)>,
}

/// The payment that an event belongs to: where [`Payments::apply`] found or put it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PaymentPlace {
    id: u128,
    at: usize,
}

impl Payments {
    /// The past of this event's payment; the event itself is remembered. `attributes` are those that a rule may read.
    pub(crate) fn apply<'a>(
        &mut self,
        event: &PaymentEvent,
        screened: &Screened,
        attributes: impl Iterator<Item = &'a str>,
        stream_time: EventTime,
    ) -> (PaymentView, PaymentPlace) {
        let id = id_hash(event.payment_id());
        let day = day(stream_time);
        let of_id = self.by_id.entry(id).or_default();
        if of_id.payments.is_empty() || of_id.day < day {
            of_id.day = day.max(of_id.day);
            self.by_day.entry(day).or_default().push(id);
        }
        let is_screened =
            |role: &str| screened.not_screened.iter().all(|not| !not.role.is_empty() && not.role != role);
        let sides = [
            Side::of(event.debtor.as_ref(), is_screened("debtor")),
            Side::of(event.creditor.as_ref(), is_screened("creditor")),
        ];
        let facts = Facts::of(event, screened, attributes, id);
        let is_it = |payment: &Payment| {
            !payment.debtor.contradicts(&sides[0]) && !payment.creditor.contradicts(&sides[1])
        };
        let at = of_id.payments.iter().position(is_it);
        let at = at.unwrap_or_else(|| {
            if of_id.payments.len() >= PAYMENTS_OF_ONE_ID_MAX {
                of_id.payments.remove(0);
            }
            of_id.payments.reserve_exact(1);
            of_id.payments.push(Payment::default());
            of_id.payments.len() - 1
        });
        let known = of_id.payments[at].apply(event, &sides, &facts);
        self.forget(stream_time);
        (known, PaymentPlace { id, at })
    }

    /// Whether a finding says something new of its payment; remembered if so. Of a payment that is worth more than it
    /// was, everything is new: what was let go was let go for less.
    pub(crate) fn says_new(&mut self, place: PaymentPlace, finding: &impl Hash) -> bool {
        let Some(payment) = self.by_id.get_mut(&place.id).and_then(|of_id| of_id.payments.get_mut(place.at))
        else {
            return true;
        };
        let finding = hash_under(place.id, &(finding, payment.alive));
        if payment.said.contains(&finding) {
            return false;
        }
        if payment.said.len() < SAID_MAX {
            payment.said.push(finding);
        }
        true
    }

    fn forget(&mut self, stream_time: EventTime) {
        let oldest = day(stream_time.minus(PAYMENT_HORIZON));
        while let Some(bucket) = self.by_day.first_entry().filter(|bucket| *bucket.key() < oldest) {
            let day = *bucket.key();
            for id in bucket.remove() {
                // A later event moved the payment to a later bucket, where it is looked at again.
                if self.by_id.get(&id).is_some_and(|of_id| of_id.day <= day) {
                    self.by_id.remove(&id);
                }
            }
        }
    }
}

impl Payment {
    fn apply(&mut self, event: &PaymentEvent, sides: &[Side; 2], facts: &Facts) -> PaymentView {
        let other_facts = self.facts.take_over(facts);
        if self.has_ended() && StatusSet::ALIVE.has(event.status) {
            self.begin_anew();
        }
        let captured = self.capture(event);
        let worth = captured.or(event.amount);
        let (settled, alive) = (self.settled, self.alive);
        let raised = raise(&mut self.alive, worth);
        let counts = StatusSet::SETTLED.has(event.status) && raise(&mut self.settled, worth);
        // It counted before its amount was known: all of it is still to be added.
        let nothing = worth.filter(|_| self.statuses.meets(StatusSet::ALIVE));
        let nothing = nothing.map(|worth| Worth { minor: 0, currency: worth.currency });
        let counted = match (counts, settled) {
            (true, Some(worth)) => Some(worth),
            (true, None) if self.statuses.meets(StatusSet::SETTLED) => nothing,
            // What was authorized may have been more in another currency: then nothing of it is new.
            _ if raised && (counts || !StatusSet::SETTLED.has(event.status)) => alive.or(nothing),
            _ => None,
        };
        let changed = other_facts || raised || counts;
        let said_at = self.said_at((event, worth), facts, changed);
        let known = PaymentView {
            past: PaymentPast {
                prior: self.statuses,
                said_at,
                counted: counted.map(Worth::money),
                captured,
                uncounted: self.end(event.status),
                illegal_after: self.follow(event),
            },
            debtor_named: self.debtor.named,
            creditor_named: self.creditor.named,
            left_out: self.keys_left_out(event),
        };
        if raised || counts || StatusSet::PAID.has(event.status) {
            self.remember_counted(event, worth);
        }
        self.statuses = self.statuses.with(event.status);
        self.debtor.take_over(&sides[0]);
        self.creditor.take_over(&sides[1]);
        known
    }

    /// Add a capture to those before it. What they add up to, where there are several.
    fn capture(&mut self, event: &PaymentEvent) -> Option<Money> {
        let amount = event.amount.filter(|_| event.status == PaymentStatus::Captured)?;
        let before = self.captured.filter(|before| before.currency == amount.currency);
        let minor = before.map_or(0, |before| before.minor).saturating_add(amount.minor);
        self.captured = Some(Worth { minor, currency: amount.currency });
        before.map(|_| Money::new(minor, amount.currency))
    }

    /// Forget what it counted with, once it has ended, and all that was said of it: it goes on all the same, as a payment
    /// of which nothing is known.
    fn begin_anew(&mut self) {
        self.said.clear();
        (self.settled, self.alive) = (None, None);
    }

    /// Remember an amount to be taken back, until money moves.
    fn remember_counted(&mut self, event: &PaymentEvent, worth: Option<Money>) {
        if StatusSet::PAID.has(event.status) {
            self.counted = SmallVec::new();
        } else if let Some(Money { minor, currency }) = worth.filter(|_| StatusSet::ALIVE.has(event.status))
            && self.counted.len() <= COUNTED_MAX
        {
            let worth = Worth { minor, currency };
            self.counted.push(CountedWorth { at: event.occurred_at, status: event.status, worth });
        }
    }

    /// The amounts that the payment counted with, where the event ends it before any money moved.
    fn end(&mut self, status: PaymentStatus) -> Vec<Counted> {
        if !StatusSet::UNPAID.has(status) || self.statuses.meets(StatusSet::PAID) {
            return Vec::new();
        }
        self.statuses = self.statuses.without(StatusSet::ALIVE);
        let counted = std::mem::take(&mut self.counted);
        let all = counted.iter().filter(|_| counted.len() <= COUNTED_MAX);
        all.map(|one| Counted { at: one.at, status: one.status, worth: one.worth.money() }).collect()
    }

    fn has_ended(&self) -> bool {
        self.statuses.meets(StatusSet::UNPAID) && !self.statuses.meets(StatusSet::PAID.and(StatusSet::ALIVE))
    }

    /// The status that the payment had, where it may not come from there to the event's. An event that comes late says
    /// nothing of the order of statuses.
    fn follow(&mut self, event: &PaymentEvent) -> Option<PaymentStatus> {
        let (newest, before) = self.newest.unwrap_or((event.occurred_at, event.status));
        if event.occurred_at < newest {
            return None;
        }
        self.newest = Some((event.occurred_at, event.status));
        (!event.status.may_follow(before)).then_some(before)
    }

    /// The statuses at which each thing that the event says was said before, since the payment last changed; said at
    /// the event's own from now on.
    fn said_at(
        &mut self,
        (event, worth): (&PaymentEvent, Option<Money>),
        facts: &Facts,
        changed: bool,
    ) -> SmallVec<[StatusSet; 4]> {
        if changed {
            self.facts_said_at = Default::default();
            self.latest = None;
        }
        let mut before = SmallVec::new();
        let mut say = |said_at: &mut StatusSet| {
            if !before.contains(said_at) {
                before.push(*said_at);
            }
            *said_at = said_at.with(event.status);
        };
        for (said_at, fact) in self.facts_said_at.iter_mut().zip(facts.iter()) {
            if fact != 0 {
                say(said_at);
            }
        }
        if let Some(amount) = worth {
            if raise(&mut self.latest, Some(amount)) {
                self.latest_said_at = StatusSet::EMPTY;
            }
            let mut said_at = self.latest_said_at;
            say(&mut said_at);
            // A smaller amount than the greatest does not say it.
            if self.latest.is_some_and(|latest| latest.minor == amount.minor) {
                self.latest_said_at = said_at;
            }
        }
        before
    }

    /// Remember the keys that an event has, and give those of a side of which it has none.
    fn keys_left_out(&mut self, event: &PaymentEvent) -> Vec<(Key, Role)> {
        fn of(party: Option<&Party>) -> [Option<&str>; 2] {
            party.map_or([None; 2], |p| [p.account.as_deref(), p.customer_id.as_deref()])
        }
        let ([a, b], [c, d]) = (of(event.debtor.as_ref()), of(event.creditor.as_ref()));
        let here = [a, b, c, d];
        let held: Vec<&str> = self.keys.split(END_OF_KEY).collect();
        let held = |at: usize| held.get(at).copied().unwrap_or_default();
        let is_silent =
            |role: Role| KEYS.iter().zip(here).all(|((_, side), value)| *side != role || value.is_none());
        let left_out =
            KEYS.iter().enumerate().filter(|(at, (_, role))| is_silent(*role) && !held(*at).is_empty());
        let left_out = left_out
            .map(|(at, (kind, role))| (Key { kind: *kind, value: held(at).to_owned() }, *role))
            .collect();
        let says_new =
            here.iter().enumerate().any(|(at, value)| value.is_some_and(|value| value != held(at)));
        if says_new {
            let all = here.iter().enumerate().flat_map(|(at, value)| {
                value.unwrap_or_else(|| held(at)).chars().chain(std::iter::once(END_OF_KEY))
            });
            self.keys = all.collect::<String>().into();
        }
        left_out
    }
}

/// Keep the greater amount, or the one in another currency. Whether that is another than before.
fn raise(worth: &mut Option<Worth>, amount: Option<Money>) -> bool {
    let Some(Money { minor, currency }) = amount else { return false };
    if worth.is_some_and(|held| held.currency == currency && held.minor >= minor) {
        return false;
    }
    *worth = Some(Worth { minor, currency });
    true
}

impl Worth {
    fn money(self) -> Money {
        Money::new(self.minor, self.currency)
    }
}

impl Side {
    fn of(party: Option<&Party>, is_screened: bool) -> Self {
        let Some(party) = party else { return Self::default() };
        let hash = |id: Option<&str>| id.map_or(0, |id| nonzero(hash_under(0, &id)) as u32 | 1);
        Self {
            ids: [
                hash(party.account.as_deref()),
                hash(party.customer_id.as_deref()),
                hash(party.proxy.as_ref().map(|proxy| proxy.id.as_str())),
            ],
            named: is_screened && (party.name.is_some() || party.name_local.is_some()),
        }
    }

    fn contradicts(&self, other: &Self) -> bool {
        let both = self.ids.iter().zip(&other.ids).find(|(held, new)| **held != 0 && **new != 0);
        both.is_some_and(|(held, new)| held != new)
    }

    fn take_over(&mut self, other: &Self) {
        for (held, new) in self.ids.iter_mut().zip(other.ids) {
            if new != 0 {
                *held = new;
            }
        }
        self.named |= other.named;
    }
}

impl Facts {
    fn of<'a>(
        event: &PaymentEvent,
        screened: &Screened,
        attributes: impl Iterator<Item = &'a str>,
        id: u128,
    ) -> Self {
        let some = |is_there: bool, fact: &dyn Fn() -> u64| if is_there { nonzero(fact()) } else { 0 };
        let texts = (&event.purpose, &event.remittance);
        let channel = (&event.method, &event.channel, event.direction);
        let declared: Vec<_> = attributes.filter_map(|name| event.attributes.get_key_value(name)).collect();
        let entries: Vec<_> = screened
            .matches
            .iter()
            .flat_map(|found| {
                found.matches.iter().map(|hit| (&found.role, &found.name, &hit.list, &hit.entry_id))
            })
            .collect();
        Self {
            parties: [
                some(event.debtor.is_some(), &|| hash_under(id, &event.debtor)),
                some(event.creditor.is_some(), &|| hash_under(id, &event.creditor)),
                some(!event.intermediaries.is_empty(), &|| hash_under(id, &event.intermediaries)),
                some(!event.related_parties.is_empty(), &|| hash_under(id, &event.related_parties)),
            ],
            others: [
                some(texts != (&None, &None), &|| hash_under(id, &texts)),
                some(channel != (&None, &None, None), &|| hash_under(id, &channel)),
                some(event.device.is_some(), &|| hash_under(id, &event.device)),
                some(event.card.is_some(), &|| hash_under(id, &event.card)),
                some(event.merchant.is_some(), &|| hash_under(id, &event.merchant)),
                some(!declared.is_empty(), &|| hash_under(id, &declared)),
                some(true, &|| hash_under(id, &event.event_type)),
            ]
            .map(|hash| (hash as u32) | u32::from(hash != 0)),
            matches: some(!entries.is_empty(), &|| hash_under(id, &entries)),
        }
    }

    fn iter(&self) -> impl Iterator<Item = u64> {
        let others = self.others.iter().map(|fact| u64::from(*fact));
        self.parties.iter().copied().chain(others).chain([self.matches])
    }

    /// Take over what an event says. Whether any of it is another than what was known.
    fn take_over(&mut self, new: &Self) -> bool {
        let mut changed = false;
        let mut one = |held: &mut u64, new: u64| {
            if new != 0 {
                changed |= *held != new;
                *held = new;
            }
        };
        self.parties.iter_mut().zip(new.parties).for_each(|(held, new)| one(held, new));
        one(&mut self.matches, new.matches);
        for (held, new) in self.others.iter_mut().zip(new.others) {
            if new != 0 {
                changed |= *held != new;
                *held = new;
            }
        }
        changed
    }
}

fn day(at: EventTime) -> i64 {
    at.micros().div_euclid(BUCKET.micros())
}

fn nonzero(hash: u64) -> u64 {
    hash.max(1)
}

/// A hash that nobody can work out before the payment's id is known.
fn hash_under(id: u128, fact: &impl Hash) -> u64 {
    #[expect(deprecated, reason = "the stable SipHasher is wanted: its output is specified")]
    let mut hasher = SipHasher::new_with_keys((id >> 64) as u64, id as u64);
    fact.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use sluice_model::{Card, Device, Direction, ListMatch, Merchant, PartyMatch, RelatedParty};

    use super::*;

    fn facts(event: &PaymentEvent, screened: &Screened) -> Vec<u64> {
        Facts::of(event, screened, ["segment"].into_iter(), 7).iter().collect()
    }

    /// What a rule reads is in one group; an event that leaves it out says nothing of it.
    #[test]
    fn each_group_of_facts_is_silent_where_the_event_is_and_changes_with_it() {
        let plain = PaymentEvent::new("E".to_owned(), EventTime::from_micros(0));
        let none = facts(&plain, &Screened::default());
        assert_eq!(none.len(), FACTS);
        assert_eq!(none.iter().filter(|fact| **fact != 0).count(), 1, "its type alone");
        let party = |name: &str| Party { name: Some(name.to_owned()), ..Party::default() };
        let set: [fn(&mut PaymentEvent, &str, Party); 13] = [
            |event, _, party| event.debtor = Some(party),
            |event, _, party| event.creditor = Some(party),
            |event, _, party| event.intermediaries = vec![party],
            |event, text, party| event.related_parties = vec![RelatedParty { role: text.to_owned(), party }],
            |event, text, _| event.purpose = Some(text.to_owned()),
            |event, text, _| event.remittance = Some(text.to_owned()),
            |event, text, _| event.method = Some(text.to_owned()),
            |event, text, _| event.channel = Some(text.to_owned()),
            |event, text, _| {
                event.direction = Some(if text == "a" { Direction::Inbound } else { Direction::Outbound })
            },
            |event, text, _| event.device = Some(Device { id: Some(text.to_owned()), ..Device::default() }),
            |event, text, _| event.card = Some(Card { token: Some(text.to_owned()), ..Card::default() }),
            |event, text, _| {
                event.merchant = Some(Merchant { id: Some(text.to_owned()), ..Merchant::default() })
            },
            |event, text, _| drop(event.attributes.insert("segment".to_owned(), text.into())),
        ];
        for (n, set) in set.into_iter().enumerate() {
            let [one, other] = ["a", "b"].map(|text| {
                let mut event = plain.clone();
                set(&mut event, text, party(text));
                facts(&event, &Screened::default())
            });
            let said = (0..FACTS).filter(|at| one[*at] != none[*at]).collect::<Vec<_>>();
            let [at] = said[..] else { panic!("{n}: {said:?}") };
            assert_eq!(none[at], 0, "{n}");
            assert!(one[at] != 0 && other[at] != 0 && one[at] != other[at], "{n}");
        }
        let mut undeclared = plain.clone();
        undeclared.attributes.insert("other".to_owned(), "a".into());
        assert_eq!(facts(&undeclared, &Screened::default()), none, "no rule can read it");
        let hit = ListMatch {
            score: 1.0,
            list: "un".to_owned(),
            version: String::new(),
            entry_id: "1".to_owned(),
            name: String::new(),
            reasons: Vec::new(),
        };
        let met = PartyMatch { role: String::new(), name: String::new(), party: None, matches: vec![hit] };
        let met = facts(&plain, &Screened { matches: vec![met], ..Screened::default() });
        assert!(none[FACTS - 1] == 0 && met[FACTS - 1] != 0);
        assert_eq!(met[..FACTS - 1], none[..FACTS - 1]);
    }
}
