//! How the process ends: 0 fine, 1 a finding or a refusal, 2 usage or configuration.

use std::io::Write;
use std::process::ExitCode;

/// Why a command can't go on, in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    /// The command line or the configuration is wrong: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The command was refused or failed: exit code 1.
    #[error("{0}")]
    Failed(String),
}

impl Stop {
    pub(crate) fn usage(reason: impl Into<String>) -> Self {
        Self::Usage(reason.into())
    }

    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        Self::Failed(reason.into())
    }
}

/// Says why on stderr and gives the exit code.
pub(crate) fn complain(stop: &Stop) -> ExitCode {
    drop(writeln!(std::io::stderr(), "signalbox: {stop}"));
    ExitCode::from(match stop {
        Stop::Usage(_) => 2,
        Stop::Failed(_) => 1,
    })
}

/// Prints a line of data on stdout.
pub(crate) fn print(line: &str) -> Result<(), Stop> {
    writeln!(std::io::stdout(), "{line}").map_err(|error| Stop::failed(format!("stdout: {error}")))
}
