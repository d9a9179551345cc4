//! The mapping file: read, checked, and bound to a file's header. `docs/events.md` is its guide.

use std::collections::BTreeMap;

use encoding_rs::Encoding;
use serde::Deserialize;
use sluice_model::{Card, Device, Merchant, Money, Party, PaymentEvent, Proxy};

use super::{
    amount::Grouping,
    reading::Reading,
    sides::{Sides, WrittenSides},
};
use crate::Zone;

/// A mapping from the columns of a CSV file to the fields of the canonical event.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(crate) fields: Vec<(Vec<String>, Source)>,
    pub(super) only: Vec<Filter>,
    pub(super) sides: Option<Sides>,
    /// `None` where the file says it, or its header does.
    pub(super) delimiter: Option<u8>,
    /// `None` where the file's byte order mark says it, else UTF-8.
    pub(super) encoding: Option<&'static Encoding>,
    pub(crate) keep_unmapped: bool,
}

/// Why a mapping cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The file is not the TOML that a mapping is; the message names line and key.
    #[error("the mapping cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// A field that the canonical event does not have.
    #[error("the mapping fills `{field}`, which is no field of an event{hint}")]
    UnknownField {
        /// The field.
        field: String,
        /// Which fields there are, or nothing.
        hint: String,
    },
    /// A field that every event needs is not filled.
    #[error("the mapping does not fill `{0}`, which every event needs")]
    Missing(&'static str),
    /// A source that says too little, too much or nonsense.
    #[error("the mapping's `{field}` {why}")]
    Source {
        /// The field it fills.
        field: String,
        /// What is wrong.
        why: String,
    },
    /// A column that the file does not have.
    #[error("the mapping reads column `{column}`, which the file does not have; it has: {header}")]
    NoColumn {
        /// The column.
        column: String,
        /// The file's columns.
        header: String,
    },
    /// A column that the file has more than once.
    #[error("the mapping reads column `{0}`, which the file has more than once")]
    ColumnTwice(String),
    /// Something that a table has and a document does not.
    #[error("`{0}` is for tables: a document has no lines, and columns only where pointers lead")]
    NoColumns(&'static str),
    /// A column of a document that is no JSON pointer.
    #[error("the mapping reads `{0}`, which is no JSON pointer (RFC 6901), such as /payment/id")]
    NotAPointer(String),
    /// The header itself cannot be read.
    #[error("the header cannot be read: {0}")]
    Header(String),
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What the file is for; for people.
    #[serde(default)]
    #[expect(dead_code, reason = "for people who read the mapping")]
    description: String,
    delimiter: Option<char>,
    /// A label of the Encoding Standard, such as `windows-1252`, `big5` or `gb18030`.
    encoding: Option<String>,
    /// Where times without an offset are at home: a name of the time zone database of IANA.
    zone: Option<String>,
    /// Whether columns that no field reads are kept in `attributes`, under their own names.
    #[serde(default)]
    keep_unmapped: bool,
    fields: BTreeMap<String, Written>,
    #[serde(default)]
    only: Vec<WrittenFilter>,
    sides: Option<WrittenSides>,
}

/// What fills a field, as it is written: a column's name alone, or a table.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a column's name, or a table with `column`, `columns`, `constant` or `line`")]
enum Written {
    Column(String),
    Table(Box<WrittenSource>),
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenSource {
    column: Option<String>,
    columns: Option<Vec<String>>,
    constant: Option<String>,
    line: bool,
    separator: Option<String>,
    prefix: String,
    default: Option<String>,
    lookup: Option<BTreeMap<String, String>>,
    pub format: Option<String>,
    pub years_from: Option<i16>,
    pub utc_offset_hours: Option<i8>,
    pub zone: Option<String>,
    pub since: Option<String>,
    pub unit: Option<String>,
    pub decimal: Option<char>,
    pub group: Option<char>,
    pub grouping: Option<Grouping>,
    pub symbols: Option<Vec<String>>,
    pub shift: Option<u8>,
    pub absolute: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFilter {
    column: String,
    #[serde(rename = "in")]
    one_of: Vec<String>,
}

/// Only rows whose column holds one of these values are events; the others are passed over.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub column: String,
    pub one_of: Vec<String>,
}

/// What fills a field: where its text comes from, and what is done with it on the way.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub origin: Origin,
    pub lookup: Option<BTreeMap<String, String>>,
    pub default: Option<String>,
    pub(super) reading: Reading,
    pub prefix: String,
}

#[derive(Clone, Debug)]
pub(crate) enum Origin {
    Columns {
        names: Vec<String>,
        /// A blank where the mapping does not say; of amounts, only one then counts.
        separator: Option<String>,
    },
    Constant(String),
    /// The row's line number, for files without an id of their own.
    Line,
    /// Which way the row's money goes.
    Direction,
}

impl Mapping {
    /// A mapping from its TOML text.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let file: File = toml::from_str(text)?;
        for required in ["event_id", "occurred_at"] {
            if !file.fields.contains_key(required) {
                return Err(MappingError::Missing(required));
            }
        }
        let wrong = |field: &str, why: &str| MappingError::Source { field: field.into(), why: why.into() };
        let known =
            |name: String| name.parse::<Zone>().map_err(|unknown| wrong("zone", &format!("is {unknown}")));
        let home = file.zone.map(known).transpose()?;
        let sides =
            file.sides.map(|written| Sides::new(written).map_err(|why| wrong("sides", why))).transpose()?;
        if sides.is_some() && file.fields.contains_key("direction") {
            return Err(wrong("direction", "is what `sides` says"));
        }
        let takes_sign = matches!(sides, Some(Sides::Sign { .. }));
        let fields = file.fields.into_iter().map(|(field, written)| {
            let path = known_path(&field)?;
            Ok((path, source(&field, written, home.as_ref(), takes_sign)?))
        });
        let fields = fields.collect::<Result<Vec<_>, MappingError>>()?;
        let amount =
            fields.iter().find(|(path, _)| path.join(".") == "amount.value").map(|(_, source)| source);
        if let Some(sides) = &sides {
            sides.fit(amount.map(Source::columns)).map_err(|why| wrong("sides", why))?;
        }
        let delimiter = file.delimiter.map(u8::try_from).transpose();
        let delimiter = delimiter.map_err(|_| wrong("delimiter", "must be one ASCII character"))?;
        let encoding = file.encoding.map(|label| {
            let known = Encoding::for_label_no_replacement(label.as_bytes());
            known.ok_or_else(|| {
                wrong("encoding", "is no label of the Encoding Standard, such as windows-1252")
            })
        });
        let only =
            file.only.into_iter().map(|filter| Filter { column: filter.column, one_of: filter.one_of });
        Ok(Self {
            fields,
            only: only.collect(),
            sides,
            delimiter,
            encoding: encoding.transpose()?,
            keep_unmapped: file.keep_unmapped,
        })
    }

    /// Amounts part their decimals by a point where the mapping does not say, as JSON does.
    pub(crate) fn with_decimal_point(mut self) -> Self {
        for (_, source) in &mut self.fields {
            if let Reading::Amount(amounts, _) = &mut source.reading
                && amounts.group.is_none()
            {
                amounts.point.get_or_insert('.');
            }
        }
        self
    }

    /// Every column that the mapping names.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        let of_fields = self.fields.iter().flat_map(|(_, source)| source.columns());
        let of_sides = self.sides.iter().flat_map(Sides::columns);
        of_fields.map(String::as_str).chain(self.only.iter().map(|filter| &*filter.column)).chain(of_sides)
    }
}

impl Source {
    /// A source that is read as it stands.
    pub(super) const fn of(origin: Origin) -> Self {
        Self { origin, lookup: None, default: None, reading: Reading::AsIs, prefix: String::new() }
    }

    fn columns(&self) -> &[String] {
        match &self.origin {
            Origin::Columns { names, .. } => names,
            Origin::Constant(_) | Origin::Line | Origin::Direction => &[],
        }
    }
}

/// The steps of a field's path, each of them known: `debtor.proxy.id`, or anything under `attributes`.
fn known_path(field: &str) -> Result<Vec<String>, MappingError> {
    let unknown = |fields: &[&str]| MappingError::UnknownField {
        field: field.to_owned(),
        hint: if fields.is_empty() { String::new() } else { format!("; here stand {}", fields.join(", ")) },
    };
    if let Some(name) = field.strip_prefix("attributes.") {
        return Ok(vec!["attributes".into(), name.into()]);
    }
    let mut fields = PaymentEvent::FIELDS;
    let steps: Vec<&str> = field.split('.').collect();
    for (at, step) in steps.iter().enumerate() {
        if !fields.contains(step) {
            return Err(unknown(fields));
        }
        fields = match *step {
            "amount" | "balance_after" => Money::FIELDS,
            "debtor" | "creditor" => Party::FIELDS,
            "proxy" => Proxy::FIELDS,
            "device" => Device::FIELDS,
            "card" => Card::FIELDS,
            "merchant" => Merchant::FIELDS,
            _ => &[],
        };
        let is_last = at + 1 == steps.len();
        if is_last
            && (!fields.is_empty()
                || matches!(
                    *step,
                    "intermediaries" | "related_parties" | "attributes" | "other_ids" | "verified"
                ))
        {
            return Err(unknown(fields));
        }
    }
    Ok(steps.into_iter().map(str::to_owned).collect())
}

fn source(
    field: &str,
    written: Written,
    home: Option<&Zone>,
    takes_sign: bool,
) -> Result<Source, MappingError> {
    let written = match written {
        Written::Column(name) => WrittenSource { column: Some(name), ..WrittenSource::default() },
        Written::Table(table) => *table,
    };
    let wrong = |why: &str| MappingError::Source { field: field.to_owned(), why: why.to_owned() };
    let reading = Reading::new(field, &written, home, takes_sign).map_err(|why| wrong(&why))?;
    let separator = written.separator;
    let origin = match (written.column, written.columns, written.constant, written.line) {
        (Some(name), None, None, false) => Origin::Columns { names: vec![name], separator },
        (None, Some(names), None, false) if !names.is_empty() => Origin::Columns { names, separator },
        (None, None, Some(text), false) => Origin::Constant(text),
        (None, None, None, true) => Origin::Line,
        _ => return Err(wrong("needs exactly one of `column`, `columns`, `constant` and `line`")),
    };
    Ok(Source { origin, lookup: written.lookup, default: written.default, reading, prefix: written.prefix })
}
