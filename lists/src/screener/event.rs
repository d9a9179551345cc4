//! Everything of an event: its parties by their names, and whole listed names in every text; and what was not screened.
//!
//! One party that cannot be screened is an error of that party; the others are screened none the less.
//!
//! **Invariant.** What is neither among the matches nor among what was not screened was looked at whole.

use std::convert::Infallible;

use serde_json::Value;
use sluice_model::{Key, KeyKind, ListMatch, NotScreened, Party, PartyMatch, PaymentEvent, WhyNotScreened};

use super::{
    Screener,
    parties::{self, Member, PartyQuery},
    sides,
};
use crate::matching::{
    COMPARED_CHARS_MAX,
    phrases::{TEXT_CHARS_MAX, Text},
};

/// Texts in attributes that are looked at, and their bytes: an event of the greatest size has fewer, unless it is made
/// of little else.
const ATTRIBUTE_TEXTS_MAX: usize = 4_096;
const ATTRIBUTE_BYTES_MAX: usize = 4 * TEXT_CHARS_MAX;
/// A text with fewer letters names nobody.
const LETTERS_MIN: usize = 5;

/// The roles of texts that are no party's.
const MERCHANT: &str = "merchant";
const ATTRIBUTES: &str = "attributes";

/// What screening says of an event.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EventScreened {
    /// The parties and texts that met something.
    pub matches: Vec<PartyMatch>,
    /// What was not screened, each once: never clear.
    pub not_screened: Vec<NotScreened>,
}

impl EventScreened {
    fn refuse(&mut self, role: &str, why: WhyNotScreened) {
        self.not_screened.push(NotScreened { role: role.to_owned(), why });
    }
}

impl Screener {
    /// Every party of an event: debtor, creditor, their institutions, intermediaries, related parties; whole names of
    /// listed parties in every text of theirs, in the free texts, the merchant and the attributes; and which of them
    /// were not screened, or not whole.
    pub fn screen_event(&self, event: &PaymentEvent) -> EventScreened {
        let mut out = EventScreened::default();
        let Ok(()) = parties::each_party(event, |asked| {
            self.screen_party(asked, &mut out);
            Ok::<(), Infallible>(())
        });
        let Ok(()) = parties::each_member(event, |member| {
            self.screen_member(&member, &mut out);
            Ok::<(), Infallible>(())
        });
        for (role, text) in [
            ("remittance", &event.remittance),
            ("purpose", &event.purpose),
            ("end_to_end_id", &event.end_to_end_id),
        ] {
            if let Some(text) = text {
                self.screen_texts(role, None, &[Text { text, is_name: false }], &mut out);
            }
        }
        if let Some(merchant) = &event.merchant {
            let party = merchant.id.clone().map(|value| Key { kind: KeyKind::Merchant, value });
            let texts: Vec<Text<'_>> = [&merchant.id, &merchant.domain, &merchant.mcc]
                .into_iter()
                .filter_map(|text| Some(Text { text: text.as_deref()?, is_name: false }))
                .collect();
            self.screen_texts(MERCHANT, party, &texts, &mut out);
        }
        self.screen_attributes(event, &mut out);
        for role in sides::unnamed(event) {
            out.refuse(role, WhyNotScreened::Unnamed);
        }
        out.not_screened.sort_unstable();
        out.not_screened.dedup();
        out
    }

    /// Whole listed names in free text.
    pub fn screen_text(&self, role: &str, text: &str) -> EventScreened {
        let mut out = EventScreened::default();
        self.screen_texts(role, None, &[Text { text, is_name: false }], &mut out);
        out
    }

    fn screen_party(&self, asked: PartyQuery<'_>, out: &mut EventScreened) {
        let answer = self.answer(&asked.query);
        // Who has no name, or a word that stands for none, is somebody's side, or nobody.
        if let Some(why) = answer.why.filter(|_| !sides::is_no_name(&asked.query.name)) {
            out.refuse(asked.role, why);
        }
        if !answer.matches.is_empty() {
            out.matches.push(PartyMatch {
                role: asked.role.to_owned(),
                name: asked.query.name.chars().take(COMPARED_CHARS_MAX).collect(),
                party: asked.party,
                matches: answer.matches.clone(),
            });
        }
    }

    /// What stands in the texts of a party beside its names, or across them.
    fn screen_member(&self, member: &Member<'_>, out: &mut EventScreened) {
        let Member { role, kind, party, .. } = *member;
        if sides::is_bound_to_be_told(kind) && is_nobody(party) {
            out.refuse(role, WhyNotScreened::Unreadable);
        }
        let texts: Vec<Text<'_>> =
            parties::texts(party).map(|(text, is_name)| Text { text, is_name }).collect();
        // What is in one name alone was found when that name was asked for.
        if texts.len() > 1 {
            self.screen_texts(role, party.identity(), &texts, out);
        }
    }

    /// Whole listed names in texts that stand side by side. What was found in a name alone is that name's.
    fn screen_texts(&self, role: &str, party: Option<Key>, texts: &[Text<'_>], out: &mut EventScreened) {
        if !texts.iter().any(|text| !text.is_name && may_name(text.text))
            && !texts.iter().skip(1).any(|t| t.is_name)
        {
            return;
        }
        let search = self.phrases.find(texts);
        if !search.whole {
            out.refuse(role, WhyNotScreened::TooLong);
        }
        let known = out.matches.iter().filter(|known| known.role == role && known.party == party);
        let mut told: Vec<(String, String)> = known
            .flat_map(|known| known.matches.iter().map(|hit| (hit.list.clone(), hit.entry_id.clone())))
            .collect();
        let mut matches: Vec<(usize, usize, ListMatch)> = Vec::new();
        for found in search.found {
            let in_name = found.first == found.last && texts[found.first].is_name;
            // The last word of a name and the first of an address are two names, unless they are all there is of one.
            let of_two = found.first != found.last && texts[found.first].is_name && !found.is_split;
            let hit = if in_name || of_two { None } else { self.phrase_match(&found) };
            let Some(hit) = hit else { continue };
            let place = (hit.list.clone(), hit.entry_id.clone());
            if !told.contains(&place) {
                told.push(place);
                matches.push((found.first, found.last, hit));
            }
        }
        matches.sort_by(|(_, _, a), (_, _, b)| b.score.total_cmp(&a.score));
        while let Some((first, last, _)) = matches.first() {
            // Those found in the same texts are shown together.
            let (first, last) = (*first, *last);
            let (here, rest): (Vec<_>, Vec<_>) =
                matches.into_iter().partition(|m| (m.0, m.1) == (first, last));
            matches = rest;
            let shown: Vec<&str> = texts[first..=last].iter().map(|text| text.text).collect();
            out.matches.push(PartyMatch {
                role: role.to_owned(),
                name: shown.join(" | ").chars().take(COMPARED_CHARS_MAX).collect(),
                party: party.clone(),
                matches: here.into_iter().map(|(_, _, hit)| hit).collect(),
            });
        }
    }

    fn screen_attributes(&self, event: &PaymentEvent, out: &mut EventScreened) {
        // What was written otherwise is an attribute like any other: a source may write there what it likes.
        let mut texts: Vec<Text<'_>> =
            event.as_given.0.values().map(|text| Text { text, is_name: false }).collect();
        let mut bytes = texts.iter().map(|text| text.text.len()).sum::<usize>();
        // By hand, since attributes may be nested as deep as a source likes.
        let mut open: Vec<&Value> = event.attributes.values().rev().collect();
        while let Some(value) = open.pop() {
            match value {
                Value::String(text)
                    if texts.len() < ATTRIBUTE_TEXTS_MAX && bytes + text.len() <= ATTRIBUTE_BYTES_MAX =>
                {
                    bytes += text.len();
                    texts.push(Text { text, is_name: false });
                }
                Value::String(_) => {
                    out.refuse(ATTRIBUTES, WhyNotScreened::TooLong);
                    break;
                }
                Value::Array(values) => open.extend(values.iter().rev()),
                Value::Object(fields) => open.extend(fields.values().rev()),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        self.screen_texts(ATTRIBUTES, None, &texts, out);
    }
}

/// Whether a text has letters enough to name somebody.
fn may_name(text: &str) -> bool {
    let letters = |b: &u8| b.is_ascii_alphabetic();
    !text.is_ascii() || text.bytes().filter(|b| letters(b)).count() >= LETTERS_MIN
}

/// Whether there is nothing by which a party could be known.
fn is_nobody(party: &Party) -> bool {
    let names = [&party.name, &party.name_local, &party.agent_name];
    let numbers = [
        &party.customer_id,
        &party.account,
        &party.id_number,
        &party.agent_bic,
        &party.agent_lei,
        &party.agent_member_id,
    ];
    let named = names.into_iter().flatten().any(|name| !sides::is_no_name(name));
    !named && numbers.into_iter().all(Option::is_none) && party.other_ids.is_empty() && party.proxy.is_none()
}
