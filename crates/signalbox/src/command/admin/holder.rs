//! `signalbox admin holder ...`: the processes that hold part of balances.

use std::process::ExitCode;

use clap::Subcommand;
use signalbox_store::{HolderRow, Store};

use super::{Place, show};
use crate::exit::Stop;
use crate::wiring;

#[derive(Debug, Subcommand)]
pub(in crate::command) enum Command {
    /// Lists the processes that hold part of balances
    List {
        #[command(flatten)]
        place: Place,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Frees what a process holds that will never come back; charges that only it knew are given up
    Release {
        #[command(flatten)]
        place: Place,
        /// The process, as `list` names it
        #[arg(long)]
        id: String,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

async fn store(place: Place) -> Result<Store, Stop> {
    wiring::store_for_command(&place.load(None)?).await
}

pub(super) async fn run(command: Command) -> Result<ExitCode, Stop> {
    match command {
        Command::List { place, json } => {
            let found = store(place).await?.holders().await;
            let found = found.map_err(|error| Stop::failed(error.to_string()))?;
            let rows: Vec<_> = found.iter().map(object).collect();
            let lines: Vec<_> = found.iter().map(line).collect();
            show(json, &rows, lines.join("\n"))
        }
        Command::Release { place, id, json } => {
            let released = store(place).await?.release_holder(&id).await;
            if !released.map_err(|error| Stop::failed(error.to_string()))? {
                return Err(Stop::failed(format!("no process {id} holds anything")));
            }
            show(json, &serde_json::json!({ "released": id }), format!("released {id}"))
        }
    }
}

fn object(row: &HolderRow) -> serde_json::Value {
    serde_json::json!({
        "id": row.id,
        "started_at": row.started_at.seconds(),
        "seen_at": row.seen_at.map(|at| at.seconds()),
        "outbox": row.place,
        "credit": row.credit.to_string(),
        "open_reservations": row.reservations,
    })
}

fn line(row: &HolderRow) -> String {
    let (id, credit, open) = (&row.id, row.credit, row.reservations);
    let place = row.place.as_deref().unwrap_or("this machine");
    let seen = row.seen_at.map_or(String::new(), |at| format!(", seen at {}", at.seconds()));
    format!("{id}: holds {credit}, {open} open reservations, {place}{seen}")
}
