//! What Signalbox costs beside a proxy that only copies bytes.
//!
//! Four cases, each run straight to the simulator, through a bare hyper reverse proxy (the floor) and
//! through Signalbox with everything on, in interleaved rounds on loopback. The CPU of a proxy is
//! what the kernel charges its process with. Where `taskset` is there, the proxy has core 0 to
//! itself and the load and the simulator share core 1.

mod callgrind;
mod case;
mod floor;
mod instructions;
mod ledger;
mod load;
mod process;
mod report;
mod run;
mod target;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Compares Signalbox with a bare reverse proxy.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Command {
    /// The floor: a reverse proxy that copies bytes.
    Floor {
        /// Address to listen on.
        #[arg(long)]
        listen: SocketAddr,
        /// Address that every request goes to.
        #[arg(long)]
        to: SocketAddr,
    },
    /// Counts instructions with callgrind instead of time.
    Instructions {
        /// Folder for callgrind's profiles, which `callgrind_annotate` reads; left out: nowhere.
        #[arg(long)]
        profiles: Option<PathBuf>,
    },
    /// Measures the ledger alone: settlements per second on one hot account.
    Ledger(ledger::Wishes),
}

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The gateway's program; left out: beside this one.
    #[arg(long)]
    signalbox: Option<PathBuf>,
    /// The simulator's program; left out: beside this one.
    #[arg(long)]
    simulator: Option<PathBuf>,
    /// Measures the simulator and the floor only.
    #[arg(long)]
    without_signalbox: bool,
    /// Cases to run, such as `AC`.
    #[arg(long, default_value = "ABCD")]
    cases: String,
    /// Interleaved rounds; the table shows medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=20))]
    rounds: u8,
    /// Percent of the usual number of requests.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    scale: u32,
    /// Streams at a time in case D.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5000))]
    streams: u32,
    /// Counts the roads between dialects too; only for `instructions`.
    #[arg(long)]
    roads: bool,
    /// File for all measurements as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(Command::Ledger(wishes)) = &arguments.command {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(ledger::run(wishes));
    }
    if !matches!(arguments.command, Some(Command::Floor { .. })) {
        process::pin_self();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.command {
            Some(Command::Floor { listen, to }) => floor::serve(listen, to).await,
            Some(Command::Instructions { profiles }) => {
                instructions::run(&arguments.options, profiles).await
            }
            Some(Command::Ledger(_)) | None => run::run(&arguments.options).await,
        }
    })
}
