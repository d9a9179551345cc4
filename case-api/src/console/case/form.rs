//! The form of a case page, as the act that it says.

use serde::Deserialize;
use sluice_model::{AlertId, EventTime, Key, KeyKind};

use crate::domain::{Act, Closing};

/// A form of the case page. Which fields matter depends on the act.
#[derive(Deserialize, Default)]
pub(crate) struct ActForm {
    pub csrf: String,
    pub once: String,
    pub action: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    key_kind: String,
    #[serde(default)]
    key_value: String,
    #[serde(default)]
    payment_id: String,
    /// The alerts that the page showed, separated by commas.
    #[serde(default)]
    alerts: String,
    #[serde(default)]
    disposition: String,
    #[serde(default)]
    discriminator: String,
    #[serde(default)]
    suppress_days: String,
}

impl ActForm {
    /// The act that the form says, or what it says wrongly.
    pub(crate) fn act(&self) -> Result<Act, &'static str> {
        let reason = self.text.clone();
        let some = |text: &String| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
        let kind = || KeyKind::from_name(&self.key_kind).ok_or("choose what is to be frozen");
        Ok(match self.action.as_str() {
            "assign" => Act::Assign { to: some(&self.to) },
            "comment" => Act::Comment { text: reason },
            "escalate" => Act::Escalate { reason },
            "return" => Act::Return { reason },
            "freeze" => {
                let kind = kind()?;
                Act::Freeze { key: some(&self.key_value).map(|value| Key { kind, value }), reason }
            }
            "unfreeze" => {
                let which = "choose which freeze is to end";
                let (at, key) = self.key_value.split_once('|').ok_or(which)?;
                let frozen_at: EventTime = at.parse().map_err(|_| which)?;
                let (kind, value) = key.split_once(':').ok_or(which)?;
                let kind = KeyKind::from_name(kind).ok_or(which)?;
                let key = Some(Key { kind, value: value.to_owned() });
                Act::Unfreeze { key, frozen_at: Some(frozen_at), reason }
            }
            "release" => {
                let ids = self.alerts.split(',').filter(|id| !id.is_empty());
                let alerts: Result<Vec<AlertId>, _> = ids.map(str::parse).collect();
                let alerts = alerts.map_err(|_| "this form names no alert: reload the page")?;
                Act::Release { payment_id: some(&self.payment_id), alerts: Some(alerts), reason }
            }
            "close" => Act::Close(Closing {
                disposition: self.disposition.parse().map_err(|_| "choose a disposition")?,
                discriminator: some(&self.discriminator),
                suppress_days: some(&self.suppress_days)
                    .map(|days| days.parse())
                    .transpose()
                    .map_err(|_| "say for how many days, in figures")?,
                reason,
            }),
            "reopen" => Act::Reopen { reason },
            _ => return Err("this form names no act"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ActKind;

    #[test]
    fn every_act_has_a_form() {
        for kind in ActKind::ALL {
            let form = ActForm {
                action: kind.name().into(),
                text: "because".into(),
                key_kind: "customer".into(),
                key_value: match kind {
                    ActKind::Unfreeze => "2026-11-20T18:30:00Z|customer:C-1".into(),
                    _ => "C-1".into(),
                },
                disposition: "MON".into(),
                ..ActForm::default()
            };
            assert_eq!(form.act().map(|act| act.kind()), Ok(kind));
        }
        assert!(ActForm::default().act().is_err());
        let nothing_chosen =
            ActForm { action: "unfreeze".into(), key_value: "C-1".into(), ..ActForm::default() };
        assert!(nothing_chosen.act().is_err());
    }
}
