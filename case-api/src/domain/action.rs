//! What an officer can do to a case.

use serde::{Deserialize, Serialize};
use sluice_model::{AlertId, EventTime, Key};

use super::{Closing, Refusal, check_text};
use crate::limits::NOTE_CHARS_MAX;

/// One act on a case. The JSON is what `POST /v1/cases/{id}/actions` takes and what the evidence keeps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Act {
    /// Give the case to an officer; nobody where `to` is absent.
    Assign {
        /// The officer's sign-in name.
        #[serde(default)]
        to: Option<String>,
    },
    /// Say something.
    Comment {
        /// What.
        text: String,
    },
    /// Hand the case up: to investigation, from there to the MLRO.
    Escalate {
        /// Why.
        reason: String,
    },
    /// Hand the case back down one step.
    Return {
        /// Why.
        reason: String,
    },
    /// Reject every payment of a key from the next one on.
    Freeze {
        /// What is frozen; the case's first subject as a customer where it is absent.
        #[serde(default)]
        #[schema(value_type = Option<Object>)]
        key: Option<Key>,
        /// Why.
        reason: String,
    },
    /// End a freeze of this case: the one that was seen, not one ordered since.
    Unfreeze {
        /// What was frozen; the case's only freeze where it is absent.
        #[serde(default)]
        #[schema(value_type = Option<Object>)]
        key: Option<Key>,
        /// When the freeze that ends was ordered. It may be left out where the case has frozen the key once only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, format = DateTime)]
        frozen_at: Option<EventTime>,
        /// Why.
        reason: String,
    },
    /// Let a held payment go from the alerts that were seen to hold it, or propose it. What else holds it keeps it.
    Release {
        /// The payment; the one that the alerts hold where it is absent.
        #[serde(default)]
        payment_id: Option<String>,
        /// The alerts that were seen. They may be left out where one alert of the case, ever, has held the payment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<Vec<String>>)]
        alerts: Option<Vec<AlertId>>,
        /// Why.
        reason: String,
    },
    /// End the case.
    Close(Closing),
    /// Take up a closed case again.
    Reopen {
        /// Why.
        reason: String,
    },
}

/// The kind of an act, without what is said in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "as `Act`")]
pub enum ActKind {
    Assign,
    Comment,
    Escalate,
    Return,
    Freeze,
    Unfreeze,
    Release,
    Close,
    Reopen,
}

impl ActKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Assign,
        Self::Comment,
        Self::Escalate,
        Self::Return,
        Self::Freeze,
        Self::Unfreeze,
        Self::Release,
        Self::Close,
        Self::Reopen,
    ];

    /// The name in JSON, evidence and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assign => "assign",
            Self::Comment => "comment",
            Self::Escalate => "escalate",
            Self::Return => "return",
            Self::Freeze => "freeze",
            Self::Unfreeze => "unfreeze",
            Self::Release => "release",
            Self::Close => "close",
            Self::Reopen => "reopen",
        }
    }
}

impl Act {
    /// Its kind.
    pub const fn kind(&self) -> ActKind {
        match self {
            Self::Assign { .. } => ActKind::Assign,
            Self::Comment { .. } => ActKind::Comment,
            Self::Escalate { .. } => ActKind::Escalate,
            Self::Return { .. } => ActKind::Return,
            Self::Freeze { .. } => ActKind::Freeze,
            Self::Unfreeze { .. } => ActKind::Unfreeze,
            Self::Release { .. } => ActKind::Release,
            Self::Close(_) => ActKind::Close,
            Self::Reopen { .. } => ActKind::Reopen,
        }
    }

    /// Every text an officer wrote in it.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let (required, more) = match self {
            Self::Assign { .. } => (None, None),
            Self::Comment { text } => (Some(text), None),
            Self::Escalate { reason }
            | Self::Return { reason }
            | Self::Freeze { reason, .. }
            | Self::Unfreeze { reason, .. }
            | Self::Release { reason, .. }
            | Self::Reopen { reason } => (Some(reason), None),
            Self::Close(closing) => (Some(&closing.reason), closing.discriminator.as_ref()),
        };
        required.into_iter().chain(more).map(String::as_str)
    }

    /// Whether what must be said is said, and nothing is too long.
    pub fn check_texts(&self) -> Result<(), Refusal> {
        match self {
            // A discriminator that is not needed may be left empty in a form.
            Self::Close(Closing { reason, .. }) => {
                check_text(reason)?;
                let fits = self.texts().all(|text| text.chars().count() <= NOTE_CHARS_MAX);
                if fits { Ok(()) } else { Err(Refusal::BadText) }
            }
            _ => self.texts().try_for_each(check_text),
        }
    }
}
