//! The schema, version by version.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::sql::{By, Connection, Row, by, query};
use crate::workspaces;

/// Marks a file as ours: the bytes `SGBX`.
const APPLICATION_ID: i64 = 0x5347_4258;

/// PostgreSQL's lock for the time of a migration.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1397178968, 1)";

struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// A file of the same name in both folders.
macro_rules! migration {
    ($version:literal, $name:literal, $file:literal) => {
        Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $file, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $file, ".sql")),
        }
    };
}

const MIGRATIONS: [Migration; 19] = [
    migration!(1, "ledger", "0001_ledger"),
    migration!(2, "generations", "0002_generations"),
    migration!(3, "routing", "0003_routing"),
    migration!(4, "endpoint_health", "0004_endpoint_health"),
    migration!(5, "money", "0005_money"),
    migration!(6, "purses", "0006_purses"),
    migration!(7, "statement", "0007_statement"),
    migration!(8, "reversals", "0008_reversals"),
    migration!(9, "scopes", "0009_scopes"),
    migration!(10, "tenancy", "0010_tenancy"),
    migration!(11, "byok_free", "0011_byok_free"),
    migration!(12, "policies", "0012_policies"),
    migration!(13, "people", "0013_people"),
    migration!(14, "sign_in", "0014_sign_in"),
    migration!(15, "secrets", "0015_secrets"),
    migration!(16, "presets", "0016_presets"),
    migration!(17, "scim", "0017_scim"),
    migration!(18, "rotation", "0018_rotation"),
    migration!(19, "traces", "0019_traces"),
];

impl Migration {
    const fn text(&self, connection: &Connection) -> &'static str {
        if connection.is_postgres() { self.postgres } else { self.sqlite }
    }
}

const VERSIONS: By = by(
    "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER NOT NULL \
     PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT NOT NULL \
     PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)",
);

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

/// Refuses a PostgreSQL database whose schema holds only another program's tables.
async fn refuse_other(connection: &mut Connection) -> Result<(), StoreError> {
    let row = query(
        "SELECT count(*), count(*) FILTER (WHERE tablename = 'schema_versions') \
         FROM pg_catalog.pg_tables WHERE schemaname = current_schema()",
    )
    .fetch_one(connection)
    .await?;
    let (tables, ours): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    if tables == 0 || ours == 1 {
        return Ok(());
    }
    let reason = "it holds another program's tables".to_owned();
    Err(StoreError::Foreign { path: "the PostgreSQL schema".into(), reason })
}

/// Applies what is missing, all of it in one transaction, and checks what is there.
pub(crate) async fn run(connection: &mut Connection, now: i64) -> Result<(), StoreError> {
    query(by("BEGIN IMMEDIATE", "BEGIN")).execute(&mut *connection).await?;
    let done = begin(connection, now).await;
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    query(end).execute(connection).await?;
    done
}

async fn begin(connection: &mut Connection, now: i64) -> Result<(), StoreError> {
    if connection.is_postgres() {
        // A table can take longer to change than anything else does; another process may be at it.
        connection.script("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
        query(LOCK).execute(&mut *connection).await?;
        refuse_other(connection).await?;
    } else {
        connection.script("PRAGMA application_id = 1397178968").await?;
    }
    apply(connection, now).await
}

async fn apply(connection: &mut Connection, now: i64) -> Result<(), StoreError> {
    query(VERSIONS).execute(&mut *connection).await?;
    let rows = query("SELECT version, checksum FROM schema_versions ORDER BY version")
        .fetch_all(&mut *connection)
        .await?;
    for row in &rows {
        let version: i64 = row.try_get(0)?;
        let stored: String = row.try_get(1)?;
        match MIGRATIONS.iter().find(|one| one.version == version) {
            None => return Err(StoreError::Schema(format!("version {version} is newer"))),
            Some(one) if checksum(one.text(connection)) != stored => {
                return Err(StoreError::Schema(format!("version {version} was altered")));
            }
            Some(_) => {}
        }
    }
    for one in MIGRATIONS.iter().skip(rows.len()) {
        let text = one.text(connection);
        connection.script(text).await?;
        query("INSERT INTO schema_versions (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)")
            .bind(one.version)
            .bind(one.name)
            .bind(checksum(text))
            .bind(now)
            .execute(&mut *connection)
            .await?;
    }
    workspaces::complete(connection, now).await
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

    #[test]
    fn both_databases_have_the_same_versions() {
        let names = |folder: &str| {
            let path = format!("{}/migrations/{folder}", env!("CARGO_MANIFEST_DIR"));
            let mut names: Vec<_> = std::fs::read_dir(path)
                .unwrap()
                .map(|file| file.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        let listed: Vec<_> =
            MIGRATIONS.iter().map(|one| format!("{:04}_{}.sql", one.version, one.name)).collect();
        assert_eq!(names("sqlite"), listed);
        assert_eq!(names("postgres"), listed);
    }
}
