//! Whoever a message names around a payment, and every text in it: what is not one of the two sides is collected
//! by walking the message, whatever the element is called and wherever it stands.
//!
//! **Invariant.** Every name, BIC, LEI and text of what is walked stands somewhere in the event afterwards: with a
//! party, or among the texts.

use std::collections::HashSet;

use serde_json::Value;
use sluice_model::{Party, PaymentEvent, RelatedParty, limits::PARTIES_MAX};

use super::{
    Header,
    party::{Side, Sides, address_parts, is_covered, is_no_account, is_told, name_of, named},
    remittance_parts,
    roles::{role, surroundings},
};
use crate::xml::Element;

/// A text with fewer letters is a code: screening looks for no name in it.
const LETTERS_MIN: usize = 5;

/// How long a UUID is, with its hyphens.
const UUID_LEN: usize = 36;

/// The attribute that holds the texts for which the event has no field.
const TEXTS: &str = "texts";

/// The institutions through which the payment itself goes, beside those of its two sides.
const BETWEEN: [&str; 9] = [
    "PrvsInstgAgt",
    "PrvsInstgAgt1",
    "PrvsInstgAgt2",
    "PrvsInstgAgt3",
    "InstgAgt",
    "IntrmyAgt1",
    "IntrmyAgt2",
    "IntrmyAgt3",
    "InstdAgt",
];

/// What an element holds beside its transactions, which stand in elements of that name; after what stands around it.
pub(super) fn around<'a>(
    outside: &[&'a Element],
    element: &'a Element,
    transactions: &str,
) -> Vec<&'a Element> {
    let beside = element.children.iter().filter(|child| child.name != transactions);
    outside.iter().copied().chain(beside).collect()
}

/// Collect whoever and whatever a transaction and what stands around it name, beside the two sides that the event has
/// already. The business header comes last, so that whoever the message names keeps the part that it gives them. Where
/// the header says that little is asked for, nobody is collected.
pub(super) fn collect(
    event: &mut PaymentEvent,
    header: &Header<'_>,
    sides: &Sides<'_>,
    around: &[&Element],
    transaction: &Element,
) {
    if header.is_brief {
        return;
    }
    let [debtor, creditor] = [&sides.debtor, &sides.creditor];
    let of_side = |side: &Side<'_>| side.agent.and_then(named);
    let known = [event.debtor.clone(), event.creditor.clone(), of_side(debtor), of_side(creditor)];
    let known: Vec<Party> = known.into_iter().flatten().collect();
    let mut said: HashSet<String> = remittance_parts(transaction).into_iter().map(str::to_owned).collect();
    said.extend([&event.purpose, &event.end_to_end_id].into_iter().flatten().cloned());
    said.extend(known.iter().flat_map(numbers));
    said.extend(event.attributes.values().filter_map(Value::as_str).map(str::to_owned));
    let mut everyone = Everyone {
        parties: [debtor.party, creditor.party].map(address_of),
        agents: [debtor.agent, creditor.agent].map(address_of),
        accounts: [debtor.account, creditor.account].map(address_of),
        in_transaction: false,
        known,
        intermediaries: Vec::new(),
        related: Vec::new(),
        said,
        texts: Vec::new(),
    };
    let nowhere = Within { role: "", somebody: false, direct: false };
    for element in around {
        everyone.element(element, nowhere);
    }
    everyone.in_transaction = true;
    everyone.children(transaction, nowhere);
    everyone.in_transaction = false;
    header.outside().for_each(|part| everyone.element(part, nowhere));
    event.intermediaries = everyone.intermediaries;
    event.related_parties = everyone.related;
    if !everyone.texts.is_empty() {
        event.attributes.insert(TEXTS.to_owned(), everyone.texts.into());
    }
}

/// An element by where it stands in memory: two that say the same are two.
fn address_of(element: Option<&Element>) -> Option<*const Element> {
    element.map(std::ptr::from_ref)
}

/// What an element stands in.
#[derive(Clone, Copy)]
struct Within<'r> {
    /// The role of whoever holds it, or what surrounds it; empty where nothing is to be said.
    role: &'r str,
    /// Whether it is part of somebody.
    somebody: bool,
    /// Whether nothing but a choice stands between, so that what it holds was read with them.
    direct: bool,
}

struct Everyone {
    /// The event's two sides, their institutions and their accounts.
    parties: [Option<*const Element>; 2],
    agents: [Option<*const Element>; 2],
    accounts: [Option<*const Element>; 2],
    in_transaction: bool,
    /// Everybody so far.
    known: Vec<Party>,
    intermediaries: Vec<Party>,
    related: Vec<RelatedParty>,
    /// Every text so far.
    said: HashSet<String>,
    texts: Vec<Value>,
}

impl Everyone {
    fn element(&mut self, element: &Element, within: Within<'_>) {
        if element.children.is_empty() {
            return self.text(element);
        }
        match element.name.as_str() {
            // Part of whoever holds it, who is known.
            "FinInstnId" | "Pty" | "Agt" | "FIId" | "OrgId" if within.direct => {
                self.children(element, within)
            }
            _ => match named(element) {
                Some(party) => self.somebody(element, party, within),
                None => {
                    let role = surroundings(&element.name).unwrap_or(within.role);
                    self.children(element, Within { role, direct: false, ..within });
                }
            },
        }
    }

    fn children(&mut self, element: &Element, within: Within<'_>) {
        element.children.iter().for_each(|child| self.element(child, within));
    }

    fn somebody(&mut self, element: &Element, mut party: Party, within: Within<'_>) {
        let role = role(within.role, &element.name);
        let here = address_of(Some(element));
        let is_account = self.accounts.contains(&here);
        if is_account {
            // The account itself stands with its side; its name does only if it is the side's.
            party = Party { name: party.name, name_local: party.name_local, ..Party::default() };
        }
        self.said.extend(name_of(element).map(str::to_owned));
        // The address of a side's institution has no field.
        let stands = self.parties.contains(&here)
            || (!self.agents.contains(&here)
                && self.add(&role, element, party, within.somebody || is_account, within.role.is_empty()));
        if stands {
            self.said.extend(address_parts(element).map(str::to_owned));
        }
        self.children(element, Within { role: &role, somebody: true, direct: true });
    }

    /// Add somebody, unless all of it is known; whether it stands in the event then.
    fn add(
        &mut self,
        role: &str,
        element: &Element,
        party: Party,
        is_part: bool,
        is_outermost: bool,
    ) -> bool {
        if party == Party::default() || (is_part && !is_told(&party)) {
            return false;
        }
        self.said.extend(numbers(&party));
        // A part of its own, such as who ultimately pays, is told even if the same party plays another.
        let is_part_of_its_own =
            is_outermost && !is_part && !is_institution(element) && party.account.is_none();
        if !is_part_of_its_own && self.known.iter().any(|known| is_covered(&party, known)) {
            return true;
        }
        // Beyond the limit the event is refused, however many more there are.
        if self.known.len() > PARTIES_MAX + self.parties.len() + self.agents.len() {
            return true;
        }
        self.known.push(party.clone());
        if self.in_transaction && is_outermost && BETWEEN.contains(&element.name.as_str()) {
            self.intermediaries.push(party);
        } else {
            self.related.push(RelatedParty { role: role.to_owned(), party });
        }
        true
    }

    /// A text that stands nowhere yet.
    fn text(&mut self, element: &Element) {
        let Some(text) = element.text().filter(|text| !is_no_account(text) && is_text(text)) else { return };
        if self.said.insert(text.to_owned()) {
            self.texts.push(text.into());
        }
    }
}

/// What identifies a party, which stands in its fields.
fn numbers(party: &Party) -> impl Iterator<Item = String> {
    let proxy = party.proxy.as_ref().map(|proxy| &proxy.id);
    let known =
        [&party.account, &party.id_number, &party.agent_bic, &party.agent_lei, &party.agent_member_id];
    known.into_iter().flatten().chain(proxy).chain(&party.other_ids).cloned()
}

fn is_institution(element: &Element) -> bool {
    ["FinInstnId", "FIId"].into_iter().any(|name| element.child(name).is_some())
}

/// Whether a text may say something: codes, numbers, times and UUIDs do not.
fn is_text(text: &str) -> bool {
    let is_uuid = text.len() == UUID_LEN && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    !is_uuid && (!text.is_ascii() || letters >= LETTERS_MIN)
}
