//! The simulator as a program, for the client tests, benchmarks and the demo mode.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use signalbox_simulator::{Simulator, serve};
use tokio::net::TcpListener;

/// A scripted provider; the model's name decides what it does.
#[derive(Parser)]
struct Arguments {
    /// Address to listen on; port 0 takes a free one, which the first line of output names.
    #[arg(long, default_value = "127.0.0.1:9100")]
    listen: SocketAddr,
    /// File that gets a JSON line for each request.
    #[arg(long)]
    journal: Option<PathBuf>,
    /// Keep no journal at all.
    #[arg(long, conflicts_with = "journal")]
    no_journal: bool,
    /// Seed of all draws.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads that serve.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    threads: u8,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(usize::from(arguments.threads))
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(run(arguments))
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let simulator = match &arguments.journal {
        Some(path) => Simulator::with_file(arguments.seed, path)
            .with_context(|| format!("cannot open {}", path.display()))?,
        None if arguments.no_journal => Simulator::without_journal(),
        None => Simulator::seeded(arguments.seed),
    };
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let line = format!("http://{}/v1\n", listener.local_addr()?);
    std::io::stdout().write_all(line.as_bytes())?;
    tokio::select! {
        ended = serve(listener, simulator) => ended.context("the simulator stopped"),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}
