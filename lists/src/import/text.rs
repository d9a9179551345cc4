//! A source's bytes as text: UTF-8, UTF-16 and Windows-1252 are told apart, any other encoding is declared.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{FILE_BYTES_MAX, ImportError, SourceFile};

/// One file of a source, as text.
#[derive(Debug)]
pub struct TextFile<'a> {
    /// The file's name, without folders.
    pub name: &'a str,
    /// Its text, without a byte order mark.
    pub text: Cow<'a, str>,
    /// Nothing said which encoding it is, and it is not one that proves itself.
    pub guessed: bool,
}

/// Signs that are no letters: two of them in a line are more than a currency or an ordinal.
const SIGNS: &str = "¡¢£¤¥¦§¨©«¬®¯°±²³´µ¶¸¹»¼½¾¿×÷";
/// No word of a language that Windows-1252 is for has so many letters beyond ASCII in a row.
const FOREIGN_LETTERS_MAX: usize = 3;

impl<'a> TextFile<'a> {
    /// Decode a file: by its byte order mark, else as declared, else as its XML declaration says, else by what
    /// its bytes look like.
    pub fn decode(file: &SourceFile<'a>, declared: Option<&str>) -> Result<Self, ImportError> {
        if file.bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(ImportError::Limit(format!("{}: larger than {FILE_BYTES_MAX} bytes", file.name)));
        }
        let declared = declared
            .map(|label| {
                Encoding::for_label(label.as_bytes()).ok_or_else(|| ImportError::Encoding(label.to_owned()))
            })
            .transpose()?;
        let said = declared.or_else(|| xml_declared(file.bytes));
        let encoding = said.unwrap_or_else(|| detect(file.bytes));
        let (text, _, broken) = encoding.decode(file.bytes);
        // What claims to be UTF-8 and is not is Windows-1252 far more often than anything else.
        let not_as_said = broken && encoding == UTF_8;
        let text = if not_as_said { WINDOWS_1252.decode(file.bytes).0 } else { text };
        let guessed = not_as_said || (said.is_none() && encoding == WINDOWS_1252);
        Ok(Self { name: file.name, text, guessed })
    }

    /// Where the encoding was guessed wrongly: the first line that reads as no text does, if most of those beyond
    /// ASCII do. Big5, GBK and Cyrillic or Arabic code pages look so.
    pub fn misread(&self) -> Option<u64> {
        let lines = (1..).zip(self.text.lines()).filter(|(_, line)| self.guessed && !line.is_ascii());
        let (mut beyond_ascii, mut strange) = (0, Vec::new());
        for (number, line) in lines {
            beyond_ascii += 1;
            strange.extend(is_strange(line).then_some(number));
        }
        strange.first().copied().filter(|_| strange.len() * 2 > beyond_ascii)
    }

    /// The name's part before its extension, in lower case.
    pub fn stem(&self) -> String {
        let stem = self.name.rsplit_once('.').map_or(self.name, |(stem, _)| stem);
        stem.to_ascii_lowercase()
    }
}

fn is_strange(line: &str) -> bool {
    let foreign_word =
        |word: &str| word.chars().count() > FOREIGN_LETTERS_MAX && word.chars().all(|c| !c.is_ascii());
    line.chars().filter(|c| SIGNS.contains(*c) || ('\u{80}'..='\u{9f}').contains(c)).count() >= 2
        || line.split(|c: char| !c.is_alphabetic()).any(foreign_word)
}

/// The encoding that an XML declaration names, where there is one in ASCII.
fn xml_declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..200.min(bytes.len())).filter(|b| b.starts_with(b"<?xml"))?;
    let head = String::from_utf8_lossy(head);
    let (_, after) = head.split_once("?>").map_or("", |(h, _)| h).split_once("encoding=")?;
    let label: String = after.chars().skip(1).take_while(|c| !['"', '\''].contains(c)).collect();
    Encoding::for_label(label.as_bytes())
}

/// UTF-16 has a zero byte in every other place of Latin text; UTF-8 proves itself; the rest is Windows-1252.
fn detect(bytes: &[u8]) -> &'static Encoding {
    let head = &bytes[..bytes.len().min(1024) & !1];
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|b| **b == 0).count() * 4;
    if !head.is_empty() && zeros(1) >= head.len() {
        UTF_16LE
    } else if !head.is_empty() && zeros(0) >= head.len() {
        UTF_16BE
    } else if std::str::from_utf8(bytes).is_ok() {
        UTF_8
    } else {
        WINDOWS_1252
    }
}

/// A text with every run of white space and control characters as one space, and none at its ends.
pub(super) fn clean(text: &str) -> String {
    let mut words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty());
    let mut cleaned = words.next().unwrap_or_default().to_owned();
    for word in words {
        cleaned.push(' ');
        cleaned.push_str(word);
    }
    cleaned
}

/// [`clean`], where anything is left.
pub(super) fn some(text: &str) -> Option<String> {
    Some(clean(text)).filter(|t| !t.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], declared: Option<&str>) -> String {
        TextFile::decode(&SourceFile { name: "f", bytes }, declared).unwrap().text.into_owned()
    }

    #[test]
    fn encodings_are_told_apart() {
        let utf16 = |bom: bool, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            let text = if bom { "\u{feff}id,name" } else { "id,name" };
            text.encode_utf16().flat_map(bytes).collect()
        };
        assert_eq!(decode("id,naïve".as_bytes(), None), "id,naïve");
        assert_eq!(decode("\u{feff}id,名".as_bytes(), None), "id,名");
        assert_eq!(decode(b"id,na\xefve", None), "id,naïve");
        assert_eq!(decode(&utf16(true, u16::to_le_bytes), None), "id,name");
        assert_eq!(decode(&utf16(true, u16::to_be_bytes), None), "id,name");
        assert_eq!(decode(&utf16(false, u16::to_le_bytes), None), "id,name");
        assert_eq!(decode(&utf16(false, u16::to_be_bytes), None), "id,name");
        assert_eq!(decode(b"\xa4j", Some("big5")), "大");
        assert_eq!(
            decode(b"<?xml version=\"1.0\" encoding=\"ISO-8859-5\"?><a>\xb8</a>", None).chars().nth(46),
            Some('И')
        );
        assert!(TextFile::decode(&SourceFile { name: "f", bytes: b"" }, Some("klingon")).is_err());
    }

    #[test]
    fn an_encoding_that_was_guessed_wrongly_shows() {
        let misread = |text: &str, label: &str| {
            let (bytes, ..) = Encoding::for_label(label.as_bytes()).unwrap().encode(text);
            TextFile::decode(&SourceFile { name: "f", bytes: &bytes }, None).unwrap().misread()
        };
        let (chinese, russian) = ("id,name\n1,John\n2,陳大文\n", "id,name\n1,Сергей Волков\n");
        assert_eq!(misread(chinese, "big5"), Some(3));
        assert_eq!(misread(chinese, "gbk"), Some(3));
        assert_eq!(misread(russian, "windows-1251"), Some(2));
        assert_eq!(misread("1,محمد حسن\n", "windows-1256"), Some(1));
        for western in ["1,José Müller\n2,Åse Ærø\n3,Zoë Noël d'Été\n", "1,5 £ für Öl-Firma\n2,Peña\n"]
        {
            assert_eq!(misread(western, "windows-1252"), None, "{western}");
        }
        assert_eq!(misread(chinese, "utf-8"), None);
    }

    #[test]
    fn white_space_and_control_characters_are_folded() {
        assert_eq!(clean(" a\t\u{0}b \r\n c "), "a b c");
        assert_eq!(some(" \n"), None);
    }
}
