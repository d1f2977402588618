//! A stranger who keeps the database to himself for a while.

use sqlx::{Connection, PgConnection, SqliteConnection};

/// Locks every table.
const TAKE: &str = "BEGIN; DO $$ DECLARE one text; BEGIN \
     FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP \
     EXECUTE 'LOCK TABLE ' || quote_ident(one) || ' IN ACCESS EXCLUSIVE MODE'; END LOOP; END $$";

/// What is kept from others until it is dropped or let go.
pub enum Lock {
    /// Nobody else writes.
    Sqlite(SqliteConnection),
    /// Nobody else reads or writes any table.
    Postgres(PgConnection),
}

impl Lock {
    /// Waits until whoever is at work has ended, then takes the database.
    pub async fn take(database: &str) -> Self {
        if database.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(database).await.unwrap();
            sqlx::raw_sql("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE")
                .execute(&mut connection)
                .await
                .unwrap();
            return Self::Sqlite(connection);
        }
        loop {
            let mut connection = PgConnection::connect(database).await.unwrap();
            // Whoever is at work may hold what we want and want what we hold.
            if sqlx::raw_sql(TAKE).execute(&mut connection).await.is_ok() {
                return Self::Postgres(connection);
            }
        }
    }

    /// Gives the database back.
    pub async fn let_go(self) {
        match self {
            Self::Sqlite(mut connection) => {
                sqlx::raw_sql("ROLLBACK").execute(&mut connection).await.unwrap();
            }
            Self::Postgres(mut connection) => {
                sqlx::raw_sql("ROLLBACK").execute(&mut connection).await.unwrap();
            }
        }
    }
}
