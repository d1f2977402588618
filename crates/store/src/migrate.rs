//! The schema, version by version.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::sql::{Connection, Row, query};

/// Marks a file as ours: the bytes `SGBX`.
const APPLICATION_ID: i64 = 0x5347_4258;

struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: [Migration; 6] = [
    Migration {
        version: 1,
        name: "ledger",
        sql: include_str!("../migrations/sqlite/0001_ledger.sql"),
    },
    Migration {
        version: 2,
        name: "generations",
        sql: include_str!("../migrations/sqlite/0002_generations.sql"),
    },
    Migration {
        version: 3,
        name: "routing",
        sql: include_str!("../migrations/sqlite/0003_routing.sql"),
    },
    Migration {
        version: 4,
        name: "endpoint_health",
        sql: include_str!("../migrations/sqlite/0004_endpoint_health.sql"),
    },
    Migration {
        version: 5,
        name: "money",
        sql: include_str!("../migrations/sqlite/0005_money.sql"),
    },
    Migration {
        version: 6,
        name: "purses",
        sql: include_str!("../migrations/sqlite/0006_purses.sql"),
    },
];

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER NOT NULL \
     PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT";

fn checksum(sql: &str) -> String {
    hex::encode(Sha256::digest(sql.as_bytes()))
}

/// Refuses a file that another program wrote, before anything is changed in it.
pub(crate) async fn refuse_foreign(
    path: &Path,
    connection: &mut Connection,
) -> Result<(), StoreError> {
    let foreign =
        |reason: &str| StoreError::Foreign { path: path.to_owned(), reason: reason.to_owned() };
    let tables = query("SELECT count(*) FROM sqlite_master").fetch_one(&mut *connection).await;
    let tables: i64 = match tables {
        Ok(row) => row.try_get(0)?,
        Err(error) if error.to_string().contains("not a database") => {
            return Err(foreign("not a SQLite file"));
        }
        Err(error) => return Err(error),
    };
    let id: i64 = query("PRAGMA application_id").fetch_one(connection).await?.try_get(0)?;
    if id != APPLICATION_ID && (id != 0 || tables != 0) {
        return Err(foreign("it holds another program's tables"));
    }
    Ok(())
}

/// Applies what is missing, all of it in one transaction, and checks what is there.
pub(crate) async fn run(connection: &mut Connection, now: i64) -> Result<(), StoreError> {
    connection.script("BEGIN IMMEDIATE").await?;
    let done = apply(connection, now).await;
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    connection.script(end).await?;
    done
}

async fn apply(connection: &mut Connection, now: i64) -> Result<(), StoreError> {
    connection.script("PRAGMA application_id = 1397178968").await?;
    query(VERSIONS).execute(&mut *connection).await?;
    let rows = query("SELECT version, checksum FROM schema_versions ORDER BY version")
        .fetch_all(&mut *connection)
        .await?;
    for row in &rows {
        let version: i64 = row.try_get(0)?;
        let stored: String = row.try_get(1)?;
        match MIGRATIONS.iter().find(|one| one.version == version) {
            None => return Err(StoreError::Schema(format!("version {version} is newer"))),
            Some(one) if checksum(one.sql) != stored => {
                return Err(StoreError::Schema(format!("version {version} was altered")));
            }
            Some(_) => {}
        }
    }
    for one in MIGRATIONS.iter().skip(rows.len()) {
        connection.script(one.sql).await?;
        query("INSERT INTO schema_versions (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)")
            .bind(one.version)
            .bind(one.name)
            .bind(checksum(one.sql))
            .bind(now)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_in_the_pragma_is_the_constant() {
        assert_eq!(APPLICATION_ID, 1_397_178_968);
        assert_eq!(&u32::try_from(APPLICATION_ID).unwrap().to_be_bytes(), b"SGBX");
    }

    #[test]
    fn versions_count_up_from_one() {
        for (index, one) in MIGRATIONS.iter().enumerate() {
            assert_eq!(usize::try_from(one.version).unwrap(), index + 1);
            assert!(!one.name.is_empty());
        }
    }
}
