//! Reference data: dated tables and the fields that a company adds, as files that are not code.
//!
//! `reference/<name>.toml` is a table; `reference/rates.toml` converts currencies; `reference/schema.toml`
//! declares the attributes of events and the fields of customer profiles. What was in force at an event's
//! time is what its judgement reads.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;
use sluice_model::{Currency, EventTime, Hash256};

use crate::{
    Diagnostic, EvalError,
    place::Source,
    types::{Type, Unit},
};

/// All reference data of a rule set.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    /// In order of name.
    pub tables: Vec<Table>,
    rates: BTreeMap<String, Vec<Rate>>,
    /// Declared attributes of events.
    pub attributes: BTreeMap<String, Type>,
    /// Declared fields of customer profiles.
    pub profile: BTreeMap<String, Type>,
    /// Names and hashes of the files taken in.
    taken: Vec<(String, Hash256)>,
}

/// A table: what was in force, from when on.
#[derive(Debug)]
pub(crate) struct Table {
    /// The file's name.
    pub name: String,
    /// The columns with their types, where the table has rows; none for a plain list of values.
    pub columns: Vec<(String, Type)>,
    /// The hash of the file.
    pub hash: Hash256,
    /// By the time from which they hold.
    versions: Vec<TableVersion>,
}

#[derive(Debug)]
struct TableVersion {
    from: EventTime,
    values: std::collections::BTreeSet<String>,
    rows: BTreeMap<String, Vec<Cell>>,
}

/// One value of a table's row.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Cell {
    /// A whole number, in its column's unit.
    Whole(i64),
    Decimal(f64),
    Text(String),
}

/// HKD for one unit of a currency, from a moment on: `mantissa / 10^scale`.
#[derive(Clone, Copy, Debug)]
struct Rate {
    from: EventTime,
    mantissa: i128,
    scale: u32,
}

/// How a table is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    #[serde(rename = "about")]
    _about: String,
    #[serde(default)]
    columns: BTreeMap<String, String>,
    #[serde(rename = "version")]
    versions: Vec<VersionFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionFile {
    effective: toml::Spanned<String>,
    #[serde(rename = "source")]
    _source: String,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    rows: BTreeMap<String, BTreeMap<String, toml::Spanned<toml::Value>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RatesFile {
    #[serde(rename = "about")]
    _about: String,
    #[serde(rename = "rate")]
    rates: Vec<RateFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateFile {
    effective: toml::Spanned<String>,
    #[serde(rename = "source")]
    _source: String,
    /// Currency code → HKD for one unit, as decimal text.
    hkd_for_one: BTreeMap<String, toml::Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    #[serde(default)]
    attributes: BTreeMap<String, FieldFile>,
    #[serde(default)]
    profile: BTreeMap<String, FieldFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldFile {
    #[serde(rename = "type")]
    of: toml::Spanned<String>,
    #[serde(rename = "about")]
    _about: String,
}

/// The type that a word of `schema.toml` or of a table's columns means.
fn type_named(word: &str) -> Option<Type> {
    Some(match word {
        "text" => Type::Text,
        "number" => Type::WHOLE,
        "decimal" => Type::DECIMAL,
        "share" => Type::Number { unit: Unit::Share, whole: false },
        "yes_no" => Type::Bool,
        "moment" => Type::Moment,
        code => Type::Number { unit: Unit::Money(code.parse().ok()?), whole: true },
    })
}

/// The words that [`type_named`] knows, for messages.
const TYPE_WORDS: &str = "text, number, decimal, share, yes_no, moment or a currency such as HKD";

impl Reference {
    /// Whether a file of a bundle is reference data.
    pub(crate) fn is_at(path: &str) -> bool {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        path.ends_with(".toml") && folder.rsplit('/').next() == Some("reference")
    }

    /// Take in one file of a `reference` folder.
    pub(crate) fn add(&mut self, source: &Source<'_>, found: &mut Vec<Diagnostic>) {
        let name = source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".toml");
        // Packs that are loaded together may ship the same table; then it must be the same.
        let file = (name.to_owned(), Hash256::of(source.text.as_bytes()));
        if self.taken.contains(&file) {
            return;
        }
        self.taken.push(file);
        let done = match name {
            "rates" => self.add_rates(source, found),
            "schema" => self.add_schema(source, found),
            _ => self.add_table(name, source, found),
        };
        if let Err(error) = done {
            let at = error.span().map(|span| source.place(span.start)).unwrap_or_default();
            found.push(source.error(at, error.message().to_owned()));
        }
    }

    fn add_table(
        &mut self,
        name: &str,
        source: &Source<'_>,
        found: &mut Vec<Diagnostic>,
    ) -> Result<(), toml::de::Error> {
        let file: TableFile = toml::from_str(source.text)?;
        let mut columns = Vec::new();
        for (column, word) in &file.columns {
            match type_named(word) {
                Some(of) => columns.push((column.clone(), of)),
                None => found.push(
                    source
                        .error(
                            crate::place::Place::default(),
                            format!("column `{column}`: unknown type `{word}`"),
                        )
                        .help(format!("write {TYPE_WORDS}")),
                ),
            }
        }
        let mut versions = Vec::new();
        for version in file.versions {
            let Some(from) = effective(&version.effective, source, found) else { continue };
            let mut rows = BTreeMap::new();
            for (row, cells) in version.rows {
                let read: Option<Vec<Cell>> = columns
                    .iter()
                    .map(|(column, of)| {
                        let cell = cells.get(column);
                        let read = cell.and_then(|cell| Cell::read(cell.get_ref(), of));
                        if read.is_none() {
                            let at = cell.map(|c| source.place(c.span().start)).unwrap_or_default();
                            found.push(
                                source.error(at, format!("row `{row}`: column `{column}` must be {of}")),
                            );
                        }
                        read
                    })
                    .collect();
                rows.extend(read.map(|cells| (row, cells)));
            }
            versions.push(TableVersion { from, values: version.values.into_iter().collect(), rows });
        }
        versions.sort_by_key(|v| v.from);
        if self.tables.iter().any(|t| t.name == name) {
            found.push(source.error(
                crate::place::Place::default(),
                format!("a second reference table `{name}`, unlike the first"),
            ));
        }
        let table =
            Table { name: name.to_owned(), columns, hash: Hash256::of(source.text.as_bytes()), versions };
        let at = self.tables.partition_point(|t| t.name < table.name);
        self.tables.insert(at, table);
        Ok(())
    }

    fn add_rates(&mut self, source: &Source<'_>, found: &mut Vec<Diagnostic>) -> Result<(), toml::de::Error> {
        let file: RatesFile = toml::from_str(source.text)?;
        for rates in file.rates {
            let Some(from) = effective(&rates.effective, source, found) else { continue };
            for (code, text) in rates.hkd_for_one {
                let at = source.place(text.span().start);
                let value =
                    text.get_ref().parse::<Decimal>().ok().filter(|v| v.is_sign_positive() && !v.is_zero());
                match (code.parse::<Currency>(), value) {
                    (Ok(_), Some(value)) => self.rates.entry(code).or_default().push(Rate {
                        from,
                        mantissa: value.mantissa(),
                        scale: value.scale(),
                    }),
                    (Err(_), _) => {
                        found.push(source.error(at, format!("`{code}` is not a currency of ISO 4217")))
                    }
                    (_, None) => {
                        found.push(source.error(at, "a rate is a positive decimal, such as \"7.8\""))
                    }
                }
            }
        }
        self.rates.values_mut().for_each(|rates| rates.sort_by_key(|r| r.from));
        Ok(())
    }

    fn add_schema(
        &mut self,
        source: &Source<'_>,
        found: &mut Vec<Diagnostic>,
    ) -> Result<(), toml::de::Error> {
        let file: SchemaFile = toml::from_str(source.text)?;
        for (declared, into) in [(file.attributes, &mut self.attributes), (file.profile, &mut self.profile)] {
            for (name, FieldFile { of, .. }) in declared {
                let at = source.place(of.span().start);
                match type_named(of.get_ref()) {
                    Some(of) if into.get(&name).is_none_or(|held| *held == of) => {
                        into.insert(name, of);
                    }
                    Some(of) => {
                        found.push(
                            source.error(at, format!("`{name}` is declared elsewhere as other than {of}")),
                        );
                    }
                    None => found.push(
                        source
                            .error(at, format!("`{name}`: unknown type `{}`", of.get_ref()))
                            .help(format!("write {TYPE_WORDS}")),
                    ),
                }
            }
        }
        Ok(())
    }

    /// Minor units of `from` as minor units of `to` at the rates of a day, rounded half away from zero.
    pub(crate) fn convert(
        &self,
        minor: i64,
        from: Currency,
        to: Currency,
        at: EventTime,
    ) -> Result<i64, EvalError> {
        if from == to {
            return Ok(minor);
        }
        let (numerator, over) = self.rate(from, at)?;
        let (denominator, under) = self.rate(to, at)?;
        let scaled = |value: i128, power: u32| {
            10_i128.checked_pow(power).and_then(|p| value.checked_mul(p)).ok_or(EvalError::Overflow)
        };
        let exponent = |currency: Currency| u32::from(currency.exponent());
        let top = i128::from(minor).checked_mul(numerator).ok_or(EvalError::Overflow)?;
        let top = scaled(top, exponent(to) + under)?;
        let bottom = scaled(denominator, exponent(from) + over)?;
        let rounded = (top.checked_mul(2).ok_or(EvalError::Overflow)? + bottom * top.signum()) / (2 * bottom);
        i64::try_from(rounded).map_err(|_| EvalError::Overflow)
    }

    /// Whether the currency has a rate at a time.
    pub(crate) fn has_rate(&self, currency: Currency, at: EventTime) -> bool {
        self.rate(currency, at).is_ok()
    }

    /// HKD for one unit of the currency: mantissa and scale.
    fn rate(&self, currency: Currency, at: EventTime) -> Result<(i128, u32), EvalError> {
        if currency == Currency::HKD {
            return Ok((1, 0));
        }
        let missing = || EvalError::NoRate(currency);
        let rates = self.rates.get(currency.code()).ok_or_else(missing)?;
        let newest = rates.partition_point(|r| r.from <= at).checked_sub(1).ok_or_else(missing)?;
        Ok((rates[newest].mantissa, rates[newest].scale))
    }
}

impl Table {
    fn at(&self, at: EventTime) -> Result<&TableVersion, EvalError> {
        let newest = self.versions.partition_point(|v| v.from <= at).checked_sub(1);
        newest.map(|i| &self.versions[i]).ok_or_else(|| EvalError::NotInForce(self.name.clone()))
    }

    /// Whether the value was on the table.
    pub(crate) fn holds(&self, value: &str, at: EventTime) -> Result<bool, EvalError> {
        let version = self.at(at)?;
        Ok(version.values.contains(value) || version.rows.contains_key(value))
    }

    /// The value in a row and column.
    pub(crate) fn cell(&self, row: &str, column: usize, at: EventTime) -> Result<&Cell, EvalError> {
        let row = self.at(at)?.rows.get(row);
        row.and_then(|cells| cells.get(column)).ok_or_else(|| EvalError::NotInForce(self.name.clone()))
    }
}

impl Cell {
    fn read(value: &toml::Value, of: &Type) -> Option<Self> {
        Some(match (of, value) {
            (Type::Text, toml::Value::String(text)) => Self::Text(text.clone()),
            (Type::Number { unit: Unit::Money(currency), .. }, toml::Value::String(text)) => {
                Self::Whole(sluice_model::Money::parse(text, *currency).ok()?.minor)
            }
            (Type::Number { unit: Unit::Money(currency), .. }, toml::Value::Integer(major)) => {
                Self::Whole(major.checked_mul(10_i64.pow(u32::from(currency.exponent())))?)
            }
            (Type::Number { whole: true, .. }, toml::Value::Integer(n)) => Self::Whole(*n),
            (Type::Number { whole: false, .. }, toml::Value::Float(n)) => Self::Decimal(*n),
            (Type::Number { whole: false, .. }, toml::Value::Integer(n)) => Self::Decimal(*n as f64),
            _ => return None,
        })
    }
}

/// The moment from which something holds: a day begins at midnight in Hong Kong.
fn effective(
    text: &toml::Spanned<String>,
    source: &Source<'_>,
    found: &mut Vec<Diagnostic>,
) -> Option<EventTime> {
    let moment = match text.get_ref().len() {
        10 => format!("{}T00:00:00+08:00", text.get_ref()),
        _ => text.get_ref().clone(),
    };
    moment.parse().ok().or_else(|| {
        found.push(source.error(source.place(text.span().start), "not a date (such as 2026-06-19)"));
        None
    })
}
