//! The form of a case page that proposes a suppression, as the suppression that it says, and the matches that it offers.

use serde::Deserialize;
use sluice_model::{Key, KeyKind};

use crate::{domain::CaseMatch, service::NewSuppression};

/// The form that proposes a suppression.
#[derive(Deserialize)]
pub(crate) struct SuppressForm {
    pub csrf: String,
    pub once: String,
    /// As [`form_value`] wrote it.
    of: String,
    disposition: String,
    #[serde(default)]
    days: String,
    text: String,
}

impl SuppressForm {
    /// The suppression that the form proposes for a case, or what it says wrongly.
    pub(crate) fn proposal(&self, case_id: &str) -> Result<NewSuppression, &'static str> {
        let (party, list, entry_id): (Key, String, String) =
            serde_json::from_str(&self.of).map_err(|_| "choose a match")?;
        Ok(NewSuppression {
            case_id: case_id.to_owned(),
            party,
            list,
            entry_id,
            disposition: self.disposition.parse().map_err(|_| "choose how they differ")?,
            days: Some(self.days.trim().parse().map_err(|_| "say for how many days")?),
            reason: self.text.clone(),
        })
    }
}

/// A match as the value of a choice.
pub(crate) fn form_value(of: &CaseMatch) -> String {
    serde_json::json!([of.party, of.list, of.entry_id]).to_string()
}

/// A match as a choice reads.
pub(crate) fn form_label(of: &CaseMatch) -> String {
    let CaseMatch { party, screened, list, entry_id, listed, .. } = of;
    let kind = if party.kind == KeyKind::Party { "institution" } else { party.kind.name() };
    format!("{kind} {} ({screened}) is not {listed} ({list} {entry_id})", party.value)
}
