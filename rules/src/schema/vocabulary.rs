//! The words of closed vocabularies, from the model's own names.

use sluice_model::{Direction, EntryKind, EventType, MethodGroup, PaymentStatus};

/// The names of all values of an enum of the model.
macro_rules! names {
    ($of:ty) => {{
        const NAMES: [&str; <$of>::ALL.len()] = {
            let mut names = [""; <$of>::ALL.len()];
            let mut i = 0;
            while i < names.len() {
                names[i] = <$of>::ALL[i].name();
                i += 1;
            }
            names
        };
        &NAMES
    }};
}

pub(super) const STATUSES: &[&str] = names!(PaymentStatus);
pub(super) const EVENT_TYPES: &[&str] = names!(EventType);
pub(super) const DIRECTIONS: &[&str] = names!(Direction);
pub(super) const ENTRY_KINDS: &[&str] = names!(EntryKind);
pub(super) const METHOD_GROUPS: &[&str] = names!(MethodGroup);
