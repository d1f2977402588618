//! `signalbox admin invoice ...`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use signalbox_core::Timestamp;
use signalbox_core::id::AccountId;
use signalbox_platform::money::Invoice;

use super::{Place, moment, platform, refused, show};
use crate::exit::Stop;

#[derive(Debug, Subcommand)]
pub(in crate::command) enum Command {
    /// Bills an account for a calendar month that has ended
    Issue {
        #[command(flatten)]
        place: Place,
        /// The account
        #[arg(long, value_name = "ID")]
        account: String,
        /// The month, such as 2026-08
        #[arg(long, value_name = "YYYY-MM", value_parser = month)]
        month: Timestamp,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// The invoices of an account
    List {
        #[command(flatten)]
        place: Place,
        /// The account
        #[arg(long, value_name = "ID")]
        account: String,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Notes that an invoice was paid
    Settle(One),
    /// Takes an open invoice back
    Void(One),
}

#[derive(Debug, Args)]
pub(in crate::command) struct One {
    #[command(flatten)]
    place: Place,
    /// The invoice
    #[arg(long, value_name = "ID")]
    invoice: String,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

fn month(text: &str) -> Result<Timestamp, String> {
    let wrong = || "a month such as 2026-08".to_owned();
    if text.len() == 7 { moment(&format!("{text}-01")).map_err(|_| wrong()) } else { Err(wrong()) }
}

fn line(invoice: &Invoice) -> String {
    let Invoice { id, amount, status, .. } = invoice;
    format!("{id} ${amount} {status}")
}

pub(super) async fn run(command: Command) -> Result<ExitCode, Stop> {
    match command {
        Command::Issue { place, account, month, json } => {
            let account = AccountId::new(account);
            let invoice = platform(place).await?.issue_invoice(&account, month).await;
            let invoice = invoice.map_err(refused)?;
            show(json, &invoice, line(&invoice))
        }
        Command::List { place, account, json } => {
            let invoices = platform(place).await?.invoices(&AccountId::new(account)).await;
            let invoices = invoices.map_err(refused)?;
            let lines: Vec<String> = invoices.iter().map(line).collect();
            show(json, &invoices, lines.join("\n"))
        }
        Command::Settle(one) => {
            let done = platform(one.place).await?.settle_invoice(&one.invoice, "admin").await;
            done.map_err(refused)?;
            tell(one.json, &one.invoice, "paid")
        }
        Command::Void(one) => {
            platform(one.place).await?.void_invoice(&one.invoice).await.map_err(refused)?;
            tell(one.json, &one.invoice, "void")
        }
    }
}

fn tell(json: bool, id: &str, status: &str) -> Result<ExitCode, Stop> {
    show(json, &serde_json::json!({ "id": id, "status": status }), format!("{id} {status}"))
}
