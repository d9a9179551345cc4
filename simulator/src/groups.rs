//! Labelled groups of laundering transactions, and how well alerts find them.
//!
//! A group is **caught** when an alert on its collecting or dispersing account falls between its first transaction
//! and the day after its last. An alert is **right** when such a group, of any kind, explains it; else it is
//! **false**. Both follow from what an officer would do with the alert: open the account and look around its day.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use serde::{Deserialize, Serialize};
use sluice_model::{Alert, EventTime, Span};

/// How long after a group's last transaction an alert still finds it.
const AFTER_LAST: Span = Span::days(1);

/// Transactions that belong together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// What the labels call it.
    pub id: String,
    /// Its kind: `fan_in`, `cycle`.
    pub typology: String,
    /// The accounts by which it can be found: those that collect from several or disperse to several; where none
    /// does (a cycle), every account.
    pub hubs: BTreeSet<String>,
    /// Its first transaction.
    pub first: EventTime,
    /// Its last transaction.
    pub last: EventTime,
}

/// One labelled transaction, by the column names of AMLSim's `alert_transactions.csv`.
#[derive(Serialize, Deserialize)]
pub(crate) struct LabelledTransfer {
    pub alert_id: String,
    pub alert_type: String,
    pub orig_acct: String,
    pub bene_acct: String,
    pub tran_timestamp: EventTime,
}

/// How well alerts found groups.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Scores {
    /// By kind of group: how many there are, and how many were caught.
    pub groups: BTreeMap<String, Caught>,
    /// By rule: how many alerts it gave, and how many a group explains.
    pub rules: BTreeMap<String, Right>,
}

/// Groups of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Caught {
    /// How many there are.
    pub groups: usize,
    /// How many were caught.
    pub caught: usize,
}

/// Alerts of one rule.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Right {
    /// How many it gave.
    pub alerts: usize,
    /// How many a group explains.
    pub right: usize,
    /// By kind of group: how many this rule caught by itself.
    pub caught: BTreeMap<String, usize>,
}

impl Right {
    /// The share of its alerts that a group explains; none without alerts.
    pub fn precision(&self) -> Option<f64> {
        (self.alerts > 0).then(|| self.right as f64 / self.alerts as f64)
    }
}

/// Read groups from labelled transactions: CSV with at least the columns `alert_id`, `alert_type`, `orig_acct`,
/// `bene_acct` and `tran_timestamp`.
///
/// # Errors
/// When the file cannot be read, or a row is not one; the message names the line.
pub fn read_groups(reader: impl io::Read) -> Result<Vec<Group>, csv::Error> {
    let mut edges: BTreeMap<String, (String, Vec<LabelledTransfer>)> = BTreeMap::new();
    for row in csv::Reader::from_reader(reader).deserialize() {
        let row: LabelledTransfer = row?;
        edges.entry(row.alert_id.clone()).or_insert_with(|| (row.alert_type.clone(), Vec::new())).1.push(row);
    }
    Ok(edges.into_iter().map(|(id, (typology, rows))| Group::of(id, typology, &rows)).collect())
}

impl Group {
    fn of(id: String, typology: String, rows: &[LabelledTransfer]) -> Self {
        let mut payers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut payees: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for row in rows {
            payers.entry(&row.bene_acct).or_default().insert(&row.orig_acct);
            payees.entry(&row.orig_acct).or_default().insert(&row.bene_acct);
        }
        let several = payers.iter().chain(&payees).filter(|(_, others)| others.len() > 1);
        let mut hubs: BTreeSet<String> = several.map(|(account, _)| (*account).to_owned()).collect();
        if hubs.is_empty() {
            hubs = payers.keys().chain(payees.keys()).map(|account| (*account).to_owned()).collect();
        }
        let times = || rows.iter().map(|row| row.tran_timestamp);
        Self {
            id,
            typology,
            hubs,
            first: times().min().unwrap_or_default(),
            last: times().max().unwrap_or_default(),
        }
    }

    /// Whether an alert on this account at this time finds the group.
    pub fn is_found_by(&self, account: &str, at: EventTime) -> bool {
        self.hubs.contains(account) && at >= self.first && at <= self.last.plus(AFTER_LAST)
    }
}

/// Hold alerts against groups.
pub fn score<'a>(groups: &[Group], alerts: impl IntoIterator<Item = &'a Alert>) -> Scores {
    let mut by_hub: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, group) in groups.iter().enumerate() {
        group.hubs.iter().for_each(|hub| by_hub.entry(hub).or_default().push(i));
    }
    let mut scores = Scores::default();
    let mut caught = vec![false; groups.len()];
    let mut by_rule: BTreeSet<(&str, usize)> = BTreeSet::new();
    for alert in alerts {
        let candidates = by_hub.get(alert.key.value.as_str()).map_or(&[][..], Vec::as_slice);
        let found =
            candidates.iter().filter(|i| groups[**i].is_found_by(&alert.key.value, alert.occurred_at));
        let rule = scores.rules.entry(alert.rule_id.clone()).or_default();
        let mut right = false;
        for i in found {
            caught[*i] = true;
            right = true;
            if by_rule.insert((&alert.rule_id, *i)) {
                *rule.caught.entry(groups[*i].typology.clone()).or_default() += 1;
            }
        }
        rule.alerts += 1;
        rule.right += usize::from(right);
    }
    for (group, caught) in groups.iter().zip(caught) {
        let kind = scores.groups.entry(group.typology.clone()).or_default();
        kind.groups += 1;
        kind.caught += usize::from(caught);
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: &str = "alert_id,alert_type,is_sar,tran_id,orig_acct,bene_acct,tx_type,base_amt,tran_timestamp\n\
        1,fan_in,True,1,10,99,TRANSFER,1.0,2017-01-02T00:00:00Z\n\
        1,fan_in,True,2,11,99,TRANSFER,1.0,2017-01-04T00:00:00Z\n\
        2,cycle,True,3,20,21,TRANSFER,1.0,2017-01-02T00:00:00Z\n\
        2,cycle,True,4,21,20,TRANSFER,1.0,2017-01-03T00:00:00Z\n";

    #[test]
    fn a_group_is_found_by_its_hub_from_its_first_transaction_to_the_day_after_its_last() {
        let groups = read_groups(LABELS.as_bytes()).unwrap();
        assert_eq!(groups[0].hubs, BTreeSet::from(["99".to_owned()]));
        assert_eq!(groups[1].hubs, BTreeSet::from(["20".to_owned(), "21".to_owned()]));
        let found = |account, at: &str| groups[0].is_found_by(account, at.parse().unwrap());
        assert!(found("99", "2017-01-02T00:00:00Z") && found("99", "2017-01-05T00:00:00Z"));
        assert!(!found("99", "2017-01-01T23:59:59Z") && !found("99", "2017-01-05T00:00:01Z"));
        assert!(!found("10", "2017-01-03T00:00:00Z"), "a payer alone does not find it");
    }
}
