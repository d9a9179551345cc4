//! Who pays and is paid: few, so that their windows meet, filter and overflow often, and lists name them often.

use sluice_model::{Party, Proxy, RelatedParty, limits::NAME_CHARS_MAX};

use super::super::rng::Rng;

/// How many.
pub(super) const CUSTOMERS: usize = 7;

/// Invented; the lists of the simulation name the third and the last.
pub(crate) const NAMES: [&str; CUSTOMERS] = [
    "Wong Ka Yan",
    "Peter Lindqvist",
    "Borislav Tremontov",
    "Chan Siu Ming",
    "Amara Okonjo",
    "Farid Darvishan",
    "Golden Lantern Trading Limited",
];

/// The birth date of a child, for as long as a simulation runs.
pub(crate) const YOUNG: &str = "2015-05-05";
/// The birth date of a grown person.
const GROWN: &str = "1960-01-01";

/// Anybody, told in any of the ways in which sources tell.
pub(super) fn party(rng: &mut Rng) -> Party {
    let mut party = party_numbered(rng.below(CUSTOMERS));
    match rng.below(60) {
        0 => party.name = None,
        1 => party.name = Some("· ·".to_owned()),
        2 if rng.percent(20) => party.name = Some("a".repeat(NAME_CHARS_MAX + 1)),
        3 => (party.account, party.customer_id) = (None, None),
        4 => party.proxy = Some(Proxy { proxy_type: "mobile".to_owned(), id: proxy(rng.below(CUSTOMERS)) }),
        5 => party.agent_bic = Some(BICS[rng.below(BICS.len())].to_owned()),
        6 => party.birth_date = Some(if rng.percent(50) { YOUNG } else { GROWN }.to_owned()),
        _ => {}
    }
    party
}

/// One in particular, as most sources tell.
pub(super) fn party_numbered(n: usize) -> Party {
    Party {
        customer_id: (!n.is_multiple_of(3)).then(|| format!("C{n}")),
        account: Some(format!("A{n}")),
        name: Some(NAMES[n].to_owned()),
        country: Some(if n == 5 { "IR" } else { "HK" }.to_owned()),
        ..Party::default()
    }
}

/// Who a `customer` event is about: somebody with a birth date.
pub(super) fn customer(rng: &mut Rng) -> Party {
    let birth_date = Some(if rng.percent(40) { YOUNG } else { GROWN }.to_owned());
    Party { birth_date, ..party_numbered(rng.below(CUSTOMERS)) }
}

/// A party beside the two sides.
pub(super) fn related(rng: &mut Rng) -> RelatedParty {
    RelatedParty { role: "ultimate_debtor".to_owned(), party: party_numbered(rng.below(CUSTOMERS)) }
}

/// An institution in between.
pub(super) fn intermediary(rng: &mut Rng) -> Party {
    Party {
        name: Some(NAMES[rng.below(CUSTOMERS)].to_owned()),
        agent_bic: Some(BICS[rng.below(BICS.len())].to_owned()),
        ..Party::default()
    }
}

/// Invented.
pub(super) const BICS: [&str; 2] = ["SIMAHKHH", "SIMBHKHH"];

/// A proxy that stands for an account.
pub(super) fn proxy(n: usize) -> String {
    format!("+852-6000{n}")
}
