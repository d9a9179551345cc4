//! What screening says of a party: the entry it matches, how well, and why.

use serde::{Deserialize, Serialize};

use crate::Key;

/// What a list entry, or a party, is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is what it says")]
pub enum EntryKind {
    Person,
    Organisation,
    Vessel,
    Aircraft,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Person, Self::Organisation, Self::Vessel, Self::Aircraft];

    /// The lower-case name, as events and lists carry it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Organisation => "organisation",
            Self::Vessel => "vessel",
            Self::Aircraft => "aircraft",
        }
    }

    /// The kind of that lower-case name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }
}

/// One list entry that a name matches, with the reasons: enough to write in a case file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ListMatch {
    /// From 0 to 1, to four decimals, so that it reads and hashes the same everywhere.
    pub score: f64,
    /// The source: `ofac-sdn`, `un`, a company's own `blacklist`.
    pub list: String,
    /// The version's content hash.
    pub version: String,
    /// The entry's id on that list.
    pub entry_id: String,
    /// The name on the list that matches.
    pub name: String,
    /// Which tokens match, how, and what each adjustment did.
    pub reasons: Vec<Reason>,
}

/// One step of a score.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reason {
    /// What was looked at: `token`, `extra`, `missing`, `birth_date`, `country`, `gender`, `identifier`, `weak_alias`.
    pub step: String,
    /// In words, naming the tokens and the script path.
    pub text: String,
    /// How much it moved the score; for a token, the share of the score that it carried.
    pub weight: f64,
}

/// The matches of one party of an event.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PartyMatch {
    /// `debtor`, `creditor`, `debtor_agent`, `creditor_agent`, `intermediary`, `remittance`, or a related party's role.
    pub role: String,
    /// The name that was screened.
    pub name: String,
    /// Who the party is, where more than its name is known: whom a suppression of these matches would bind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Key>,
    /// Best first.
    pub matches: Vec<ListMatch>,
}

/// What of an event was not screened: never "no match".
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct NotScreened {
    /// The role, as in [`PartyMatch::role`]; empty where it is the whole event.
    pub role: String,
    /// Why.
    pub why: WhyNotScreened,
}

/// Why a text or an event was not screened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyNotScreened {
    /// The lists are configured and cannot be read.
    ListsUnreadable,
    /// A list is older than its limit.
    ListsTooOld,
    /// A text is longer than what is looked at whole.
    TooLong,
    /// A name is there, but nothing in it can be compared: blanks, signs, emoji.
    Unreadable,
    /// A side of a payment that moves money has no name at all.
    Unnamed,
}

impl WhyNotScreened {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::ListsUnreadable => "the lists cannot be read",
            Self::ListsTooOld => "a list is older than its limit",
            Self::TooLong => "a text is too long to be looked at whole",
            Self::Unreadable => "nothing in the name can be compared",
            Self::Unnamed => "no name is given",
        }
    }
}
