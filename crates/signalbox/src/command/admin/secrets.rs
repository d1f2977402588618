//! `signalbox admin secrets ...`: what secrets are sealed with.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use signalbox_store::{Store, StoreError};
use signalbox_vault::Vault;

use super::{Place, show};
use crate::exit::Stop;
use crate::{secrets, wiring};

#[derive(Debug, Subcommand)]
pub(in crate::command) enum Command {
    /// Opens every stored secret and says under which keys they are; exit code 1 when one doesn't open
    Status {
        #[command(flatten)]
        place: Place,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Puts all secrets under the key that seals, while everything runs; may be broken off and begun again
    Rotate {
        #[command(flatten)]
        place: Place,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Erases the secrets under a key that is lost
    Forget {
        #[command(flatten)]
        place: Place,
        /// The lost key, as `status` names it
        #[arg(long, value_name = "ID")]
        key: String,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

async fn open(place: Place) -> Result<(Store, Vault), Stop> {
    let config = place.load(None)?;
    let store = wiring::store_for_command(&config).await?;
    let vault = secrets::keys(&config, &store).await?;
    Ok((store, vault))
}

fn failed(error: StoreError) -> Stop {
    Stop::failed(error.to_string())
}

pub(super) async fn run(command: Command) -> Result<ExitCode, Stop> {
    match command {
        Command::Status { place, json } => {
            let (store, vault) = open(place).await?;
            status(&store, &vault, json).await
        }
        Command::Rotate { place, json } => {
            let (store, vault) = open(place).await?;
            store.unlock(vault).await.map_err(|error| Stop::usage(error.to_string()))?;
            let done = store.rotate_secrets().await.map_err(failed)?;
            let (moved, overtaken, unreadable) = (done.moved, done.overtaken, done.unreadable);
            let value = json!({
                "moved": moved, "overtaken": overtaken, "unreadable": unreadable,
            });
            let text = format!("{moved} secrets moved, {unreadable} can't be opened");
            show(json, &value, text)?;
            Ok(if unreadable == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
        }
        Command::Forget { place, key, json } => {
            let (store, vault) = open(place).await?;
            if vault.knows(&key) {
                return Err(Stop::failed(format!("the key {key} is not lost: it is here")));
            }
            let gone = store.forget_secrets(key).await.map_err(failed)?;
            show(json, &json!({ "erased": gone }), format!("erased {gone} secrets"))
        }
    }
}

async fn status(store: &Store, vault: &Vault, json: bool) -> Result<ExitCode, Stop> {
    let found = store.secrets_status(vault).await.map_err(failed)?;
    let seals = |id: &String| found.primary.as_ref() == Some(id);
    let keys = found.keys.iter().map(|(id, count)| {
        json!({ "id": id, "secrets": count, "here": vault.knows(id), "seals": seals(id) })
    });
    let unreadable = found.unreadable.iter().map(|(kind, id)| json!({ "kind": kind, "id": id }));
    let value = json!({
        "key": found.primary,
        "keys": keys.collect::<Vec<_>>(),
        "unreadable_count": found.unreadable_count,
        "unreadable": unreadable.collect::<Vec<_>>(),
    });
    let mut text = String::new();
    for (id, count) in &found.keys {
        let what = match (seals(id), vault.knows(id)) {
            (true, _) => "which seals",
            (false, true) => "which opens",
            (false, false) => "which is not here",
        };
        text.push_str(&format!("{count} secrets under the key {id}, {what}\n"));
    }
    text.push_str(&format!("{} can't be opened", found.unreadable_count));
    show(json, &value, text)?;
    Ok(if found.unreadable_count == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
