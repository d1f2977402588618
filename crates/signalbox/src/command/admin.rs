//! `signalbox admin ...`: accounts, keys, credit, audit.

mod account;
mod credit;
mod holder;
mod invoice;
mod privacy;
mod secrets;
mod sso;
mod statement;
mod voucher;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use signalbox_core::id::AccountId;
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_platform::{NewKey, Platform, PlatformError, RevokeOld};

use super::Place;
use crate::exit::{Stop, print};
use crate::wiring;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes the first account if there is none, and issues a fresh API key and management key
    Bootstrap {
        #[command(flatten)]
        place: Place,
        /// Ends the keys issued earlier
        #[arg(long)]
        revoke_old: bool,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Accounts
    #[command(subcommand)]
    Account(account::Command),
    /// API keys and management keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Adds credit to an account
    Grant(Grant),
    /// The plan of an account, and what was agreed with it
    #[command(subcommand)]
    Plan(account::PlanCommand),
    /// Whether an account may change its privacy settings
    #[command(subcommand)]
    Privacy(privacy::Command),
    /// Codes that are redeemed for credit
    #[command(subcommand)]
    Voucher(voucher::Command),
    /// Moves credit from one account to another
    Transfer(credit::Transfer),
    /// Corrects a balance, up or down
    Adjust(credit::Adjust),
    /// Ends credit that is too old, where the configuration says so
    ExpireCredits(credit::Expire),
    /// Bills accounts in arrears
    #[command(subcommand)]
    Invoice(invoice::Command),
    /// Single sign-on of organizations
    #[command(subcommand)]
    Sso(sso::Command),
    /// An account's statement: where its balance came from, and whether that adds up
    Statement(statement::Arguments),
    /// Processes that hold part of balances
    #[command(subcommand)]
    Holder(holder::Command),
    /// What secrets are sealed with
    #[command(subcommand)]
    Secrets(secrets::Command),
    /// Checks the ledger's invariants; exit code 1 when one is broken
    Audit {
        #[command(flatten)]
        place: Place,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Makes a key; it is shown once
    Create(CreateKey),
}

#[derive(Debug, Args)]
pub(super) struct CreateKey {
    #[command(flatten)]
    place: Place,
    /// The account it belongs to
    #[arg(long, value_name = "ID")]
    account: String,
    /// A name for people
    #[arg(long, default_value = "")]
    name: String,
    /// The most that it may spend, in US dollars
    #[arg(long, value_name = "USD", value_parser = usd)]
    limit: Option<Usd>,
    /// When the limit starts again: daily, weekly or monthly
    #[arg(long, value_name = "INTERVAL", value_parser = interval)]
    limit_reset: Option<ResetInterval>,
    /// Requests per minute; 0 refuses all
    #[arg(long, value_name = "N")]
    rpm: Option<u32>,
    /// A management key instead of an API key
    #[arg(long)]
    management: bool,
    /// Not usable until it is enabled
    #[arg(long)]
    disabled: bool,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Grant {
    #[command(flatten)]
    place: Place,
    /// The account that gets it
    #[arg(long, value_name = "ID")]
    account: String,
    /// US dollars, with at most nine decimals
    #[arg(long, value_parser = usd)]
    usd: Usd,
    /// Why, for the statement
    #[arg(long, default_value = "grant")]
    reason: String,
    /// A name of your choice: the grant of this name is made once, however often it is asked for
    #[arg(long, value_name = "NAME")]
    id: Option<String>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

fn usd(text: &str) -> Result<Usd, String> {
    text.parse().map_err(|error: signalbox_core::money::ParseUsdError| error.to_string())
}

fn interval(text: &str) -> Result<ResetInterval, String> {
    ResetInterval::from_name(text).ok_or_else(|| "daily, weekly or monthly".to_owned())
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error: signalbox_core::time::ParseTimestampError| error.to_string())
}

async fn platform(place: Place) -> Result<Platform, Stop> {
    let config = place.load(None)?;
    let store = wiring::store_for_command(&config).await?;
    wiring::platform(&config, &store)
}

fn refused(error: PlatformError) -> Stop {
    Stop::failed(error.to_string())
}

/// JSON when it was asked for, else the sentence.
fn show(json: bool, value: &impl serde::Serialize, sentence: String) -> Result<ExitCode, Stop> {
    let line = if json {
        serde_json::to_string(value).map_err(|error| Stop::failed(error.to_string()))?
    } else {
        sentence
    };
    print(&line)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn run(command: Command) -> Result<ExitCode, Stop> {
    match command {
        Command::Bootstrap { place, revoke_old, json } => {
            let revoke = if revoke_old { RevokeOld::Yes } else { RevokeOld::No };
            let issued = platform(place).await?.bootstrap(revoke).await.map_err(refused)?;
            let (id, api, management) =
                (&issued.account_id, &issued.api_key, &issued.management_key);
            let text = format!("account {id}\nAPI key {api}\nmanagement key {management}");
            show(json, &issued, text)
        }
        Command::Account(command) => account::run(command).await,
        Command::Key(KeyCommand::Create(wanted)) => create_key(wanted).await,
        Command::Grant(wanted) => grant(wanted).await,
        Command::Plan(command) => account::plan(command).await,
        Command::Privacy(command) => privacy::run(command).await,
        Command::Voucher(command) => voucher::run(command).await,
        Command::Transfer(wanted) => credit::transfer(wanted).await,
        Command::Adjust(wanted) => credit::adjust(wanted).await,
        Command::ExpireCredits(wanted) => credit::expire(wanted).await,
        Command::Invoice(command) => invoice::run(command).await,
        Command::Statement(wanted) => statement::run(wanted).await,
        Command::Holder(command) => holder::run(command).await,
        Command::Sso(command) => sso::run(command).await,
        Command::Secrets(command) => secrets::run(command).await,
        Command::Audit { place, json } => audit(place, json).await,
    }
}

async fn create_key(wanted: CreateKey) -> Result<ExitCode, Stop> {
    let platform = platform(wanted.place).await?;
    let terms = NewKey {
        name: wanted.name,
        limit: wanted.limit,
        limit_reset: wanted.limit_reset,
        rpm: wanted.rpm,
        management: wanted.management,
        disabled: wanted.disabled,
        ..NewKey::default()
    };
    let account = AccountId::new(wanted.account);
    let issued = platform.create_key(&account, terms).await.map_err(refused)?;
    let text = format!("key {}\nhash {}", issued.key, issued.hash);
    show(wanted.json, &issued, text)
}

async fn grant(wanted: Grant) -> Result<ExitCode, Stop> {
    let platform = platform(wanted.place).await?;
    let account = AccountId::new(wanted.account);
    let (usd, reason) = (wanted.usd, wanted.reason.as_str());
    let done = match &wanted.id {
        Some(id) => platform.grant_once(id, &account, usd, reason, "admin").await,
        None => platform.grant(&account, usd, reason, "admin").await,
    };
    let done = done.map_err(refused)?;
    let text =
        format!("granted ${} to {}; balance ${}", done.amount, done.account_id, done.balance);
    show(wanted.json, &done, text)
}

async fn audit(place: Place, json: bool) -> Result<ExitCode, Stop> {
    let report = platform(place).await?.audit().await.map_err(refused)?;
    let clean = report.breaches.is_empty();
    let mut text = format!("{:?}\n", report.checked);
    for breach in &report.breaches {
        text.push_str(&format!("{} {}: {}\n", breach.invariant, breach.subject, breach.detail));
    }
    text.push_str(&format!("{} breaches", report.breach_count));
    show(json, &report, text)?;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
