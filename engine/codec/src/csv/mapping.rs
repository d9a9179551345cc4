//! The mapping file: read, checked, and bound to a file's header. `docs/events.md` is its guide.

use std::collections::BTreeMap;

use ::csv::StringRecord;
use jiff::tz::Offset;
use serde::Deserialize;
use sluice_model::{Card, Device, EventTime, Merchant, Money, Party, PaymentEvent, Proxy, Span};

/// A mapping from the columns of a CSV file to the fields of the canonical event.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(super) fields: Vec<(Vec<String>, Source)>,
    pub(super) only: Vec<Filter>,
    pub(super) delimiter: u8,
    pub(super) keep_unmapped: bool,
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
    #[serde(default = "comma")]
    delimiter: char,
    /// Whether columns that no field reads are kept in `attributes`, under their own names.
    #[serde(default)]
    keep_unmapped: bool,
    fields: BTreeMap<String, Written>,
    #[serde(default)]
    only: Vec<WrittenFilter>,
}

const fn comma() -> char {
    ','
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
struct WrittenSource {
    column: Option<String>,
    columns: Option<Vec<String>>,
    constant: Option<String>,
    line: bool,
    separator: Option<String>,
    prefix: String,
    default: Option<String>,
    lookup: Option<BTreeMap<String, String>>,
    format: Option<String>,
    utc_offset_hours: Option<i8>,
    since: Option<String>,
    unit: Option<String>,
    decimal: Option<char>,
    group: Option<char>,
    shift: Option<u8>,
    absolute: bool,
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
pub(super) struct Source {
    pub origin: Origin,
    pub lookup: Option<BTreeMap<String, String>>,
    pub default: Option<String>,
    pub reading: Reading,
    pub prefix: String,
}

#[derive(Clone, Debug)]
pub(super) enum Origin {
    Columns {
        names: Vec<String>,
        separator: String,
    },
    Constant(String),
    /// The row's line number, for files without an id of their own.
    Line,
}

/// How a column's text becomes the canonical event's.
#[derive(Clone, Debug)]
pub(super) enum Reading {
    AsIs,
    /// A pattern of strptime; without an offset of its own, at this one.
    Pattern {
        pattern: String,
        offset: Offset,
    },
    /// A number of units since a moment.
    Since {
        start: EventTime,
        unit: Span,
    },
    Decimal {
        point: char,
        group: Option<char>,
        shift: u8,
        absolute: bool,
    },
}

/// The most digits that an amount in a minor unit is shifted by.
const SHIFT_MAX: u8 = 6;

impl Mapping {
    /// A mapping from its TOML text.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let file: File = toml::from_str(text)?;
        for required in ["event_id", "occurred_at"] {
            if !file.fields.contains_key(required) {
                return Err(MappingError::Missing(required));
            }
        }
        let fields = file.fields.into_iter().map(|(field, written)| {
            let path = known_path(&field)?;
            Ok((path, source(&field, written)?))
        });
        let delimiter = u8::try_from(file.delimiter).map_err(|_| MappingError::Source {
            field: "delimiter".into(),
            why: "must be one ASCII character".into(),
        })?;
        let only =
            file.only.into_iter().map(|filter| Filter { column: filter.column, one_of: filter.one_of });
        Ok(Self {
            fields: fields.collect::<Result<_, MappingError>>()?,
            only: only.collect(),
            delimiter,
            keep_unmapped: file.keep_unmapped,
        })
    }

    /// The places of the columns that a filter or a field names, in a file with this header.
    pub(super) fn place(header: &StringRecord, column: &str) -> Result<usize, MappingError> {
        header.iter().position(|name| name.trim() == column).ok_or_else(|| MappingError::NoColumn {
            column: column.to_owned(),
            header: header.iter().map(str::trim).collect::<Vec<_>>().join(", "),
        })
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

fn source(field: &str, written: Written) -> Result<Source, MappingError> {
    let written = match written {
        Written::Column(name) => WrittenSource { column: Some(name), ..WrittenSource::default() },
        Written::Table(table) => *table,
    };
    let wrong = |why: &str| MappingError::Source { field: field.to_owned(), why: why.to_owned() };
    let reading = reading(field, &written)?;
    let separator = written.separator.unwrap_or_else(|| " ".to_owned());
    let origin = match (written.column, written.columns, written.constant, written.line) {
        (Some(name), None, None, false) => Origin::Columns { names: vec![name], separator },
        (None, Some(names), None, false) if !names.is_empty() => Origin::Columns { names, separator },
        (None, None, Some(text), false) => Origin::Constant(text),
        (None, None, None, true) => Origin::Line,
        _ => return Err(wrong("needs exactly one of `column`, `columns`, `constant` and `line`")),
    };
    Ok(Source { origin, lookup: written.lookup, default: written.default, reading, prefix: written.prefix })
}

fn reading(field: &str, written: &WrittenSource) -> Result<Reading, MappingError> {
    let wrong = |why: String| MappingError::Source { field: field.to_owned(), why };
    let decimal =
        written.decimal.is_some() || written.group.is_some() || written.shift.is_some() || written.absolute;
    match (&written.format, &written.since, decimal) {
        (None, None, false) => Ok(Reading::AsIs),
        (Some(pattern), None, false) => {
            let hours = written.utc_offset_hours.unwrap_or(0);
            let offset = Offset::from_hours(hours).map_err(|_| wrong("has an offset beyond a day".into()))?;
            Ok(Reading::Pattern { pattern: pattern.clone(), offset })
        }
        (None, Some(start), false) => {
            let start = start.parse().map_err(|error| wrong(format!("has a `since` that is {error}")))?;
            let unit = written.unit.as_deref().unwrap_or("1s");
            let unit = match unit.strip_suffix("ms") {
                Some("1") => Span::from_micros(1_000),
                _ => unit.parse().map_err(|error| wrong(format!("has a `unit` that is {error}")))?,
            };
            Ok(Reading::Since { start, unit })
        }
        (None, None, true) => {
            let shift = written.shift.unwrap_or(0);
            if shift > SHIFT_MAX {
                return Err(wrong(format!("has a `shift` beyond {SHIFT_MAX}")));
            }
            let point = written.decimal.unwrap_or('.');
            Ok(Reading::Decimal { point, group: written.group, shift, absolute: written.absolute })
        }
        _ => Err(wrong("mixes ways of reading: `format`, `since` and amounts exclude each other".into())),
    }
}
