//! What each kind of value is read by: texts, structures, lists of them, and whatever `attributes` may hold.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, value::RawValue};

use super::{FieldsSeen, Object, Reading, Step, numbers::with_exact_numbers};
use crate::spelling;

/// Implements visits that refuse a kind of value, without repeating it.
macro_rules! refuse {
    ($why:expr; $($kind:ident)*) => { $(refuse!(@$kind $why);)* };
    (@bool $why:expr) => {
        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> { Err(E::custom($why(&self))) }
    };
    (@number $why:expr) => {
        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> { Err(E::custom($why(&self))) }
        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> { Err(E::custom($why(&self))) }
        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> { Err(E::custom($why(&self))) }
    };
    (@text $why:expr) => {
        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> { Err(E::custom($why(&self))) }
    };
    (@list $why:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err(A::Error::custom($why(&self)))
        }
    };
    (@object $why:expr) => {
        fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err(A::Error::custom($why(&self)))
        }
    };
}

/// A text; nothing where it is blank or null. Holds what to say of anything else.
pub(super) struct Text(pub &'static str);

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok((!text.trim().is_empty()).then(|| text.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    refuse!(|text: &Self| text.0; bool number list object);
}

/// A list of texts, in order, each once.
pub(super) struct Texts {
    /// Whether a text may stand there.
    pub is_allowed: fn(&str) -> bool,
    pub expected: &'static str,
}

impl<'de> DeserializeSeed<'de> for Texts {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Texts {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = seq.next_element_seed(Text(self.expected))? {
            let allowed = text.filter(|text| (self.is_allowed)(text));
            texts.push(allowed.ok_or_else(|| A::Error::custom(self.expected))?);
        }
        texts.sort_unstable();
        texts.dedup();
        Ok(texts)
    }

    refuse!(|texts: &Self| texts.expected; bool number text object);
}

/// A text with a meaning.
pub(super) struct Parsed<T> {
    pub parse: fn(&str) -> Option<T>,
    pub expected: &'static str,
}

impl<'de, T> DeserializeSeed<'de> for Parsed<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de, T> Visitor<'de> for Parsed<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        (self.parse)(text).map(Some).ok_or_else(|| E::custom(self.expected))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    refuse!(|parsed: &Self| parsed.expected; bool number list object);
}

/// Reads one structure.
pub(super) struct Reader<'a, O> {
    reading: Reading<'a>,
    object: PhantomData<O>,
}

impl<'a, O: Object> Reader<'a, O> {
    pub(super) fn new(reading: Reading<'a>) -> Self {
        Self { reading, object: PhantomData }
    }
}

impl<'de, O: Object> DeserializeSeed<'de> for Reader<'_, O> {
    type Value = Option<O::Output>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de, O: Object> Visitor<'de> for Reader<'_, O> {
    type Value = Option<O::Output>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = O::blank();
        let mut seen = FieldsSeen::default();
        while let Some(field) = map.next_key_seed(FieldName)? {
            if !object.read(&field, &mut seen, &mut map, &mut self.reading)? {
                if let Some(right) = spelling::meant(O::LEVEL, O::NAMES, &field) {
                    return Err(A::Error::custom(format_args!(
                        "has a field that is spelt otherwise here: {right}"
                    )));
                }
                let value = map.next_value_seed(self.reading.any_value())?;
                self.reading.keep(&field, value)?;
            }
        }
        object.finish().map_err(A::Error::custom)
    }

    refuse!(|_: &Self| "must be an object, in braces"; bool number text list);
}

/// Reads a list of structures.
pub(super) struct ListReader<'a, O>(pub Reader<'a, O>);

impl<'de, O: Object> DeserializeSeed<'de> for ListReader<'_, O> {
    type Value = Vec<O::Output>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de, O: Object> Visitor<'de> for ListReader<'_, O> {
    type Value = Vec<O::Output>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        let mut at = 0;
        while let Some(item) =
            seq.next_element_seed(Reader::<O>::new(self.0.reading.within(Step::Item(at))))?
        {
            items.extend(item);
            at += 1;
        }
        Ok(items)
    }

    refuse!(|_: &Self| "must be a list, in square brackets"; bool number text object);
}

/// Reads `attributes` into those that the reading keeps.
pub(super) struct AttributesReader<'a>(pub Reading<'a>);

impl<'de> DeserializeSeed<'de> for AttributesReader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AttributesReader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key_seed(FieldName)? {
            let value = map.next_value_seed(self.0.any_value())?;
            self.0.keep(&field, value)?;
        }
        Ok(())
    }

    refuse!(|_: &Self| "must be an object, in braces"; bool number text list);
}

/// The name of a field, borrowed from the input wherever it has no escapes.
pub(super) struct FieldName;

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for FieldName {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// Any value, for `attributes`; objects inside it that give a field twice are refused too.
#[derive(Clone, Copy)]
pub(super) struct AnyValue {
    /// Whether to take it as the text that it is, before numbers lose digits.
    pub is_json_text: bool,
}

impl AnyValue {
    fn of_text(text: &str) -> serde_json::Result<Value> {
        let text = with_exact_numbers(text);
        Self { is_json_text: false }.deserialize(&mut serde_json::Deserializer::from_str(&text))
    }
}

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        if self.is_json_text {
            let raw = <&RawValue>::deserialize(d)?;
            return Self::of_text(raw.get()).map_err(D::Error::custom);
        }
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some(field) = map.next_key_seed(FieldName)? {
            let value = map.next_value_seed(self)?;
            if object.insert(field.into_owned(), value).is_some() {
                return Err(A::Error::custom("has a field that is given twice"));
            }
        }
        Ok(object.into())
    }
}
