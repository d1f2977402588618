//! How the database is used, beside its address.

use std::path::PathBuf;
use std::time::Duration;

/// Where the outbox is when nothing else is said.
const OUTBOX: &str = "data/outbox.db";
/// Connections that only read, when nothing else is said.
const READERS: u32 = 4;
/// How often news is looked for: a change of another process shows well within a second.
const POLL: Duration = Duration::from_millis(200);
/// How long a request waits for a silent server: then it is told so, while that is still of use to it.
const PATIENCE: Duration = Duration::from_millis(140);
/// The same for an operator's command, which nobody answers instead.
const LONG_PATIENCE: Duration = Duration::from_secs(10);

/// What a charge survives once it was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sync {
    /// The death of the process, always; a power cut but for the last second.
    #[default]
    Process,
    /// A power cut too: each group of charges waits for the disk.
    Power,
}

impl Sync {
    /// The value with this name in the configuration.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "process" => Some(Self::Process),
            "power" => Some(Self::Power),
            _ => None,
        }
    }
}

/// How the database is used.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// What a charge survives.
    pub sync: Sync,
    /// The file that charges wait in until PostgreSQL has them. Each process that serves needs one of
    /// its own. SQLite needs none.
    pub outbox: PathBuf,
    /// Connections that only read from PostgreSQL.
    pub readers: u32,
    /// How often news of other processes is looked for. PostgreSQL announces it, too.
    pub poll: Duration,
    /// How long PostgreSQL may be silent before whoever waits for it hears that it is away. A server
    /// that is far away gets more.
    pub patience: Duration,
}

impl Default for StoreSettings {
    fn default() -> Self {
        let outbox = PathBuf::from(OUTBOX);
        let sync = Sync::default();
        Self { sync, outbox, readers: READERS, poll: POLL, patience: PATIENCE }
    }
}

impl StoreSettings {
    /// The same for a command that serves no requests: it rather waits for a busy server.
    #[must_use]
    pub fn patient(self) -> Self {
        Self { patience: LONG_PATIENCE, ..self }
    }
}
