//! Payments as the format before wrote them: without what they counted with, and without what their captures add up to.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use sluice_model::StatusSet;
use smallvec::SmallVec;

use super::{FACTS, Facts, Side, Worth};

#[derive(Clone, Deserialize)]
pub(crate) struct Payments {
    by_id: HashMap<u128, OfOneId>,
    by_day: BTreeMap<i64, Vec<u128>>,
}

#[derive(Clone, Deserialize)]
struct OfOneId {
    day: i64,
    payments: Vec<Payment>,
}

#[derive(Clone, Deserialize)]
struct Payment {
    statuses: StatusSet,
    debtor: Side,
    creditor: Side,
    facts: Facts,
    facts_said_at: [StatusSet; FACTS],
    latest: Option<Worth>,
    latest_said_at: StatusSet,
    settled: Option<Worth>,
    alive: Option<Worth>,
    keys: Box<str>,
    said: Vec<u64>,
}

impl From<Payments> for super::Payments {
    fn from(of: Payments) -> Self {
        let of_one_id = |(id, of): (u128, OfOneId)| {
            (id, super::OfOneId { day: of.day, payments: of.payments.into_iter().map(Into::into).collect() })
        };
        Self { by_id: of.by_id.into_iter().map(of_one_id).collect(), by_day: of.by_day }
    }
}

impl From<Payment> for super::Payment {
    /// With what it counted is not known: nothing is taken back of it.
    fn from(of: Payment) -> Self {
        Self {
            statuses: of.statuses,
            newest: None,
            debtor: of.debtor,
            creditor: of.creditor,
            facts: of.facts,
            facts_said_at: of.facts_said_at,
            latest: of.latest,
            latest_said_at: of.latest_said_at,
            settled: of.settled,
            alive: of.alive,
            captured: None,
            counted: SmallVec::new(),
            keys: of.keys,
            said: of.said,
        }
    }
}
