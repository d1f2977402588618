//! One database of a server.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::program;

/// The role that Signalbox connects as: no superuser, like in earnest.
pub(crate) const ROLE: &str = "signalbox";

/// An empty database; gone when dropped.
#[derive(Debug)]
pub struct Database {
    port: u16,
    name: String,
}

static NEXT: AtomicU32 = AtomicU32::new(1);

impl Database {
    pub(crate) fn create(port: u16) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        // A process of an earlier run may have had the same id and a rough end.
        drop(
            psql(port, "postgres", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                .output(),
        );
        let create = format!("CREATE DATABASE {name} OWNER {ROLE}");
        program::run(&mut psql(port, "postgres", &create));
        Self { port, name }
    }

    /// What Signalbox opens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://{ROLE}@127.0.0.1:{}/{}", self.port, self.name)
    }

    /// Runs one statement as the superuser and answers what `psql` prints: rows as lines, columns
    /// with `|` between them.
    ///
    /// # Panics
    /// When the statement fails.
    #[must_use]
    pub fn sql(&self, statement: &str) -> String {
        program::run(&mut psql(self.port, &self.name, statement))
    }

    /// Whether one statement as the superuser succeeds.
    ///
    /// # Panics
    /// When `psql` can't be started.
    #[must_use]
    pub fn accepts(&self, statement: &str) -> bool {
        let output = psql(self.port, &self.name, statement).output();
        output.expect("psql can be started").status.success()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop_it = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        drop(psql(self.port, "postgres", &drop_it).output());
    }
}

/// A statement as the superuser, also on a server that was made read-only.
pub(crate) fn psql(port: u16, database: &str, statement: &str) -> Command {
    let mut command = program::command("psql");
    command
        .env("PGOPTIONS", "-c default_transaction_read_only=off")
        .env("PGCONNECT_TIMEOUT", "20")
        .args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
        ])
        .args(["-p", &port.to_string(), "-d", database, "-c", statement]);
    command
}
