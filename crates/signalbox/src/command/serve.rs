//! `signalbox serve`

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use signalbox_gateway::{Gateway, HealthKeeper, Settings};
use signalbox_platform::Housekeeping;
use signalbox_runtime::{Clock, task};
use signalbox_server::{App, Listening};
use signalbox_store::{Ledger, LedgerError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Place;
use crate::exit::Stop;
use crate::{secrets, wiring};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Offers a simulated provider when no real one can be called
    #[arg(long)]
    demo: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode, Stop> {
    let config = arguments.place.load(arguments.listen)?;
    let clock = Clock::system();
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| Stop::usage(format!("listen: {}: {error}", config.listen)))?;
    let store = wiring::store(&config, clock.clone()).await?;
    secrets::unlock(&config, &store).await?;
    let ledger = Ledger::open(&store).await.map_err(|error| Stop::failed(error.to_string()))?;
    let offered = wiring::world(&config, arguments.demo).await?;
    let platform = wiring::platform(&config, &store)?;
    let world = offered.world;
    let settings = Settings {
        timeouts: config.timeouts,
        hedge_percent: config.hedge_percent,
        plans: config.money.plans.clone(),
        moderator: config.moderator.clone(),
        recognition: config.recognition.clone(),
        regions: config.regions.clone(),
        reach: config.reach.clone(),
        own_keys: signalbox_server::own_keys(&store),
        ..Settings::new(config.public_url.clone())
    };
    let gateway = Gateway::new(&store, ledger.clone(), world, clock.clone(), settings);
    let keeper = HealthKeeper::restore(&gateway, &store).await;
    let saving = task::spawn("health", keeper.clone().run());
    let keeping = Housekeeping::new(&platform);
    let keeping = keeping.map(|one| task::spawn("housekeeping", one.run()).abort_handle());
    let (purchases, watching) = wiring::purchases(&config, &store, &ledger)?;
    let people = wiring::people(&config, &platform)?;
    let app = App::complete(Arc::clone(&gateway), purchases, people, clock);
    let stop = CancellationToken::new();
    drop(task::spawn("signals", wait_for_signal(stop.clone())));
    tracing::info!(listen = %config.listen, offers = %offered.summary, "serving");
    signalbox_server::serve(listener, app, Listening { stop, proxies: config.proxies }).await;
    tracing::info!("stopping");
    gateway.idle().await;
    saving.abort();
    for task in [watching, keeping].into_iter().flatten() {
        task.abort();
    }
    if let Err(error) = keeper.save().await {
        tracing::warn!(%error, "the endpoints' health could not be saved");
    }
    end(&ledger).await?;
    Ok(ExitCode::SUCCESS)
}

/// Gives back what the process holds. While the database is away that has to wait for the next start,
/// and so do charges that are in the outbox.
async fn end(ledger: &Ledger) -> Result<(), Stop> {
    match ledger.shutdown().await {
        Err(LedgerError::Store(error)) if error.is_transient() => {
            tracing::warn!(%error, "the next start does what is left to do in the database");
            Ok(())
        }
        done => done.map_err(|error| Stop::failed(error.to_string())),
    }
}

/// Waits for the signal that asks the process to stop.
async fn wait_for_signal(stop: CancellationToken) {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        },
        Err(_) => drop(interrupt.await),
    }
    stop.cancel();
}
