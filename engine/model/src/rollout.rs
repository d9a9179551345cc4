//! How rules come into force: they are prepared, their windows are filled from history, they are activated. Whoever orders it,
//! a folder or an approved version, does what [`RuleSets::next`] says.

use crate::Hash256;

/// What the engine judges by, and what it is making ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RuleSets {
    /// The rule set that judges.
    pub in_force: Hash256,
    /// The rule set that was prepared to follow it.
    pub prepared: Option<Prepared>,
}

/// A rule set that was prepared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prepared {
    /// Which.
    pub rules: Hash256,
    /// Whether it may be activated without traffic having to wait for its windows.
    pub ready: bool,
    /// Records of the past that its windows have applied.
    pub applied: u64,
    /// Records of the past that there are.
    pub of: u64,
}

/// How much was ordered so far for a rule set that is to come into force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ordered {
    /// Nothing.
    Nothing,
    /// That it be prepared.
    Prepare,
    /// That it be activated.
    Activate,
}

/// What is to be done next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NextOrder {
    /// Order it to be prepared.
    Prepare,
    /// Wait: its windows are being filled, or an order is on its way.
    Wait,
    /// Order it to be activated.
    Activate,
    /// Nothing: payments are judged by it.
    Done,
}

impl RuleSets {
    /// What is to be done next so that payments are judged by these rules.
    pub fn next(&self, rules: Hash256, ordered: Ordered) -> NextOrder {
        if self.in_force == rules {
            return NextOrder::Done;
        }
        let is_ready = self.prepared.is_some_and(|prepared| prepared.rules == rules && prepared.ready);
        match ordered {
            Ordered::Nothing => NextOrder::Prepare,
            Ordered::Prepare if is_ready => NextOrder::Activate,
            Ordered::Prepare | Ordered::Activate => NextOrder::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(in_force: u8, prepared: Option<(u8, bool)>) -> RuleSets {
        let prepared =
            prepared.map(|(rules, ready)| Prepared { rules: Hash256([rules; 32]), ready, applied: 0, of: 9 });
        RuleSets { in_force: Hash256([in_force; 32]), prepared }
    }

    #[test]
    fn rules_come_into_force_one_order_after_another() {
        let next = |sets: RuleSets, ordered| sets.next(Hash256([2; 32]), ordered);
        assert_eq!(next(sets(1, None), Ordered::Nothing), NextOrder::Prepare);
        assert_eq!(next(sets(1, None), Ordered::Prepare), NextOrder::Wait, "the order is on its way");
        assert_eq!(next(sets(1, Some((2, false))), Ordered::Prepare), NextOrder::Wait);
        assert_eq!(next(sets(1, Some((2, true))), Ordered::Prepare), NextOrder::Activate);
        assert_eq!(next(sets(1, Some((2, true))), Ordered::Activate), NextOrder::Wait, "ordered once");
        assert_eq!(next(sets(2, None), Ordered::Activate), NextOrder::Done);
    }

    #[test]
    fn what_others_prepared_is_not_activated_and_what_was_never_ordered_is_prepared() {
        let next = |sets: RuleSets, ordered| sets.next(Hash256([2; 32]), ordered);
        assert_eq!(next(sets(1, Some((3, true))), Ordered::Prepare), NextOrder::Wait);
        assert_eq!(next(sets(1, Some((2, true))), Ordered::Nothing), NextOrder::Prepare);
        assert_eq!(next(sets(2, Some((3, true))), Ordered::Nothing), NextOrder::Done);
    }
}
