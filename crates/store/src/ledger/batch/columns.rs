//! Many rows in one statement of PostgreSQL: an array for each column, unnested by the server.

use sqlx::AssertSqlSafe;

use crate::error::StoreError;
use crate::sql::{Connection, storable};

enum Column {
    Texts(Vec<Option<String>>),
    Numbers(Vec<Option<i64>>),
}

/// Rows made of `items`, column by column.
pub(super) struct Columns<'a, T> {
    items: &'a [T],
    names: Vec<&'static str>,
    columns: Vec<Column>,
}

impl<'a, T> Columns<'a, T> {
    pub fn of(items: &'a [T]) -> Self {
        Self { items, names: Vec::new(), columns: Vec::new() }
    }

    /// A column of texts; U+0000 is stored as U+FFFD.
    pub fn optional(mut self, name: &'static str, value: impl Fn(&'a T) -> Option<String>) -> Self {
        self.names.push(name);
        let texts = self.items.iter().map(|item| value(item).map(storable)).collect();
        self.columns.push(Column::Texts(texts));
        self
    }

    /// A column of texts that are never absent.
    pub fn text(self, name: &'static str, value: impl Fn(&'a T) -> &'a str) -> Self {
        self.optional(name, |item| Some(value(item).to_owned()))
    }

    /// A column of numbers.
    pub fn counts(mut self, name: &'static str, value: impl Fn(&'a T) -> Option<i64>) -> Self {
        self.names.push(name);
        self.columns.push(Column::Numbers(self.items.iter().map(value).collect()));
        self
    }

    /// A column of numbers that are never absent.
    pub fn number(self, name: &'static str, value: impl Fn(&'a T) -> i64) -> Self {
        self.counts(name, |item| Some(value(item)))
    }

    /// Adds the rows to a table. `tail` says what to do with those that are there.
    pub async fn insert(
        self,
        connection: &mut Connection,
        table: &str,
        tail: &str,
    ) -> Result<u64, StoreError> {
        let names = self.names.join(", ");
        let head = format!("INSERT INTO {table} ({names}) SELECT {names} FROM given");
        self.run(connection, &format!("{head} {tail}")).await
    }

    /// Runs a statement in which the rows are the table `given`; answers how many rows it changed.
    /// Without rows nothing is run.
    pub async fn run(
        self,
        connection: &mut Connection,
        statement: &str,
    ) -> Result<u64, StoreError> {
        if self.items.is_empty() {
            return Ok(0);
        }
        let kinds: Vec<String> = self
            .columns
            .iter()
            .zip(1..)
            .map(|(column, marker)| match column {
                Column::Texts(_) => format!("${marker}::TEXT[]"),
                Column::Numbers(_) => format!("${marker}::BIGINT[]"),
            })
            .collect();
        let names = self.names.join(", ");
        let given = format!("WITH given ({names}) AS (SELECT * FROM UNNEST({}))", kinds.join(", "));
        let mut query = sqlx::query(AssertSqlSafe(format!("{given} {statement}")));
        for column in self.columns {
            query = match column {
                Column::Texts(texts) => query.bind(texts),
                Column::Numbers(numbers) => query.bind(numbers),
            };
        }
        Ok(query.execute(connection.postgres()?).await?.rows_affected())
    }
}
