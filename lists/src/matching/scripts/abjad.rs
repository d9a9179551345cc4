//! Arabic (with Persian, Urdu and Pashto letters) and Hebrew: scripts that write consonants and long vowels.
//! A word becomes a string of letters, one ASCII character for each sound that the script tells apart.
//!
//! `A` alif or aleph (any or no vowel), `E` ain, `W` waw, `Y` ya, `H` a final h or ta marbuta; capitals also for
//! `T` th, `D` dh, `S` sh, `C` ch, `Z` zh, `G` gh, `x` kh.

/// The letters of an Arabic word. Short vowels and doubling are not written and not missed.
pub(crate) fn arabic(word: &str) -> String {
    let mut letters = String::with_capacity(word.len());
    for c in word.chars() {
        let letter = match c {
            'ا' | 'أ' | 'إ' | 'آ' | 'ٱ' | 'ء' | 'ئ' | 'ؤ' => 'A',
            'ب' => 'b',
            'پ' => 'p',
            'ت' | 'ط' | 'ٹ' | 'ټ' => 't',
            'ث' => 'T',
            'ج' => 'j',
            'چ' => 'C',
            'ح' | 'ه' | 'ہ' | 'ھ' | 'ە' => 'h',
            'خ' | 'ځ' => 'x',
            'د' | 'ڈ' | 'ډ' => 'd',
            'ذ' | 'ض' | 'ظ' => 'D',
            'ر' | 'ڑ' | 'ړ' => 'r',
            'ز' => 'z',
            'ژ' | 'ږ' => 'Z',
            'س' | 'ص' | 'څ' => 's',
            'ش' | 'ښ' => 'S',
            'ع' => 'E',
            'غ' => 'G',
            'ف' => 'f',
            'ق' => 'q',
            'ك' | 'ک' | 'ګ' => 'k',
            'گ' => 'g',
            'ل' => 'l',
            'م' => 'm',
            'ن' | 'ں' | 'ڼ' => 'n',
            'و' => 'W',
            'ي' | 'ی' | 'ى' | 'ے' | 'ې' | 'ۍ' => 'Y',
            'ة' | 'ۃ' => 'H',
            _ => continue,
        };
        // Latin spellings write a doubled letter once or twice; it counts once.
        if !letters.ends_with(letter) {
            letters.push(letter);
        }
    }
    if letters.len() > 2 && letters.ends_with('h') {
        letters.pop();
        letters.push('H');
    }
    letters
}

/// The letters of a Hebrew word, in the same alphabet.
pub(crate) fn hebrew(word: &str) -> String {
    let mut letters = String::with_capacity(word.len());
    for c in word.chars() {
        let letter = match c {
            'א' => 'A',
            'ב' => 'b',
            'ג' => 'g',
            'ד' => 'd',
            'ה' => 'H',
            'ו' => 'W',
            'ז' => 'z',
            'ח' | 'כ' | 'ך' => 'x',
            'ט' | 'ת' => 't',
            'י' => 'Y',
            'ל' => 'l',
            'מ' | 'ם' => 'm',
            'נ' | 'ן' => 'n',
            'ס' => 's',
            'ע' => 'E',
            'פ' | 'ף' => 'p',
            'צ' | 'ץ' => 'z',
            'ק' => 'k',
            'ר' => 'r',
            'ש' => 'S',
            _ => continue,
        };
        if !letters.ends_with(letter) {
            letters.push(letter);
        }
    }
    letters
}

/// An Arabic word taken apart where Latin spellings take it apart: the article, `Abd`, `Abu`.
pub(crate) fn parts(word: &str) -> Vec<String> {
    let chars: Vec<char> =
        word.chars().map(|c| if matches!(c, 'أ' | 'إ' | 'آ' | 'ٱ') { 'ا' } else { c }).collect();
    let text = |c: &[char]| c.iter().collect::<String>();
    let starts = |prefix: &str| chars.len() > prefix.chars().count() + 1 && text(&chars).starts_with(prefix);
    if starts("عبدال") {
        return vec!["عبد".into(), "ال".into(), text(&chars[5..])];
    }
    if starts("ابوال") {
        return vec!["ابو".into(), "ال".into(), text(&chars[5..])];
    }
    if starts("ابو") && chars.len() > 5 {
        return vec!["ابو".into(), text(&chars[3..])];
    }
    if starts("وال") && chars.len() > 5 {
        return vec!["ال".into(), text(&chars[3..])];
    }
    // `الله` (God) is no article and noun.
    if starts("ال") && chars.len() > 4 {
        return vec!["ال".into(), text(&chars[2..])];
    }
    vec![text(&chars)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_article_and_the_servant_stand_alone() {
        assert_eq!(parts("العبيدي"), ["ال", "عبيدي"]);
        assert_eq!(parts("عبدالجبار"), ["عبد", "ال", "جبار"]);
        assert_eq!(parts("الله"), ["الله"]);
        assert_eq!(parts("أبوغيث"), ["ابو", "غيث"]);
    }

    #[test]
    fn letters_of_one_sound_fall_together() {
        assert_eq!(arabic("محمد"), "mhmd");
        assert_eq!(arabic("حسین"), arabic("حسين"));
        assert_eq!(hebrew("כהן"), "xHn");
    }
}
