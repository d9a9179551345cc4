//! Cyrillic to Latin letters, one spelling a word: what remains between the systems in use (ISO 9, BGN, ICAO,
//! French and German habits) is the business of the phonetic comparison.

/// The word in lower-case ASCII. Letters of Ukrainian, Belarusian, Serbian, Macedonian and Kazakh included.
pub(crate) fn romanise(word: &str) -> String {
    let ukrainian = word.chars().any(|c| matches!(c, 'і' | 'ї' | 'є' | 'ґ'));
    let mut latin = String::with_capacity(word.len() * 2);
    let mut last = ' ';
    for c in word.chars() {
        let text = match c {
            'а' => "a",
            'б' => "b",
            'в' => "v",
            'г' if ukrainian => "h",
            'г' | 'ґ' | 'ғ' | 'ѓ' => "g",
            'д' => "d",
            // At the beginning and after a vowel or a sign it is heard, and often written, as `ye`.
            'е' if matches!(last, ' ' | 'ъ' | 'ь') => "ye",
            'е' | 'э' | 'є' | 'ә' => "e",
            'ж' => "zh",
            'з' => "z",
            'и' if ukrainian => "y",
            'и' | 'і' | 'ї' => "i",
            'й' | 'ј' => "y",
            'к' | 'қ' | 'ќ' => "k",
            'л' => "l",
            'м' => "m",
            'н' | 'ң' => "n",
            'о' | 'ө' => "o",
            'п' => "p",
            'р' => "r",
            'с' => "s",
            'т' => "t",
            'у' | 'ұ' | 'ү' | 'ў' => "u",
            'ф' => "f",
            'х' | 'ҳ' | 'һ' => "kh",
            'ц' => "ts",
            'ч' | 'ҷ' | 'ћ' => "ch",
            'ш' => "sh",
            'щ' => "shch",
            'ы' => "y",
            'ю' => "yu",
            'я' => "ya",
            'љ' => "lj",
            'њ' => "nj",
            'ђ' | 'џ' => "dj",
            'ѕ' => "dz",
            'ъ' | 'ь' => "",
            digit if digit.is_ascii_digit() => {
                latin.push(digit);
                ""
            }
            _ => "",
        };
        latin.push_str(text);
        last = c;
    }
    latin
}

#[cfg(test)]
mod tests {
    #[test]
    fn russian_and_ukrainian_letters_have_their_own_values() {
        assert_eq!(super::romanise("гришин"), "grishin");
        assert_eq!(super::romanise("григорій"), "hryhoriy");
        assert_eq!(super::romanise("щукарь"), "shchukar");
        assert_eq!(super::romanise("евгений"), "yevgeniy");
    }
}
