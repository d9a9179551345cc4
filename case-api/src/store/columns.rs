//! Columns as values: moments are microseconds, what has a name is that name.

use serde::Serialize;
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    domain::{CaseState, VersionState},
    stamp::Stamp,
};

/// A moment that is always there.
pub(super) fn moment(row: &SqliteRow, column: &str) -> Result<Stamp, sqlx::Error> {
    row.try_get::<i64, _>(column).map(Stamp::from)
}

/// A moment that may not have come.
pub(super) fn moment_or_none(row: &SqliteRow, column: &str) -> Result<Option<Stamp>, sqlx::Error> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Stamp::from))
}

/// What `of` finds under the name in a column.
pub(super) fn named<T>(
    row: &SqliteRow,
    column: &str,
    of: impl FnOnce(&str) -> Option<T>,
) -> Result<T, sqlx::Error> {
    let name: String = row.try_get(column)?;
    let unknown = || sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(UnknownName) };
    of(&name).ok_or_else(unknown)
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
