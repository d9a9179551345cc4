//! A list entry: everything a source says about one designated person, organisation, vessel or aircraft that
//! helps an officer decide. Every source becomes this shape; matching, storage and display read no other.
//!
//! Owns no knowledge of any source's format and never normalises a name: texts stand as they are listed.

use serde::{Deserialize, Serialize};
use sluice_model::{EntryKind, Hash256};

use crate::{BirthDate, Country, PartialDate, Script};

/// One entry of one list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The source's own id: OFAC's entity number, the UN's reference number.
    pub id: String,
    /// What sort of thing is listed.
    pub kind: EntryKind,
    /// Why it is listed, where the list serves several ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<Topic>,
    /// At least one; the primary name stands first.
    pub names: Vec<Name>,
    /// Each date of birth the source gives: several where it is unsure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub birth_dates: Vec<BirthDate>,
    /// Places of birth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub birth_places: Vec<Place>,
    /// Gender, where the source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
    /// Nationality and citizenship; for organisations, where they are registered; for vessels, the flag.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nationalities: Vec<Country>,
    /// Addresses, whole or in part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// Documents, registrations, wallets, call signs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// The programmes or regimes under which it is listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programmes: Vec<String>,
    /// Titles, offices held and designations, former ones too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub positions: Vec<String>,
    /// Names of other entries that the source ties to this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// When it was first listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_on: Option<PartialDate>,
    /// The source's own remarks, whole, what was read from them included: an officer can check the reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remarks: Option<String>,
}

/// Why somebody is listed. Ordered by name in an entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Under sanctions.
    Sanction,
    /// Tied to a sanctioned party, without being designated.
    SanctionLinked,
    /// A politically exposed person.
    Pep,
    /// A relative or close associate of one.
    PepAssociate,
    /// Wanted for, or convicted of, a crime.
    Crime,
    /// On a company's own black list: payments are refused.
    Black,
    /// On a company's own white list: known and trusted. Never outweighs a sanction.
    White,
    /// To be watched.
    Watch,
}

/// One name of an entry.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// As it is listed: `DOE, John Albert` where the list puts the surname first.
    pub text: String,
    /// How good it is for telling people apart.
    pub quality: NameQuality,
    /// The script that most of its letters are in.
    #[serde(default, skip_serializing_if = "Script::is_latin")]
    pub script: Script,
    /// The part that is the family name, where the source says which it is. A part of `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
}

/// How much a name says about who bears it. Ordered from the best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameQuality {
    /// The name under which the entry is listed, in whatever script.
    Primary,
    /// An alias good enough to act on ("strong aka", the UN's "good quality").
    Strong,
    /// A former name.
    Former,
    /// A nickname, a code name, a common short form ("weak aka", the UN's "low quality").
    Weak,
}

/// Gender as lists know it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is what it says")]
pub enum Gender {
    Female,
    Male,
}

/// A place, as listed, and the country it lies in where that can be told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// As listed: `Culiacan, Sinaloa, Mexico`.
    pub text: String,
    /// The country named in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
}

/// An address, whole or in part.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Street, building, or the whole address where the source does not take it apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// City, with the region and postcode where the source keeps them together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postcode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// Country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// The source's remark on it: `as of 2016`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A document, registration, call sign, wallet: whatever singles one out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identifier {
    /// What sort.
    pub kind: IdentifierKind,
    /// The number or address itself, as listed.
    pub value: String,
    /// Who issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// The source's own word for it (`Cedula No.`, the currency of a wallet), where it says more than `kind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Dates of issue and expiry, or another remark of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The sorts of identifier that are told apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierKind {
    /// Passports and other travel documents.
    Passport,
    /// National identity and foreigner's residence numbers.
    NationalId,
    /// Driving licences.
    DrivingLicence,
    /// Tax numbers.
    Tax,
    /// Numbers in registers of companies, charities and trades.
    Registration,
    /// The IMO number of a vessel or a shipping company.
    Imo,
    /// The MMSI of a vessel.
    Mmsi,
    /// A radio call sign.
    CallSign,
    /// An aircraft's registration, on its tail.
    TailNumber,
    /// An aircraft's construction or manufacturer's number.
    AircraftSerial,
    /// A SWIFT/BIC code.
    Bic,
    /// A legal entity identifier (ISO 17442).
    Lei,
    /// A securities identifier (ISO 6166).
    Isin,
    /// A bank account.
    Account,
    /// A digital currency address.
    Wallet,
    /// A telephone or fax number.
    Phone,
    /// An e-mail address.
    Email,
    /// A web site.
    Website,
    /// Anything else; `label` says what.
    Other,
}

impl Entry {
    /// An entry with one primary name and nothing else yet.
    pub fn new(id: impl Into<String>, kind: EntryKind, primary: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            kind,
            topics: Vec::new(),
            names: vec![Name::new(primary, NameQuality::Primary)],
            birth_dates: Vec::new(),
            birth_places: Vec::new(),
            gender: None,
            nationalities: Vec::new(),
            addresses: Vec::new(),
            identifiers: Vec::new(),
            programmes: Vec::new(),
            positions: Vec::new(),
            links: Vec::new(),
            listed_on: None,
            remarks: None,
        }
    }

    /// Gives back the room that was kept for more: entries are held as long as their list.
    pub(crate) fn shrink(&mut self) {
        self.topics.shrink_to_fit();
        self.names.shrink_to_fit();
        self.birth_dates.shrink_to_fit();
        self.birth_places.shrink_to_fit();
        self.nationalities.shrink_to_fit();
        self.addresses.shrink_to_fit();
        self.identifiers.shrink_to_fit();
        self.programmes.shrink_to_fit();
        self.positions.shrink_to_fit();
        self.links.shrink_to_fit();
    }

    /// The name under which the entry is listed.
    pub fn primary_name(&self) -> &str {
        self.names.first().map_or("", |n| &n.text)
    }

    /// The hash of the entry's content: a suppression is bound to it and ends when the entry changes.
    pub fn hash(&self) -> Hash256 {
        Hash256::of(self.to_json().as_bytes())
    }

    /// The canonical encoding: one line of JSON, fields in the order of this declaration, empty ones left out.
    pub fn to_json(&self) -> String {
        // Only a map with non-text keys or a failing writer can make this fail; an entry has neither.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Name {
    /// A name whose script is told from its letters.
    pub fn new(text: impl Into<String>, quality: NameQuality) -> Self {
        let text = text.into();
        Self { script: Script::of(&text), text, quality, family: None }
    }
}
