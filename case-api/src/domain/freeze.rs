//! Freezes: keys whose payments are rejected, each ordered in a case.

use serde::Serialize;
use sluice_model::{EventTime, Key, KeyKind};

use super::{Case, Refusal};
use crate::stamp::Stamp;

/// A freeze that a case ordered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = FreezeRow)]
pub struct OrderedFreeze {
    /// Its place in the order of ordering.
    #[serde(skip)]
    pub seq: i64,
    /// The case.
    pub case_id: String,
    /// The kind of the frozen key.
    pub key_kind: String,
    /// The frozen key.
    pub key_value: String,
    /// Who ordered it.
    pub frozen_by: String,
    /// When.
    pub frozen_at: Stamp,
    /// Who ended it.
    pub lifted_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub lifted_at: Option<Stamp>,
}

impl OrderedFreeze {
    /// Whether it is in force.
    pub const fn is_in_force(&self) -> bool {
        self.lifted_at.is_none()
    }

    /// Whether it is of a key, however either is written: the engine thaws them together.
    fn is_of(&self, key: &Key) -> bool {
        let folded = |key: &Key| key.normalised().value.to_lowercase();
        self.key().is_some_and(|own| own.kind == key.kind && folded(&own) == folded(key))
    }

    /// What is frozen.
    pub fn key(&self) -> Option<Key> {
        Some(Key { kind: KeyKind::from_name(&self.key_kind)?, value: self.key_value.clone() })
    }
}

/// The key that a case freezes: the one that is named, or what the case is about. `ever`: the freezes that it ordered.
pub fn freeze(case: &Case, ever: &[OrderedFreeze], key: Option<&Key>) -> Result<Key, Refusal> {
    let key = match key {
        Some(key) => key.clone(),
        None => first_subject(case).ok_or(Refusal::NothingToActOn("say which key is to be frozen"))?,
    };
    if key.kind == KeyKind::Payment || key.value.is_empty() {
        let held = "a payment is held, not frozen: freeze a customer or account";
        return Err(Refusal::NothingToActOn(held));
    }
    if ever.iter().any(|freeze| freeze.is_in_force() && freeze.is_of(&key)) {
        return Err(Refusal::NothingToActOn("this case has already frozen that key"));
    }
    Ok(key)
}

/// The freeze that an officer ends: the one that they saw, not one ordered since. The engine keeps rejecting for another
/// case that froze the same key.
pub fn unfreeze<'a>(
    ever: &'a [OrderedFreeze],
    key: Option<&Key>,
    frozen_at: Option<EventTime>,
) -> Result<&'a OrderedFreeze, Refusal> {
    let of_key = |freeze: &&OrderedFreeze| key.is_none_or(|key| freeze.is_of(key));
    let mut in_force = ever.iter().filter(|freeze| freeze.is_in_force()).filter(of_key);
    let (Some(freeze), None) = (in_force.next(), in_force.next()) else {
        return Err(Refusal::NothingToActOn("say which freeze of this case is to end"));
    };
    let of_same = |other: &&OrderedFreeze| freeze.key().is_some_and(|key| other.is_of(&key));
    match frozen_at {
        Some(seen) if seen != freeze.frozen_at.0 => {
            Err(Refusal::Conflict("this key was frozen again since: look at the freeze that is in force now"))
        }
        None if ever.iter().filter(of_same).count() > 1 => Err(Refusal::NamesTooLittle(
            "this case has frozen that key more than once: name in frozen_at the freeze that ends",
        )),
        _ => Ok(freeze),
    }
}

/// What a case is about, as a key: its first subject is a customer id unless it says what else it is.
fn first_subject(case: &Case) -> Option<Key> {
    let subject = case.subjects.first()?;
    let named = subject.split_once(':').and_then(|(kind, value)| Some((KeyKind::from_name(kind)?, value)));
    let (kind, value) = named.unwrap_or((KeyKind::Customer, subject));
    Some(Key { kind, value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frozen(n: i64, value: &str, lifted: bool) -> OrderedFreeze {
        OrderedFreeze {
            seq: n,
            case_id: "CASE-1".into(),
            key_kind: "customer".into(),
            key_value: value.into(),
            frozen_by: "ines".into(),
            frozen_at: Stamp::from(n),
            lifted_by: None,
            lifted_at: lifted.then(|| Stamp::from(n + 1)),
        }
    }

    #[test]
    fn the_freeze_that_ends_is_the_one_that_was_seen() {
        let at = |micros| Some(EventTime::from_micros(micros));
        let once = [frozen(1, "C-1", false)];
        let again = [frozen(1, "C-1", true), frozen(5, "c-1", false)];
        let two = [frozen(1, "C-1", false), frozen(2, "C-2", false)];
        assert_eq!(unfreeze(&once, None, None).unwrap().seq, 1);
        assert!(matches!(unfreeze(&again, None, None), Err(Refusal::NamesTooLittle(_))));
        assert!(matches!(unfreeze(&again, None, at(1)), Err(Refusal::Conflict(_))), "frozen again since");
        assert_eq!(unfreeze(&again, None, at(5)).unwrap().seq, 5);
        assert!(matches!(unfreeze(&two, None, at(1)), Err(Refusal::NothingToActOn(_))));
        let key = Key { kind: KeyKind::Customer, value: "C-2".into() };
        assert_eq!(unfreeze(&two, Some(&key), None).unwrap().seq, 2);
    }
}
