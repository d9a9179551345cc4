//! Hangul to Latin letters: every spelling of a syllable that Revised Romanisation, McCune-Reischauer, the
//! North's own system or habit would give. Syllables are composed by arithmetic in Unicode.

const SYLLABLES_FROM: u32 = 0xAC00;
const VOWELS: u32 = 21;
const FINALS: u32 = 28;

/// Spellings of the 19 initial consonants.
const INITIAL: [&[&str]; 19] = [
    &["g", "k"],
    &["kk"],
    &["n"],
    &["d", "t"],
    &["tt"],
    &["r", "l", "n"],
    &["m"],
    &["b", "p"],
    &["pp"],
    &["s"],
    &["ss"],
    &[""],
    &["j", "ch"],
    &["jj", "tch"],
    &["ch"],
    &["k"],
    &["t", "th"],
    &["p"],
    &["h"],
];

/// Spellings of the 21 vowels.
const VOWEL: [&[&str]; 21] = [
    &["a", "ah"],
    &["ae"],
    &["ya"],
    &["yae"],
    &["eo", "o", "u"],
    &["e"],
    &["yeo", "yo", "you", "yu"],
    &["ye"],
    &["o", "oh"],
    &["wa"],
    &["wae"],
    &["oe", "oi"],
    &["yo"],
    &["u", "oo"],
    &["wo", "weo"],
    &["we"],
    &["wi"],
    &["yu", "yoo"],
    &["eu", "u"],
    &["ui", "eui", "i", "ee"],
    &["i", "ee"],
];

/// Spellings of the 28 finals; the first is none.
const FINAL: [&[&str]; 28] = [
    &[""],
    &["k", "g"],
    &["k"],
    &["k"],
    &["n"],
    &["n"],
    &["n"],
    &["t", "d"],
    &["l", "r"],
    &["k"],
    &["m"],
    &["l"],
    &["l"],
    &["l"],
    &["l"],
    &["l"],
    &["m"],
    &["p", "b"],
    &["p"],
    &["t", "s"],
    &["t"],
    &["ng"],
    &["t"],
    &["t"],
    &["k"],
    &["t"],
    &["p"],
    &["t"],
];

/// Surnames that are customarily spelled past all rules.
const SURNAMES: [(char, &[&str]); 12] = [
    ('이', &["lee", "rhee", "yi", "ri", "li"]),
    ('리', &["lee", "rhee", "yi", "li"]),
    ('박', &["park", "bak", "pak"]),
    ('최', &["choe", "choi", "choy", "chey"]),
    ('임', &["lim", "yim", "rim"]),
    ('유', &["yoo", "ryu", "you", "yu"]),
    ('류', &["ryu", "yoo", "yu", "ryoo"]),
    ('노', &["roh", "no", "noh", "ro"]),
    ('우', &["woo", "u", "wu"]),
    ('오', &["oh", "o"]),
    ('신', &["shin", "sin"]),
    ('심', &["shim", "sim"]),
];

/// Every spelling of one syllable; none for anything else.
pub(crate) fn spellings(syllable: char) -> Vec<String> {
    let code = u32::from(syllable);
    let Some(index) = code.checked_sub(SYLLABLES_FROM).filter(|i| *i < 19 * VOWELS * FINALS) else {
        return Vec::new();
    };
    let at = |n: u32| n as usize;
    let (initial, vowel, last) =
        (at(index / (VOWELS * FINALS)), at(index / FINALS % VOWELS), at(index % FINALS));
    let mut all = Vec::new();
    for i in INITIAL[initial] {
        for v in VOWEL[vowel] {
            for f in FINAL[last] {
                // The h only shows a long vowel at the end: `ah`, `oh`.
                if v.ends_with('h') && !f.is_empty() {
                    continue;
                }
                all.push(format!("{i}{v}{f}"));
                // `shin` for `sin`, `shik` for `sik`.
                if *i == "s" && v.starts_with('i') {
                    all.push(format!("sh{v}{f}"));
                }
                // `woo` and `wook` for `u` and `uk`.
                if i.is_empty() && *v == "oo" {
                    all.push(format!("woo{f}"));
                }
            }
        }
    }
    if let Some((_, spelled)) = SURNAMES.iter().find(|(s, _)| *s == syllable) {
        all.extend(spelled.iter().map(|s| (*s).to_owned()));
    }
    all.sort();
    all.dedup();
    all
}

/// Every spelling of every syllable that is common in names.
pub(super) fn all_spellings() -> impl Iterator<Item = String> {
    IN_NAMES.chars().flat_map(spellings)
}

/// The syllables of Korean surnames and of common given names.
const IN_NAMES: &str = "김이리박최정강조윤장임림한오서신권황안송류유전홍고문양손배백허남심노로하곽성차주우구민나진지엄채원천방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모탁국어은편용\
    영철수미경희준호동상재태승종병광덕학범식일룡봉관규근대두만무복봉삼섭순숙실아애열예완욱웅월율의자찬창청춘충택필해향혁형혜화환효후훈휘흥가건겸교권균극낙년다단달담래란량련령록론루린말매목묘묵미밀보빈빛사산새샘생세솔슬승시쌍악암언업엽오온외욱운울원윤음익임잔장적점제족존좌중증직집채처첨초총최친탄통평품하행헌협호홍활회획";

#[cfg(test)]
mod tests {
    use super::spellings;

    #[test]
    fn each_system_is_among_the_spellings() {
        for (syllable, spelled) in [
            ('김', ["kim", "gim"].as_slice()),
            ('영', &["yong", "yeong", "young"]),
            ('철', &["chol", "cheol", "chul"]),
            ('박', &["park", "pak", "bak"]),
            ('식', &["sik", "shik"]),
        ] {
            for s in spelled {
                assert!(spellings(syllable).iter().any(|x| x == s), "{syllable} {s}");
            }
        }
        assert!(spellings('x').is_empty());
    }
}
