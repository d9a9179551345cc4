//! The fields of block 4, each `:NNa:` and its lines, taken out one by one; what nobody takes is kept as it is.

use std::collections::BTreeMap;

use sluice_model::{Attributes, MoneyError};

use super::values::keep;
use crate::DecodeError;

/// Where a refusal lies.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Which message of the file, from 1.
    pub message: usize,
    /// Its type, where that is known by now.
    pub name: &'static str,
}

impl Place {
    pub(super) fn refuse(&self, why: &str) -> DecodeError {
        let name = if self.name.is_empty() { "" } else { ", " };
        DecodeError::malformed(format!("message {}{name}{}: {why}", self.message, self.name))
    }

    /// Of one field: which, and what is wrong with it.
    pub(super) fn refuse_field(&self, tag: &str, why: impl std::fmt::Display) -> DecodeError {
        self.refuse(&format!("field {tag} {why}"))
    }

    /// Of an amount: the field, and what is wrong with the amount.
    pub(super) fn refuse_amount(&self, tag: &str, error: MoneyError) -> DecodeError {
        self.refuse(&format!("field {tag}: {error}"))
    }
}

/// A field: its number, the letter of its option, its lines.
#[derive(Clone)]
pub(super) struct Field<'a> {
    /// `32A`
    pub tag: &'a str,
    pub lines: Vec<&'a str>,
}

impl<'a> Field<'a> {
    /// The letter that says how the field is written, where there is one.
    pub(super) fn option(&self) -> &'a str {
        self.tag.get(2..).unwrap_or_default()
    }

    /// The first line.
    pub(super) fn first(&self) -> &'a str {
        self.lines.first().copied().unwrap_or_default()
    }

    /// The lines as one text, broken lines joined by a blank.
    pub(super) fn joined(&self) -> String {
        self.lines
            .iter()
            .map(|line| line.trim())
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The fields of a message that were not yet taken, in order.
pub(super) struct Fields<'a> {
    left: Vec<Field<'a>>,
    place: Place,
}

/// The most fields of a message: statements have the most, two for each line.
const FIELDS_MAX: usize = 20_000;
/// The most lines of a field; envelopes (77T) have the most.
const LINES_MAX: usize = 1_000;

impl<'a> Fields<'a> {
    pub(super) fn read(text: &'a str, place: Place) -> Result<Self, DecodeError> {
        let mut left: Vec<Field<'a>> = Vec::new();
        for line in text.lines() {
            match tagged(line) {
                Some((tag, rest)) => left.push(Field { tag, lines: vec![rest] }),
                None => match left.last_mut() {
                    Some(field) if field.lines.len() == LINES_MAX => {
                        return Err(place.refuse_field(field.tag, "has too many lines"));
                    }
                    Some(field) => field.lines.push(line),
                    None if line.trim().is_empty() => {}
                    None => return Err(place.refuse("block 4 does not begin with a field")),
                },
            }
            if left.len() > FIELDS_MAX {
                return Err(DecodeError::too_large(format!(
                    "message {}: more than {FIELDS_MAX} fields",
                    place.message
                )));
            }
        }
        Ok(Self { left, place })
    }

    pub(super) const fn place(&self) -> Place {
        self.place
    }

    /// The one field of that number, in any of the options; given twice, nobody knows which is meant.
    pub(super) fn take(&mut self, number: &str, options: &[&str]) -> Result<Option<Field<'a>>, DecodeError> {
        let mut taken = self.take_all(number, options);
        let (first, second) = (taken.next(), taken.next());
        match second {
            Some(field) => Err(self.place.refuse_field(field.tag, "is given twice")),
            None => Ok(first),
        }
    }

    /// As [`Fields::take`], where the message must have it.
    pub(super) fn required(&mut self, number: &str, options: &[&str]) -> Result<Field<'a>, DecodeError> {
        // As SWIFT writes it: a small letter stands for whichever option.
        let option = if let [option] = options { *option } else { "a" };
        let tag = format!("{number}{option}");
        self.take(number, options)?.ok_or_else(|| self.place.refuse_field(&tag, "is missing"))
    }

    /// Every field of that number, in any of the options.
    pub(super) fn take_all(&mut self, number: &str, options: &[&str]) -> std::vec::IntoIter<Field<'a>> {
        let wanted = |field: &Field<'_>| {
            field.tag.strip_prefix(number).is_some_and(|option| options.contains(&option))
        };
        let (taken, left) = std::mem::take(&mut self.left).into_iter().partition::<Vec<_>, _>(wanted);
        self.left = left;
        taken.into_iter()
    }

    /// These fields, and then the other's.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.left.extend(other.left);
        self
    }

    /// What stands from the first field of that number on.
    pub(super) fn split_off(&mut self, number: &str, options: &[&str]) -> Self {
        let first = self
            .left
            .iter()
            .position(|field| field.tag.strip_prefix(number).is_some_and(|option| options.contains(&option)));
        let left = self.left.split_off(first.unwrap_or(self.left.len()));
        Self { left, place: self.place }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Every field that was not taken, in order.
    pub(super) fn into_left(self) -> std::vec::IntoIter<Field<'a>> {
        self.left.into_iter()
    }

    /// Keep what nobody took, so that it is screened and shown.
    pub(super) fn keep_left(self, attributes: &mut Attributes) {
        let mut texts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for field in &self.left {
            texts.entry(field.tag).or_default().push(field.joined());
        }
        for (tag, texts) in texts {
            keep(attributes, &format!("field_{tag}"), Some(&texts.join(" ")));
        }
    }
}

/// A line that begins a field: its tag, and the rest.
fn tagged(line: &str) -> Option<(&str, &str)> {
    let (tag, rest) = line.strip_prefix(':')?.split_once(':')?;
    let (number, option) = tag.split_at_checked(2)?;
    let is_tag = number.bytes().all(|b| b.is_ascii_digit())
        && option.len() <= 1
        && option.bytes().all(|b| b.is_ascii_uppercase());
    is_tag.then_some((tag, rest))
}
