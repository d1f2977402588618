//! Rows of answers.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Row as _, TypeInfo, ValueRef};

use crate::error::{StoreError, one_line};

/// One row, whichever database it is from.
#[derive(Debug)]
pub(crate) enum Line {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl From<SqliteRow> for Line {
    fn from(row: SqliteRow) -> Self {
        Self::Sqlite(row)
    }
}

impl From<PgRow> for Line {
    fn from(row: PgRow) -> Self {
        Self::Postgres(row)
    }
}

/// The place of a column: its number or its name.
pub(crate) trait Place: Copy + ColumnIndex<SqliteRow> + ColumnIndex<PgRow> {}

impl Place for usize {}
impl Place for &str {}

/// A type that a column can be read as.
pub(crate) trait Read<'r>: Sized {
    fn read<I: Place>(line: &'r Line, place: I) -> Result<Self, StoreError>;
}

/// Reading of columns. A NULL can only be read as an `Option`.
pub(crate) trait Row {
    /// The value of the column with this number or name.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when there is no such column or it holds something else.
    fn try_get<'r, T: Read<'r>, I: Place>(&'r self, place: I) -> Result<T, StoreError>;
}

impl Row for Line {
    fn try_get<'r, T: Read<'r>, I: Place>(&'r self, place: I) -> Result<T, StoreError> {
        T::read(self, place)
    }
}

impl Line {
    pub(super) fn all<R: Into<Self>>(rows: Vec<R>) -> Vec<Self> {
        rows.into_iter().map(Into::into).collect()
    }

    fn is_null<I: Place>(&self, place: I) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(row) => Ok(row.try_get_raw(place).map_err(damaged)?.is_null()),
            Self::Postgres(row) => Ok(row.try_get_raw(place).map_err(damaged)?.is_null()),
        }
    }
}

fn damaged(error: sqlx::Error) -> StoreError {
    StoreError::Damaged(one_line(&error.to_string()))
}

impl<'r> Read<'r> for &'r str {
    fn read<I: Place>(line: &'r Line, place: I) -> Result<Self, StoreError> {
        match line {
            Line::Sqlite(row) => row.try_get(place).map_err(damaged),
            Line::Postgres(row) => row.try_get(place).map_err(damaged),
        }
    }
}

impl<'r> Read<'r> for String {
    fn read<I: Place>(line: &'r Line, place: I) -> Result<Self, StoreError> {
        <&str>::read(line, place).map(ToOwned::to_owned)
    }
}

impl<'r> Read<'r> for i64 {
    fn read<I: Place>(line: &'r Line, place: I) -> Result<Self, StoreError> {
        let row = match line {
            Line::Sqlite(row) => return row.try_get(place).map_err(damaged),
            Line::Postgres(row) => row,
        };
        // A literal of PostgreSQL has 32 bits, a comparison is a BOOL.
        let value = row.try_get_raw(place).map_err(damaged)?;
        let kind = value.type_info();
        match kind.name() {
            "INT4" => row.try_get::<i32, _>(place).map(Self::from),
            "BOOL" => row.try_get::<bool, _>(place).map(Self::from),
            _ => row.try_get(place),
        }
        .map_err(damaged)
    }
}

impl<'r> Read<'r> for bool {
    fn read<I: Place>(line: &'r Line, place: I) -> Result<Self, StoreError> {
        i64::read(line, place).map(|number| number != 0)
    }
}

impl<'r, T: Read<'r>> Read<'r> for Option<T> {
    fn read<I: Place>(line: &'r Line, place: I) -> Result<Self, StoreError> {
        if line.is_null(place)? { Ok(None) } else { T::read(line, place).map(Some) }
    }
}
