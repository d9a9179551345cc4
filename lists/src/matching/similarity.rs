//! How near two forms are, from 0 to 1: letters for scripts that write sounds, consonants where one side writes
//! no vowels, equality for syllables and characters.
//!
//! Two forms are compared only if their keys (coarse skeletons) are within the number of edits that [`edits`] grants to
//! their length: that is what makes the index exact, since it finds every such pair by shared deletions.

mod costs;
mod distance;
mod form;
mod sounds;

use costs::{ABJAD, ACROSS, Costs, LETTERS};
use distance::distance;
pub(crate) use distance::{consonant_edits_allowed, edits, near};
pub(crate) use form::{Form, FormRef, Kind};
use sounds::consonants;

use super::{scripts::Path, vocabulary};

/// A spelling that differs at all is never quite the same.
const SPELLED_OTHERWISE: f32 = 0.985;
/// A romanisation stands for many characters; the same letters are less than the same word.
const ROMANISED: f32 = 0.97;
/// A syllable read in another romanisation stands for more characters still.
const READ_ELSEWHERE: f32 = 0.92;
/// The same letters may stand for other words.
const ACRONYM: f32 = 0.9;
/// Likewise consonants for words.
const CONSONANTS_ONLY: f32 = 0.96;
/// A short form, or the same name in another language.
const OTHER_NAME: f32 = 0.9;

/// How near two forms are.
pub(crate) fn similarity<'a, 'b>(a: impl Into<FormRef<'a>>, b: impl Into<FormRef<'b>>) -> f32 {
    let (a, b) = (a.into(), b.into());
    match (a.path.kind(), b.path.kind()) {
        (Kind::Letters, Kind::Letters) => letters(a, b),
        (Kind::Abjad, Kind::Abjad) => {
            if a.text == b.text {
                1.0
            } else if consonants_near(a.key, b.key) {
                SPELLED_OTHERWISE * by_cost(a.sounds, b.sounds, &ABJAD, MEETS_MIN)
            } else {
                0.0
            }
        }
        (Kind::Abjad, Kind::Letters) => across(a.key, a.sounds, b.sounds, MEETS_MIN),
        (Kind::Letters, Kind::Abjad) => across(b.key, b.sounds, a.sounds, MEETS_MIN),
        (Kind::Exact, _) | (_, Kind::Exact) if a.path.is_guess() || b.path.is_guess() => {
            // Only against letters as they are written: two guesses make no match.
            let written = a.path.kind() == Kind::Letters || b.path.kind() == Kind::Letters;
            let acronym = a.path == Path::Acronym || b.path == Path::Acronym;
            let known = if acronym { ACRONYM } else { READ_ELSEWHERE };
            if written && a.text == b.text { known } else { 0.0 }
        }
        // Both are written in characters: others of the same sound are other names.
        _ if a.path.sounds_a_character() && b.path.sounds_a_character() => 0.0,
        (Kind::Exact, _) | (_, Kind::Exact) if a.text == b.text => {
            if a.path == b.path || a.path == Path::Han { 1.0 } else { ROMANISED }
        }
        _ => 0.0,
    }
}

/// How alike two forms are whose keys are too far apart to meet. One slip of the pen is one slip however short
/// the word.
pub(crate) fn alike<'a, 'b>(a: impl Into<FormRef<'a>>, b: impl Into<FormRef<'b>>) -> f32 {
    let (a, b) = (a.into(), b.into());
    let costs = match (a.path.kind(), b.path.kind()) {
        (Kind::Letters, Kind::Letters) => &LETTERS,
        (Kind::Abjad, Kind::Abjad) => &ABJAD,
        _ => return similarity(a, b),
    };
    let sound = by_cost(a.sounds, b.sounds, costs, ALIKE_MIN);
    let (x, y) = (a.text.as_bytes(), b.text.as_bytes());
    // Two common names are two names, however alike (`Tim`, `Jim`).
    let common = |text: &str| vocabulary::commonness(text) > 0.0;
    let slip = x.len().min(y.len()) >= SLIP_LEN_MIN
        && x.len().abs_diff(y.len()) <= 1
        && near(x, y, 1)
        && !(common(a.text) && common(b.text));
    if slip { sound.max(ONE_SLIP) } else { sound }
}

/// How alike two words are that differ by one letter.
pub(crate) const ONE_SLIP: f32 = 0.85;
/// In a shorter word one letter is another word.
const SLIP_LEN_MIN: usize = 3;

fn letters(a: FormRef<'_>, b: FormRef<'_>) -> f32 {
    // The table is the same both ways: one without others is in nobody's.
    let known = !a.others.is_empty() && !b.others.is_empty() && a.others.contains(&b.text);
    let other = if known { OTHER_NAME } else { 0.0 };
    if !keys_near(a, b) {
        return other;
    }
    other.max(sounds_near(a, b.sounds, || b.text, MEETS_MIN))
}

/// Whether two forms in letters are to be compared by their sounds.
fn keys_near(a: FormRef<'_>, b: FormRef<'_>) -> bool {
    near(a.key, b.key, a.edits().min(b.edits()))
}

/// How near two forms in letters are whose keys are near, short forms aside; 0 for some that are less near than
/// `least`. The text of the other is asked for only where it sounds the same.
pub(crate) fn sounds_near<'b>(a: FormRef<'_>, sounds: &[u8], text: impl Fn() -> &'b str, least: f32) -> f32 {
    if a.sounds == sounds && a.text == text() {
        return 1.0;
    }
    let digits = |sounds: &[u8]| sounds.first().is_some_and(u8::is_ascii_digit);
    if digits(a.sounds) || digits(sounds) {
        return 0.0;
    }
    SPELLED_OTHERWISE * by_cost(a.sounds, sounds, &LETTERS, least)
}

/// How near a form in an abjad is to letters of these sounds; 0 for some that are less near than `least`.
pub(crate) fn across(abjad_key: &[u8], abjad: &[u8], latin: &[u8], least: f32) -> f32 {
    if !consonants_near(abjad_key, &consonants(latin)) {
        return 0.0;
    }
    sounds_across(abjad, latin, least)
}

/// Whether two forms of which one is in an abjad are to be compared by their sounds.
pub(crate) fn consonants_near(a: &[u8], b: &[u8]) -> bool {
    near(a, b, consonant_edits_allowed(a.len()).min(consonant_edits_allowed(b.len())))
}

/// The same where the consonants are known to be near.
pub(crate) fn sounds_across(abjad: &[u8], latin: &[u8], least: f32) -> f32 {
    CONSONANTS_ONLY * by_cost(abjad, latin, &ACROSS, least)
}

/// A change in a short word changes it more.
const SHORT_CHANGES_MORE: f32 = 2.0;

/// How near two words are by what it costs to turn one into the other; 0 where that is less than `least`.
fn by_cost(a: &[u8], b: &[u8], costs: &Costs, least: f32) -> f32 {
    let len = a.len().max(b.len()).max(2) as f32;
    let each = (1.0 + SHORT_CHANGES_MORE / len) / len / 100.0;
    let limit = ((1.0 - least) / each) as u32;
    let cost = distance(a, b, costs, limit);
    if cost > limit { 0.0 } else { 1.0 - cost as f32 * each }
}

/// Forms less near than this are not compared to the end: no floor of the scorer is lower.
pub(crate) const MEETS_MIN: f32 = 0.6;
/// The same for words that are only asked how alike they are.
const ALIKE_MIN: f32 = 0.3;

#[cfg(test)]
mod tests {
    use super::*;

    fn latin(a: &str, b: &str) -> f32 {
        similarity(&Form::new(Path::Latin, a.into()), &Form::new(Path::Latin, b.into()))
    }

    #[test]
    fn spellings_of_one_sound_are_near_and_other_names_are_not() {
        for (a, b) in [
            ("jon", "john"),
            ("mohammed", "muhammad"),
            ("yousef", "yusuf"),
            ("sergej", "sergey"),
            ("qadhafi", "gaddafi"),
            ("evgeniy", "yevgeny"),
            ("husayn", "hussein"),
            ("tchaikovsky", "chaikovskii"),
            ("philip", "filip"),
        ] {
            assert!(latin(a, b) > 0.85, "{a} {b} {}", latin(a, b));
        }
        for (a, b) in [("jon", "jim"), ("ivanov", "petrov"), ("ali", "omar"), ("merkel", "macron")] {
            assert!(latin(a, b) < 0.72, "{a} {b} {}", latin(a, b));
        }
    }

    #[test]
    fn nearness_is_mutual() {
        for (a, b) in [("schmidt", "smith"), ("lavrov", "lavrovs"), ("abdel", "abdul")] {
            assert!((latin(a, b) - latin(b, a)).abs() < 1e-6);
        }
    }

    #[test]
    fn consonants_meet_latin_spellings() {
        for (arabic, spelled) in [
            ("محمد", "mohammed"),
            ("حسین", "hussein"),
            ("علي", "ali"),
            ("عبيدي", "ubaydi"),
            ("قذافي", "qadhafi"),
            ("يوسف", "youssef"),
        ] {
            let a = Form::new(Path::Abjad, super::super::scripts::abjad::arabic(arabic));
            let b = Form::new(Path::Latin, spelled.into());
            let s = similarity(&a, &b);
            assert!(s > 0.85, "{arabic} {spelled} {s} {} {:?}", a.text, b.sounds);
        }
    }
}
