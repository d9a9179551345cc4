//! Officers act on what was published until they do: a release names alerts that somebody saw.

use sluice_core::Published;
use sluice_log::Topic;
use sluice_model::{Action, Alert, AlertId, Control, EventTime, Release};

use super::{history, log::SimLog, rng::Rng, script::Take};

/// A release of one of the payments that were held until now.
pub(super) fn release(take: Take, log: &SimLog, rng: &mut Rng) -> Option<Control> {
    let alerts = Topic::Alerts.partition(0);
    let held: Vec<Alert> = log
        .all(alerts)
        .iter()
        .filter_map(|stored| match history::published(alerts, stored) {
            Ok(Published::Alert(alert)) if alert.action != Action::Alert => Some(*alert),
            _ => None,
        })
        .collect();
    if held.is_empty() {
        return None;
    }
    let payment_id = rng.pick(&held).payment_id.clone();
    let ids = |of_it: bool| -> Vec<AlertId> {
        let alerts = held.iter().filter(|alert| (alert.payment_id == payment_id) == of_it);
        alerts.map(|alert| alert.alert_id).collect()
    };
    let alerts = match take {
        Take::All => Some(ids(true)),
        Take::First => Some(ids(true).into_iter().take(1).collect()),
        Take::None => Some(Vec::new()),
        Take::OfAnother => Some(ids(false).into_iter().take(2).collect()),
        Take::Unsaid => None,
    };
    let (case_id, at) = ("CASE-R".to_owned(), EventTime::default());
    Some(Control::Release(Release { payment_id, case_id, at, alerts }))
}
