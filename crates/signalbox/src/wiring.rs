//! Putting the parts together: the store, and the world that requests see.

use std::collections::HashSet;
use std::sync::Arc;

use signalbox_catalog::Snapshot;
use signalbox_gateway::World;
use signalbox_platform::people::mail::{Mail, PrintedMail, QueuedMail};
use signalbox_platform::purchase::Watch;
use signalbox_platform::{KeyPrefix, People, Platform, Purchases};
use signalbox_runtime::{Clock, task};
use signalbox_simulator::{Running, Simulator};
use signalbox_store::{Ledger, Store, StoreSettings};
use signalbox_upstream::{Client, Smtp, discover};
use tokio::task::AbortHandle;

use crate::config::Config;
use crate::exit::Stop;
use crate::{credentials, demo, local};

/// Opens the database for serving, making it if there is none.
pub(crate) async fn store(config: &Config, clock: Clock) -> Result<Store, Stop> {
    open(config, clock, config.store.clone()).await
}

/// The same for an operator's command, which rather waits for a busy server than fail.
pub(crate) async fn store_for_command(config: &Config) -> Result<Store, Stop> {
    open(config, Clock::system(), config.store.clone().patient()).await
}

async fn open(config: &Config, clock: Clock, settings: StoreSettings) -> Result<Store, Stop> {
    let url = &config.database_url;
    let opened = Store::open_as(url, clock, settings).await;
    opened.map_err(|error| Stop::usage(format!("database: {}: {error}", shown(url))))
}

/// A database's address without what may be a password in it.
fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    if scheme == "sqlite" {
        return url.to_owned();
    }
    // What stands before the last @ may be a password; so may a parameter.
    let rest = rest.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{}", rest.split('?').next().unwrap_or_default())
}

/// Purchases, and the task that watches balances where credit can be bought.
pub(crate) fn purchases(
    config: &Config,
    store: &Store,
    ledger: &Ledger,
) -> Result<(Purchases, Option<AbortHandle>), Stop> {
    let settings = config.purchases.clone();
    let sells = settings.stripe.is_some() || settings.crypto.is_some();
    let purchases = Purchases::new(store, settings, config.money.plans.clone())
        .map_err(|error| Stop::usage(format!("stripe or crypto: {error}")))?;
    if purchases.is_deaf() {
        tracing::warn!("stripe.webhook_secret is not set: no payment will be heard of");
    }
    let ledger = ledger.clone();
    let watch = Watch::new(&purchases, Arc::new(move |account| ledger.available(account)));
    let watching = sells.then(|| task::spawn("purchases", watch.run()).abort_handle());
    Ok((purchases, watching))
}

/// The control plane over a store.
pub(crate) fn platform(config: &Config, store: &Store) -> Result<Platform, Stop> {
    let prefix = KeyPrefix::new(&config.key_prefix).map_err(|e| Stop::usage(e.to_string()))?;
    Ok(Platform::new(store, prefix).with_settings(config.money.clone()))
}

/// People of this installation. Without a mail server, their mail is printed to the log.
pub(crate) fn people(config: &Config, platform: &Platform) -> Result<People, Stop> {
    if config.people.weak_challenges {
        tracing::warn!(
            "oauth.weak_challenges: whoever sees the code of an app on its way has the key"
        );
    }
    let mail: Arc<dyn Mail> = match &config.mail {
        None => Arc::new(PrintedMail),
        Some(server) => {
            let smtp = Smtp::new(server).map_err(|error| Stop::usage(format!("mail: {error}")))?;
            Arc::new(QueuedMail::new(Arc::new(smtp)))
        }
    };
    Ok(People::new(platform, config.people.clone(), mail, &config.public_url))
}

/// What can be called.
pub(crate) struct Offered {
    /// Catalogue and roads.
    pub world: World,
    /// For the log: how many providers are live, and whether it is a demo.
    pub summary: String,
}

/// The catalogue with everything that can be called: configured providers, those with a key in the
/// environment, local servers; in demo mode and with nothing else, the simulator.
pub(crate) async fn world(config: &Config, demo: bool) -> Result<Offered, Stop> {
    let built_in = Snapshot::embedded().map_err(|error| Stop::failed(error.to_string()))?;
    let mut rows = config.catalogue.clone();
    let keys = credentials::collect(&built_in, &rows)?;
    let servers = discover::local_servers(&Client::new(), config.listen).await;
    local::offer(&servers, &mut rows)?;
    let nothing = keys.is_empty() && servers.is_empty() && config.catalogue.providers.is_empty();
    let simulated = demo && nothing;
    if simulated {
        let running = simulator().await?;
        demo::offer(&running.base_url(), &mut rows)?;
        // It serves as long as the process does.
        drop(task::spawn("simulator", async move {
            let _running = running;
            std::future::pending::<()>().await;
        }));
    }
    let slugs: HashSet<String> = keys.keys().cloned().collect();
    let catalog =
        Snapshot::build(built_in, rows, &slugs).map_err(|error| Stop::usage(error.to_string()))?;
    let live = catalog
        .models()
        .filter(|model| catalog.endpoints(&model.id).iter().any(|one| one.blocked.is_none()))
        .count();
    let world = World::new(catalog, &keys).map_err(|error| Stop::usage(error.to_string()))?;
    let note = if simulated { ", simulated for the demo" } else { "" };
    Ok(Offered { world, summary: format!("{live} models can be called{note}") })
}

async fn simulator() -> Result<Running, Stop> {
    signalbox_simulator::start(Simulator::without_journal())
        .await
        .map_err(|error| Stop::failed(format!("the simulator could not start: {error}")))
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn an_address_is_shown_without_its_password() {
        assert_eq!(shown("postgres://me:p@ss@host:5432/db?password=x"), "postgres://host:5432/db");
        assert_eq!(shown("sqlite://data/a.db"), "sqlite://data/a.db");
    }
}
