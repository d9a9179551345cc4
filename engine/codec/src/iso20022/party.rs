//! Parties, accounts and agents, alike in every message.

use sluice_model::{Attributes, EntryKind, Party, Proxy, RelatedParty};

use super::{NOT_PROVIDED, code, keep, names::split_scripts};
use crate::xml::Element;

/// The parties of a transaction, by the elements that hold them.
pub(super) struct Sides<'a> {
    pub debtor: Side<'a>,
    pub creditor: Side<'a>,
}

/// One side: the party itself, its account, its institution.
#[derive(Clone, Copy, Default)]
pub(super) struct Side<'a> {
    pub party: Option<&'a Element>,
    pub account: Option<&'a Element>,
    pub agent: Option<&'a Element>,
}

impl<'a> Sides<'a> {
    /// Where pacs and pain put both sides: `Dbtr`, `DbtrAcct`, `DbtrAgt`, `Cdtr`, …; the first of `places` that
    /// has an element gives it.
    pub(super) fn of(places: &[&'a Element]) -> Self {
        let first = |name: &str| places.iter().find_map(|place| place.child(name));
        Self {
            debtor: Side { party: first("Dbtr"), account: first("DbtrAcct"), agent: first("DbtrAgt") },
            creditor: Side { party: first("Cdtr"), account: first("CdtrAcct"), agent: first("CdtrAgt") },
        }
    }
}

impl Side<'_> {
    /// The party of this side, if anything is said of it; what has no field goes to attributes under `prefix`.
    pub(super) fn read(&self, prefix: &str, attributes: &mut Attributes) -> Option<Party> {
        let mut party = self.party.map(party).unwrap_or_default();
        if let Some(element) = self.party.map(choice) {
            keep(attributes, format!("{prefix}.id_scheme"), id_scheme(element));
            keep(attributes, format!("{prefix}.lei"), element.text_at("Id/OrgId/LEI"));
            keep(attributes, format!("{prefix}.birth_city"), element.text_at(BIRTH_CITY));
            keep(attributes, format!("{prefix}.birth_country"), element.text_at(BIRTH_COUNTRY));
        }
        if let Some(account) = self.account {
            party.account = account_id(account);
            party.proxy = proxy(account);
            keep(attributes, format!("{prefix}.account_currency"), account.text_at("Ccy"));
        }
        if let Some(agent) = self.agent.map(Institution::of) {
            party.agent_bic = agent.bic;
            party.agent_name = agent.name;
            party.agent_member_id = agent.member_id;
            party.agent_country = agent.country;
            keep(attributes, format!("{prefix}.agent_lei"), agent.lei);
        }
        (party != Party::default()).then_some(party)
    }
}

const BIRTH_CITY: &str = "Id/PrvtId/DtAndPlcOfBirth/CityOfBirth";
const BIRTH_COUNTRY: &str = "Id/PrvtId/DtAndPlcOfBirth/CtryOfBirth";

/// Newer messages wrap a party in a choice between `Pty` and an institution's `Agt`.
fn choice(element: &Element) -> &Element {
    element.child("Pty").unwrap_or(element)
}

/// A party, without account or institution.
fn party(element: &Element) -> Party {
    // Between institutions, the parties are institutions themselves.
    if let Some(agent) = element.at("Agt/FinInstnId").or_else(|| element.child("FinInstnId")) {
        return institution(agent);
    }
    let element = choice(element);
    let (name, name_local) = match element.text_at("Nm").map(split_scripts) {
        Some((name, local)) => (Some(name), local),
        None => (None, None),
    };
    let kind = match (element.at("Id/PrvtId"), element.at("Id/OrgId")) {
        (Some(_), _) => Some(EntryKind::Person),
        (None, Some(_)) => Some(EntryKind::Organisation),
        (None, None) => None,
    };
    let id_number = ["Id/PrvtId/Othr/Id", "Id/OrgId/Othr/Id", "Id/OrgId/AnyBIC", "Id/OrgId/BICOrBEI"]
        .into_iter()
        .find_map(|path| element.text_at(path));
    Party {
        name,
        name_local,
        kind,
        country: country(element.text_at("PstlAdr/Ctry").or_else(|| element.text_at("CtryOfRes"))),
        birth_date: element.text_at("Id/PrvtId/DtAndPlcOfBirth/BirthDt").map(str::to_owned),
        id_number: id_number.map(str::to_owned),
        address: element.child("PstlAdr").and_then(address),
        ..Party::default()
    }
}

/// An institution as a party of its own: an intermediary, or a customer that is a bank.
fn institution(financial: &Element) -> Party {
    let agent = Institution::read(financial);
    let (name, name_local) = match agent.name.as_deref().map(split_scripts) {
        Some((name, local)) => (Some(name), local),
        None => (None, None),
    };
    Party {
        name,
        name_local,
        kind: Some(EntryKind::Organisation),
        country: agent.country,
        address: financial.child("PstlAdr").and_then(address),
        agent_bic: agent.bic,
        agent_member_id: agent.member_id,
        ..Party::default()
    }
}

/// What identifies an institution.
struct Institution<'a> {
    bic: Option<String>,
    member_id: Option<String>,
    name: Option<String>,
    country: Option<String>,
    lei: Option<&'a str>,
}

impl<'a> Institution<'a> {
    fn of(agent: &'a Element) -> Self {
        Self::read(agent.child("FinInstnId").unwrap_or(agent))
    }

    fn read(financial: &'a Element) -> Self {
        let bic = financial.text_at("BICFI").or_else(|| financial.text_at("BIC"));
        // The fifth and sixth letters of a BIC are its country.
        let country_of_bic = bic.and_then(|bic| bic.get(4..6));
        Self {
            bic: bic.map(str::to_owned),
            member_id: financial.text_at("ClrSysMmbId/MmbId").map(str::to_owned),
            name: financial.text_at("Nm").map(str::to_owned),
            country: country(financial.text_at("PstlAdr/Ctry").or(country_of_bic)),
            lei: financial.text_at("LEI"),
        }
    }

    fn is_same_as(&self, other: &Self) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        same(&self.bic, &other.bic) || same(&self.member_id, &other.member_id)
    }
}

/// The institutions between the debtor's and the creditor's: previous ones, the instructing and instructed ones
/// where they are not those of the two sides, intermediaries.
pub(super) fn intermediaries(transaction: &Element, sides: &Sides<'_>) -> Vec<Party> {
    let mut known: Vec<Institution<'_>> =
        [sides.debtor.agent, sides.creditor.agent].into_iter().flatten().map(Institution::of).collect();
    let mut between = Vec::new();
    for name in [
        "PrvsInstgAgt",
        "PrvsInstgAgt1",
        "PrvsInstgAgt2",
        "PrvsInstgAgt3",
        "InstgAgt",
        "IntrmyAgt1",
        "IntrmyAgt2",
        "IntrmyAgt3",
        "InstdAgt",
    ] {
        for agent in transaction.children(name) {
            let financial = agent.child("FinInstnId").unwrap_or(agent);
            let read = Institution::read(financial);
            if !known.iter().any(|known| known.is_same_as(&read)) {
                between.push(institution(financial));
                known.push(read);
            }
        }
    }
    between
}

/// The parties beside the two sides, with the parts they play.
pub(super) fn related(places: &[&Element]) -> Vec<RelatedParty> {
    let named = [
        ("UltmtDbtr", "ultimate_debtor"),
        ("UltmtCdtr", "ultimate_creditor"),
        ("InitgPty", "initiating_party"),
        ("TradgPty", "trading_party"),
    ];
    let direct = places
        .iter()
        .flat_map(|place| named.iter().filter_map(|(element, role)| Some((place.child(element)?, *role))));
    let invoices = places.iter().flat_map(|place| place.children("RmtInf")).flat_map(|r| r.children("Strd"));
    let invoicing = invoices.flat_map(|structured| {
        [("Invcr", "invoicer"), ("Invcee", "invoicee")]
            .into_iter()
            .filter_map(|(element, role)| Some((structured.child(element)?, role)))
    });
    let parties = direct.chain(invoicing).map(|(element, role)| (role, party(element)));
    parties
        .filter(|(_, party)| *party != Party::default())
        .map(|(role, party)| RelatedParty { role: role.to_owned(), party })
        .collect()
}

/// An IBAN or another scheme's number. A word that stands where only a proxy is known is no account: every such
/// payment would share it.
fn account_id(account: &Element) -> Option<String> {
    let id = account.text_at("Id/IBAN").or_else(|| account.text_at("Id/Othr/Id"))?;
    let placeholder =
        id == NOT_PROVIDED || (id.eq_ignore_ascii_case("proxy") && account.child("Prxy").is_some());
    (!placeholder).then(|| id.to_owned())
}

/// A proxy, its type in the words that the canonical event uses, where it has one.
fn proxy(account: &Element) -> Option<Proxy> {
    let element = account.child("Prxy")?;
    let proxy_type = match code(element.child("Tp")) {
        Some("MOBN" | "MBNO" | "TELE") => "mobile",
        Some("EMAL") => "email",
        Some(other) => other,
        None => "unknown",
    };
    Some(Proxy { proxy_type: proxy_type.to_owned(), id: element.text_at("Id")?.to_owned() })
}

fn id_scheme(element: &Element) -> Option<&str> {
    ["Id/PrvtId/Othr/SchmeNm", "Id/OrgId/Othr/SchmeNm"].into_iter().find_map(|path| code(element.at(path)))
}

/// A country, where it is written as one.
fn country(text: Option<&str>) -> Option<String> {
    let code = text?;
    (code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic())).then(|| code.to_ascii_uppercase())
}

/// A postal address on one line: street and number together, the rest parted by commas.
fn address(element: &Element) -> Option<String> {
    let text = |name| element.text_at(name);
    let street = match (text("BldgNb"), text("StrtNm")) {
        (Some(number), Some(street)) => Some(format!("{number} {street}")),
        (number, street) => street.or(number).map(str::to_owned),
    };
    let before = ["Dept", "SubDept", "Room", "Flr", "BldgNm", "PstBx"].into_iter().filter_map(text);
    let after =
        ["DstrctNm", "TwnLctnNm", "TwnNm", "CtrySubDvsn", "PstCd", "Ctry"].into_iter().filter_map(text);
    let lines = element.children("AdrLine").filter_map(Element::text);
    let parts: Vec<String> =
        before.map(str::to_owned).chain(street).chain(lines.chain(after).map(str::to_owned)).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
