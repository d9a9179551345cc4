//! Kana to Latin letters. Japanese writes foreign names by their sound and puts a vowel after each consonant
//! (`トランプ`, to-ra-m-pu), and has one letter for l and r: a word is read as it is written, without the vowels that
//! only the syllables need, and with l.

/// Whether a character is kana, or the mark that lengthens a vowel.
pub(crate) fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | 'ー')
}

/// The readings of a word in kana, with r and with l: whole, and without the vowels that are only there to make a
/// syllable: `u` after most consonants, and `o` after `t` and `d` as well.
pub(crate) fn readings(word: &str) -> Vec<String> {
    let whole = romanise(word);
    let mut all = vec![whole.clone()];
    for helping in [&b"u"[..], b"uo"] {
        let plain = without(&whole, helping);
        if plain.len() > 1 && !all.contains(&plain) {
            all.push(plain);
        }
    }
    let with_l: Vec<_> = all.iter().filter(|r| r.contains('r')).map(|r| r.replace('r', "l")).collect();
    all.extend(with_l);
    all
}

/// The word in Hepburn's letters; long vowels and doubled consonants, which others write by halves, once.
fn romanise(word: &str) -> String {
    let mut latin = String::with_capacity(word.len());
    for c in word.chars() {
        let hiragana = match c {
            '\u{30A1}'..='\u{30F6}' => char::from_u32(u32::from(c) - 0x60).unwrap_or(c),
            other => other,
        };
        let small = match hiragana {
            'ぁ' => "a",
            'ぃ' => "i",
            'ぅ' => "u",
            'ぇ' => "e",
            'ぉ' => "o",
            'ゃ' => "ya",
            'ゅ' => "yu",
            'ょ' => "yo",
            'ゎ' => "wa",
            'っ' | 'ー' => continue,
            _ => {
                let next = syllable(hiragana);
                if latin.ends_with('n') && next.starts_with(['b', 'm', 'p']) {
                    latin.pop();
                    latin.push('m');
                }
                latin.push_str(&next);
                continue;
            }
        };
        // A small vowel takes the place of the one before it: `フィ` fi, `シャ` sha, `キャ` kya.
        if latin.ends_with(['a', 'e', 'i', 'o', 'u']) {
            latin.pop();
        }
        let hushed = ["sh", "ch", "j"].iter().any(|sound| latin.ends_with(sound));
        latin.push_str(if hushed { small.trim_start_matches('y') } else { small });
    }
    latin
}

fn syllable(hiragana: char) -> String {
    match hiragana {
        'ゔ' => "vu".to_owned(),
        'を' => "o".to_owned(),
        other => any_ascii::any_ascii(other.encode_utf8(&mut [0; 4])).to_ascii_lowercase(),
    }
}

/// `toranpu` as `tranp`, `sumisu` as `smis`: where no other vowel follows.
fn without(latin: &str, helping: &[u8]) -> String {
    let letters = latin.as_bytes();
    let helps = |at: usize| {
        let after = if letters[at] == b'u' { &b"bfgklmprsvz"[..] } else { b"td" };
        at > 0
            && helping.contains(&letters[at])
            && after.contains(&letters[at - 1])
            && !letters.get(at + 1).is_some_and(|c| b"aeiou".contains(c))
    };
    latin.char_indices().filter(|(at, _)| !helps(*at)).map(|(_, c)| c).collect()
}

#[cfg(test)]
mod tests {
    use super::readings;

    #[test]
    fn kana_is_read_whole_without_helping_vowels_and_with_l() {
        for (word, read) in [
            ("オバマ", &["obama"][..]),
            ("シャー", &["sha"]),
            ("スミス", &["sumisu", "smis"]),
            ("トランプ", &["torampu", "toramp", "tramp", "tolampu", "tolamp", "tlamp"]),
            ("フィッシャー", &["fisha"]),
            ("ヴィクトル", &["vikutoru", "viktor", "viktr", "vikutolu", "viktol", "viktl"]),
            ("キャメロン", &["kyameron", "kyamelon"]),
            ("やまだ", &["yamada"]),
            ("さとう", &["satou"]),
        ] {
            assert_eq!(readings(word), read, "{word}");
        }
    }
}
