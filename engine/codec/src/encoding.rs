//! The encoding of an XML document: its byte order mark's, else the one that it declares, else UTF-8.

use std::{borrow::Cow, str};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use sluice_xml::{Limits, Reader, Token};

use crate::DecodeError;

/// How many bytes an XML declaration may have.
const DECLARATION_BYTES_MAX: usize = 256;

/// The text of a document, without a byte order mark. Bytes that are none in its encoding are refused.
pub(crate) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, DecodeError> {
    let (encoding, mark) = match Encoding::for_bom(bytes) {
        Some(found) => found,
        None => (unmarked(bytes)?, 0),
    };
    let bytes = bytes.get(mark..).unwrap_or_default();
    if encoding == UTF_8 {
        let not = |error: str::Utf8Error| format!("not UTF-8 from byte {} on", mark + error.valid_up_to());
        return str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| DecodeError::malformed(not(error)));
    }
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    text.ok_or_else(|| DecodeError::malformed(format!("not {} as it says", encoding.name())))
}

/// The encoding of a document without a byte order mark.
fn unmarked(bytes: &[u8]) -> Result<&'static Encoding, DecodeError> {
    match bytes {
        [b'<', 0, ..] => return Ok(UTF_16LE),
        [0, b'<', ..] => return Ok(UTF_16BE),
        _ => {}
    }
    let Some(label) = declared(bytes) else { return Ok(UTF_8) };
    let encoding = Encoding::for_label(label.as_bytes());
    // Whoever could read the declaration byte by byte did not read UTF-16.
    encoding.filter(|encoding| ![UTF_16LE, UTF_16BE].contains(encoding)).ok_or_else(|| {
        DecodeError::unsupported("an encoding is declared that is not known or not the bytes'")
    })
}

/// The encoding that a declaration names.
fn declared(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..DECLARATION_BYTES_MAX.min(bytes.len()))?;
    let end = head.windows(2).position(|pair| pair == b"?>")? + 2;
    let declaration = str::from_utf8(head.get(..end)?).ok().filter(|text| text.starts_with("<?xml"))?;
    match Reader::new(declaration, Limits { depth: 0, elements: Some(0) }).read() {
        Ok(Some(Token::Encoding(label))) => Some(label),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text in UTF-16, little or big end first.
    fn utf_16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes_of).collect()
    }

    #[test]
    fn a_mark_or_a_declaration_says_the_encoding() {
        let wide = "\u{feff}<a>陳 é</a>";
        for bytes in
            [wide.as_bytes().to_vec(), utf_16(wide, u16::to_le_bytes), utf_16(wide, u16::to_be_bytes)]
        {
            assert_eq!(text(&bytes).unwrap(), "<a>陳 é</a>");
        }
        let unmarked = "<?xml version='1.0' encoding='UTF-16'?><a>陳</a>";
        assert_eq!(text(&utf_16(unmarked, u16::to_le_bytes)).unwrap(), unmarked);
        for (label, byte, read) in [
            ("ISO-8859-1", 0xe9, "é"),
            ("Windows-1252", 0x80, "€"),
            ("ISO-8859-15", 0xa4, "€"),
            ("us-ascii", b'e', "e"),
        ] {
            let mut bytes = format!("<?xml version=\"1.0\" encoding=\"{label}\"?><a>").into_bytes();
            bytes.push(byte);
            assert!(text(&bytes).unwrap().ends_with(&format!("<a>{read}")), "{label}");
        }
    }

    #[test]
    fn bytes_that_are_none_in_their_encoding_are_refused() {
        let refused = |bytes: &[u8]| text(bytes).unwrap_err();
        assert!(refused(b"<a>\xe9</a>").to_string().ends_with("from byte 3 on"));
        assert!(refused(b"\xef\xbb\xbf\xe9").to_string().ends_with("from byte 3 on"));
        assert_eq!(refused(b"\xff\xfe<\0a").code(), "malformed");
        assert_eq!(refused(b"<?xml version='1.0' encoding='UTF-16'?><a/>").code(), "unsupported");
        assert_eq!(refused(b"<?xml version='1.0' encoding='no such'?><a/>").code(), "unsupported");
    }
}
