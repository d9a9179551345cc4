//! The words in which the model speaks: plain ones, which what was published is put into before the two are compared.

use std::{collections::BTreeSet, fmt};

use sluice_model::{Action, EventTime, Key, NotScreened, Outcome};

/// An alert: which rule, on which key, at which event, asking for what.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct ModelAlert {
    pub rule: String,
    pub key: Key,
    pub event: String,
    pub action: Action,
}

impl fmt::Display for ModelAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, key, event, action } = self;
        write!(f, "{rule} on {} at {event} asks {action:?}", name(key))
    }
}

impl ModelAlert {
    /// What it asks of the payment.
    pub(super) fn outcome(&self) -> Outcome {
        self.action.into()
    }
}

/// A key as lines name it.
pub(super) fn name(key: &Key) -> String {
    format!("{}:{}", key.kind.name(), key.value)
}

/// An input of the gathering of decisions.
#[derive(Clone, Debug)]
pub(super) enum GatherInput {
    /// What the home (`from` absent) or a key says of an event.
    Verdict {
        payment: String,
        event: String,
        at: EventTime,
        awaited: bool,
        from: Option<Key>,
        /// How many keys the home asked.
        asked: usize,
        found: Vec<ModelAlert>,
    },
    /// The event is asked for again.
    Again { at: EventTime, payment: String, event: String },
    /// Its deadline passed.
    Deadline { payment: String, event: String, found: Option<ModelAlert> },
    /// An officer lets go these alerts, or all of them.
    Released { payment: String, case: String, alerts: Option<Vec<ModelAlert>> },
    /// Stream time is set back.
    StreamTime { to: EventTime },
}

/// What one record brought about.
#[derive(Debug, Default)]
pub(super) struct Out {
    /// What is published, a line each.
    pub lines: Vec<String>,
    /// What travels between stages, a line each.
    pub between: Vec<String>,
    /// What goes to the gathering of decisions, in order.
    pub to_gather: Vec<GatherInput>,
}

impl Out {
    /// An alert, with the hold or refusal that it asks for.
    pub(super) fn alert(&mut self, said: &ModelAlert, payment: &str) {
        self.lines.push(format!("alert {said}"));
        let state = match said.action {
            Action::Alert => return,
            Action::Hold => "held",
            Action::Reject => "rejected",
        };
        self.lines.push(hold_line(payment, &said.event, state, &said.to_string(), &[]));
    }

    /// Send to the gathering, if anybody waits or the payment must not go on.
    pub(super) fn send(&mut self, input: GatherInput) {
        self.between.push(line_of(&input));
        self.to_gather.push(input);
    }

    /// Everything, as partitioned stages publish it.
    pub(super) fn all_lines(self) -> Vec<String> {
        self.lines.into_iter().chain(self.between).collect()
    }
}

/// What is published of a payment's hold, as a line.
pub(super) fn hold_line(
    payment: &str,
    event: &str,
    state: &str,
    because: &str,
    alerts: &[ModelAlert],
) -> String {
    format!("hold of {payment} at {event}: {state} because {because}; alerts {}", list(alerts))
}

/// An input of the gathering, as a line.
pub(super) fn line_of(input: &GatherInput) -> String {
    match input {
        GatherInput::Verdict { payment, event, at, awaited, from, asked, found } => {
            let from = from.as_ref().map_or_else(|| format!("home, which asked {asked}"), name);
            format!(
                "verdict on {event} of {payment} at {at:?}, awaited {awaited}, from {from}: {}",
                list(found)
            )
        }
        GatherInput::Again { at, payment, event } => format!("again {event} of {payment} at {at}"),
        GatherInput::Deadline { payment, event, found } => {
            format!("deadline of {event} of {payment}: {}", list(found.as_slice()))
        }
        GatherInput::Released { payment, case, alerts } => {
            format!("release of {payment} by {case}: {:?}", alerts.as_deref().map(list))
        }
        GatherInput::StreamTime { to } => format!("stream time {to:?}"),
    }
}

/// Alerts as a set: the order of their hashes means nothing.
pub(super) fn list(said: &[ModelAlert]) -> String {
    let all: BTreeSet<String> = said.iter().map(ModelAlert::to_string).collect();
    format!("{all:?}")
}

/// What was not screened, as a line carries it.
pub(super) fn not_screened(not: &[NotScreened]) -> String {
    let all: BTreeSet<&NotScreened> = not.iter().collect();
    format!("{all:?}")
}
