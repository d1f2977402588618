//! `signalbox admin account ...` and `signalbox admin plan ...`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use signalbox_core::id::AccountId;
use signalbox_core::{Tier, Usd};
use signalbox_platform::NewAgreement;
use signalbox_platform::plans::AccountPlan;

use super::{Place, platform, refused, show, usd};
use crate::exit::Stop;

#[derive(Debug, Subcommand)]
pub(in crate::command) enum Command {
    /// Makes an account, and its keys
    Create {
        #[command(flatten)]
        place: Place,
        /// The owner's e-mail address
        #[arg(long)]
        email: String,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Stops an account from spending
    Freeze {
        #[command(flatten)]
        whose: Whose,
        /// Why, for whoever asks
        #[arg(long)]
        reason: String,
    },
    /// Lets an account spend again
    Unfreeze {
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::command) enum PlanCommand {
    /// Shows what holds for an account
    Show {
        #[command(flatten)]
        whose: Whose,
    },
    /// Changes what was agreed with an account; what is left out stays
    Set(Set),
}

/// An account, and how to answer.
#[derive(Debug, Args)]
pub(in crate::command) struct Whose {
    #[command(flatten)]
    place: Place,
    /// The account
    #[arg(long, value_name = "ID")]
    account: String,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::command) struct Set {
    #[command(flatten)]
    whose: Whose,
    /// free, payg, enterprise, or `derived` from what was purchased
    #[arg(long, value_parser = contract)]
    plan: Option<Contract>,
    /// The account's own terms as JSON, such as {"purchase_discount_bps": 2000}
    #[arg(long, value_name = "JSON")]
    terms: Option<String>,
    /// Whether it shares its data, for a discount
    #[arg(long, value_name = "true|false")]
    share_data: Option<bool>,
    /// What it may owe, in US dollars; 0 makes it prepaid
    #[arg(long, value_name = "USD", value_parser = usd)]
    credit_line: Option<Usd>,
}

/// A plan by contract, or none.
#[derive(Debug, Clone, Copy)]
struct Contract(Option<Tier>);

fn contract(text: &str) -> Result<Contract, String> {
    if text == "derived" {
        return Ok(Contract(None));
    }
    let tier = Tier::from_name(text).ok_or_else(|| "free, payg, enterprise or derived".to_owned());
    tier.map(|tier| Contract(Some(tier)))
}

pub(super) async fn run(command: Command) -> Result<ExitCode, Stop> {
    match command {
        Command::Create { place, email, json } => {
            let issued = platform(place).await?.create_account(&email).await.map_err(refused)?;
            let (id, api, management) =
                (&issued.account_id, &issued.api_key, &issued.management_key);
            let text = format!("account {id}\nAPI key {api}\nmanagement key {management}");
            show(json, &issued, text)
        }
        Command::Freeze { whose, reason } => {
            let account = AccountId::new(whose.account);
            let found = platform(whose.place).await?.freeze(&account, &reason).await;
            tell(whose.json, &found.map_err(refused)?)
        }
        Command::Unfreeze { whose } => {
            let account = AccountId::new(whose.account);
            let found = platform(whose.place).await?.unfreeze(&account).await;
            tell(whose.json, &found.map_err(refused)?)
        }
    }
}

pub(super) async fn plan(command: PlanCommand) -> Result<ExitCode, Stop> {
    match command {
        PlanCommand::Show { whose } => {
            let account = AccountId::new(whose.account);
            let found = platform(whose.place).await?.plan(&account).await;
            tell(whose.json, &found.map_err(refused)?)
        }
        PlanCommand::Set(Set { whose, plan, terms, share_data, credit_line }) => {
            let wanted = NewAgreement {
                contract: plan.map(|plan| plan.0),
                terms,
                shares_data: share_data,
                line: credit_line,
            };
            let account = AccountId::new(whose.account);
            let found = platform(whose.place).await?.agree(&account, wanted).await;
            tell(whose.json, &found.map_err(refused)?)
        }
    }
}

fn tell(json: bool, found: &AccountPlan) -> Result<ExitCode, Stop> {
    let AccountPlan { account_id, purchased, credit_line, plan, .. } = found;
    let tier = plan.tier.name();
    let mut text = format!("account {account_id}: {tier}, purchased ${purchased}");
    if *credit_line > Usd::ZERO {
        text.push_str(&format!(", may owe ${credit_line}"));
    }
    if let Some(frozen) = &found.frozen {
        text.push_str(&format!(", frozen since {}: {}", frozen.at, frozen.reason));
    }
    show(json, found, text)
}
