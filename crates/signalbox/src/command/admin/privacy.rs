//! `signalbox admin privacy ...`: who may change an account's privacy settings.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use signalbox_core::id::AccountId;

use super::{Place, platform, refused, show};
use crate::exit::Stop;

#[derive(Debug, Subcommand)]
pub(in crate::command) enum Command {
    /// From now on only the operator can change them
    Lock(Arguments),
    /// The account can change them again
    Unlock(Arguments),
}

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The account
    #[arg(long, value_name = "ID")]
    account: String,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Command) -> Result<ExitCode, Stop> {
    let (arguments, locked) = match command {
        Command::Lock(arguments) => (arguments, true),
        Command::Unlock(arguments) => (arguments, false),
    };
    let account = AccountId::new(arguments.account);
    let platform = platform(arguments.place).await?;
    let now = platform.lock_privacy(&account, locked, "admin").await.map_err(refused)?;
    let word = if locked { "locked" } else { "unlocked" };
    show(arguments.json, &now.data, format!("privacy settings of {account} are {word}"))
}
