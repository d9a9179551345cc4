//! Whole listed names in any text: a remittance line that names a party, an address behind a name, a vessel.
//!
//! A name is looked for letter by letter, whatever stands between its words and however its words are joined or split,
//! in every order that people write it in; it begins and ends where words of the text do. Chinese, which has no spaces,
//! is found anywhere. Texts that belong together are looked at side by side, so that a name split over two is found.
//! Never spells: one typo hides a name here, since free text compared loosely would name somebody in every line.
//!
//! Owns which names are long enough not to be found by chance. What was not looked at whole is said.

use sluice_model::EntryKind;

use super::{
    normalise,
    scripts::{self, han},
    vocabulary::{self, Class},
};
use crate::{Name, NameQuality, Script};

/// Characters of one text that are looked at, as many as an event's text may have; what has more says so. The number of
/// letters that they stand for is limited likewise.
pub(crate) const TEXT_CHARS_MAX: usize = sluice_model::limits::TEXT_BYTES_MAX;
/// Letters that a name of one word must have, and one of several.
const ONE_WORD_LEN_MIN: usize = 7;
const WORDS_LEN_MIN: usize = 8;
/// The same of several words, where the text is a party's name.
const WORDS_IN_NAME_LEN_MIN: usize = 5;
/// The same for letters that are not Latin.
const ONE_WORD_OTHER_LEN_MIN: usize = 4;
const WORDS_OTHER_LEN_MIN: usize = 6;
/// Chinese characters that a person's name must have, and another's. Shorter ones stand within other words.
const HAN_PERSON_LEN_MIN: usize = 3;
const HAN_LEN_MIN: usize = 4;
/// The same where the text is a party's name and spaces stand around it.
const HAN_IN_NAME_LEN_MIN: usize = 2;
/// A word longer than this is several written as one: a name of so many letters is found inside.
pub(crate) const LONG_WORD_LEN: usize = 12;
const INSIDE_LEN_MIN: usize = 10;
/// Up to so many words of a person's name are looked for in any order.
const ANY_ORDER_WORDS_MAX: usize = 3;
/// And up to so many in turn, from whichever of them on, and backwards.
const TURNED_WORDS_MAX: usize = 8;

/// One of the texts that are looked at side by side.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    pub text: &'a str,
    /// Whether it is a party's name, in which shorter names are looked for.
    pub is_name: bool,
}

/// A place in the texts where a name is found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Occurrence {
    /// Which of the names.
    pub name: u32,
    /// The texts in which it begins and ends.
    pub first: usize,
    pub last: usize,
    /// Whether it says enough across two texts: it has three words, or nothing but a title stands before it in the first.
    pub is_split: bool,
    /// The words there.
    pub phrase: String,
}

/// What was found, and whether all was looked at.
pub(crate) struct Search {
    pub found: Vec<Occurrence>,
    pub whole: bool,
}

/// Finds listed names in text.
pub(crate) struct Phrases {
    /// By hash.
    patterns: Box<[Pattern]>,
    /// The hashes of all patterns and of their first letters.
    filter: HashFilter,
    /// Letters of the longest.
    longest: usize,
}

/// A name, in one of the orders in which it is written.
#[derive(Clone, Copy)]
struct Pattern {
    hash: u64,
    name: u32,
    kind: Kind,
}

/// Where a pattern may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// It is one word of the text, or its letters stand apart.
    Word,
    /// It begins and ends with words of the text, or stands inside a long one.
    Words,
    /// The same, in a party's name only, and never inside a word.
    WordsInName,
    /// Anywhere.
    Han,
    /// In a party's name, with spaces around it.
    HanInName,
}

impl Phrases {
    /// Of names in the order in which they are known to the index.
    pub(crate) fn build<'a>(names: impl Iterator<Item = (EntryKind, &'a Name)>) -> Self {
        let mut patterns = Vec::new();
        let mut begins = Vec::new();
        let mut longest = 0;
        for (at, (kind, name)) in names.enumerate() {
            each_pattern(kind, name, |kind, letters| {
                let (mut hash, mut count) = (Hash::default(), 0);
                for c in letters {
                    hash.add(c);
                    count += 1;
                    if BEGIN_LENS.contains(&count) {
                        begins.push(hash.begin());
                    }
                }
                longest = longest.max(count);
                patterns.push(Pattern { hash: hash.whole(), name: at as u32, kind });
            });
        }
        patterns.sort_unstable_by_key(|p| (p.hash, p.name));
        patterns.dedup_by_key(|p| (p.hash, p.name));
        let filter = HashFilter::of(patterns.iter().map(|p| p.hash).chain(begins), patterns.len());
        Self { patterns: patterns.into_boxed_slice(), filter, longest }
    }

    /// The names found in texts that stand side by side.
    pub(crate) fn find(&self, texts: &[Text<'_>]) -> Search {
        let read = Read::of(texts);
        let mut found = Vec::new();
        for from in 0..read.pieces.len() {
            self.find_in_piece(&read, from, &mut found);
            if read.pieces[from].len > LONG_WORD_LEN {
                self.inside(&read, from, &mut found);
            }
        }
        found.sort_unstable();
        found.dedup_by(|a, b| (a.name, a.first, a.last) == (b.name, b.first, b.last));
        Search { found, whole: read.whole }
    }

    /// The names that begin with a piece.
    fn find_in_piece(&self, read: &Read, from: usize, found: &mut Vec<Occurrence>) {
        let (mut hash, mut count) = (Hash::default(), 0);
        for to in from..read.pieces.len() {
            for c in read.letters(to) {
                hash.add(*c);
                count += 1;
                if count > self.longest || (BEGIN_LENS.contains(&count) && !self.filter.has(hash.begin())) {
                    return;
                }
            }
            for pattern in self.of_hash(hash.whole()) {
                if read.may_stand(pattern.kind, from, to) {
                    found.push(read.found(pattern.name, from, to));
                }
            }
        }
    }

    /// The names inside a word that is several.
    fn inside(&self, read: &Read, piece: usize, found: &mut Vec<Occurrence>) {
        let letters = read.letters(piece);
        for from in 0..letters.len() {
            let mut hash = Hash::default();
            for (before, c) in letters[from..].iter().enumerate() {
                hash.add(*c);
                let count = before + 1;
                if count > self.longest || (BEGIN_LENS.contains(&count) && !self.filter.has(hash.begin())) {
                    break;
                }
                if count >= INSIDE_LEN_MIN {
                    let words = self.of_hash(hash.whole()).filter(|p| p.kind == Kind::Words);
                    found.extend(words.map(|pattern| read.found(pattern.name, piece, piece)));
                }
            }
        }
    }

    fn of_hash(&self, hash: u64) -> impl Iterator<Item = &Pattern> {
        let patterns = if self.filter.has(hash) { &self.patterns[..] } else { &[] };
        let from = patterns.partition_point(|p| p.hash < hash);
        patterns[from..].iter().take_while(move |p| p.hash == hash)
    }
}

/// Patterns are looked up once so many letters are read: few texts begin as some name does.
const BEGIN_LENS: [usize; 2] = [4, 8];

/// The hash of a run of letters, letter by letter (FNV-1a).
#[derive(Clone, Copy)]
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl Hash {
    fn add(&mut self, c: char) {
        self.0 = (self.0 ^ u64::from(c)).wrapping_mul(0x0100_0000_01B3);
    }

    /// As a whole pattern.
    fn whole(self) -> u64 {
        mixed(self.0)
    }

    /// As the first letters of one.
    fn begin(self) -> u64 {
        mixed(!self.0)
    }
}

/// Every bit as good as the others.
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash ^ (hash >> 29)
}

/// Which hashes there are, with a few too many: what it does not have is no pattern.
struct HashFilter {
    bits: Box<[u64]>,
}

impl HashFilter {
    fn of(hashes: impl Iterator<Item = u64>, patterns: usize) -> Self {
        let mut known = Self { bits: vec![0; (patterns / 2).next_power_of_two().max(64)].into_boxed_slice() };
        for hash in hashes {
            let (word, bit) = known.place(hash);
            known.bits[word] |= bit;
        }
        known
    }

    fn has(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.bits[word] & bit != 0
    }

    fn place(&self, hash: u64) -> (usize, u64) {
        ((hash >> 6) as usize & (self.bits.len() - 1), 1 << (hash & 63))
    }
}

/// Texts, read.
struct Read {
    letters: Vec<char>,
    pieces: Vec<Piece>,
    whole: bool,
}

/// A word, or a Chinese character, or what stands between two of them.
#[derive(Clone, Copy)]
struct Piece {
    /// Where its letters begin, and how many they are.
    at: usize,
    len: usize,
    /// Which of the words it is a part of.
    word: usize,
    /// Which of the texts it stands in.
    text: usize,
    is_name: bool,
}

impl Read {
    fn of(texts: &[Text<'_>]) -> Self {
        let mut read = Self { letters: Vec::new(), pieces: Vec::new(), whole: true };
        let mut words = 0;
        for (at, Text { text, is_name }) in texts.iter().enumerate() {
            let folded = normalise::fold(text, TEXT_CHARS_MAX);
            read.whole &= folded.whole;
            for word in folded.words {
                read.add(&word.text, Piece { at: 0, len: 0, word: words, text: at, is_name: *is_name });
                words += 1;
            }
        }
        read
    }

    /// Adds a word; Chinese characters one by one, in their simplified form.
    fn add(&mut self, word: &str, piece: Piece) {
        let mut open = false;
        for c in word.chars() {
            let known = if c.is_ascii() { None } else { han::character(c) };
            let is_han = known.is_some() || normalise::is_han(c);
            match self.pieces.last_mut() {
                Some(last) if open && !is_han => last.len += 1,
                _ => self.pieces.push(Piece { at: self.letters.len(), len: 1, ..piece }),
            }
            open = !is_han;
            self.letters.push(known.map_or(c, |known| known.folded));
        }
    }

    fn letters(&self, piece: usize) -> &[char] {
        let Piece { at, len, .. } = self.pieces[piece];
        &self.letters[at..at + len]
    }

    /// Whether a word of the text begins with a piece, and ends with another.
    fn is_edged(&self, from: usize, to: usize) -> bool {
        let same = |a: usize, b: Option<usize>| {
            b.and_then(|b| self.pieces.get(b)).is_some_and(|b| b.word == self.pieces[a].word)
        };
        !same(from, from.checked_sub(1)) && !same(to, Some(to + 1))
    }

    fn may_stand(&self, kind: Kind, from: usize, to: usize) -> bool {
        let pieces = &self.pieces[from..=to];
        let in_name = || pieces.iter().all(|p| p.is_name);
        match kind {
            Kind::Han => true,
            Kind::Words => self.is_edged(from, to),
            Kind::WordsInName | Kind::HanInName => in_name() && self.is_edged(from, to),
            Kind::Word => {
                let one = pieces.iter().all(|p| p.word == pieces[0].word);
                (one || pieces.iter().all(|p| p.len == 1)) && self.is_edged(from, to)
            }
        }
    }

    fn found(&self, name: u32, from: usize, to: usize) -> Occurrence {
        let mut phrase = String::new();
        for (before, piece) in (from..=to).enumerate() {
            let apart = before > 0 && self.pieces[piece].word != self.pieces[piece - 1].word;
            phrase.extend(apart.then_some(' '));
            phrase.extend(self.letters(piece));
        }
        let text = self.pieces[from].text;
        let before = self.pieces[..from].iter().rev().take_while(|piece| piece.text == text);
        let mut titles =
            before.map(|piece| self.letters[piece.at..piece.at + piece.len].iter().collect::<String>());
        let is_split = to - from >= 2 || titles.all(|word| vocabulary::class_of(&word) == Class::Title);
        Occurrence { name, first: text, last: self.pieces[to].text, is_split, phrase }
    }
}

/// Every order in which a name is looked for, where it is long enough not to be found by chance.
fn each_pattern(kind: EntryKind, name: &Name, mut add: impl FnMut(Kind, &mut dyn Iterator<Item = char>)) {
    let folded = normalise::fold(&name.text, TEXT_CHARS_MAX);
    let read = Read::of(&[Text { text: &name.text, is_name: true }]);
    let words: Vec<&[char]> = (0..folded.words.len())
        .map(|word| {
            let from = read.pieces.partition_point(|p| p.word < word);
            let to = read.pieces.partition_point(|p| p.word <= word);
            let start = read.pieces.get(from).map_or(0, |p| p.at);
            let end = to.checked_sub(1).map_or(0, |last| read.pieces[last].at + read.pieces[last].len);
            read.letters.get(start..end).unwrap_or_default()
        })
        .collect();
    let letters = read.letters.len();
    let is_person = kind == EntryKind::Person;
    if !words.is_empty() && folded.words.iter().all(|word| word.script == Script::Han) {
        let least = if is_person { HAN_PERSON_LEN_MIN } else { HAN_LEN_MIN };
        let where_found = match letters {
            n if n >= least => Kind::Han,
            n if n >= HAN_IN_NAME_LEN_MIN && is_person => Kind::HanInName,
            _ => return,
        };
        return add(where_found, &mut read.letters.iter().copied());
    }
    let texts: Vec<&str> = folded.words.iter().map(|w| w.text.as_str()).collect();
    let Some(where_found) = kind_of(kind, name.quality, &texts, letters) else { return };
    let mut each_order =
        |order: &[usize]| add(where_found, &mut order.iter().flat_map(|w| words[*w].iter().copied()));
    let listed: Vec<usize> = (0..words.len()).collect();
    each_order(&listed);
    let (given, family): (Vec<usize>, Vec<usize>) =
        listed.iter().partition(|w| folded.words[**w].after_comma);
    if !given.is_empty() && !family.is_empty() {
        each_order(&[given, family].concat());
    }
    if !is_person || words.len() < 2 || words.len() > TURNED_WORDS_MAX {
        return;
    }
    // Syllables in another order are another name; going round they are the family before or after the given name.
    let syllables = texts.iter().any(|text| scripts::is_syllable(text));
    for turn in 1..words.len() {
        let mut order = listed.clone();
        order.rotate_left(turn);
        each_order(&order);
        if words.len() <= ANY_ORDER_WORDS_MAX && !syllables {
            order.reverse();
            each_order(&order);
        }
    }
    if !syllables {
        each_order(&listed.iter().rev().copied().collect::<Vec<_>>());
    }
}

/// Where a name of these words may stand; nowhere, where it is too short to tell anything.
fn kind_of(kind: EntryKind, quality: NameQuality, words: &[&str], letters: usize) -> Option<Kind> {
    let is_named = |word: &&&str| {
        !word.is_ascii()
            || (vocabulary::class_of(word) == Class::Word && vocabulary::legal_form(&[word]).is_none())
    };
    let named = words.iter().filter(is_named).count();
    let is_person = kind == EntryKind::Person;
    let latin = words.iter().all(|word| word.is_ascii());
    let telling = match (words.len(), latin) {
        (0, _) => false,
        (1, true) => {
            letters >= ONE_WORD_LEN_MIN
                && !is_person
                && quality != NameQuality::Weak
                && named == 1
                && vocabulary::commonness(words[0]) <= 0.0
        }
        (_, true) => letters >= WORDS_LEN_MIN && named >= if is_person { 2 } else { 1 },
        (1, false) => letters >= ONE_WORD_OTHER_LEN_MIN,
        (_, false) => letters >= WORDS_OTHER_LEN_MIN,
    };
    match words.len() {
        1 => telling.then_some(Kind::Word),
        _ if telling => Some(Kind::Words),
        _ => {
            let syllables = words.iter().all(|word| scripts::is_syllable(word));
            let telling = letters >= WORDS_IN_NAME_LEN_MIN && named >= 2 && quality != NameQuality::Weak;
            (telling && !syllables).then_some(Kind::WordsInName)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn free(text: &str) -> Text<'_> {
        Text { text, is_name: false }
    }

    fn person(text: &str) -> (EntryKind, Name) {
        (EntryKind::Person, Name::new(text, NameQuality::Primary))
    }

    fn listed(names: &[(EntryKind, Name)]) -> Phrases {
        Phrases::build(names.iter().map(|(kind, name)| (*kind, name)))
    }

    fn found_in(names: &[(EntryKind, Name)], texts: &[Text<'_>]) -> Vec<u32> {
        let mut found: Vec<u32> =
            listed(names).find(texts).found.into_iter().map(|found| found.name).collect();
        found.dedup();
        found
    }

    fn found(names: &[(EntryKind, Name)], text: &str) -> Vec<u32> {
        found_in(names, &[free(text)])
    }

    fn spoken() -> impl Strategy<Value = Vec<&'static str>> {
        let word = prop::sample::select(vec![
            "Vasil",
            "ZORKIN",
            "Silver Heron",
            "ALBATROSS",
            "of",
            "山茶花",
            ",",
            "7",
        ]);
        prop::collection::vec(word, 1..6)
    }

    proptest! {
        /// By the letters of whole words, one by one, without hashes.
        #[test]
        fn what_stands_in_the_text_is_found_and_nothing_else(
            names in prop::collection::vec(spoken(), 1..8),
            text in spoken(),
        ) {
            let names: Vec<(EntryKind, Name)> = names
                .iter()
                .map(|n| (EntryKind::Vessel, Name::new(n.join(" "), NameQuality::Primary)))
                .collect();
            let text = text.join(" ");
            let read = Read::of(&[free(&text)]);
            let stands = |n: &u32| {
                let (kind, name) = &names[*n as usize];
                let mut any = false;
                each_pattern(*kind, name, |kind, letters| {
                    let wanted: Vec<char> = letters.collect();
                    for from in 0..read.pieces.len() {
                        for to in from..read.pieces.len() {
                            let stands: Vec<char> = (from..=to).flat_map(|p| read.letters(p).to_vec()).collect();
                            any |= stands == wanted && read.may_stand(kind, from, to);
                        }
                    }
                });
                any
            };
            prop_assert_eq!(found(&names, &text), (0..names.len() as u32).filter(stands).collect::<Vec<_>>());
        }
    }

    #[test]
    fn whole_names_are_found_in_any_order_and_parts_are_not() {
        let names = [
            person("ZORKIN, Vasil"),
            (EntryKind::Vessel, Name::new("SILVER HERON", NameQuality::Primary)),
            (EntryKind::Person, Name::new("Vasil", NameQuality::Weak)),
            person("Ardeshir Behruz Farrokhzad"),
            person("CHEUNG Wing Keung"),
        ];
        assert_eq!(found(&names, "freight m/v Silver Heron, voyage 7"), [1]);
        assert_eq!(found(&names, "for Vasil Zorkin's flat"), Vec::<u32>::new());
        for text in [
            "for Vasil Zorkin / flat",
            "ZORKIN VASIL, 12 Nathan Road",
            "ZORKIN\nVASIL",
            "Vasil_Zorkin",
            "vasil.zorkin@example.com",
            "VASIL\u{200B}ZORKIN",
            "V a s i l   Z o r k i n",
            "Vas-il Zor-kin",
            "代付Vasil Zorkin貨款",
            "V\u{1CD0}asil\u{301} Z0rkin",
        ] {
            assert_eq!(found(&names, text), [0], "{text}");
        }
        assert_eq!(found(&names, "silver herons, evasil zorkin"), Vec::<u32>::new());
        assert_eq!(found(&names, "Silver and Heron"), Vec::<u32>::new());
        assert_eq!(found(&names, "to Farrokhzad Ardeshir Behruz or to nobody"), [3]);
        assert_eq!(found(&names, "to Behruz Ardeshir Farrokhzad or to nobody"), [3]);
        assert_eq!(found(&names, "to Wing Keung Cheung"), [4]);
        assert_eq!(found(&names, "to Keung Wing Cheung"), Vec::<u32>::new(), "another name");
    }

    #[test]
    fn chinese_names_are_found_anywhere_and_in_either_script() {
        let names = [
            person("陳大文"),
            (EntryKind::Organisation, Name::new("山茶", NameQuality::Primary)),
            person("李娜"),
        ];
        for text in ["代付陳大文先生貨款", "陈大文", "INV 7 陳大文 CHAN", "INV陳大文CHAN", "12陳大文3"]
        {
            assert_eq!(found(&names, text), [0], "{text}");
        }
        assert_eq!(found(&names, "陳大民的山茶"), Vec::<u32>::new());
        // Two characters stand in many words; in a name they are one, where spaces say so.
        let in_name = |text| found_in(&names, &[Text { text, is_name: true }]);
        assert_eq!((in_name("深圳 李娜 收"), in_name("深圳李娜收")), (vec![2], Vec::new()));
        assert_eq!(found(&names, "深圳 李娜 收"), Vec::<u32>::new());
    }

    #[test]
    fn a_name_is_found_across_texts_and_inside_a_word_that_is_several() {
        let names = [person("ZORKIN, Vasil"), person("Pia Halvorsen")];
        let texts = [free("Vasil"), free("Zorkin, 12 Nathan Road")];
        let across = listed(&names).find(&texts).found;
        assert_eq!((across.len(), across[0].first, across[0].last), (1, 0, 1));
        assert_eq!(across[0].phrase, "vasil zorkin");
        assert_eq!(found(&names, "TONATHANROADPIAHALVORSENHONGKONG"), [1]);
        assert_eq!(found(&names, "Halvorsens"), Vec::<u32>::new());
        let is_split = |texts: [&str; 2]| listed(&names).find(&texts.map(free)).found[0].is_split;
        assert!(is_split(["Mr Vasil", "Zorkin"]) && !is_split(["Omar Vasil", "Zorkin Road"]));
    }

    #[test]
    fn short_names_are_found_in_names_alone() {
        let names = [person("Omar Ali"), person("LI Na")];
        let text = "Omar Ali Li Na 12 Nathan Road";
        assert_eq!(found(&names, text), Vec::<u32>::new());
        assert_eq!(found_in(&names, &[Text { text, is_name: true }]), [0]);
    }

    #[test]
    fn a_text_is_looked_at_to_its_last_letter_or_says_that_it_was_not() {
        let names = [person("ZORKIN, Vasil")];
        let phrases = listed(&names);
        for before in [0, 500, 505, 511, 512, 4_090, 4_096, 9_000, TEXT_CHARS_MAX - 12] {
            let text = format!("{}Vasil Zorkin", "a ".repeat(before / 2));
            let search = phrases.find(&[free(&text)]);
            assert!(search.whole && search.found.len() == 1, "{before}");
        }
        let text = format!("{}Vasil Zorkin", "a ".repeat(TEXT_CHARS_MAX / 2));
        assert!(!phrases.find(&[free(&text)]).whole);
    }
}
