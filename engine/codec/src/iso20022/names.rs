//! Names that carry two scripts in one field, as Hong Kong's do: `陳大文 CHAN TAI MAN`.

/// A name parted into Latin letters and any other script, both trimmed; a name in one script is whole in the
/// first.
pub fn split_scripts(name: &str) -> (String, Option<String>) {
    let name = name.trim();
    let (mut latin, mut local) = (String::new(), String::new());
    let mut in_local = false;
    // Characters without a script of their own (spaces, digits, marks) stay with what came before them.
    for character in name.chars() {
        if character.is_alphabetic() {
            in_local = !is_latin(character);
        }
        if in_local { local.push(character) } else { latin.push(character) }
    }
    let (latin, local) = (tidy(&latin), tidy(&local));
    if latin.chars().any(char::is_alphabetic) && !local.is_empty() {
        (latin, Some(local))
    } else {
        (name.to_owned(), None)
    }
}

/// Without the brackets and separators that parted the scripts.
fn tidy(part: &str) -> String {
    let parting = |c: char| c.is_whitespace() || "()（）[]【】/／|,，;；-–".contains(c);
    part.trim_matches(parting).to_owned()
}

/// Latin letters, full-width ones included.
const fn is_latin(character: char) -> bool {
    matches!(character, 'A'..='Z' | 'a'..='z' | 'ª' | 'º' | 'À'..='ɏ' | 'Ḁ'..='ỿ' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_scripts_are_parted_and_one_is_left_whole() {
        for (name, latin, local) in [
            ("陳大文 CHAN TAI MAN", "CHAN TAI MAN", Some("陳大文")),
            ("CHAN Tai Man (陳大文)", "CHAN Tai Man", Some("陳大文")),
            ("陳大文CHAN TAI MAN", "CHAN TAI MAN", Some("陳大文")),
            ("示範商戶有限公司 DEMO MERCHANT LTD", "DEMO MERCHANT LTD", Some("示範商戶有限公司")),
            ("Иван Петров / Ivan Petrov", "Ivan Petrov", Some("Иван Петров")),
            ("JOSÉ NÚÑEZ-O'Hara", "JOSÉ NÚÑEZ-O'Hara", None),
            ("陳大文", "陳大文", None),
            ("3M (Hong Kong) Ltd.", "3M (Hong Kong) Ltd.", None),
            ("第1公司 FIRST CO 2", "FIRST CO 2", Some("第1公司")),
            ("42", "42", None),
        ] {
            assert_eq!(split_scripts(name), (latin.to_owned(), local.map(str::to_owned)), "{name}");
        }
    }
}
