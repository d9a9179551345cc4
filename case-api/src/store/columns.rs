//! Columns as values: moments are microseconds, what has a name is that name, documents are JSON texts.

use serde::{Serialize, de::DeserializeOwned};
use sqlx::{ColumnIndex, Decode, Row, Type};

use crate::{
    domain::{CaseState, TrialReport, VersionState},
    stamp::Stamp,
};

/// A row of either database, column by column.
pub(super) trait Columns {
    fn text(&self, column: &str) -> Result<String, sqlx::Error>;
    fn text_or_none(&self, column: &str) -> Result<Option<String>, sqlx::Error>;
    fn int(&self, column: &str) -> Result<i64, sqlx::Error>;
    fn int_or_none(&self, column: &str) -> Result<Option<i64>, sqlx::Error>;
    fn flag(&self, column: &str) -> Result<bool, sqlx::Error>;

    /// A moment that is always there.
    fn moment(&self, column: &str) -> Result<Stamp, sqlx::Error> {
        self.int(column).map(Stamp::from)
    }

    /// A moment that may not have come.
    fn moment_or_none(&self, column: &str) -> Result<Option<Stamp>, sqlx::Error> {
        Ok(self.int_or_none(column)?.map(Stamp::from))
    }

    /// What `of` finds under the name in a column.
    fn named<T>(&self, column: &str, of: impl FnOnce(&str) -> Option<T>) -> Result<T, sqlx::Error> {
        of(&self.text(column)?).ok_or_else(|| undecoded(column, UnknownName))
    }

    /// What a document says.
    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, sqlx::Error> {
        serde_json::from_str(&self.text(column)?).map_err(|error| undecoded(column, error))
    }
}

impl<R: Row> Columns for R
where
    for<'c> &'c str: ColumnIndex<R>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> bool: Decode<'r, R::Database> + Type<R::Database>,
{
    fn text(&self, column: &str) -> Result<String, sqlx::Error> {
        self.try_get(column)
    }

    fn text_or_none(&self, column: &str) -> Result<Option<String>, sqlx::Error> {
        self.try_get(column)
    }

    fn int(&self, column: &str) -> Result<i64, sqlx::Error> {
        self.try_get(column)
    }

    fn int_or_none(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
        self.try_get(column)
    }

    fn flag(&self, column: &str) -> Result<bool, sqlx::Error> {
        self.try_get(column)
    }
}

fn undecoded(column: &str, source: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) }
}

/// Optional moments are plain integers in rows and RFC 3339 in JSON.
pub(super) fn stamp_or_null<S: serde::Serializer>(micros: &Option<i64>, s: S) -> Result<S::Ok, S::Error> {
    micros.map(Stamp::from).serialize(s)
}

/// Not a name that the column may hold.
#[derive(Debug, thiserror::Error)]
#[error("not a name of this column")]
pub struct UnknownName;

impl TryFrom<String> for CaseState {
    type Error = UnknownName;

    fn try_from(name: String) -> Result<Self, UnknownName> {
        Self::from_name(&name).ok_or(UnknownName)
    }
}

impl TryFrom<String> for VersionState {
    type Error = UnknownName;

    fn try_from(name: String) -> Result<Self, UnknownName> {
        Self::from_name(&name).ok_or(UnknownName)
    }
}

impl TryFrom<String> for TrialReport {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, serde_json::Error> {
        serde_json::from_str(&text)
    }
}
