//! The seam between the nouns of this crate and the drivers.
//!
//! Statements are written once, with `$1` markers, TEXT and 64-bit integers only.

pub(crate) use sqlx::query;
pub(crate) use sqlx::sqlite::SqlitePool as Pool;
pub(crate) use sqlx::sqlite::SqliteRow as Line;
pub(crate) use sqlx::{AssertSqlSafe, Row, SqliteConnection as Connection};
