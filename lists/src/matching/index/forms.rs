//! The distinct forms of all listed names, and which of them a form of a query meets.
//!
//! Forms that are compared by sound and have the same key stand together as a group: a key is looked at once for
//! all of them, and they are read in the order in which they are stored. Forms that are near share a key with at
//! most so many letters deleted on either side, are equal, or stand together in the table of short forms: so a
//! look-up by deleted keys finds every form that may be met.

use std::sync::Arc;

use moka::sync::Cache;
use rayon::prelude::*;
use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::SmallVec;

use super::tables::{Hashed, deletions, hash};
use crate::matching::{
    scorer,
    scoring::Scoring,
    scripts::Path,
    similarity::{self, Form, FormRef, Kind, consonant_edits_allowed, similarity},
    vocabulary,
};

/// Pairs of a word and a form near it that are remembered between queries, of each sort of word: some 8 MiB.
const REMEMBERED_MAX: u64 = 1_000_000;

/// A listed form that a form of the query meets.
#[derive(Clone, Copy)]
pub(super) struct Near {
    pub form: u32,
    pub nearness: f32,
}

/// The forms of all listed names.
pub(super) struct Forms {
    /// In the order of groups; one more at the end, to say where the last one ends.
    places: Vec<Place>,
    texts: String,
    sounds: Vec<u8>,
    groups: Vec<Group>,
    keys: Vec<u8>,
    by_text: Hashed,
    /// Keys of single tokens' letters, with deletions, and of joined ones → groups.
    letters: Hashed,
    letters_joined: Hashed,
    /// Keys of abjad forms → groups.
    abjads: Hashed,
    /// Consonants of letters, for queries in an abjad → forms.
    consonants: Hashed,
    scoring: Scoring,
    /// What single words in letters met, and words in an abjad. It follows from the forms alone, so it never grows
    /// old.
    remembered: [NearCache; 2],
}

type NearCache = Cache<Box<str>, Arc<[Near]>, FxBuildHasher>;

/// Where the parts of a form begin.
struct Place {
    text: u32,
    sounds: u32,
    group: u32,
    path: Path,
    joined: bool,
    others: bool,
}

/// Where the parts of a group begin.
struct Group {
    form: u32,
    key: u32,
}

/// Numbers the distinct forms in the order in which they come.
#[derive(Default)]
pub(super) struct Interned {
    forms: Vec<Form>,
    by_text: FxHashMap<Box<str>, SmallVec<[u32; 2]>>,
}

impl Interned {
    pub(super) fn intern(&mut self, form: Form) -> u32 {
        if let Some(ids) = self.by_text.get(form.text.as_str()) {
            let same = |id: &&u32| {
                let known = &self.forms[**id as usize];
                known.path == form.path && known.joined == form.joined
            };
            if let Some(id) = ids.iter().find(same) {
                return *id;
            }
        }
        let id = self.forms.len() as u32;
        self.by_text.entry(form.text.as_str().into()).or_default().push(id);
        self.forms.push(form);
        id
    }
}

impl Forms {
    /// Puts forms in order; also the place that each number got.
    pub(super) fn build(interned: Interned, scoring: &Scoring) -> (Self, Vec<u32>) {
        let forms = interned.forms;
        let kind = |form: &Form| (form.path.kind(), form.joined);
        let mut order: Vec<u32> = (0..forms.len() as u32).collect();
        order.par_sort_unstable_by(|a, b| {
            let (a, b) = (&forms[*a as usize], &forms[*b as usize]);
            let rank = |form: &Form| (form.path.kind() as u8, form.joined);
            let by_sound = rank(a).cmp(&rank(b)).then_with(|| a.key.cmp(&b.key));
            by_sound
                .then_with(|| a.sounds.cmp(&b.sounds))
                .then_with(|| (&a.text, a.path).cmp(&(&b.text, b.path)))
        });
        let mut numbers = vec![0; forms.len()];
        let mut built = Self {
            places: Vec::with_capacity(forms.len() + 1),
            texts: String::new(),
            sounds: Vec::new(),
            groups: Vec::new(),
            keys: Vec::new(),
            by_text: Hashed::default(),
            letters: Hashed::default(),
            letters_joined: Hashed::default(),
            abjads: Hashed::default(),
            consonants: Hashed::default(),
            scoring: *scoring,
            remembered: [remember(), remember()],
        };
        let mut last: Option<&Form> = None;
        for (place, number) in order.iter().enumerate() {
            let form = &forms[*number as usize];
            numbers[*number as usize] = place as u32;
            if last.is_none_or(|l| kind(l) != kind(form) || l.key != form.key) {
                built.groups.push(Group { form: place as u32, key: built.keys.len() as u32 });
                built.keys.extend_from_slice(&form.key);
            }
            built.push(form);
            last = Some(form);
        }
        built.groups.push(Group { form: order.len() as u32, key: built.keys.len() as u32 });
        built.push(&Form::new(Path::Han, String::new()));
        drop(forms);
        built.index();
        (built, numbers)
    }

    fn push(&mut self, form: &Form) {
        self.places.push(Place {
            text: self.texts.len() as u32,
            sounds: self.sounds.len() as u32,
            group: self.groups.len() as u32 - 1,
            path: form.path,
            joined: form.joined,
            others: !form.others.is_empty(),
        });
        self.texts.push_str(&form.text);
        self.sounds.extend_from_slice(&form.sounds);
    }

    fn index(&mut self) {
        let mut by_text = Vec::with_capacity(self.len());
        let (mut letters, mut joined, mut abjads, mut consonants) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for group in 0..self.groups.len() as u32 - 1 {
            for id in self.forms_of(group) {
                by_text.push((hash(self.text(id).bytes()), id));
                let form = self.get(id);
                if form.path.kind() == Kind::Letters {
                    let skeleton = form.consonants();
                    let edits = consonant_edits_allowed(skeleton.len());
                    deletions(&skeleton, edits, &mut |hash| consonants.push((hash, id)));
                }
            }
            let first = self.get(self.groups[group as usize].form);
            let (keys, edits) = match first.path.kind() {
                Kind::Letters if first.joined => (&mut joined, first.edits()),
                Kind::Letters => (&mut letters, first.edits()),
                Kind::Abjad => (&mut abjads, consonant_edits_allowed(first.key.len())),
                Kind::Exact => continue,
            };
            deletions(first.key, edits, &mut |hash| keys.push((hash, group)));
        }
        self.by_text = Hashed::build(by_text);
        self.letters = Hashed::build(letters);
        self.letters_joined = Hashed::build(joined);
        self.abjads = Hashed::build(abjads);
        self.consonants = Hashed::build(consonants);
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - 1
    }

    pub(super) fn text(&self, id: u32) -> &str {
        let id = id as usize;
        &self.texts[self.places[id].text as usize..self.places[id + 1].text as usize]
    }

    fn sounds(&self, id: u32) -> &[u8] {
        let id = id as usize;
        &self.sounds[self.places[id].sounds as usize..self.places[id + 1].sounds as usize]
    }

    fn key(&self, group: u32) -> &[u8] {
        let group = group as usize;
        &self.keys[self.groups[group].key as usize..self.groups[group + 1].key as usize]
    }

    fn forms_of(&self, group: u32) -> std::ops::Range<u32> {
        let group = group as usize;
        self.groups[group].form..self.groups[group + 1].form
    }

    /// A form, put together from its parts.
    pub(super) fn get(&self, id: u32) -> FormRef<'_> {
        let place = &self.places[id as usize];
        let text = self.text(id);
        FormRef {
            text,
            path: place.path,
            sounds: self.sounds(id),
            key: self.key(place.group),
            joined: place.joined,
            others: if place.others { vocabulary::other_names(text) } else { &[] },
        }
    }

    /// The forms that are written so.
    pub(super) fn with_text(&self, text: &str) -> impl Iterator<Item = u32> {
        self.by_text.get(hash(text.bytes())).filter(move |id| self.text(*id) == text)
    }

    pub(super) fn is_joined(&self, id: u32) -> bool {
        self.places[id as usize].joined
    }

    /// Every form that a form of the query meets, where that is the form of so many of its tokens.
    pub(super) fn near(&self, form: &Form, tokens: u8, mut each: impl FnMut(Near)) {
        let remembered = match form.path.kind() {
            _ if form.joined => None,
            Kind::Letters => Some(&self.remembered[0]),
            Kind::Abjad => Some(&self.remembered[1]),
            Kind::Exact => None,
        };
        if let Some(known) = remembered.and_then(|words| words.get(form.text.as_str())) {
            known.iter().for_each(|near| each(*near));
            return;
        }
        let mut found = NearForms::new();
        self.compare(form.into(), tokens, &mut found);
        found.iter().for_each(|near| each(*near));
        if let Some(words) = remembered {
            words.insert(form.text.as_str().into(), found.as_slice().into());
        }
    }

    fn compare(&self, form: FormRef<'_>, tokens: u8, found: &mut NearForms) {
        // What is compared as it stands meets any form with the same text.
        let exact = |id: &u32| Kind::Exact == self.places[*id as usize].path.kind();
        for id in self.with_text(form.text).filter(|id| form.path.kind() == Kind::Exact || exact(id)) {
            self.keep(tokens, id, similarity(form, self.get(id)), found);
        }
        match form.path.kind() {
            Kind::Letters => self.compare_letters(form, tokens, found),
            Kind::Abjad => {
                let (mut groups, mut letters) = (Numbers::new(), Numbers::new());
                deletions(form.key, consonant_edits_allowed(form.key.len()), &mut |hash| {
                    groups.extend(self.abjads.get(hash));
                    letters.extend(self.consonants.get(hash));
                });
                distinct(&mut groups);
                for id in groups.into_iter().flat_map(|group| self.forms_of(group)) {
                    self.keep(tokens, id, similarity(form, self.get(id)), found);
                }
                distinct(&mut letters);
                for id in letters {
                    let nearness =
                        similarity::across(form.key, form.sounds, self.sounds(id), self.floor(tokens, id));
                    self.keep(tokens, id, nearness, found);
                }
            }
            Kind::Exact => {}
        }
    }

    fn compare_letters(&self, form: FormRef<'_>, tokens: u8, found: &mut NearForms) {
        let mut groups = Numbers::new();
        if !self.abjads.is_empty() {
            let key = form.consonants();
            deletions(&key, consonant_edits_allowed(key.len()), &mut |hash| {
                groups.extend(self.abjads.get(hash));
            });
            distinct(&mut groups);
            let near = |group: &u32| similarity::consonants_near(self.key(*group), &key);
            for id in groups.drain(..).filter(near).flat_map(|group| self.forms_of(group)) {
                let least = self.floor(tokens, id);
                let nearness = similarity::sounds_across(self.sounds(id), form.sounds, least);
                self.keep(tokens, id, nearness, found);
            }
        }
        // Joined never meets joined; and a joined form is looked at with one edit at most.
        let edits = form.edits();
        deletions(form.key, edits, &mut |hash| groups.extend(self.letters.get(hash)));
        if !form.joined {
            deletions(form.key, edits.min(1), &mut |hash| groups.extend(self.letters_joined.get(hash)));
        }
        distinct(&mut groups);
        groups.retain(|group| {
            let key = self.key(*group);
            let joined = self.is_joined(self.forms_of(*group).start);
            similarity::near(key, form.key, edits.min(similarity::edits(key, joined)))
        });
        for other in form.others {
            // Those whose keys are near are met below.
            let far = |id: &u32| !groups.contains(&self.places[*id as usize].group);
            for id in self.with_text(other).filter(far) {
                self.keep(tokens, id, similarity(form, self.get(id)), found);
            }
        }
        for id in groups.into_iter().flat_map(|group| self.forms_of(group)) {
            let least = self.floor(tokens, id);
            let mut nearness = similarity::sounds_near(form, self.sounds(id), || self.text(id), least);
            if self.places[id as usize].others && !form.others.is_empty() {
                nearness = nearness.max(similarity(form, self.get(id)));
            }
            self.keep(tokens, id, nearness, found);
        }
    }

    /// How near a form must be to meet a form of so many tokens.
    fn floor(&self, tokens: u8, id: u32) -> f32 {
        scorer::floor(tokens, 1 + u8::from(self.is_joined(id)), &self.scoring)
    }

    fn keep(&self, tokens: u8, form: u32, nearness: f32, found: &mut NearForms) {
        if nearness >= self.floor(tokens, form) {
            found.push(Near { form, nearness });
        }
    }
}

fn remember() -> NearCache {
    Cache::builder()
        .max_capacity(REMEMBERED_MAX)
        .weigher(|_, near: &Arc<[Near]>| 8 + near.len() as u32)
        .build_with_hasher(FxBuildHasher)
}

type NearForms = SmallVec<[Near; 64]>;
type Numbers = SmallVec<[u32; 64]>;

fn distinct(numbers: &mut Numbers) {
    numbers.sort_unstable();
    numbers.dedup();
}
