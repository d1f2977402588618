//! `signalbox admin voucher ...`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use signalbox_core::{Timestamp, Usd};
use signalbox_platform::NewVoucher;

use super::{Place, moment, platform, refused, show, usd};
use crate::exit::Stop;

#[derive(Debug, Subcommand)]
pub(in crate::command) enum Command {
    /// Makes a voucher; its code is shown once
    Create(Create),
    /// All vouchers, without their codes
    List {
        #[command(flatten)]
        place: Place,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(in crate::command) struct Create {
    #[command(flatten)]
    place: Place,
    /// What each redemption is worth, in US dollars
    #[arg(long, value_parser = usd)]
    usd: Usd,
    /// How many accounts may redeem it, each once
    #[arg(long, value_name = "N", default_value_t = 1)]
    uses: u32,
    /// From when on it is worth nothing: a day or a moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    expires: Option<Timestamp>,
    /// Why, for the records
    #[arg(long, default_value = "voucher")]
    reason: String,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Command) -> Result<ExitCode, Stop> {
    match command {
        Command::Create(wanted) => {
            let voucher = NewVoucher {
                amount: wanted.usd,
                uses: wanted.uses,
                expires_at: wanted.expires,
                reason: wanted.reason,
                operator: "admin".to_owned(),
            };
            let made = platform(wanted.place).await?.create_voucher(voucher).await;
            let made = made.map_err(refused)?;
            let text = format!("{}\n${} for {} accounts", made.code, made.amount, made.uses);
            show(wanted.json, &made, text)
        }
        Command::List { place, json } => {
            let vouchers = platform(place).await?.vouchers().await.map_err(refused)?;
            let line = |one: &signalbox_platform::vouchers::ListedVoucher| {
                let (hash, end) = (&one.code_hash, one.expires_at.as_deref().unwrap_or("never"));
                let (amount, reason) = (one.amount, &one.reason);
                format!("{hash} ${amount} {}/{} ends {end} {reason}", one.redeemed, one.uses)
            };
            let lines: Vec<String> = vouchers.iter().map(line).collect();
            show(json, &vouchers, lines.join("\n"))
        }
    }
}
