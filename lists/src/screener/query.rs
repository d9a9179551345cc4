//! What is asked of a screener: a name and whatever else is known of its bearer.

use serde::{Deserialize, Serialize};
use sluice_model::{EntryKind, Party};

use crate::{BirthDate, Country, Gender, matching::COMPARED_CHARS_MAX};

/// A party to be screened. Also the key under which the result is kept.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Query {
    /// The name, in any script.
    pub name: String,
    /// Person, organisation, vessel or aircraft, where known.
    pub kind: Option<EntryKind>,
    /// When born, as far as known.
    pub birth_date: Option<BirthDate>,
    /// Nationality or residence.
    pub country: Option<Country>,
    /// Gender, where known.
    pub gender: Option<Gender>,
    /// Document, account and wallet numbers, BICs: compared as they are, without spaces and dots.
    pub identifiers: Vec<String>,
    /// Which of those facts somebody has verified.
    #[serde(default)]
    pub verified: Verified,
}

/// Facts of a party that its institution has verified, from a document for instance: what a payment merely says does
/// not clear whoever bears a listed name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Verified(u8);

impl Verified {
    /// The facts that move a score, by the names of a party's fields.
    const FACTS: [&str; 4] = ["birth_date", "country", "gender", "kind"];

    /// Those of the fields that move a score.
    pub fn of<'a>(fields: impl IntoIterator<Item = &'a str>) -> Self {
        let bit = |field: &str| Self::FACTS.iter().position(|fact| *fact == field);
        Self(fields.into_iter().filter_map(bit).fold(0, |facts, at| facts | 1 << at))
    }

    /// Whether it is a fact that moves a score.
    pub(super) fn is_fact(field: &str) -> bool {
        Self::FACTS.contains(&field)
    }

    /// Whether a fact is verified.
    pub(super) fn has(self, field: &str) -> bool {
        self.0 & Self::of([field]).0 != 0
    }
}

impl Query {
    /// Whether the result may be kept: long names are few, and each takes the room of many.
    pub(super) fn is_kept(&self) -> bool {
        self.name.len() <= COMPARED_CHARS_MAX
    }

    /// A name of which nothing else is known.
    pub fn name(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// A party of a payment, under one of its names.
    pub fn party(party: &Party, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: party.kind,
            birth_date: party.birth_date.as_deref().and_then(|d| BirthDate::parse(d).ok()),
            country: party.country.as_deref().and_then(Country::parse),
            gender: party.gender.as_deref().and_then(gender),
            identifiers: party
                .id_number
                .iter()
                .chain(&party.account)
                .chain(&party.other_ids)
                .cloned()
                .collect(),
            verified: Verified::of(party.verified.iter().map(String::as_str)),
        }
    }
}

fn gender(text: &str) -> Option<Gender> {
    match text.trim().to_ascii_lowercase().as_str() {
        "female" | "f" => Some(Gender::Female),
        "male" | "m" => Some(Gender::Male),
        _ => None,
    }
}
