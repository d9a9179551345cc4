//! What is asked of a screener: a name and whatever else is known of its bearer.

use serde::{Deserialize, Serialize};
use sluice_model::{EntryKind, Party};

use crate::{BirthDate, Country, Gender, matching::NAME_CHARS_MAX};

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
}

impl Query {
    /// Whether the name would be screened in part only.
    pub(crate) fn is_too_long(&self) -> bool {
        self.name.chars().nth(NAME_CHARS_MAX).is_some()
    }

    /// A name of which nothing else is known.
    pub fn name(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// A party of a payment, under one of its names.
    pub fn party(party: &Party, name: &str) -> Self {
        let known = |text: &Option<String>| text.as_deref().map(str::to_owned);
        Self {
            name: name.to_owned(),
            kind: party.kind,
            birth_date: party.birth_date.as_deref().and_then(|d| BirthDate::parse(d).ok()),
            country: party.country.as_deref().and_then(Country::parse),
            gender: party.gender.as_deref().and_then(gender),
            identifiers: [known(&party.id_number), known(&party.account)].into_iter().flatten().collect(),
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
