//! What happened to a case, in an officer's words.

use super::super::shell::{Shell, When, short};
use crate::service::TimelineEntry;

pub(crate) struct TimelineView {
    pub at: When,
    pub actor: String,
    pub kind: String,
    pub title: String,
    pub text: String,
    pub note: String,
    pub leaf: i64,
}

impl TimelineView {
    pub(crate) fn new(entry: &TimelineEntry, shell: &Shell) -> Self {
        let said = |name: &str| entry.body.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let alerts = |name: &str| {
            let ids = entry.body.get(name).and_then(|v| v.as_array()).map(Vec::as_slice).unwrap_or_default();
            let ids: Vec<_> = ids.iter().filter_map(|v| v.as_str()).map(short).collect();
            if ids.is_empty() { String::new() } else { format!("alert {}", ids.join(", ")) }
        };
        let title = match entry.kind.as_str() {
            "alert" => format!("{} alerted", said("rule_id")),
            "hold" => format!("payment {} held", said("payment_id")),
            "reject" => format!("payment {} rejected", said("payment_id")),
            "released" => format!("payment {} let go", said("payment_id")),
            "still_held" => format!("payment {} stays held: {}", said("payment_id"), alerts("alerts")),
            "corrected" => {
                format!("corrected what was answered for {}: {}", said("payment_id"), said("decision"))
            }
            "assign" if said("to").is_empty() => "unassigned".to_owned(),
            "assign" => format!("assigned to {}", said("to")),
            "comment" => "commented".to_owned(),
            "escalate" | "return" => format!("{} to {}", past(&entry.kind), entry.state.title()),
            "close" => format!("closed as {}", said("disposition")),
            "propose_suppression" => format!("proposed to suppress {}", suppressed(&said)),
            "approve_suppression" => format!("approved: {} is suppressed", suppressed(&said)),
            "revoke_suppression" => format!("ended or refused: {} is not suppressed", suppressed(&said)),
            "release" => {
                let verb = if said("hold") == "proposed" { "proposed to release" } else { "released" };
                let mut title = format!("{verb} {}", said("payment_id")).trim_end().to_owned();
                if !alerts("still_held_by").is_empty() {
                    title += &format!("; {} still holds it", alerts("still_held_by"));
                }
                title
            }
            other => past(other).to_owned(),
        };
        let text = [said("reason"), said("text")].concat();
        Self {
            at: shell.when(entry.at),
            actor: entry.actor.clone(),
            kind: entry.kind.clone(),
            title,
            text,
            note: said("discriminator"),
            leaf: entry.leaf,
        }
    }
}

/// Who is not which entry, as a timeline says it.
fn suppressed(said: &impl Fn(&str) -> String) -> String {
    format!("{} against {} of {}", said("party"), said("entry_id"), said("list"))
}

fn past(kind: &str) -> &str {
    match kind {
        "escalate" => "escalated",
        "return" => "returned",
        "freeze" => "froze",
        "unfreeze" => "ended a freeze",
        "reopen" => "reopened",
        other => other,
    }
}
