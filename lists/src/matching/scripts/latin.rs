//! Latin spellings that are themselves transcriptions: a Slavic name as Germans, Poles, Belarusians, Latvians or
//! Lithuanians write it, an Arabic one with the article written on. What one token may be read as besides itself.

use super::super::vocabulary;

/// Another reading of a word, if its shape asks for one.
pub(crate) fn other_reading(word: &str) -> Option<String> {
    if let Some(u) = chinese_u(word) {
        return Some(u.to_owned());
    }
    if word.len() < LEN_MIN || !word.is_ascii() || vocabulary::commonness(word) > 0.0 {
        return None;
    }
    slavic(word).or_else(|| without_article(word))
}

/// The surname Lü and the syllable nü, as passports and keyboards write them.
fn chinese_u(word: &str) -> Option<&'static str> {
    match word {
        "lyu" | "lv" => Some("lu"),
        "nyu" | "nv" => Some("nu"),
        _ => None,
    }
}

/// Shorter words are read as they stand.
const LEN_MIN: usize = 5;

/// Endings as written elsewhere, and as English writes them.
const ENDINGS: [(&str, &str); 17] = [
    // Latvian and Lithuanian add a case.
    ("ovs", "ov"),
    ("evs", "ev"),
    ("ejs", "ey"),
    ("ijs", "iy"),
    ("drs", "dr"),
    ("ovas", "ov"),
    ("evas", "ev"),
    ("inas", "in"),
    // Belarusian hears a vowel, Polish and German write a w.
    ("ou", "ov"),
    ("eu", "ev"),
    ("au", "av"),
    ("ow", "ov"),
    ("ew", "ev"),
    ("owa", "ova"),
    ("ewa", "eva"),
    ("aj", "ay"),
    ("oj", "oy"),
];

/// Endings after which a j in the word is a y.
const SLAVIC: [&str; 12] =
    ["ov", "ev", "av", "ova", "eva", "ski", "sky", "skij", "skaya", "skaja", "vich", "witsch"];

fn slavic(word: &str) -> Option<String> {
    let ending = ENDINGS.iter().find(|(written, _)| {
        let before = word.len().saturating_sub(written.len() + 1);
        word.ends_with(written) && word.len() > LEN_MIN && !b"aeiou".contains(&word.as_bytes()[before])
    });
    let mut read = match ending {
        Some((written, read)) => format!("{}{read}", &word[..word.len() - written.len()]),
        None => word.to_owned(),
    };
    if SLAVIC.iter().any(|end| read.ends_with(end)) {
        read = read.replace('j', "y");
    }
    (read != word).then_some(read)
}

/// The place of which a Russian word is the adjective: `Muromskiy zavod`, the plant of Murom. Only in the names of
/// organisations: people are called so.
pub(crate) fn place(word: &str) -> Option<String> {
    let stem = PLACES.iter().find_map(|ending| word.strip_suffix(ending))?;
    let softened = stem.strip_suffix("zh").map(|s| format!("{s}g"));
    (stem.len() >= PLACE_LEN_MIN).then(|| softened.unwrap_or_else(|| stem.to_owned()))
}

const PLACES: [&str; 7] = ["skii", "skiy", "skij", "sky", "skaya", "skoe", "skoye"];

/// What is left of a shorter word is no place.
const PLACE_LEN_MIN: usize = 4;

/// `Alhamid`, `Elmabruk`.
fn without_article(word: &str) -> Option<String> {
    let rest = word.strip_prefix("al").or_else(|| word.strip_prefix("el"))?;
    let consonant = rest.bytes().next().is_some_and(|b| !b"aeiouy".contains(&b));
    let known = !vocabulary::other_names(word).is_empty();
    (consonant && rest.len() >= LEN_MIN && !known).then(|| rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{other_reading, place};

    #[test]
    fn adjectives_of_places_are_read_as_the_place() {
        for (word, read) in
            [("muromskii", Some("murom")), ("kaluzhskaya", Some("kalug")), ("minskii", None), ("heron", None)]
        {
            assert_eq!(place(word).as_deref(), read, "{word}");
        }
    }

    #[test]
    fn transcriptions_are_read_as_english_writes_them() {
        for (word, read) in [
            ("zubkou", Some("zubkov")),
            ("rjauzow", Some("ryauzov")),
            ("lavrovs", Some("lavrov")),
            ("sergejs", Some("sergey")),
            ("tschatajev", Some("tschatayev")),
            ("alhamid", Some("hamid")),
            ("alrawi", None),
            ("albert", None),
            ("beaulieu", None),
            ("ali", None),
            ("smith", None),
            ("lyu", Some("lu")),
        ] {
            assert_eq!(other_reading(word).as_deref(), read, "{word}");
        }
    }
}
