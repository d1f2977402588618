//! Credit that the operator moves: transfers, corrections, credit that is too old.

use std::process::ExitCode;

use clap::Args;
use signalbox_core::Usd;
use signalbox_core::id::AccountId;
use signalbox_platform::{Actor, By, NewTransfer};

use super::{Place, platform, refused, show, usd};
use crate::exit::{Stop, print};

#[derive(Debug, Args)]
pub(in crate::command) struct Transfer {
    #[command(flatten)]
    place: Place,
    /// The account that gives
    #[arg(long, value_name = "ID")]
    from: String,
    /// The account that gets
    #[arg(long, value_name = "ID")]
    to: String,
    /// US dollars, with at most nine decimals
    #[arg(long, value_parser = usd)]
    usd: Usd,
    /// Why, for the statement
    #[arg(long, default_value = "transfer")]
    reason: String,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::command) struct Adjust {
    #[command(flatten)]
    place: Place,
    /// The account
    #[arg(long, value_name = "ID")]
    account: String,
    /// US dollars: up above zero, down below
    #[arg(long, value_parser = usd, allow_hyphen_values = true)]
    usd: Usd,
    /// Why, for the statement
    #[arg(long)]
    reason: String,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::command) struct Expire {
    #[command(flatten)]
    place: Place,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn transfer(wanted: Transfer) -> Result<ExitCode, Stop> {
    let platform = platform(wanted.place).await?;
    let text = format!("moved ${} from {} to {}", wanted.usd, wanted.from, wanted.to);
    let from = AccountId::new(wanted.from);
    let actor = Actor::Operator("admin".to_owned());
    let transfer = NewTransfer {
        by: By { account: from.clone(), actor, address: None },
        from,
        to: AccountId::new(wanted.to),
        amount: wanted.usd,
        reason: wanted.reason,
        any_credit: true,
    };
    let answer = platform.transfer(transfer, None).await.map_err(refused)?;
    print(if wanted.json { &answer.body } else { &text })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn adjust(wanted: Adjust) -> Result<ExitCode, Stop> {
    let platform = platform(wanted.place).await?;
    let account = AccountId::new(wanted.account);
    let done = platform.adjust(&account, wanted.usd, &wanted.reason, "admin").await;
    let done = done.map_err(refused)?;
    let text =
        format!("{} changed by ${}; balance ${}", done.account_id, done.amount, done.balance);
    show(wanted.json, &done, text)
}

pub(super) async fn expire(wanted: Expire) -> Result<ExitCode, Stop> {
    let done = platform(wanted.place).await?.expire_credits().await.map_err(refused)?;
    let text = format!("{} credits ended, ${} in all", done.credits, done.amount);
    show(wanted.json, &done, text)
}
