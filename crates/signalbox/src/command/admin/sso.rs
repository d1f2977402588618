//! `signalbox admin sso ...`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use signalbox_core::id::AccountId;
use signalbox_platform::v1::sso::OperatorConnection;
use signalbox_platform::{NewConnection, Platform};

use super::{Place, refused, show};
use crate::config::secret;
use crate::exit::Stop;
use crate::{secrets, wiring};

#[derive(Debug, Subcommand)]
pub(in crate::command) enum Command {
    /// Connects an organization's domain to its identity provider, by your word that the domain is theirs
    Connect(Connect),
    /// The connections of an organization
    List {
        #[command(flatten)]
        place: Place,
        /// The organization
        #[arg(long, value_name = "ID")]
        organization: String,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Makes a connection the only way in for its domain
    Enable(One),
    /// Lets people of its domain sign in as they did before: for the day when the identity provider is out
    Disable(One),
    /// Deletes a connection
    Delete(One),
}

#[derive(Debug, Args)]
pub(in crate::command) struct Connect {
    #[command(flatten)]
    place: Place,
    /// The organization
    #[arg(long, value_name = "ID")]
    organization: String,
    /// The domain of its people's addresses
    #[arg(long)]
    domain: String,
    /// The issuer of the identity provider, as its metadata spell it
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// Who this installation is there
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// Its secret there: env:NAME or file:PATH; a public client has none
    #[arg(long, value_name = "SECRET")]
    client_secret: Option<String>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::command) struct One {
    #[command(flatten)]
    place: Place,
    /// The connection, as `list` names it
    id: String,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

fn line(one: &OperatorConnection) -> String {
    let (status, origin) = (one.status.name(), one.origin.shown());
    format!("{} {} {status} ({origin}) callback {}", one.id, one.domain, one.callback_path)
}

/// The control plane that can seal secrets.
async fn platform(place: Place) -> Result<Platform, Stop> {
    let config = place.load(None)?;
    let store = wiring::store_for_command(&config).await?;
    let vault = secrets::keys(&config, &store).await?;
    store.unlock(vault).await.map_err(|error| Stop::usage(error.to_string()))?;
    wiring::platform(&config, &store)
}

pub(super) async fn run(command: Command) -> Result<ExitCode, Stop> {
    match command {
        Command::Connect(wanted) => connect(wanted).await,
        Command::List { place, organization, json } => {
            let account = AccountId::new(organization);
            let found = super::platform(place).await?.sso_connections(&account).await;
            let found = found.map_err(refused)?;
            let lines: Vec<String> = found.iter().map(line).collect();
            show(json, &found, lines.join("\n"))
        }
        Command::Enable(one) => switch(one, true).await,
        Command::Disable(one) => switch(one, false).await,
        Command::Delete(one) => {
            super::platform(one.place).await?.drop_sso(&one.id).await.map_err(refused)?;
            let told = serde_json::json!({ "deleted": one.id });
            show(one.json, &told, format!("deleted {}", one.id))
        }
    }
}

async fn connect(wanted: Connect) -> Result<ExitCode, Stop> {
    let written = wanted.client_secret.as_deref();
    let client_secret = written.map(|one| secret(one, "--client-secret")).transpose()?;
    // Without a secret there is nothing to seal.
    let platform = match client_secret {
        None => super::platform(wanted.place).await?,
        Some(_) => platform(wanted.place).await?,
    };
    let made = platform.connect_sso(NewConnection {
        organization: AccountId::new(wanted.organization),
        domain: wanted.domain,
        issuer: wanted.issuer,
        client_id: wanted.client_id,
        client_secret,
    });
    let made = made.await.map_err(refused)?;
    let text = line(&made);
    show(wanted.json, &made, text)
}

async fn switch(one: One, on: bool) -> Result<ExitCode, Stop> {
    let now = super::platform(one.place).await?.switch_sso(&one.id, on).await.map_err(refused)?;
    let text = line(&now);
    show(one.json, &now, text)
}
