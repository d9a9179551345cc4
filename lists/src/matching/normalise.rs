//! From a name as written to words that can be compared: compatibility forms, case, accents, invisible
//! characters, look-alike letters, digits typed for letters, and where a word ends.
//!
//! Owns no knowledge of languages and never drops a letter: what a word means is told in `tokens`. What is longer than
//! the limit is cut, and the reading says so.

use unicode_normalization::{
    UnicodeNormalization,
    char::{decompose_compatible, is_combining_mark},
};

use super::scripts::kana::is_kana;
use crate::Script;

/// Characters of a name that are compared; what has more is not screened, and says so. No listed name comes near. A
/// list may hold a longer one: [`sluice_model::limits::NAME_CHARS_MAX`].
pub const COMPARED_CHARS_MAX: usize = 512;

/// One word of a name.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Word {
    /// Folded: Latin in lower-case ASCII, other scripts in their own letters without marks.
    pub text: String,
    /// The writing system of its letters; `Other` for digits alone.
    pub script: Script,
    /// Whether a hyphen ties it to the word before.
    pub tied: bool,
    /// Whether a comma stands before it.
    pub after_comma: bool,
    /// Whether it stands in brackets.
    pub aside: bool,
    /// Whether it is in capitals where other words are not: a family name (`CHAN Tai Man`).
    pub capitals: bool,
}

/// A text as words.
#[derive(Default, Debug)]
pub(crate) struct Folded {
    /// The words.
    pub words: Vec<Word>,
    /// Whether all of the text stands in them: false where it is longer than the limit.
    pub whole: bool,
    /// Whether there is a letter, in whatever script, and no sign that bytes were lost on the way.
    pub readable: bool,
}

/// What a decoder puts where it lost a letter: what stood there cannot be known.
const LOST: char = '\u{FFFD}';

/// The words of a text of so many characters at most.
pub(crate) fn fold(text: &str, chars_max: usize) -> Folded {
    let mut out = Folded { words: Vec::with_capacity(4), ..Folded::default() };
    if text.is_ascii() {
        out.whole = text.len() <= chars_max;
        out.readable = split(text.chars().take(chars_max), &mut out.words);
    } else {
        let mut folded = Vec::with_capacity(text.len().min(chars_max * 4));
        out.whole = fold_marks(text, chars_max, &mut folded);
        out.readable = split(folded.into_iter(), &mut out.words) && !text.contains(LOST);
    }
    for word in &mut out.words {
        if word.text.is_ascii() {
            undo_leet(&mut word.text);
        } else {
            fold_word(word);
        }
    }
    out
}

/// Compatibility-composed, without accents and points, but with Hangul, kana and Han left whole; whether that is all.
fn fold_marks(text: &str, chars_max: usize, folded: &mut Vec<char>) -> bool {
    let mut composed = text.nfkc();
    for c in composed.by_ref().take(chars_max).filter(|c| !is_invisible(*c)) {
        if ('\u{AC00}'..='\u{D7A3}').contains(&c) || is_kana(c) {
            folded.push(c);
        } else {
            decompose_compatible(c, |part| {
                if !is_mark(part) {
                    folded.push(part);
                }
            });
        }
    }
    composed.next().is_none()
}

/// Format characters, joiners, the Arabic stretch: present in the bytes, absent to the eye.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{0640}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E01EF}')
}

/// Accents, Arabic short vowels, Hebrew points. Vowel signs of Indic scripts are letters here.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{0591}'..='\u{05C7}' | '\u{0610}'..='\u{061A}'
        | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{06D6}'..='\u{06ED}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// Apostrophes and half rings stand inside words (`Ba'asyir`, `ʿAli`) and are not written by everybody.
fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '`' | '\u{00B4}' | '\u{02B0}'..='\u{02FF}' | '\u{2018}'..='\u{201B}' | '\u{2032}' | '\u{05F3}')
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Chinese characters, which are written beside other letters without a space.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Letters of alphabets that have capitals, and of scripts that have none: a word is of one sort. `代付Vasil` is two words,
/// while `山田たろう` and `第7旅` are one, and letters of Latin, Greek and Cyrillic stand in for each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Cased,
    Uncased,
    Neither,
}

fn sort(c: char) -> Sort {
    match c {
        _ if c.is_lowercase() || c.is_uppercase() => Sort::Cased,
        // Signs of rarer scripts may stand in for letters too.
        '\u{0590}'.. if Script::of_letter(c) != Script::Other && !is_vowel_sign(c) => Sort::Uncased,
        _ => Sort::Neither,
    }
}

/// Adds the words; whether there is a letter at all.
fn split(chars: impl Iterator<Item = char>, out: &mut Vec<Word>) -> bool {
    let mut text = String::new();
    let (mut last_lower, mut any_lower, mut lettered) = (false, false, false);
    let mut last_sort = Sort::Neither;
    let mut next = Word::default();
    let end = |text: &mut String, next: &Word, out: &mut Vec<Word>| {
        if !text.is_empty() {
            let tied = next.tied && !out.is_empty();
            out.push(Word { text: std::mem::take(text), tied, ..next.clone() });
        }
    };
    let mut chars = chars.peekable();
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() || is_vowel_sign(c) || is_kana(c) {
            // `SiemensAG`, `AlisherUsmanov`: a capital after a small letter begins a word, but not in `GmbH`.
            if last_lower && c.is_uppercase() && chars.peek().is_some_and(|next| next.is_alphabetic()) {
                end(&mut text, &next, out);
                next.tied = false;
            }
            let sort = sort(c);
            if matches!((last_sort, sort), (Sort::Cased, Sort::Uncased) | (Sort::Uncased, Sort::Cased)) {
                end(&mut text, &next, out);
                next.tied = false;
            }
            if sort != Sort::Neither {
                last_sort = sort;
            }
            lettered |= c.is_alphabetic() && !is_apostrophe(c);
            last_lower = c.is_lowercase();
            any_lower |= last_lower;
            next.capitals = c.is_uppercase() && (text.is_empty() || next.capitals);
            text.extend(c.to_lowercase());
        } else if !is_apostrophe(c) && (c.is_ascii() || !is_combining_mark(c)) {
            last_sort = Sort::Neither;
            end(&mut text, &next, out);
            next.tied = is_hyphen(c);
            next.after_comma |= matches!(c, ',' | '،' | '，');
            next.aside = matches!(c, '(' | '[') || (next.aside && !matches!(c, ')' | ']'));
            last_lower = false;
            if let Some(word) = spoken(c) {
                out.push(Word { text: word.into(), tied: false, capitals: false, ..next.clone() });
            }
        }
    }
    end(&mut text, &next, out);
    for word in out {
        word.capitals &= any_lower && word.text.len() > 1;
    }
    lettered
}

/// The word that a sign stands for.
fn spoken(sign: char) -> Option<&'static str> {
    match sign {
        '&' | '+' => Some("and"),
        '%' => Some("percent"),
        _ => None,
    }
}

/// Signs that belong to a word though they are no letters: Indic and Thai vowels, Khmer and Burmese signs.
fn is_vowel_sign(c: char) -> bool {
    matches!(c, '\u{0900}'..='\u{0DFF}' | '\u{0E31}'..='\u{0E4E}' | '\u{0EB1}'..='\u{0ECD}' | '\u{102B}'..='\u{109F}' | '\u{17B6}'..='\u{17D3}')
}

/// Tells a word's script, and writes Latin letters in ASCII.
fn fold_word(word: &mut Word) {
    let mut counts = [(Script::Latin, 0), (Script::Cyrillic, 0), (Script::Greek, 0)];
    let mut other = None;
    for c in word.text.chars().filter(|c| c.is_alphabetic()) {
        let script = Script::of_letter(c);
        match counts.iter_mut().find(|(s, _)| *s == script) {
            Some((_, n)) => *n += 1,
            None => other = other.or(Some(script)),
        }
    }
    if let Some(script) = other {
        word.script = if script == Script::Han { Script::of(&word.text) } else { script };
        return;
    }
    let kinds = counts.iter().filter(|(_, n)| *n > 0).count();
    let mut most = counts[0];
    for count in &counts[1..] {
        if count.1 > most.1 {
            most = *count;
        }
    }
    word.script = most.0;
    if kinds > 1 {
        word.text = word.text.chars().map(|c| as_look_alike(c, most.0)).collect();
    }
    if word.script == Script::Latin {
        word.text = ascii(&word.text);
    }
}

/// Lower-case ASCII letters and digits for any text.
pub(crate) fn ascii(text: &str) -> String {
    any_ascii::any_ascii(text)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// Lower-case letters of three scripts that look alike; a word that mixes scripts is written in one.
const LOOK_ALIKES: [(char, char, char); 17] = [
    ('a', 'а', 'α'),
    ('b', 'в', 'β'),
    ('c', 'с', 'ϲ'),
    ('e', 'е', 'ε'),
    ('h', 'н', 'η'),
    ('i', 'і', 'ι'),
    ('j', 'ј', 'ϳ'),
    ('k', 'к', 'κ'),
    ('m', 'м', 'μ'),
    ('n', 'п', 'ν'),
    ('o', 'о', 'ο'),
    ('p', 'р', 'ρ'),
    ('s', 'ѕ', 'σ'),
    ('t', 'т', 'τ'),
    ('u', 'ц', 'υ'),
    ('x', 'х', 'χ'),
    ('y', 'у', 'γ'),
];

fn as_look_alike(c: char, script: Script) -> char {
    let Some((latin, cyrillic, greek)) = LOOK_ALIKES.iter().find(|l| l.0 == c || l.1 == c || l.2 == c) else {
        return c;
    };
    match script {
        Script::Cyrillic => *cyrillic,
        Script::Greek => *greek,
        _ => *latin,
    }
}

/// Digits typed for letters (`Ig0r`): only in a word that has more letters than digits and is no ordinal.
fn undo_leet(word: &mut String) {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 || digits * 2 > word.len() || is_ordinal(word) || word.len() < 4 {
        return;
    }
    // A number at the end is a number (`unit731`); it is split off in `tokens`.
    let trailing = word.bytes().rev().take_while(u8::is_ascii_digit).count();
    if trailing == digits && trailing > 1 {
        return;
    }
    *word = word
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' => 'i',
            '3' => 'e',
            '4' => 'a',
            '5' => 's',
            '7' => 't',
            '8' => 'b',
            '9' => 'g',
            other => other,
        })
        .collect();
}

/// `1st`, `22nd`, `103rd`, `4th`.
pub(crate) fn is_ordinal(word: &str) -> bool {
    let suffix = word.trim_start_matches(|c: char| c.is_ascii_digit());
    suffix.len() < word.len() && matches!(suffix, "st" | "nd" | "rd" | "th")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(name: &str) -> Vec<Word> {
        fold(name, COMPARED_CHARS_MAX).words
    }

    fn texts(name: &str) -> Vec<String> {
        words(name).into_iter().map(|w| w.text).collect()
    }

    #[test]
    fn what_the_eye_does_not_see_does_not_count() {
        for (name, folded) in [
            ("Erdo\u{11F}an", "erdogan"),
            ("I\u{200B}van\u{FEFF}", "ivan"),
            ("ＩＶＡＮ", "ivan"),
            ("I\u{301}van", "ivan"),
            // Cyrillic а and о among Latin letters.
            ("Iv\u{430}n\u{43E}v", "ivanov"),
            ("Ig0r", "igor"),
            ("Ba'asyir", "baasyir"),
            ("Straße", "strasse"),
            ("م\u{640}ح\u{64E}مد", "محمد"),
            // Marks of any script, stacked, and what only a machine sees.
            ("I\u{1CD0}v\u{0488}\u{A66F}an", "ivan"),
            ("I\u{FFF9}van", "ivan"),
        ] {
            assert_eq!(texts(name), [folded], "{name}");
        }
    }

    #[test]
    fn words_end_where_a_reader_would_end_them() {
        assert_eq!(texts("AL BEN ALI, Isa"), ["al", "ben", "ali", "isa"]);
        assert_eq!(texts("SiemensAG"), ["siemens", "ag"]);
        assert_eq!(texts("Johnson & Son"), ["johnson", "and", "son"]);
        assert_eq!(texts("  "), Vec::<String>::new());
        assert_eq!(texts("代付Vasil貨款"), ["代付", "vasil", "貨款"]);
        assert_eq!(texts("山田たろう 第7旅"), ["山田たろう", "第7旅"]);
        assert_eq!(texts("محمدVasil김"), ["محمد", "vasil", "김"]);
        assert_eq!(texts("Вasil V\u{430}sil"), ["basil", "vasil"]);
        assert!(words("Jong-un")[1].tied);
    }

    #[test]
    fn an_endless_name_is_cut_and_says_so() {
        let (fits, most) = ("é".repeat(COMPARED_CHARS_MAX), COMPARED_CHARS_MAX);
        assert!(fold(&fits, most).whole && fold(&"x".repeat(most), most).whole);
        for endless in ["x".repeat(1_000_000), "é".repeat(1_000_000)] {
            let folded = fold(&endless, most);
            assert!(!folded.whole && folded.words[0].text.len() <= most);
        }
        // One sign that stands for eighteen letters, and signs that stand for none.
        assert!(!fold(&"\u{FDFA}".repeat(100), most).whole);
        assert!(!fold(&format!("{}Vasil", "\u{200B}".repeat(most)), most).whole);
    }

    #[test]
    fn what_has_no_letter_cannot_be_read() {
        for signs in [
            " ",
            "...",
            "😀🚀",
            "\u{200B}\u{2060}",
            "12345",
            "\u{3164}",
            "& + %",
            "ʼ",
            "\u{E000}",
            "V\u{FFFD}sil",
        ] {
            assert!(!fold(signs, COMPARED_CHARS_MAX).readable, "{signs}");
        }
        for name in ["O", "陳", "Ⓥasil", "김", "ณรงค์"] {
            assert!(fold(name, COMPARED_CHARS_MAX).readable, "{name}");
        }
    }
}
