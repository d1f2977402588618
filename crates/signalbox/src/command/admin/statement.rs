//! `signalbox admin statement`

use std::process::ExitCode;

use clap::Args;
use signalbox_core::Timestamp;
use signalbox_core::id::AccountId;
use signalbox_store::statement::Period;

use super::{Place, moment, platform, refused, show};
use crate::exit::{Stop, print};

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The account
    #[arg(long, value_name = "ID")]
    account: String,
    /// The first day or moment in it
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// The first day or moment after it
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<Timestamp>,
    /// Charges one by one, not summed by day and model
    #[arg(long)]
    detail: bool,
    /// Prints JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Prints CSV
    #[arg(long)]
    csv: bool,
}

/// Exit code 1 when it does not add up.
pub(super) async fn run(wanted: Arguments) -> Result<ExitCode, Stop> {
    let platform = platform(wanted.place).await?;
    let period = Period { from: wanted.from, to: wanted.to };
    let account = AccountId::new(wanted.account);
    let statement = platform.statement(&account, period, wanted.detail).await.map_err(refused)?;
    if wanted.csv {
        print(statement.to_csv().trim_end())?;
    } else {
        show(wanted.json, &statement, statement.to_text())?;
    }
    Ok(if statement.adds_up { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
