//! SQL for either database: statements with what is bound to them, run on a connection of one of two typed pools, and rows
//! read as types. A statement is one text for both: `$1` parameters, TEXT, BIGINT, BOOLEAN and BLOB columns. Where it must
//! differ, it is two texts side by side.

use std::{borrow::Cow, io::ErrorKind};

use sqlx::{
    FromRow, Sqlite,
    pool::PoolConnection,
    query::Query as Typed,
    sqlite::{SqliteArguments, SqliteRow},
};
#[cfg(feature = "postgres")]
use sqlx::{
    Postgres,
    postgres::{PgArguments, PgRow},
};
use tokio::time::timeout;

use crate::limits::STORE_ANSWER_WAIT;

/// The same for whichever database it is.
macro_rules! each {
    ($kind:ident, $of:expr, $($part:ident),+ => $done:expr) => {
        match $of {
            $kind::Sqlite($($part),+) => $done,
            #[cfg(feature = "postgres")]
            $kind::Postgres($($part),+) => $done,
        }
    };
}
pub(super) use each;

/// Run a query on the connection that is there.
macro_rules! run {
    ($query:expr, $on:expr, |$typed:ident, $sql:ident| $done:expr) => {
        match $on {
            Connection::Sqlite(connection) => {
                let ($typed, $sql) = ($query.of_sqlite(), &mut **connection);
                $done
            }
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => {
                let ($typed, $sql) = ($query.of_postgres(), &mut **connection);
                $done
            }
        }
    };
}

/// A connection, back in its pool when dropped.
pub(super) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(PoolConnection<Postgres>),
}

/// The text of a statement in each database.
#[derive(Clone, Copy)]
pub(super) struct Statement {
    sqlite: &'static str,
    #[cfg(feature = "postgres")]
    postgres: &'static str,
}

/// A statement and what is bound to it.
pub(super) struct Query<'q> {
    statement: Statement,
    args: Vec<Arg<'q>>,
}

/// What can be bound to a statement.
pub(super) enum Arg<'q> {
    Text(Option<Cow<'q, str>>),
    Int(Option<i64>),
    Flag(bool),
    Bytes(&'q [u8]),
}

/// What a row of either database can be read as.
#[cfg(not(feature = "postgres"))]
pub(super) trait Read: for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'static {}
#[cfg(not(feature = "postgres"))]
impl<T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'static> Read for T {}

/// What a row of either database can be read as.
#[cfg(feature = "postgres")]
pub(super) trait Read:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static
{
}
#[cfg(feature = "postgres")]
impl<T> Read for T where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static
{
}

impl Statement {
    /// A statement that differs.
    pub(super) const fn two(sqlite: &'static str, postgres: &'static str) -> Self {
        #[cfg(not(feature = "postgres"))]
        let _ = postgres;
        Self {
            sqlite,
            #[cfg(feature = "postgres")]
            postgres,
        }
    }
}

impl From<&'static str> for Statement {
    fn from(both: &'static str) -> Self {
        Self::two(both, both)
    }
}

impl Connection {
    /// Close it, rather than hand it back to its pool.
    pub(super) fn close_on_drop(&mut self) {
        each!(Self, self, connection => connection.close_on_drop());
    }
}

/// A statement, one text for both databases or two.
pub(super) fn query<'q>(statement: impl Into<Statement>) -> Query<'q> {
    Query { statement: statement.into(), args: Vec::new() }
}

impl<'q> Query<'q> {
    /// Bind the next parameter.
    pub(super) fn bind(mut self, value: impl Into<Arg<'q>>) -> Self {
        self.args.push(value.into());
        self
    }

    fn of_sqlite(self) -> Typed<'q, Sqlite, SqliteArguments> {
        self.args.into_iter().fold(sqlx::query(self.statement.sqlite), |query, arg| match arg {
            Arg::Text(text) => query.bind(text),
            Arg::Int(int) => query.bind(int),
            Arg::Flag(flag) => query.bind(flag),
            Arg::Bytes(bytes) => query.bind(bytes),
        })
    }

    #[cfg(feature = "postgres")]
    fn of_postgres(self) -> Typed<'q, Postgres, PgArguments> {
        self.args.into_iter().fold(sqlx::query(self.statement.postgres), |query, arg| match arg {
            Arg::Text(text) => query.bind(text.map(without_nul)),
            Arg::Int(int) => query.bind(int),
            Arg::Flag(flag) => query.bind(flag),
            Arg::Bytes(bytes) => query.bind(bytes),
        })
    }

    /// Run it; how many rows it changed.
    pub(super) async fn execute(self, on: &mut Connection) -> Result<u64, sqlx::Error> {
        run!(self, on, |query, sql| Ok(answered(query.execute(sql)).await?.rows_affected()))
    }

    /// All its rows.
    pub(super) async fn fetch_all<T: Read>(self, on: &mut Connection) -> Result<Vec<T>, sqlx::Error> {
        run!(self, on, |query, sql| answered(query.try_map(|row| T::from_row(&row)).fetch_all(sql)).await)
    }

    /// Its first row, if it has one.
    pub(super) async fn fetch_optional<T: Read>(self, on: &mut Connection) -> Result<Option<T>, sqlx::Error> {
        run!(self, on, |query, sql| {
            answered(query.try_map(|row| T::from_row(&row)).fetch_optional(sql)).await
        })
    }

    /// Its first row.
    pub(super) async fn fetch_one<T: Read>(self, on: &mut Connection) -> Result<T, sqlx::Error> {
        self.fetch_optional(on).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// The only column of all its rows.
    pub(super) async fn values<T>(self, on: &mut Connection) -> Result<Vec<T>, sqlx::Error>
    where
        (T,): Read,
    {
        Ok(self.fetch_all(on).await?.into_iter().map(|(value,)| value).collect())
    }

    /// The only column of its first row.
    pub(super) async fn value<T>(self, on: &mut Connection) -> Result<T, sqlx::Error>
    where
        (T,): Read,
    {
        self.fetch_one(on).await.map(|(value,)| value)
    }

    /// The only column of its first row, if it has one.
    pub(super) async fn value_or_none<T>(self, on: &mut Connection) -> Result<Option<T>, sqlx::Error>
    where
        (T,): Read,
    {
        Ok(self.fetch_optional(on).await?.map(|(value,)| value))
    }
}

/// The database's answer, unless it does not come.
async fn answered<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let late = |_| Err(sqlx::Error::Io(ErrorKind::TimedOut.into()));
    timeout(STORE_ANSWER_WAIT, answer).await.unwrap_or_else(late)
}

/// PostgreSQL's TEXT holds every sign but U+0000. It is kept, and asked for, as the sign for what cannot be shown: a name
/// that somebody wrote so must not keep an alert from being recorded.
#[cfg(feature = "postgres")]
fn without_nul(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text }
}

/// Ways in which what is bound is at hand.
macro_rules! bound_as {
    ($($from:ty, $value:ident => $arg:expr;)+) => {
        $(impl<'q> From<$from> for Arg<'q> {
            fn from($value: $from) -> Self {
                $arg
            }
        })+
    };
}

bound_as! {
    &'q str, text => Self::Text(Some(text.into()));
    &'q String, text => Self::Text(Some(text.into()));
    String, text => Self::Text(Some(text.into()));
    Option<&'q str>, text => Self::Text(text.map(Into::into));
    Option<String>, text => Self::Text(text.map(Into::into));
    &'q Option<String>, text => Self::Text(text.as_deref().map(Into::into));
    i64, int => Self::Int(Some(int));
    Option<i64>, int => Self::Int(int);
    bool, flag => Self::Flag(flag);
    &'q [u8], bytes => Self::Bytes(bytes);
}
