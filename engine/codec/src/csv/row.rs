//! One row, seen through a mapping, as a source that the event's own visitor reads.

use std::borrow::Cow;

use ::csv::{ByteRecord, StringRecord};
use jiff::fmt::strtime::BrokenDownTime;
use serde::{
    Deserialize,
    de::{
        DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor,
        value::{Error, StrDeserializer},
    },
    forward_to_deserialize_any,
};
use sluice_model::{EventTime, PaymentEvent, Span};

use super::{
    Mapping, MappingError,
    mapping::{Origin, Reading, Source},
};

/// A mapping bound to a header: fields in the shape of the event, columns by their places.
pub(crate) struct Bound {
    fields: Vec<(String, Node)>,
    only: Vec<(usize, Vec<String>)>,
}

/// A field that is filled, or a structure of such fields.
enum Node {
    Leaf(Leaf),
    Object(Vec<(String, Node)>),
}

struct Leaf {
    source: Source,
    columns: Vec<usize>,
}

impl Bound {
    pub(crate) fn new(mapping: &Mapping, header: &StringRecord) -> Result<Self, MappingError> {
        let mut fields = Vec::new();
        let mut mapped = vec![false; header.len()];
        for (path, source) in &mapping.fields {
            let mut columns = Vec::new();
            if let Origin::Columns { names, .. } = &source.origin {
                for name in names {
                    let at = Mapping::place(header, name)?;
                    mapped[at] = true;
                    columns.push(at);
                }
            }
            insert(&mut fields, path, Leaf { source: source.clone(), columns });
        }
        if mapping.keep_unmapped {
            for (at, name) in header.iter().enumerate().filter(|(at, _)| !mapped[*at]) {
                let path = ["attributes".to_owned(), name.trim().to_owned()];
                let origin = Origin::Columns { names: Vec::new(), separator: String::new() };
                let source = Source {
                    origin,
                    lookup: None,
                    default: None,
                    reading: Reading::AsIs,
                    prefix: String::new(),
                };
                insert(&mut fields, &path, Leaf { source, columns: vec![at] });
            }
        }
        let only = mapping
            .only
            .iter()
            .map(|filter| Ok((Mapping::place(header, &filter.column)?, filter.one_of.clone())))
            .collect::<Result<_, MappingError>>()?;
        Ok(Self { fields, only })
    }

    /// Whether the row is an event at all.
    pub(crate) fn admits(&self, record: &ByteRecord) -> bool {
        self.only.iter().all(|(column, one_of)| {
            let value = record.get(*column).unwrap_or_default().trim_ascii();
            one_of.iter().any(|wanted| wanted.as_bytes() == value)
        })
    }

    /// The event that a row is; or why it is none, naming the field.
    pub(crate) fn read(&self, record: &ByteRecord, line: u64) -> Result<PaymentEvent, String> {
        let row = Row { record, line };
        PaymentEvent::deserialize(Fields { fields: &self.fields, row }).or_else(|error| {
            // Read once more, following the path, to say where the refusal lies.
            let traced = serde_path_to_error::deserialize(Fields { fields: &self.fields, row });
            traced.map_err(|traced: serde_path_to_error::Error<Error>| {
                match traced.path().to_string().as_str() {
                    "." => error.to_string(),
                    path => format!("{path}: {}", traced.inner()),
                }
            })
        })
    }
}

fn insert(fields: &mut Vec<(String, Node)>, path: &[String], leaf: Leaf) {
    let [name, rest @ ..] = path else { return };
    if rest.is_empty() {
        fields.push((name.clone(), Node::Leaf(leaf)));
        return;
    }
    let at = fields.iter().position(|(held, node)| held == name && matches!(node, Node::Object(_)));
    let at = at.unwrap_or_else(|| {
        fields.push((name.clone(), Node::Object(Vec::new())));
        fields.len() - 1
    });
    if let Node::Object(inner) = &mut fields[at].1 {
        insert(inner, rest, leaf);
    }
}

#[derive(Clone, Copy)]
struct Row<'a> {
    record: &'a ByteRecord,
    line: u64,
}

impl<'a> Row<'a> {
    fn column(self, at: usize) -> Result<&'a str, &'static str> {
        let bytes = self.record.get(at).unwrap_or_default();
        std::str::from_utf8(bytes).map(str::trim).map_err(|_| "the column is not UTF-8")
    }

    /// The text that fills a field; nothing where the columns are blank and there is no default.
    fn text(self, leaf: &'a Leaf) -> Result<Option<Cow<'a, str>>, &'static str> {
        let source = &leaf.source;
        let raw: Cow<'_, str> = match (&source.origin, leaf.columns.as_slice()) {
            (Origin::Constant(text), _) => Cow::Borrowed(text),
            (Origin::Line, _) => self.line.to_string().into(),
            (Origin::Columns { .. }, [at]) => self.column(*at)?.into(),
            (Origin::Columns { separator, .. }, columns) => {
                let parts: Vec<&str> = columns.iter().map(|at| self.column(*at)).collect::<Result<_, _>>()?;
                let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                parts.join(separator).into()
            }
        };
        let raw = match &source.lookup {
            Some(lookup) => match lookup.get(raw.as_ref()).or(source.default.as_ref()) {
                Some(text) => Cow::Borrowed(text.as_str()),
                None => return Err("the column holds a value that the mapping's lookup does not have"),
            },
            None if raw.is_empty() => match &source.default {
                Some(text) => Cow::Borrowed(text.as_str()),
                None => return Ok(None),
            },
            None => raw,
        };
        let read = source.reading.read(raw)?;
        Ok(Some(if source.prefix.is_empty() { read } else { format!("{}{read}", source.prefix).into() }))
    }
}

impl Reading {
    fn read<'a>(&self, raw: Cow<'a, str>) -> Result<Cow<'a, str>, &'static str> {
        match self {
            Self::AsIs => Ok(raw),
            Self::Pattern { pattern, offset } => {
                let refused = "the column does not follow the mapping's `format`";
                let broken = BrokenDownTime::parse(pattern, raw.as_ref()).map_err(|_| refused)?;
                let at = match broken.to_timestamp() {
                    Ok(at) => at,
                    Err(_) => {
                        let local = broken
                            .to_datetime()
                            .or_else(|_| broken.to_date().map(|date| date.at(0, 0, 0, 0)));
                        offset.to_timestamp(local.map_err(|_| refused)?).map_err(|_| refused)?
                    }
                };
                Ok(at.to_string().into())
            }
            Self::Since { start, unit } => {
                let count: i64 = raw.parse().map_err(|_| "the column is not a whole number")?;
                let span = unit.micros().checked_mul(count).ok_or("the column is a time beyond all times")?;
                let at: EventTime = start.plus(Span::from_micros(span));
                Ok(at.to_string().into())
            }
            Self::Decimal { point, group, shift, absolute } => {
                let mut digits: String =
                    raw.chars().filter(|c| Some(*c) != *group && !c.is_whitespace()).collect();
                if *point != '.' {
                    // A point that is no decimal sign here must not become one.
                    if digits.contains('.') {
                        return Err("the column is not an amount");
                    }
                    digits = digits.replace(*point, ".");
                }
                if *absolute && digits.starts_with('-') {
                    digits.remove(0);
                }
                Ok(shifted(digits, usize::from(*shift)).into())
            }
        }
    }
}

/// An amount in a minor unit as a decimal: 12345 shifted by 2 is 123.45.
fn shifted(digits: String, shift: usize) -> String {
    let whole = digits.strip_prefix('-').unwrap_or(&digits);
    if shift == 0 || whole.is_empty() || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return digits;
    }
    let sign = &digits[..digits.len() - whole.len()];
    let padded = format!("{whole:0>width$}", width = shift + 1);
    let (units, fraction) = padded.split_at(padded.len() - shift);
    format!("{sign}{units}.{fraction}")
}

/// Fields as a map.
#[derive(Clone, Copy)]
struct Fields<'a> {
    fields: &'a [(String, Node)],
    row: Row<'a>,
}

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Walk { rest: self.fields.iter(), value: None, row: self.row })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Walk<'a> {
    rest: std::slice::Iter<'a, (String, Node)>,
    value: Option<&'a Node>,
    row: Row<'a>,
}

impl<'de> MapAccess<'de> for Walk<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, node)) = self.rest.next() else { return Ok(None) };
        self.value = Some(node);
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some(node) => seed.deserialize(Value { node, row: self.row }),
            None => Err(Error::custom("a value was asked for before its name")),
        }
    }
}

/// The value of one field.
struct Value<'a> {
    node: &'a Node,
    row: Row<'a>,
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node {
            Node::Object(fields) => Fields { fields, row: self.row }.deserialize_any(visitor),
            Node::Leaf(leaf) => match self.row.text(leaf).map_err(Error::custom)? {
                Some(text) => visitor.visit_str(&text),
                None => visitor.visit_unit(),
            },
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
