//! Connections and pools of either database.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool};
use sqlx::{Connection as _, raw_sql};

use super::Remote;
use crate::error::StoreError;

/// One connection, its owner's or borrowed from a pool.
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    SqliteReader(PoolConnection<Sqlite>),
}

impl Connection {
    pub const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// The driver's own connection, for statements that only SQLite can run.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when it is a connection to PostgreSQL.
    pub fn sqlite(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        match self {
            Self::Sqlite(one) => Ok(one),
            Self::SqliteReader(one) => Ok(&mut *one),
            Self::Postgres(_) => Err(StoreError::Closed),
        }
    }

    /// The driver's own connection, for statements that only PostgreSQL can run.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when it is a connection to SQLite.
    pub fn postgres(&mut self) -> Result<&mut PgConnection, StoreError> {
        match self {
            Self::Postgres(one) => Ok(one),
            Self::Sqlite(_) | Self::SqliteReader(_) => Err(StoreError::Closed),
        }
    }

    /// Ends it in order; a borrowed one goes back to its pool.
    pub async fn close(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(one) => one.close().await,
            Self::Postgres(one) => one.close().await,
            Self::SqliteReader(_) => Ok(()),
        }
    }

    /// Runs several statements without values, one after the other.
    pub async fn script(&mut self, text: &'static str) -> Result<(), StoreError> {
        match On::from(self) {
            On::Sqlite(one) => {
                raw_sql(text).execute(one).await?;
            }
            On::Postgres(one) => {
                raw_sql(text).execute(one).await?;
            }
            On::SqlitePool(_) | On::PostgresPool(_) => {}
        }
        Ok(())
    }
}

/// Connections that only read.
#[derive(Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(Remote),
}

/// A read transaction: all of its statements see one state of the database. Its connection is closed
/// with it, so that nothing of it can reach somebody else.
pub(crate) struct View(Connection);

impl Deref for View {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for View {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

impl Pool {
    /// A read transaction.
    pub async fn begin(&self) -> Result<View, StoreError> {
        let connection = match self {
            Self::Sqlite(pool) => {
                let mut one = pool.acquire().await?;
                one.close_on_drop();
                let mut connection = Connection::SqliteReader(one);
                connection.script("BEGIN").await?;
                connection
            }
            Self::Postgres(remote) => {
                // It may be a long one, such as an audit.
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                     SET LOCAL statement_timeout = 0; \
                     SET LOCAL idle_in_transaction_session_timeout = 60000";
                let begun = async {
                    let mut connection = remote.connect().await?;
                    connection.script(begin).await?;
                    Ok(connection)
                };
                remote.unless_silent(begun).await?
            }
        };
        Ok(View(connection))
    }
}

/// Where a statement runs.
pub(crate) enum On<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
    SqlitePool(&'c SqlitePool),
    PostgresPool(&'c Remote),
}

impl<'c> From<&'c mut Connection> for On<'c> {
    fn from(connection: &'c mut Connection) -> Self {
        match connection {
            Connection::Sqlite(one) => Self::Sqlite(one),
            Connection::Postgres(one) => Self::Postgres(one),
            Connection::SqliteReader(one) => Self::Sqlite(&mut *one),
        }
    }
}

impl<'c> From<&'c Pool> for On<'c> {
    fn from(pool: &'c Pool) -> Self {
        match pool {
            Pool::Sqlite(pool) => Self::SqlitePool(pool),
            Pool::Postgres(pool) => Self::PostgresPool(pool),
        }
    }
}
