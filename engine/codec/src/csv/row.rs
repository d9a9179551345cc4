//! One row, seen through a mapping, as a source that the event's own visitor reads.

use std::borrow::Cow;

use ::csv::{ByteRecord, StringRecord};
use serde::{
    Deserialize,
    de::{
        DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor,
        value::{Error, StrDeserializer},
    },
    forward_to_deserialize_any,
};
use sluice_model::{Direction, PaymentEvent};

use super::{
    Mapping, MappingError,
    amount::Amounts,
    mapping::{Origin, Source},
    reading::Reading,
    sides::{Sides, by_sign},
};

/// A mapping bound to a header: fields in the shape of the event, columns by their places.
pub(crate) struct Bound {
    fields: Vec<(String, Node)>,
    only: Vec<(usize, Vec<String>)>,
    sides: Option<BoundSides>,
}

/// What says who pays, bound to a header.
enum BoundSides {
    Sign { amount: Leaf, negative: Direction },
    Column { at: usize, outbound: Vec<String>, inbound: Vec<String> },
    Amounts { amounts: Amounts, paid_out: usize, paid_in: usize },
}

/// A field that is filled, or a structure of such fields.
enum Node {
    Leaf(Leaf),
    Object(Vec<(String, Node)>),
}

#[derive(Clone)]
struct Leaf {
    source: Source,
    columns: Vec<usize>,
}

impl Bound {
    pub(crate) fn new(mapping: &Mapping, header: &StringRecord) -> Result<Self, MappingError> {
        let mut fields = Vec::new();
        let mut mapped = vec![false; header.len()];
        let mut amount = None;
        for (path, source) in &mapping.fields {
            let mut columns = Vec::new();
            if let Origin::Columns { names, .. } = &source.origin {
                for name in names {
                    let at = place(header, name)?;
                    mapped[at] = true;
                    columns.push(at);
                }
            }
            let leaf = Leaf { source: source.clone(), columns };
            if path.join(".") == "amount.value" {
                amount = Some(leaf.clone());
            }
            insert(&mut fields, path, leaf);
        }
        let sides = mapping
            .sides
            .as_ref()
            .map(|sides| BoundSides::new(sides, header, amount.as_ref()))
            .transpose()?
            .flatten();
        if sides.is_some() {
            let source = Source::of(Origin::Direction);
            insert(&mut fields, &["direction".to_owned()], Leaf { source, columns: Vec::new() });
        }
        if mapping.keep_unmapped {
            for (at, name) in header.iter().enumerate().filter(|(at, _)| !mapped[*at]) {
                let path = ["attributes".to_owned(), name.trim().to_owned()];
                let origin = Origin::Columns { names: Vec::new(), separator: None };
                insert(&mut fields, &path, Leaf { source: Source::of(origin), columns: vec![at] });
            }
        }
        let only = mapping
            .only
            .iter()
            .map(|filter| Ok((place(header, &filter.column)?, filter.one_of.clone())))
            .collect::<Result<_, MappingError>>()?;
        Ok(Self { fields, only, sides })
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
        let mut row = Row { record, line, direction: Direction::Outbound };
        if let Some(sides) = &self.sides {
            row.direction = sides.direction(row).map_err(|why| format!("direction: {why}"))?;
        }
        let fields = Fields { fields: &self.fields, row, is_event: true };
        PaymentEvent::deserialize(fields).or_else(|error| {
            // Read once more, following the path, to say where the refusal lies.
            let traced = serde_path_to_error::deserialize(fields);
            traced.map_err(|traced: serde_path_to_error::Error<Error>| {
                match traced.path().to_string().as_str() {
                    "." => error.to_string(),
                    path => format!("{path}: {}", traced.inner()),
                }
            })
        })
    }
}

impl BoundSides {
    fn new(
        sides: &Sides,
        header: &StringRecord,
        amount: Option<&Leaf>,
    ) -> Result<Option<Self>, MappingError> {
        Ok(match (sides, amount.map(|leaf| (leaf, &leaf.source.reading))) {
            (Sides::Column { column, outbound, inbound }, _) => Some(Self::Column {
                at: place(header, column)?,
                outbound: outbound.clone(),
                inbound: inbound.clone(),
            }),
            (Sides::Sign { negative }, Some((leaf, _))) => {
                Some(Self::Sign { amount: leaf.clone(), negative: *negative })
            }
            (Sides::Amounts { paid_out, paid_in }, Some((_, Reading::Amount(amounts, _)))) => {
                Some(Self::Amounts {
                    amounts: amounts.clone(),
                    paid_out: place(header, paid_out)?,
                    paid_in: place(header, paid_in)?,
                })
            }
            // A mapping without an amount has been refused.
            (Sides::Sign { .. } | Sides::Amounts { .. }, _) => None,
        })
    }

    /// Which way the row's money goes. An amount that cannot be read is refused where it stands.
    fn direction(&self, row: Row<'_>) -> Result<Direction, &'static str> {
        match self {
            Self::Column { at, outbound, inbound } => {
                let value = row.column(*at)?;
                let is_of = |values: &[String]| values.iter().any(|known| known == value);
                match (is_of(outbound), is_of(inbound)) {
                    (true, _) => Ok(Direction::Outbound),
                    (_, true) => Ok(Direction::Inbound),
                    _ => Err(
                        "the column holds neither an outbound nor an inbound value of the mapping's `sides`",
                    ),
                }
            }
            Self::Sign { amount, negative } => {
                let cell = row.cell(amount)?;
                let found = match (&amount.source.reading, cell) {
                    (Reading::Amount(amounts, _), Some(cell)) => amounts.read(&cell).ok(),
                    _ => None,
                };
                Ok(found.map_or(Direction::Outbound, |found| by_sign(found.sign, *negative)))
            }
            Self::Amounts { amounts, paid_out, paid_in } => {
                let out = amounts.is_filled(row.column(*paid_out)?);
                let came_in = amounts.is_filled(row.column(*paid_in)?);
                Ok(if came_in && !out { Direction::Inbound } else { Direction::Outbound })
            }
        }
    }
}

/// The place of the one column of that name.
fn place(header: &StringRecord, column: &str) -> Result<usize, MappingError> {
    let mut places = header.iter().enumerate().filter(|(_, name)| name.trim() == column).map(|(at, _)| at);
    match (places.next(), places.next()) {
        (Some(at), None) => Ok(at),
        (Some(_), Some(_)) => Err(MappingError::ColumnTwice(column.to_owned())),
        (None, _) => Err(MappingError::NoColumn {
            column: column.to_owned(),
            header: header.iter().map(str::trim).collect::<Vec<_>>().join(", "),
        }),
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
    direction: Direction,
}

impl<'a> Row<'a> {
    fn column(self, at: usize) -> Result<&'a str, &'static str> {
        let bytes = self.record.get(at).unwrap_or_default();
        let text = std::str::from_utf8(bytes)
            .map_err(|_| "the column is not UTF-8; the mapping's `encoding` says what the file is")?;
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return Err("the column holds bytes that are no characters of the file's encoding");
        }
        Ok(text.trim())
    }

    /// The text that a field's source has, not read yet; nothing where the columns are blank and there is no default.
    fn cell(self, leaf: &'a Leaf) -> Result<Option<Cow<'a, str>>, &'static str> {
        let source = &leaf.source;
        let raw: Cow<'_, str> = match (&source.origin, leaf.columns.as_slice()) {
            (Origin::Constant(text), _) => Cow::Borrowed(text),
            (Origin::Line, _) => self.line.to_string().into(),
            (Origin::Direction, _) => self.direction.name().into(),
            (Origin::Columns { .. }, [at]) => self.column(*at)?.into(),
            (Origin::Columns { separator, .. }, columns) => {
                let parts: Vec<&str> = columns.iter().map(|at| self.column(*at)).collect::<Result<_, _>>()?;
                let mut parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                if let (Reading::Amount(amounts, _), None) = (&source.reading, separator) {
                    one_amount(amounts, &mut parts)?;
                }
                parts.join(separator.as_deref().unwrap_or(" ")).into()
            }
        };
        Ok(Some(match &source.lookup {
            Some(lookup) => match lookup.get(raw.as_ref()).or(source.default.as_ref()) {
                Some(text) => Cow::Borrowed(text.as_str()),
                None => return Err("the column holds a value that the mapping's lookup does not have"),
            },
            None if raw.is_empty() => match &source.default {
                Some(text) => Cow::Borrowed(text.as_str()),
                None => return Ok(None),
            },
            None => raw,
        }))
    }

    /// The text that fills a field.
    fn text(self, leaf: &'a Leaf) -> Result<Option<Cow<'a, str>>, &'static str> {
        let source = &leaf.source;
        let Some(cell) = self.cell(leaf)? else { return Ok(None) };
        let read = source.reading.read(cell)?;
        Ok(Some(if source.prefix.is_empty() { read } else { format!("{}{read}", source.prefix).into() }))
    }
}

/// Of several columns with amounts, the one that is not zero.
fn one_amount(amounts: &Amounts, cells: &mut Vec<&str>) -> Result<(), &'static str> {
    if cells.iter().any(|cell| amounts.is_filled(cell)) {
        cells.retain(|cell| amounts.is_filled(cell));
        return if cells.len() == 1 { Ok(()) } else { Err("more than one of the columns holds an amount") };
    }
    cells.truncate(1);
    Ok(())
}

/// Fields as a map.
#[derive(Clone, Copy)]
struct Fields<'a> {
    fields: &'a [(String, Node)],
    row: Row<'a>,
    /// Whether they are the event's own, and not those of a structure in it.
    is_event: bool,
}

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let exchanges = self.is_event && self.row.direction == Direction::Inbound;
        visitor.visit_map(Walk { rest: self.fields.iter(), value: None, row: self.row, exchanges })
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
    /// Whether the debtor and the creditor change places.
    exchanges: bool,
}

impl<'de> MapAccess<'de> for Walk<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, node)) = self.rest.next() else { return Ok(None) };
        self.value = Some(node);
        let name = match name.as_str() {
            "debtor" if self.exchanges => "creditor",
            "creditor" if self.exchanges => "debtor",
            name => name,
        };
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
            Node::Object(fields) => {
                Fields { fields, row: self.row, is_event: false }.deserialize_any(visitor)
            }
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
