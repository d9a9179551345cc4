//! Networks of accounts: half a year of transfers in which money is collected, dispersed and led in circles.
//!
//! Where `traffic` makes everything an institution sees, this makes only who pays whom, for rules that judge by the
//! shape of an account's payments. The ordinary world has what such rules trip over: receivers whose popularity is
//! scale-free, pay days, rents, shops that open, clubs that collect their fees, friends who share a present, people
//! who move house. The groups vary in everything that a launderer can choose: size, pace, amounts, whether accounts
//! are fresh or borrowed, whether a runner comes twice.
//!
//! **Invariant.** A network is a function of its [`Config`]; no clock, no floating point.

mod groups;
mod ordinary;

use std::io;

use sluice_model::{Currency, EventTime, Money, Party, PaymentEvent, PaymentStatus, Span};

use crate::{
    chance::{self, between},
    fault::rng::Rng,
    groups::LabelledTransfer,
};

/// Accounts of one sort for so many private accounts.
const PRIVATE_PER_SHOP: usize = 40;
const PRIVATE_PER_EMPLOYER: usize = 100;
const PRIVATE_PER_LANDLORD: usize = 50;
const PRIVATE_PER_CLUB: usize = 400;

/// What network to make.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Everything follows from it.
    pub seed: u64,
    /// The first midnight.
    pub start: EventTime,
    /// How many days it spans.
    pub days: i64,
    /// How many private accounts there are; shops, employers, landlords and clubs come on top.
    pub private: usize,
    /// How many groups of each kind there are.
    pub groups: usize,
}

impl Config {
    /// Half a year of four thousand private accounts, thirty groups of each kind.
    pub const fn of_seed(seed: u64, start: EventTime) -> Self {
        Self { seed, start, days: 180, private: 4_000, groups: 30 }
    }
}

/// An account of the network, by number.
type Account = usize;

/// One payment from an account to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// When.
    pub at: EventTime,
    /// Who pays.
    pub from: usize,
    /// Who is paid.
    pub to: usize,
    /// How much, in cents.
    pub amount: i64,
    /// The group it is part of, by number and kind, if it is no ordinary one.
    pub group: Option<(usize, &'static str)>,
}

/// All transfers of a network, in the order of their times.
pub fn transfers(config: Config) -> Vec<Transfer> {
    let mut network = Network { rng: Rng::new(config.seed), config, accounts: 0, transfers: Vec::new() };
    network.live();
    network.launder();
    network.transfers.retain(|transfer| transfer.from != transfer.to);
    network.transfers.sort_by_key(|transfer| (transfer.at, transfer.from, transfer.to));
    network.transfers
}

/// The event that reports a transfer, which is the `number`th of its network.
pub fn event(number: usize, transfer: &Transfer) -> PaymentEvent {
    let mut event = PaymentEvent::new(format!("net-{number}"), transfer.at);
    event.status = PaymentStatus::Completed;
    event.method = Some("transfer".into());
    event.amount = Some(Money::new(transfer.amount, Currency::HKD));
    event.debtor = Some(party(transfer.from));
    event.creditor = Some(party(transfer.to));
    event
}

/// Write the transfers that belong to groups, as [`crate::groups::read_groups`] reads them.
///
/// # Errors
/// When the writer fails.
pub fn write_groups(transfers: &[Transfer], writer: impl io::Write) -> Result<(), csv::Error> {
    let mut rows = csv::Writer::from_writer(writer);
    for transfer in transfers {
        let Some((group, kind)) = transfer.group else { continue };
        rows.serialize(LabelledTransfer {
            alert_id: group.to_string(),
            alert_type: kind.to_owned(),
            orig_acct: name(transfer.from),
            bene_acct: name(transfer.to),
            tran_timestamp: transfer.at,
        })?;
    }
    Ok(rows.flush()?)
}

fn party(account: Account) -> Party {
    Party { account: Some(name(account)), customer_id: Some(format!("C-{account}")), ..Party::default() }
}

fn name(account: Account) -> String {
    format!("A-{account}")
}

/// A network in the making.
struct Network {
    rng: Rng,
    config: Config,
    /// How many accounts have been opened.
    accounts: usize,
    transfers: Vec<Transfer>,
}

impl Network {
    /// Open accounts: their numbers.
    fn open(&mut self, count: usize) -> std::ops::Range<Account> {
        self.accounts += count;
        self.accounts - count..self.accounts
    }

    fn pay(&mut self, at: EventTime, from: Account, to: Account, amount: i64) {
        if at < self.end() {
            self.transfers.push(Transfer { at, from, to, amount, group: None });
        }
    }

    fn end(&self) -> EventTime {
        self.config.start.plus(Span::days(self.config.days))
    }

    /// A moment between two days of the network, at an hour when people pay.
    fn moment(&mut self, from_day: i64, to_day: i64) -> EventTime {
        let day = between(from_day, to_day, &mut self.rng);
        let minute = between(8 * 60, 22 * 60, &mut self.rng);
        self.config.start.plus(Span::days(day)).plus(Span::minutes(minute))
    }

    /// When something that happens every so many days on average happens, from one day on.
    fn recurring(&mut self, from_day: i64, every_days: i64) -> Vec<EventTime> {
        let mean = Span::days(every_days).micros().unsigned_abs();
        let mut at = self.moment(from_day, from_day);
        let mut times = Vec::new();
        loop {
            at = at.plus(chance::gap(mean, &mut self.rng));
            if at >= self.end() {
                return times;
            }
            times.push(at);
        }
    }

    /// Popularity without a scale: each doubling of the rank halves the chance.
    fn popular(&mut self, of: std::ops::Range<Account>) -> Account {
        let doublings = of.len().max(1).ilog2() as usize + 1;
        let below = of.len().min(1 << self.rng.below(doublings));
        of.start + self.rng.below(below)
    }

    fn any(&mut self, of: std::ops::Range<Account>) -> Account {
        of.start + self.rng.below(of.len())
    }
}
