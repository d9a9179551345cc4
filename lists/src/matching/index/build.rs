//! Reads the listed names into the index.
//!
//! What reading makes of a name takes ten times what the index keeps of it, so names are read some at a time. The
//! weights of their words follow when all are known.

use rayon::prelude::*;

use super::{
    Index, Listed, ListedForm,
    forms::{Forms, Interned},
    list_weight,
    tables::Lists,
};
use crate::matching::{
    name::{Name, Token},
    scorer::Run,
    scoring::Scoring,
    vocabulary::Class,
};

/// So many names are read at once, on all cores.
const NAMES_AT_ONCE: usize = 1_024;

/// What the index keeps of the names read so far, with forms numbered as they came.
#[derive(Default)]
struct Names {
    forms: Interned,
    /// Form and name.
    having: Vec<(u32, u32)>,
    having_initial: Vec<(u32, u32)>,
    listed: Vec<Listed>,
    tokens: Vec<Token>,
    name_forms: Vec<ListedForm>,
}

impl Index {
    /// An index over so many names, each read when it is wanted; they are known by their place.
    pub(crate) fn build(count: usize, read: impl Fn(usize) -> Name + Sync, scoring: &Scoring) -> Self {
        let mut names = Names::default();
        let mut some = Vec::new();
        for from in (0..count).step_by(NAMES_AT_ONCE) {
            let to = count.min(from + NAMES_AT_ONCE);
            (from..to).into_par_iter().map(&read).collect_into_vec(&mut some);
            some.drain(..).for_each(|name| names.add(name));
        }
        drop(some);
        let mut index = names.into_index(scoring);
        index.weigh_listed();
        index
    }

    /// Gives the listed names' tokens the weights that they have among them.
    fn weigh_listed(&mut self) {
        // Words are the same where they are written the same, whatever script they come from.
        let same = |form: u32| self.forms.with_text(self.forms.text(form)).min();
        let same: Vec<Option<u32>> = (0..self.forms.len() as u32).map(same).collect();
        let index = &*self;
        let first_forms =
            |name| (0..index.side(name).tokens.len()).map(move |token| index.first_form(name, token));
        let words = (0..self.len() as u32).flat_map(first_forms).map(|form| same[form? as usize]);
        let words: Vec<Option<u32>> = words.collect();
        let mut having = vec![0; self.forms.len()];
        for (name, listed) in (0..).zip(&self.names) {
            let tokens = self.side(name).tokens;
            let words = &words[listed.tokens as usize..][..tokens.len()];
            for (i, _) in tokens.iter().enumerate().filter(|(_, t)| t.class == Class::Word) {
                // What `weigh` will count: names that have the word, once each.
                if let Some(word) = words[i].filter(|_| !words[..i].contains(&words[i])) {
                    having[word as usize] += 1;
                }
            }
        }
        let (names, common_listed) = (self.len(), self.scoring.common_listed);
        for (token, word) in self.tokens.iter_mut().zip(words).filter(|(t, _)| t.class == Class::Word) {
            let having = word.map_or(0, |word| having[word as usize]);
            token.weight = token.weight.min(list_weight(having, names, common_listed));
        }
    }
}

impl Names {
    fn add(&mut self, name: Name) {
        let at = self.listed.len() as u32;
        let initial = name.tokens.iter().any(|t| t.class == Class::Initial);
        let having = if initial { &mut self.having_initial } else { &mut self.having };
        let (tokens, forms) = (self.tokens.len() as u32, self.name_forms.len() as u32);
        let first_having = having.len();
        self.tokens.extend_from_slice(&name.tokens);
        for span in name.spans {
            let run = Run::from(&span);
            for form in span.forms {
                let form = self.forms.intern(form);
                self.name_forms.push(ListedForm { form, run });
                if !having[first_having..].contains(&(form, at)) {
                    having.push((form, at));
                }
            }
        }
        self.listed.push(Listed {
            tokens,
            forms,
            form_count: self.name_forms.len() as u32 - forms,
            legal: name.legal,
            token_count: name.tokens.len() as u8,
        });
    }

    fn into_index(mut self, scoring: &Scoring) -> Index {
        let (forms, numbers) = Forms::build(self.forms, scoring);
        let renumber = |form: &mut u32| *form = numbers[*form as usize];
        self.name_forms.iter_mut().for_each(|listed| renumber(&mut listed.form));
        self.having.iter_mut().chain(&mut self.having_initial).for_each(|(form, _)| renumber(form));
        self.listed.shrink_to_fit();
        self.tokens.shrink_to_fit();
        self.name_forms.shrink_to_fit();
        Index {
            postings: Lists::build(&self.having, forms.len()),
            postings_initial: Lists::build(&self.having_initial, forms.len()),
            forms,
            scoring: *scoring,
            names: self.listed,
            tokens: self.tokens,
            name_forms: self.name_forms,
        }
    }
}
