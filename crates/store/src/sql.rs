//! The seam between the nouns of this crate and the drivers of SQLite and PostgreSQL.
//!
//! Statements are written once: `$1` markers, TEXT and 64-bit integers only (truth is 0 or 1), sums as
//! `CAST(coalesce(sum(x), 0) AS BIGINT)`. Where the two databases must be asked differently, [`by`]
//! has both texts. A query on PostgreSQL's pool runs in a task of its own, so that a caller who is
//! dropped can't leave half a protocol exchange in a pooled connection.

mod connection;
mod line;
mod listener;
mod remote;
mod value;

use sqlx::SqlSafeStr;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::sqlite::{Sqlite, SqliteArguments};

pub(crate) use self::connection::{Connection, On, Pool};
pub(crate) use self::line::{Line, Row};
pub(crate) use self::remote::{Remote, silent};
pub(crate) use self::value::storable;
use self::value::{Bind, Value};
use crate::error::StoreError;

pub(crate) use sqlx::AssertSqlSafe;

/// A statement that each database has its own text of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By {
    sqlite: &'static str,
    postgres: &'static str,
}

/// Tells the databases apart where one text can't serve both.
pub(crate) const fn by(sqlite: &'static str, postgres: &'static str) -> By {
    By { sqlite, postgres }
}

/// The text of a statement. `AssertSqlSafe` marks one that was put together from constants.
#[derive(Debug)]
pub(crate) enum Text {
    Same(sqlx::SqlStr),
    By(By),
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self::Same(text.into_sql_str())
    }
}

impl From<AssertSqlSafe<String>> for Text {
    fn from(text: AssertSqlSafe<String>) -> Self {
        Self::Same(text.into_sql_str())
    }
}

impl From<By> for Text {
    fn from(by: By) -> Self {
        Self::By(by)
    }
}

/// A statement and the values of its markers. It owns all of them.
#[derive(Debug)]
pub(crate) struct Query {
    text: Text,
    values: Vec<Value>,
}

/// A statement whose markers are filled in order by [`Query::bind`].
pub(crate) fn query(text: impl Into<Text>) -> Query {
    Query { text: text.into(), values: Vec::new() }
}

/// What a statement did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    rows: u64,
}

impl Done {
    /// Rows that were added, changed or removed.
    pub const fn rows_affected(self) -> u64 {
        self.rows
    }
}

type SqliteQuery = sqlx::query::Query<'static, Sqlite, SqliteArguments>;
type PgQuery = sqlx::query::Query<'static, Postgres, PgArguments>;

impl Query {
    /// The value of the next marker.
    pub fn bind(mut self, value: impl Bind) -> Self {
        self.values.push(value.value());
        self
    }

    /// Runs it on a connection or, outside of any transaction, on a pool.
    pub async fn execute<'c>(self, on: impl Into<On<'c>>) -> Result<Done, StoreError> {
        let rows = match on.into() {
            On::Sqlite(one) => self.sqlite().execute(one).await?.rows_affected(),
            On::Postgres(one) => self.postgres().execute(one).await?.rows_affected(),
            On::SqlitePool(pool) => self.sqlite().execute(pool).await?.rows_affected(),
            On::PostgresPool(remote) => {
                let run = remote.run(|one| Box::pin(self.postgres().execute(one)));
                run.await?.rows_affected()
            }
        };
        Ok(Done { rows })
    }

    /// All rows of the answer.
    pub async fn fetch_all<'c>(self, on: impl Into<On<'c>>) -> Result<Vec<Line>, StoreError> {
        Ok(match on.into() {
            On::Sqlite(one) => Line::all(self.sqlite().fetch_all(one).await?),
            On::Postgres(one) => Line::all(self.postgres().fetch_all(one).await?),
            On::SqlitePool(pool) => Line::all(self.sqlite().fetch_all(pool).await?),
            On::PostgresPool(remote) => {
                let run = remote.run(|one| Box::pin(self.postgres().fetch_all(one)));
                Line::all(run.await?)
            }
        })
    }

    /// The first row of the answer, if it has one.
    pub async fn fetch_optional<'c>(
        self,
        on: impl Into<On<'c>>,
    ) -> Result<Option<Line>, StoreError> {
        Ok(match on.into() {
            On::Sqlite(one) => self.sqlite().fetch_optional(one).await?.map(Line::from),
            On::Postgres(one) => self.postgres().fetch_optional(one).await?.map(Line::from),
            On::SqlitePool(pool) => self.sqlite().fetch_optional(pool).await?.map(Line::from),
            On::PostgresPool(remote) => {
                let run = remote.run(|one| Box::pin(self.postgres().fetch_optional(one)));
                run.await?.map(Line::from)
            }
        })
    }

    /// The first row of an answer that has one.
    pub async fn fetch_one<'c>(self, on: impl Into<On<'c>>) -> Result<Line, StoreError> {
        let row = self.fetch_optional(on).await?;
        row.ok_or_else(|| StoreError::Damaged("a row that must be there is missing".to_owned()))
    }

    fn sqlite(self) -> SqliteQuery {
        let text = match self.text {
            Text::Same(text) => text,
            Text::By(by) => by.sqlite.into_sql_str(),
        };
        self.values.into_iter().fold(sqlx::query(text), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        })
    }

    fn postgres(self) -> PgQuery {
        let text = match self.text {
            Text::Same(text) => text,
            Text::By(by) => by.postgres.into_sql_str(),
        };
        self.values.into_iter().fold(sqlx::query(text), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        })
    }
}
