//! The command line: a contract that scripts drive. Data goes to stdout, messages to stderr.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::Config;
use crate::exit::Stop;

mod admin;
mod lab;
mod plan;
mod serve;

/// One binary that is a whole LLM marketplace and gateway.
#[derive(Debug, Parser)]
#[command(name = "signalbox", version, arg_required_else_help = true)]
pub(crate) struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the API
    Serve(serve::Arguments),
    /// Accounts, keys, credit and the audit; works while `serve` runs
    #[command(subcommand)]
    Admin(admin::Command),
    /// Compares ways to route in virtual time, before anybody uses them
    Lab(lab::Arguments),
    /// Shows which endpoints would be tried for a request, and why the others would not
    Plan(plan::Arguments),
}

/// What every command takes.
#[derive(Debug, Default, Args)]
struct Place {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The database, such as sqlite://data/signalbox.db or postgres://user@host/database
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

impl Place {
    fn load(self, listen: Option<String>) -> Result<Config, Stop> {
        Config::load(self.config.as_deref(), listen, self.database)
    }
}

/// Runs the command that was asked for.
pub(crate) async fn run(line: Line) -> Result<ExitCode, Stop> {
    match line.command {
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Admin(command) => admin::run(command).await,
        Command::Lab(arguments) => lab::run(arguments),
        Command::Plan(arguments) => plan::run(arguments).await,
    }
}
