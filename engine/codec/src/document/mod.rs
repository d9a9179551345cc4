//! A JSON document whose numbers keep their text: what was signed is what was written, and no amount passes through
//! floating point.

mod mapping;

use std::{borrow::Cow, fmt};

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use sluice_model::{limits::EVENT_BYTES_MAX, without_values};

pub use self::mapping::DocumentMapping;
use crate::DecodeError;

/// The deepest that lists and objects may stand in each other. Callbacks have four levels.
const DEPTH_MAX: usize = 32;

/// A JSON value. Of an object, each name stands once, in the order in which it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Document {
    Null,
    Bool(bool),
    /// As it is written: digits, sign, point and exponent.
    Number(String),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Document {
    /// The one JSON value that `bytes` are.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > EVENT_BYTES_MAX {
            return Err(DecodeError::too_large(format!("the body is larger than {EVENT_BYTES_MAX} bytes")));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            DecodeError::malformed(format!("not UTF-8 from byte {} on", error.valid_up_to()))
        })?;
        Self::read(serde_json::from_str(text).map_err(not_json)?, DEPTH_MAX)
    }

    fn read(raw: &RawValue, depth: usize) -> Result<Self, DecodeError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(DecodeError::too_large(format!(
                "lists and objects are more than {DEPTH_MAX} deep in each other"
            )));
        };
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'{') => {
                let mut fields: Vec<(String, Self)> = Vec::new();
                let mut reader = serde_json::Deserializer::from_str(text);
                for (name, value) in reader.deserialize_map(Fields).map_err(not_json)? {
                    fields.push((name, Self::read(value, depth)?));
                }
                unique(&fields)?;
                Self::Object(fields)
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(not_json)?;
                Self::List(items.into_iter().map(|item| Self::read(item, depth)).collect::<Result<_, _>>()?)
            }
            Some(b'"') => Self::Text(serde_json::from_str(text).map_err(not_json)?),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'n') => Self::Null,
            _ => Self::Number(text.to_owned()),
        })
    }

    /// The field of an object, where it is one and has it.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().find(|(held, _)| held == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// What a JSON pointer (RFC 6901) leads to.
    pub(crate) fn pointer(&self, pointer: &str) -> Option<&Self> {
        pointer.split('/').skip(1).try_fold(self, |value, step| match value {
            Self::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => value.get(&step.replace("~1", "/").replace("~0", "~")),
        })
    }

    /// A single value as text; nothing for null, and for what is not single.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text.into()),
            Self::Bool(is) => Some(if *is { "true" } else { "false" }.into()),
            Self::Null | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// Whether it is a list or an object.
    pub(crate) const fn is_composite(&self) -> bool {
        matches!(self, Self::List(_) | Self::Object(_))
    }
}

/// Readers differ in which of two fields of one name they take: none is.
fn unique(fields: &[(String, Document)]) -> Result<(), DecodeError> {
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).any(|pair| pair.first() == pair.last()) {
        true => Err(DecodeError::malformed("an object has a field that is given twice")),
        false => Ok(()),
    }
}

fn not_json(error: serde_json::Error) -> DecodeError {
    DecodeError::malformed(format!("the body is not JSON: {}", without_values(&error.to_string())))
}

/// The fields of an object, those of one name too.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, pointer: &str) -> Option<String> {
        Document::parse(text.as_bytes()).unwrap().pointer(pointer)?.text().map(Cow::into_owned)
    }

    #[test]
    fn numbers_keep_their_text() {
        for number in ["0", "-0", "10000", "1.10", "1e3", "12345678901234567890123", "0.1000000000000000055"]
        {
            assert_eq!(at(&format!("{{\"a\":[{number}]}}"), "/a/0").as_deref(), Some(number));
        }
    }

    #[test]
    fn pointers_lead_through_objects_and_lists() {
        let text = r#"{"a/b":{"m~n":[1,{"":"x"}]},"t":true,"n":null,"e":"\u00e9\ud83d\ude00"}"#;
        assert_eq!(at(text, "/a~1b/m~0n/1/").as_deref(), Some("x"));
        assert_eq!(at(text, "/t").as_deref(), Some("true"));
        assert_eq!(at(text, "/e").as_deref(), Some("é😀"));
        for nothing in ["/n", "/a~1b", "/missing", "/a~1b/m~0n/2", "/t/x", ""] {
            assert_eq!(at(text, nothing), None, "{nothing}");
        }
    }

    #[test]
    fn what_is_not_one_json_value_is_told_without_what_was_sent() {
        let deep = format!("{}{}", "[".repeat(DEPTH_MAX + 1), "]".repeat(DEPTH_MAX + 1));
        for (text, reason) in [
            ("", "the body is not JSON: EOF while parsing a value at line 1 column 0"),
            ("{\"id\": 0123}", "the body is not JSON: invalid number at line 1 column 9"),
            ("{\"a\":1}}", "the body is not JSON: trailing characters at line 1 column 8"),
            ("{\"Mrs Chan\":}", "the body is not JSON: expected value at line 1 column 13"),
            ("{\"a\":\"\\ud800\"}", "the body is not JSON: unexpected end of hex escape at line 1 column 8"),
            ("{\"Chan\":1,\"Chan\":1}", "an object has a field that is given twice"),
            (deep.as_str(), "lists and objects are more than 32 deep in each other"),
        ] {
            assert_eq!(Document::parse(text.as_bytes()).unwrap_err().to_string(), reason, "{text}");
        }
        assert!(Document::parse(b"\"\xff\"").is_err());
        assert!(Document::parse(&vec![b' '; EVENT_BYTES_MAX + 1]).is_err());
        // Far deeper than any stack: refused before it is followed.
        assert!(Document::parse("[".repeat(200_000).as_bytes()).is_err());
    }
}
