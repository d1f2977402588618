//! What can go wrong between a call and a durable row.

use std::path::PathBuf;

use sqlx::postgres::PgDatabaseError;

use crate::movements::Refused;

/// A storage operation failed. Every text is one line and names no secret.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database URL is not one of ours.
    #[error("not a database URL: {0} (expected sqlite://path or postgres://user@host/database)")]
    Url(String),
    /// The folder or the file cannot be created or written.
    #[error("cannot write the database {path}: {reason}")]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// Two processes can't have one outbox.
    #[error(
        "another process uses the outbox {path}: give each process its own with `[database] outbox`"
    )]
    OutboxInUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else, or belongs to another program.
    #[error("{path} is not a Signalbox database: {reason}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The schema was written by a newer version or was altered.
    #[error("the database schema does not fit this version: {0}")]
    Schema(String),
    /// A row breaks a rule of the schema, such as a duplicate id.
    #[error("refused by the database: {0}")]
    Constraint(String),
    /// A stored value cannot be read back.
    #[error("a stored value is damaged: {0}")]
    Damaged(String),
    /// Secrets are sealed under keys that are not here.
    #[error(
        "{unreadable} of {all} stored secrets can't be opened: they are sealed under the key {keys}, \
         which is not among those of `[secrets]`"
    )]
    Unreadable {
        /// Secrets that can't be opened.
        unreadable: u64,
        /// All of them.
        all: u64,
        /// The names of the missing keys.
        keys: String,
    },
    /// The database did not answer: locked, disk full, IO error.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Money does not move that way. Nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The writer has ended.
    #[error("the database is closed")]
    Closed,
}

impl StoreError {
    /// Whether the same call may succeed later without anybody changing the data.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// By the class of the SQLSTATE (PostgreSQL manual, appendix A).
    fn of_postgres(error: &PgDatabaseError) -> Self {
        let text = one_line(error.message());
        match error.code().get(..2) {
            // Data exceptions, violated constraints, rows beyond a limit.
            Some("22" | "23" | "54") => Self::Constraint(text),
            // What a trigger raises, such as the one of an append-only table.
            _ if error.code() == "P0001" => Self::Constraint(text),
            // A table or a column that is not there, a feature that this server lacks.
            Some("3F" | "42" | "0A") if error.code() != "42501" => Self::Schema(text),
            _ => Self::Unavailable(text),
        }
    }
}

/// The code of SQLite for an error that a trigger raises (SQLITE_CONSTRAINT_TRIGGER).
const RAISED: &str = "1811";

/// Keeps the first line of a driver's text, at most 300 characters of it.
pub(crate) fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(300).collect()
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::Unavailable(one_line(&error.to_string()))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(inner) => {
                use sqlx::error::ErrorKind;
                if let Some(error) = inner.try_downcast_ref::<PgDatabaseError>() {
                    return Self::of_postgres(error);
                }
                match inner.kind() {
                    ErrorKind::Other if inner.code().as_deref() == Some(RAISED) => {
                        Self::Constraint(one_line(inner.message()))
                    }
                    ErrorKind::Other => Self::Unavailable(one_line(inner.message())),
                    _ => Self::Constraint(one_line(inner.message())),
                }
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::Damaged(one_line(&error.to_string()))
            }
            sqlx::Error::PoolTimedOut => Self::Unavailable("no connection was free".to_owned()),
            sqlx::Error::PoolClosed => Self::Closed,
            _ => Self::Unavailable(one_line(&error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line() {
        assert_eq!(one_line("first\nsecond"), "first");
        assert_eq!(one_line(&"x".repeat(1000)).len(), 300);
    }
}
