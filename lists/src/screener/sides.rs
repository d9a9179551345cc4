//! Which sides of an event must be named, so that there is something to screen: one table, told in
//! `docs/screening.md`.

use sluice_model::{EventType, Party, PaymentEvent};

use crate::matching::normalise;

/// The sides whose names an event of a type must carry.
struct Bound {
    debtor: bool,
    creditor: bool,
    /// The side that a merchant with an id stands for.
    merchant: Merchant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Merchant {
    /// None.
    Nobody,
    /// The side that is paid.
    Creditor,
    /// Whichever side of the two is not named: money goes back from a merchant, or through one.
    Either,
}

/// The table. A top-up comes from wherever the customer has money, a withdrawal goes to the customer's own hand, and
/// an exchange has one side: only the customer can be named.
const fn bound(event_type: EventType) -> Bound {
    let (debtor, creditor, merchant) = match event_type {
        EventType::Payment | EventType::Payout => (true, true, Merchant::Creditor),
        EventType::Refund | EventType::Chargeback => (true, true, Merchant::Either),
        EventType::Topup => (false, true, Merchant::Nobody),
        EventType::Withdrawal | EventType::Fx => (true, false, Merchant::Nobody),
        EventType::Customer | EventType::Account | EventType::Authentication => {
            (false, false, Merchant::Nobody)
        }
    };
    Bound { debtor, creditor, merchant }
}

/// The sides that must be named and are not.
pub(super) fn unnamed(event: &PaymentEvent) -> impl Iterator<Item = &'static str> {
    let bound = bound(event.event_type);
    let lacks = |party: &Option<Party>| !party.as_ref().is_some_and(is_named);
    let mut debtor = bound.debtor && lacks(&event.debtor);
    let mut creditor = bound.creditor && lacks(&event.creditor);
    if event.merchant.as_ref().is_some_and(|merchant| merchant.id.is_some()) {
        match bound.merchant {
            Merchant::Nobody => {}
            Merchant::Either if creditor && debtor => creditor = false,
            Merchant::Either if !creditor => debtor = false,
            Merchant::Either | Merchant::Creditor => creditor = false,
        }
    }
    [("debtor", debtor), ("creditor", creditor)].into_iter().filter(|(_, lacks)| *lacks).map(|(side, _)| side)
}

fn is_named(party: &Party) -> bool {
    [&party.name, &party.name_local].into_iter().flatten().any(|name| !is_no_name(name))
}

/// Whether a party must be somebody: the two sides may be unnamed by policy, others have no reason
/// to be there.
pub(super) fn is_bound_to_be_told(kind: &str) -> bool {
    !matches!(kind, "debtor" | "creditor")
}

/// What sources write where a name should stand and they have none, folded: no name at all.
const NO_NAMES: [&str; 14] = [
    "na",
    "none",
    "null",
    "nil",
    "unknown",
    "notprovided",
    "notavailable",
    "notapplicable",
    "notknown",
    "noname",
    "undefined",
    "anonymous",
    "unnamed",
    "tbc",
];

/// Whether a name is none: empty, or a word that stands for one that is missing.
pub(super) fn is_no_name(name: &str) -> bool {
    if name.is_empty() {
        return true;
    }
    // Longer than any of those, however it is written.
    if name.len() > 64 {
        return false;
    }
    let folded: String = normalise::fold(name, 64).words.into_iter().map(|word| word.text).collect();
    NO_NAMES.contains(&folded.as_str())
}

#[cfg(test)]
mod tests {
    use sluice_model::{EventTime, Merchant as Shop};

    use super::*;

    fn event(
        event_type: EventType,
        debtor: Option<&str>,
        creditor: Option<&str>,
        shop: bool,
    ) -> PaymentEvent {
        let named = |name: &str| Party { name: Some(name.into()), ..Party::default() };
        PaymentEvent {
            event_type,
            debtor: debtor.map(named),
            creditor: creditor.map(named),
            merchant: shop.then(|| Shop { id: Some("M".into()), ..Shop::default() }),
            ..PaymentEvent::new("E".into(), EventTime::from_micros(0))
        }
    }

    #[test]
    fn the_sides_that_move_money_must_be_named_by_type() {
        use EventType::*;
        let all: [(EventType, &[&str]); 10] = [
            (Payment, &["debtor", "creditor"]),
            (Payout, &["debtor", "creditor"]),
            (Refund, &["debtor", "creditor"]),
            (Chargeback, &["debtor", "creditor"]),
            (Topup, &["creditor"]),
            (Withdrawal, &["debtor"]),
            (Fx, &["debtor"]),
            (Customer, &[]),
            (Account, &[]),
            (Authentication, &[]),
        ];
        for (event_type, sides) in all {
            let lacking = |debtor, creditor, shop| {
                unnamed(&event(event_type, debtor, creditor, shop)).collect::<Vec<_>>()
            };
            assert_eq!(lacking(None, None, false), sides, "{event_type:?}");
            assert_eq!(lacking(Some("NOT PROVIDED"), Some("N/A"), false), sides, "{event_type:?}");
            assert!(lacking(Some("Vasil"), Some("Pia"), false).is_empty(), "{event_type:?}");
        }
        let with_shop = |event_type, debtor, creditor| {
            unnamed(&event(event_type, debtor, creditor, true)).collect::<Vec<_>>()
        };
        assert!(with_shop(Payment, Some("Vasil"), None).is_empty(), "the merchant is paid");
        assert_eq!(with_shop(Payment, None, Some("Pia")), ["debtor"], "a merchant pays no payment");
        assert!(
            with_shop(Refund, None, Some("Pia")).is_empty()
                && with_shop(Refund, Some("Pia"), None).is_empty()
        );
        assert_eq!(with_shop(Refund, None, None), ["debtor"], "a merchant is one side");
    }

    #[test]
    fn a_word_that_stands_for_no_name_is_none() {
        for none in ["", "N/A", "n.a.", "NOTPROVIDED", "Not provided", "ｎｕｌｌ", "U\u{200B}nknown"] {
            assert!(is_no_name(none), "{none}");
        }
        for name in ["Na Li", "Nonee", "陳", "Anonymous Ltd", "."] {
            assert!(!is_no_name(name), "{name}");
        }
    }
}
