//! Parties, accounts and agents, alike in every message.

use sluice_model::{Attributes, EntryKind, Party, Proxy, identifier};

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
            keep(attributes, format!("{prefix}.birth_city"), element.text_at(BIRTH_CITY));
            keep(attributes, format!("{prefix}.birth_country"), element.text_at(BIRTH_COUNTRY));
        }
        if let Some(account) = self.account {
            party.account = account_id(account);
            party.proxy = proxy(account);
            keep(attributes, format!("{prefix}.account_currency"), account.text_at("Ccy"));
        }
        if let Some(agent) = self.agent.map(Institution::of) {
            // Of a party that is an institution itself, what stood there is its own.
            let own = [party.agent_bic.take(), party.agent_lei.take(), party.agent_member_id.take()];
            party.other_ids.extend(own.into_iter().flatten());
            party.other_ids.sort_unstable();
            party.agent_bic = agent.bic;
            party.agent_name = agent.name;
            party.agent_member_id = agent.member_id;
            party.agent_country = agent.country;
            party.agent_lei = agent.lei;
        }
        (party != Party::default()).then_some(party)
    }
}

const BIRTH_CITY: &str = "Id/PrvtId/DtAndPlcOfBirth/CityOfBirth";
const BIRTH_COUNTRY: &str = "Id/PrvtId/DtAndPlcOfBirth/CtryOfBirth";

/// Newer messages wrap a party in a choice between `Pty` and an institution's `Agt`, a business header in one between
/// `OrgId` and `FIId`.
fn choice(element: &Element) -> &Element {
    let chosen = match (element.name.as_str(), element.children.as_slice()) {
        ("Fr" | "To", [only]) => ["OrgId", "FIId"].contains(&only.name.as_str()).then_some(only),
        _ => element.child("Pty"),
    };
    chosen.unwrap_or(element)
}

/// A party, without account or institution.
fn party(element: &Element) -> Party {
    if let Some(financial) = financial(element) {
        return institution(financial);
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
    let (id_number, other_ids) = ids(element);
    Party {
        name,
        name_local,
        kind,
        country: country(
            ["PstlAdr/Ctry", "Adr/Ctry", "CtryOfRes", "Ctry"]
                .into_iter()
                .find_map(|path| element.text_at(path)),
        ),
        birth_date: element.text_at("Id/PrvtId/DtAndPlcOfBirth/BirthDt").map(str::to_owned),
        id_number,
        other_ids,
        address: ["PstlAdr", "Adr"].into_iter().find_map(|name| address(element.child(name)?)),
        ..Party::default()
    }
}

/// Everything by which a party is known: the number of its document, else its BIC; and whatever else there is.
fn ids(element: &Element) -> (Option<String>, Vec<String>) {
    let documents = ["Id/PrvtId", "Id/OrgId"].into_iter().filter_map(|path| element.at(path));
    let documents =
        documents.flat_map(|id| id.children("Othr").filter_map(|document| document.text_at("Id")));
    let numbers = ["Id/OrgId/AnyBIC", "Id/OrgId/BICOrBEI", "TaxId", "RegnId"];
    let mut numbers = documents.chain(numbers.into_iter().filter_map(|path| element.text_at(path)));
    let first = numbers.next().map(str::to_owned);
    let lei = ["Id/OrgId/LEI", "LEI"].into_iter().filter_map(|path| element.text_at(path));
    let mut others: Vec<String> = numbers.chain(lei).map(str::to_owned).collect();
    others.sort_unstable();
    others.dedup();
    (first, others)
}

/// What identifies the institution that an element names: itself, or as its choice between a party and an agent.
fn financial(element: &Element) -> Option<&Element> {
    let chosen = || element.at("Agt/FinInstnId").filter(|_| element.children.len() == 1);
    element.child("FinInstnId").or_else(chosen)
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
        agent_lei: agent.lei,
        agent_member_id: agent.member_id,
        ..Party::default()
    }
}

/// What identifies an institution.
struct Institution {
    bic: Option<String>,
    lei: Option<String>,
    member_id: Option<String>,
    name: Option<String>,
    country: Option<String>,
}

impl Institution {
    fn of(agent: &Element) -> Self {
        Self::read(agent.child("FinInstnId").unwrap_or(agent))
    }

    fn read(financial: &Element) -> Self {
        let bic = financial.text_at("BICFI").or_else(|| financial.text_at("BIC"));
        // The fifth and sixth letters of a BIC are its country.
        let country_of_bic = bic.and_then(|bic| bic.get(4..6));
        Self {
            bic: bic.map(str::to_owned),
            lei: financial.text_at("LEI").map(str::to_owned),
            member_id: ["ClrSysMmbId/MmbId", "Othr/Id"]
                .into_iter()
                .find_map(|path| financial.text_at(path))
                .map(str::to_owned),
            name: financial.text_at("Nm").map(str::to_owned),
            country: country(financial.text_at("PstlAdr/Ctry").or(country_of_bic)),
        }
    }
}

/// Whoever an element names, if it is one that names somebody: a party, an institution or an account.
pub(super) fn named(element: &Element) -> Option<Party> {
    let element = choice(element);
    if let Some(financial) = financial(element) {
        return Some(institution(financial));
    }
    let names = |name: &str| element.child(name).is_some();
    let is_party = ["Nm", "LEI", "TaxId", "RegnId"].into_iter().any(names)
        || element.child("PstlAdr").is_some_and(|address| address.child("Nm").is_none())
        || ["Id/OrgId", "Id/PrvtId"].into_iter().any(|path| element.at(path).is_some());
    let account = account_id(element);
    (is_party || account.is_some()).then(|| Party { account, proxy: proxy(element), ..party(element) })
}

/// Whether a party has a name or a number of its own.
pub(super) fn is_told(party: &Party) -> bool {
    let texts = [
        &party.name,
        &party.account,
        &party.id_number,
        &party.agent_bic,
        &party.agent_lei,
        &party.agent_member_id,
    ];
    texts.into_iter().any(Option::is_some) || !party.other_ids.is_empty()
}

/// Whether all that is said of one party is said of another that is known.
pub(super) fn is_covered(party: &Party, known: &Party) -> bool {
    let pairs = [
        (&party.name, &known.name),
        (&party.name_local, &known.name_local),
        (&party.account, &known.account),
        (&party.country, &known.country),
        (&party.birth_date, &known.birth_date),
        (&party.id_number, &known.id_number),
        (&party.address, &known.address),
        (&party.agent_lei, &known.agent_lei),
        (&party.agent_member_id, &known.agent_member_id),
    ];
    let same_bic = match (&party.agent_bic, &known.agent_bic) {
        (Some(one), Some(other)) => identifier::bic(one) == identifier::bic(other),
        (one, _) => one.is_none(),
    };
    same_bic
        && pairs.into_iter().all(|(said, known)| said.is_none() || said == known)
        && party.other_ids.iter().all(|id| known.other_ids.contains(id))
        && (party.proxy.is_none() || party.proxy == known.proxy)
}

/// An IBAN or another scheme's number. A word that stands where only a proxy is known is no account: every such
/// payment would share it.
fn account_id(account: &Element) -> Option<String> {
    let id = account.text_at("Id/IBAN").or_else(|| account.text_at("Id/Othr/Id"))?;
    (!is_no_account(id)).then(|| id.to_owned())
}

/// Whether a text stands where an account should, and there is none.
pub(super) fn is_no_account(text: &str) -> bool {
    text == NOT_PROVIDED || text.eq_ignore_ascii_case("proxy")
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

/// The elements of a postal address that [`address`] reads.
const BEFORE_STREET: [&str; 6] = ["Dept", "SubDept", "Room", "Flr", "BldgNm", "PstBx"];
const STREET: [&str; 2] = ["BldgNb", "StrtNm"];
const LINE: &str = "AdrLine";
const AFTER_LINES: [&str; 6] = ["DstrctNm", "TwnLctnNm", "TwnNm", "CtrySubDvsn", "PstCd", "Ctry"];

/// The name that [`named`] reads.
pub(super) fn name_of(element: &Element) -> Option<&str> {
    holder(element).text_at("Nm")
}

/// The texts that [`named`] joins to an address.
pub(super) fn address_parts(element: &Element) -> impl Iterator<Item = &str> {
    let address = holder(element);
    let address = ["PstlAdr", "Adr"].into_iter().find_map(|name| address.child(name)).into_iter();
    address.flat_map(|address| {
        let single = BEFORE_STREET.into_iter().chain(STREET).chain(AFTER_LINES);
        let lines = address.children(LINE).filter_map(Element::text);
        single.filter_map(|name| address.text_at(name)).chain(lines)
    })
}

/// The element that holds the name and the address of whoever an element names.
fn holder(element: &Element) -> &Element {
    let element = choice(element);
    financial(element).unwrap_or(element)
}

/// A postal address on one line: street and number together, the rest parted by commas.
fn address(element: &Element) -> Option<String> {
    let text = |name| element.text_at(name);
    let street = match STREET.map(text) {
        [Some(number), Some(street)] => Some(format!("{number} {street}")),
        [number, street] => street.or(number).map(str::to_owned),
    };
    let before = BEFORE_STREET.into_iter().filter_map(text);
    let after = AFTER_LINES.into_iter().filter_map(text);
    let lines = element.children(LINE).filter_map(Element::text);
    let parts: Vec<String> =
        before.map(str::to_owned).chain(street).chain(lines.chain(after).map(str::to_owned)).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
