//! From the words of a name to its tokens: which part each plays, what it weighs, and every form it may be written in.
//!
//! Owns the reading of a name. Never compares two.

use smallvec::SmallVec;

use super::{
    acronyms,
    name::{Name, Part, ROMAN, Span, Token},
    normalise::{self, Folded, Word},
    numbers,
    scoring::Scoring,
    scripts::{self, Path, abjad, cyrillic, han, hangul, kana, latin},
    similarity::{Form, Kind},
    vocabulary::{self, Class, LegalForms},
};
use crate::Script;

/// Tokens of a name that are compared; a name of more is not screened whole, and says so. Listed names have up to 25.
pub const TOKENS_MAX: usize = 28;

/// Syllables written together (`Taiman`) and words written apart (`Plat ono vich`): so many tokens may be joined.
const JOINED_MAX: usize = 3;
/// Three are joined only where one of them is this short.
const SHORT_PART_LEN: usize = 3;
/// A joined form longer than this is nobody's name.
const JOINED_LEN_MAX: usize = 24;

/// Reads a name. `telegraph` says that digits stand for characters.
pub(crate) fn read(name: &str, telegraph: bool, scoring: &Scoring) -> Name {
    let Folded { mut words, whole, readable } = normalise::fold(name, normalise::COMPARED_CHARS_MAX);
    if telegraph || is_telegraph(&words) {
        decode_telegraph(&mut words);
    }
    let mut out = Name { cut: !whole, ..Name::default() };
    let divided = words.iter().filter(|w| w.after_comma).count() > 0 && words.iter().any(|w| !w.after_comma);
    let is_company = words.iter().any(|w| matches!(w.text.as_str(), "company" | "corporation"));
    set_legal_forms_aside(&mut words, &mut out);
    drop_number_signs(&mut words);
    join_letters(&mut words);
    let mut father = false;
    for (i, word) in words.iter().enumerate() {
        if out.tokens.len() >= TOKENS_MAX {
            out.cut = true;
            break;
        }
        let first = out.tokens.len();
        match word.script {
            Script::Han => {
                out.push_characters(&word.text);
            }
            Script::Hangul => {
                for c in word.text.chars() {
                    let forms = std::iter::once(Form::new(Path::Hangul, c.to_string()));
                    let spelled = hangul::spellings(c).into_iter().map(|s| Form::new(Path::Hangul, s));
                    out.push(c.to_string(), Class::Syllable, false, forms.chain(spelled).collect());
                }
            }
            Script::Arabic => {
                for part in abjad::parts(&word.text) {
                    let letters = abjad::arabic(&part);
                    let class = match part.as_str() {
                        "ال" | "بن" | "ابن" | "بنت" | "عبد" | "و" | "د" => Class::Particle,
                        "شيخ" | "حاج" | "ملا" | "مولوی" | "حاجی" | "شیخ" => Class::Title,
                        _ => Class::Word,
                    };
                    out.push(
                        part.clone(),
                        class,
                        father,
                        SmallVec::from_elem(Form::new(Path::Abjad, letters), 1),
                    );
                    father = matches!(part.as_str(), "بن" | "ابن" | "بنت") || (father && part == "ال");
                }
            }
            Script::Hebrew => {
                let form = Form::new(Path::Abjad, abjad::hebrew(&word.text));
                out.push(word.text.clone(), Class::Word, false, SmallVec::from_elem(form, 1));
            }
            Script::Latin | Script::Other if word.text.is_ascii() => {
                let next = words.get(i + 1).map(|w| w.text.as_str());
                father = out.push_latin(&word.text, Path::Latin, father, next);
            }
            Script::Kana if word.text.chars().all(kana::is_kana) => {
                let mut readings = kana::readings(&word.text).into_iter();
                father = out.push_latin(&readings.next().unwrap_or_default(), Path::Kana, father, None);
                if let Some(span) = out.spans.get_mut(first) {
                    span.forms.extend(readings.map(|text| Form::new(Path::Kana, text)));
                }
            }
            Script::Cyrillic => {
                father = out.push_latin(&cyrillic::romanise(&word.text), Path::Cyrillic, father, None);
            }
            _ => father = out.push_latin(&normalise::ascii(&word.text), Path::Transliterated, father, None),
        }
        // Letters of a script that nothing here can write otherwise.
        out.unreadable |= out.tokens.len() == first && word.text.chars().any(char::is_alphabetic);
        let part = part_of(word, &words, divided && out.legal == 0);
        for (at, token) in out.tokens.iter_mut().enumerate().skip(first) {
            token.part = match part {
                // In a name written as one word the family comes first.
                None if at > first => Part::Given,
                None => Part::Family,
                Some(part) => part,
            };
        }
    }
    // Telegraph codes are letters, written in digits.
    let coded = out.tokens.iter().any(|token| token.class == Class::Syllable);
    // An initial alone is nobody.
    let compared = out.tokens.iter().any(|token| token.class != Class::Initial);
    out.unreadable |= !compared || !(readable || coded);
    out.read_places();
    out.read_pinyin_elsewhere();
    out.join_numbers();
    out.mark_syllables();
    out.weigh(scoring);
    out.join();
    out.abbreviate(is_company);
    out
}

/// Which part of a name a word is; `None` for a Chinese or Korean name written as one word, which has both.
fn part_of(word: &Word, words: &[Word], divided: bool) -> Option<Part> {
    let length = word.text.chars().count();
    if word.aside {
        return Some(Part::Aside);
    }
    match word.script {
        Script::Han | Script::Hangul if words.len() == 1 => {
            (!(2..=4).contains(&length)).then_some(Part::Unknown)
        }
        Script::Han | Script::Hangul => Some(if length == 1 { Part::Family } else { Part::Given }),
        _ if divided => Some(if word.after_comma { Part::Given } else { Part::Family }),
        _ if word.capitals => Some(Part::Family),
        _ => Some(Part::Unknown),
    }
}

/// Two to six groups of four digits and nothing else.
fn is_telegraph(words: &[Word]) -> bool {
    (2..=6).contains(&words.len())
        && words.iter().all(|w| w.text.len() == 4 && w.text.bytes().all(|b| b.is_ascii_digit()))
}

fn decode_telegraph(words: &mut [Word]) {
    let decoded: Option<Vec<char>> =
        words.iter().map(|w| w.text.parse().ok().and_then(han::from_telegraph_code)).collect();
    if let Some(characters) = decoded {
        for (word, c) in words.iter_mut().zip(characters) {
            word.text = c.to_string();
            word.script = Script::Han;
        }
    }
}

/// `No. 12` is 12.
fn drop_number_signs(words: &mut Vec<Word>) {
    for at in (1..words.len()).rev() {
        if words[at - 1].text == NUMBER && numbers::is_digits(&words[at].text) {
            words.remove(at - 1);
        }
    }
}

/// Before digits, and only there, it says that they are a number.
const NUMBER: &str = "no";

/// `P.L.A.` is one word.
fn join_letters(words: &mut Vec<Word>) {
    let letter = |w: &Word| w.text.len() == 1 && w.text.bytes().all(|b| b.is_ascii_lowercase());
    if words.len() > 2 && words.iter().all(letter) {
        let rest: String = words.drain(1..).map(|w| w.text).collect();
        words[0].text.push_str(&rest);
    }
}

fn set_legal_forms_aside(words: &mut Vec<Word>, out: &mut Name) {
    let (aside, class) = latin_legal_forms(words);
    out.legal |= class;
    let mut aside = aside.into_iter();
    words.retain(|_| !aside.next().unwrap_or(false));
    for word in words.iter_mut().filter(|w| matches!(w.script, Script::Han | Script::Hangul)) {
        let folded: String = word.text.chars().map(|c| han::character(c).map_or(c, |k| k.folded)).collect();
        if let Some(ending) = vocabulary::LEGAL_ENDINGS.iter().find(|e| folded.ends_with(**e)) {
            out.legal |= 1 << 15;
            let keep = folded.chars().count() - ending.chars().count();
            word.text = folded.chars().take(keep).collect();
        }
    }
}

/// Which words belong to a legal form, and the classes of those forms.
fn latin_legal_forms(words: &[Word]) -> (SmallVec<[bool; 8]>, LegalForms) {
    let texts: SmallVec<[&str; 8]> = words.iter().map(|w| w.text.as_str()).collect();
    // `LI Na` and `WEI Sia-Kang` have no legal form.
    let a_person = (2..=3).contains(&texts.len()) && texts.iter().all(|t| scripts::is_syllable(t));
    let mut aside = SmallVec::from_elem(false, words.len());
    let mut classes = 0;
    let mut i = 0;
    while i < texts.len() {
        // A short one in the middle of a name is rarely a legal form (`AS`, `SA'ID`).
        let apart = |len: usize| {
            let first = i == 0 && texts.len() > 2 && texts[i].len() > 1;
            let numbered = texts[i + 1..].iter().all(|t| *t == NUMBER || numbers::is_digits(t));
            len > 1 || texts[i].len() > 2 || numbered || first
        };
        // `Sia-Kang`.
        let tied = words[i].tied || words.get(i + 1).is_some_and(|w| w.tied);
        let alone = |len: usize| len == 1 && (a_person || tied);
        match vocabulary::legal_form(&texts[i..]).filter(|(len, _)| apart(*len) && !alone(*len)) {
            Some((len, class)) => {
                classes |= class;
                aside[i..i + len].fill(true);
                i += len;
            }
            None => i += 1,
        }
    }
    (aside, classes)
}

impl Name {
    /// A Latin word; whether the next one names the father.
    fn push_latin(&mut self, word: &str, path: Path, father: bool, next: Option<&str>) -> bool {
        if word.is_empty() {
            return father;
        }
        let word = vocabulary::spelled_out(word).unwrap_or(word);
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && (digits == word.len() || normalise::is_ordinal(word)) {
            self.push_number(&word[..digits]);
            return false;
        }
        // `unit731`: a word and a number.
        let trailing = word.bytes().rev().take_while(u8::is_ascii_digit).count();
        if digits == 0 && trailing > 0 && word.len() - trailing > 2 {
            self.push_latin(&word[..word.len() - trailing], path, father, None);
            self.push_number(&word[word.len() - trailing..]);
            return false;
        }
        if !self.tokens.is_empty() || word.len() > 3 {
            if let Some(n) = numbers::spelled(word) {
                self.push_number(&n.to_string());
                return false;
            }
            let shared = self.tokens.last().is_some_and(|t| t.class == Class::Generic) && next.is_none();
            if let Some(n) = numbers::roman(word, shared) {
                self.push_number(&n.to_string());
                if let (Some(token), Some(shown)) = (self.tokens.last_mut(), self.shown.last_mut()) {
                    token.mark |= ROMAN;
                    *shown = word.to_uppercase();
                }
                return false;
            }
        }
        let lineage = vocabulary::is_lineage(word);
        let class = match vocabulary::class_of(word) {
            Class::Word if word.len() == 1 => Class::Initial,
            Class::Particle if word.len() == 1 && next.is_none_or(|n| n.len() == 1) => Class::Initial,
            class => class,
        };
        self.push(
            word.to_owned(),
            class,
            father && !lineage && class != Class::Particle,
            std::iter::once(word.to_owned())
                .chain(latin::other_reading(word).filter(|_| class == Class::Word))
                .map(|text| Form::new(path, text))
                .collect(),
        );
        lineage || (father && class == Class::Particle)
    }

    fn push_number(&mut self, digits: &str) {
        let digits = digits.trim_start_matches('0');
        let digits = if digits.is_empty() { "0" } else { digits };
        self.push(
            digits.to_owned(),
            Class::Number,
            false,
            SmallVec::from_elem(Form::new(Path::Latin, digits.to_owned()), 1),
        );
    }

    /// Each character by itself; those of words that any company may have in its name prove nothing.
    fn push_characters(&mut self, word: &str) {
        let first = self.tokens.len();
        word.chars().for_each(|c| self.push_character(c));
        if self.legal == 0 && word.chars().count() < HAN_COMPANY_LEN_MIN {
            return;
        }
        let folded: Vec<char> = word.chars().map(|c| han::character(c).map_or(c, |k| k.folded)).collect();
        for (at, pair) in folded.windows(2).enumerate() {
            if vocabulary::is_shared_in_chinese(pair[0], pair[1]) {
                let tokens = self.tokens.iter_mut().skip(first + at).take(2);
                tokens.for_each(|token| token.class = Class::Generic);
            }
        }
    }

    fn push_character(&mut self, c: char) {
        let Some(character) = han::character(c) else {
            let form = Form::new(Path::Han, c.to_string());
            self.push(c.to_string(), Class::Syllable, false, SmallVec::from_elem(form, 1));
            return;
        };
        let itself = std::iter::once(Form::new(Path::Han, character.folded.to_string()));
        let spelled = character.spellings().into_iter().map(|(path, text)| Form::new(path, text));
        self.push(c.to_string(), Class::Syllable, false, itself.chain(spelled).collect());
    }

    fn push(&mut self, shown: String, class: Class, father: bool, forms: SmallVec<[Form; 1]>) {
        if self.tokens.len() >= TOKENS_MAX {
            self.cut = true;
            return;
        }
        let mark = match class {
            Class::Number => shown.parse().unwrap_or(u32::MAX),
            _ => forms.first().and_then(|f| f.text.bytes().next()).map_or(0, u32::from),
        };
        self.spans.push(Span { from: self.tokens.len() as u8, len: 1, forms });
        self.tokens.push(Token { weight: 0.0, class, father, part: Part::Unknown, mark, syllabic: false });
        self.shown.push(shown);
    }

    /// In the name of an organisation, adjectives of places.
    fn read_places(&mut self) {
        if !self.tokens.iter().any(|t| t.class == Class::Generic) {
            return;
        }
        for (_, span) in self.tokens.iter().zip(&mut self.spans).filter(|(t, _)| t.class == Class::Word) {
            let place = span.forms.first().and_then(|form| latin::place(&form.text));
            span.forms.extend(place.map(|text| Form::new(Path::Latin, text)));
        }
    }

    /// A whole name in pinyin (`Chen Dawen`) may be the same as one in Cantonese (`CHAN Tai Man`) or Wade-Giles.
    fn read_pinyin_elsewhere(&mut self) {
        let words =
            self.tokens.iter().all(|t| t.class == Class::Word) && (2..=3).contains(&self.tokens.len());
        if !words || self.spans.iter().any(|s| s.forms.iter().any(|f| f.path != Path::Latin)) {
            return;
        }
        let Some(read) = self.shown.iter().map(|w| han::syllables(w)).collect::<Option<SmallVec<[_; 3]>>>()
        else {
            return;
        };
        let double = |shown: &String| scripts::is_double_family(shown);
        let syllables: usize = read.iter().map(|(_, second)| 1 + usize::from(second.is_some())).sum();
        let most = if self.shown.iter().any(double) { 4 } else { 3 };
        if !(2..=most).contains(&syllables) {
            return;
        }
        // A single syllable beside two that are written as one is the family.
        let single = read.len() == 2 && syllables == 3;
        for (i, (first, second)) in read.into_iter().enumerate() {
            let part = self.tokens[i].part;
            let family = part == Part::Family || (part == Part::Unknown && single && second.is_none());
            let firsts = han::elsewhere(first, family);
            let span = &mut self.spans[i];
            match second {
                None => span.forms.extend(firsts.into_iter().map(|text| Form::new(Path::Elsewhere, text))),
                Some(second) => {
                    let seconds = han::elsewhere(second, false);
                    let joined = firsts.iter().flat_map(|a| seconds.iter().map(move |b| format!("{a}{b}")));
                    span.forms.extend(
                        joined.take(FORMS_ELSEWHERE_MAX).map(|text| Form::new(Path::Elsewhere, text)),
                    );
                }
            }
        }
    }

    /// Marks the syllables of a name that is made of them: `CHAN Tai Man`, `Peter CHAN Taiman`, `Kim Jong-un`, 陳大文.
    fn mark_syllables(&mut self) {
        let (mut alone, mut others, mut given) = (0, 0, 0);
        // Where the family and a given name stand as single syllables, a longer word is a name from elsewhere.
        let single = |(token, shown): &(&Token, &String)| {
            token.class == Class::Syllable || (token.class == Class::Word && scripts::is_syllable(shown))
        };
        let singles = self.tokens.iter().zip(&self.shown).filter(single).count();
        let two = |word: &str| singles < 2 && scripts::is_two_syllables(word);
        for (token, shown) in self.tokens.iter_mut().zip(&self.shown) {
            match token.class {
                Class::Syllable => (token.syllabic, alone) = (true, alone + 1),
                Class::Word if scripts::is_syllable(shown) => (token.syllabic, alone) = (true, alone + 1),
                Class::Word if scripts::is_double_family(shown) => {
                    (token.syllabic, alone) = (true, alone + 2)
                }
                Class::Word if two(shown) => (token.syllabic, others) = (true, others + 2),
                // Wherever it stands among syllables it is one: `WU Wing On`, `LI Bin`.
                Class::Particle | Class::Generic if scripts::is_syllable(shown) => {
                    (token.syllabic, others) = (true, others + 1)
                }
                Class::Word => given += 1,
                Class::Title | Class::Initial => {}
                _ => given = usize::MAX / 2,
            }
        }
        // A family must be there: a single one, or one of the few of two syllables.
        let personal = alone > 0 && (2..=SYLLABLES_MAX).contains(&(alone + others)) && given <= GIVEN_MAX;
        for token in &mut self.tokens {
            token.syllabic &= personal;
            if token.syllabic && matches!(token.class, Class::Particle | Class::Generic) {
                (token.class, token.father) = (Class::Word, false);
            }
        }
    }

    /// `forty` and `four` make 44.
    fn join_numbers(&mut self) {
        let mut i = 0;
        while i + 1 < self.tokens.len() {
            let (a, b) = (self.tokens[i], self.tokens[i + 1]);
            let tens = a.mark >= 20 && a.mark < 100 && a.mark % 10 == 0;
            if a.class == Class::Number && b.class == Class::Number && tens && (1..10).contains(&b.mark) {
                let sum = a.mark + b.mark;
                self.tokens.remove(i + 1);
                self.spans.remove(i + 1);
                self.shown.remove(i + 1);
                for span in self.spans.iter_mut().skip(i + 1) {
                    span.from -= 1;
                }
                self.tokens[i].mark = sum;
                self.shown[i] = sum.to_string();
                self.spans[i].forms[0] = Form::new(Path::Latin, sum.to_string());
            }
            i += 1;
        }
    }

    /// Weighs the tokens; a word said twice running says no more.
    fn weigh(&mut self, scoring: &Scoring) {
        for (i, token) in self.tokens.iter_mut().enumerate() {
            token.weight = prior_weight(token.class, &self.shown[i], scoring);
            if i > 0 && token.class != Class::Syllable && self.shown[i - 1] == self.shown[i] {
                token.weight *= REPEATED;
            }
        }
    }

    /// Adds the spans of two and three tokens written as one.
    fn join(&mut self) {
        let singles = self.tokens.len();
        for from in 0..singles {
            for len in 2..=JOINED_MAX.min(singles - from) {
                let parts = from..from + len;
                let joinable = parts.clone().all(|i| !matches!(self.tokens[i].class, Class::Number));
                let short = parts.clone().any(|i| self.shown[i].chars().count() <= SHORT_PART_LEN);
                if !joinable || (len == 3 && !short) {
                    continue;
                }
                let mut forms: SmallVec<[Form; 1]> = SmallVec::new();
                // Three Chinese or Korean syllables are one word in pinyin only; more would be thousands of forms.
                let fits = |f: &&Form| {
                    let few = len == 2 || f.path == Path::Pinyin;
                    f.path.kind() != Kind::Exact || (few && f.path != Path::Elsewhere)
                };
                let first = self.spans[from].forms.iter().take(FORMS_JOINED_MAX).filter(fits);
                let mut texts: Vec<(Path, String)> = first.map(|f| (f.path, f.text.clone())).collect();
                for span in &self.spans[from + 1..from + len] {
                    let next = |(path, text): &(Path, String)| {
                        let same = span.forms.iter().take(FORMS_JOINED_MAX).filter(|f| f.path == *path);
                        same.map(|f| (*path, format!("{text}{}", f.text))).collect::<Vec<_>>()
                    };
                    texts = texts.iter().flat_map(next).collect();
                }
                for (path, text) in texts {
                    let fits = path != Path::Han && text.len() <= JOINED_LEN_MAX;
                    if fits && !forms.iter().any(|f| f.path == path && f.text == text) {
                        forms.push(Form::joined(path, text));
                    }
                }
                if !forms.is_empty() {
                    self.spans.push(Span { from: from as u8, len: len as u8, forms });
                }
            }
        }
    }
}

impl Name {
    /// Adds the first letters of the whole name.
    fn abbreviate(&mut self, is_company: bool) {
        let words = self.tokens.iter().map(|t| t.class).zip(self.shown.iter().map(String::as_str));
        let letters = acronyms::of(words, is_company);
        let forms: SmallVec<[Form; 1]> = letters.map(|l| Form::joined(Path::Acronym, l)).collect();
        if !forms.is_empty() {
            self.spans.push(Span { from: 0, len: self.tokens.len() as u8, forms });
        }
    }
}

/// No person's name has so many Chinese characters.
const HAN_COMPANY_LEN_MIN: usize = 5;

/// Other romanisations of two syllables written as one that are tried.
const FORMS_ELSEWHERE_MAX: usize = 200;

/// Spellings of one syllable that are tried when syllables are joined.
const FORMS_JOINED_MAX: usize = 14;

/// A personal name of two families and two given names has as many syllables; more are a company's.
const SYLLABLES_MAX: usize = 5;
/// Names from elsewhere that stand before them: `Peter`.
const GIVEN_MAX: usize = 1;

/// A token that repeats the one before it.
const REPEATED: f32 = 0.2;

/// The weight of a token when nothing is known of the lists: its part, length and commonness.
fn prior_weight(class: Class, shown: &str, scoring: &Scoring) -> f32 {
    match class {
        Class::Word => {
            let short = match shown.chars().count() {
                1..=2 => 0.7,
                3 => 0.85,
                _ => 1.0,
            };
            short * (1.0 - scoring.common * vocabulary::commonness(shown))
        }
        Class::Generic => scoring.generic,
        Class::Title => 0.2,
        Class::Particle => 0.12,
        Class::Initial => 0.35,
        Class::Number => scoring.number,
        Class::Syllable => scoring.syllable,
    }
}
