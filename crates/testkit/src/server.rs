//! The whole server, put together as the binary does, with the simulator for a provider.

mod probe;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use signalbox_core::id::{AccountId, GenerationId};
use signalbox_core::{Plans, Usd, limits};
use signalbox_gateway::{Exit, Gateway, HealthKeeper, Settings};
use signalbox_platform::people::mail::KeptMail;
use signalbox_platform::{
    IssuedAccount, IssuedKey, KeyPrefix, NewKey, People, Platform, Purchases, RevokeOld,
};
use signalbox_policy::health::Figures;
use signalbox_runtime::{Clock, task};
use signalbox_server::{App, Listening};
use signalbox_simulator::{Count, Journal, Running, Simulator};
use signalbox_store::{Balance, GenerationRow, Ledger, Store, StoreSettings};
use signalbox_vault::{Kek, Vault};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{Caller, Offer, Setup, eventually};

/// What all test servers seal secrets with.
const KEK: [u8; 32] = *b"the key of all the test servers!";
/// How long reservations may stay open once nobody calls any more.
const SETTLED_WITHIN: Duration = Duration::from_secs(5);
/// How many looks in a row must find nothing open: a request that has just arrived has no
/// reservation yet.
const QUIET_LOOKS: usize = 10;

/// A server on a free port of 127.0.0.1 with its own database, for as long as it lives.
#[derive(Debug)]
pub struct TestServer {
    /// The first account, with its keys.
    pub owner: IssuedAccount,
    /// The control plane.
    pub platform: Platform,
    /// Where credit is bought.
    pub purchases: Purchases,
    /// The live ledger.
    pub ledger: Ledger,
    /// What people were sent.
    pub mail: Arc<KeptMail>,
    address: SocketAddr,
    gateway: Arc<Gateway>,
    simulator: Simulated,
    serving: JoinHandle<Option<()>>,
    stop: CancellationToken,
    keeper: HealthKeeper,
    folder: Option<TempDir>,
}

/// A simulator without a debug form.
struct Simulated(Running);

impl std::fmt::Debug for Simulated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Simulated({})", self.0.address())
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.cancel();
        self.serving.abort();
    }
}

impl TestServer {
    /// A server whose owner has a hundred dollars.
    pub async fn start(offer: Offer) -> Self {
        Self::start_as(offer, Setup::default()).await
    }

    /// A server whose owner has this credit in dollars; `"0"` is none.
    pub async fn start_with(offer: Offer, credit: &'static str) -> Self {
        Self::start_as(offer, Setup { credit, ..Setup::default() }).await
    }

    /// The same by this clock, which a test may move.
    pub async fn start_at(offer: Offer, credit: &'static str, clock: Clock) -> Self {
        Self::start_as(offer, Setup { credit, clock, ..Setup::default() }).await
    }

    /// A server with this setup.
    ///
    /// # Panics
    /// When any part does not start.
    pub async fn start_as(offer: Offer, setup: Setup) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let credit = setup.credit;
        let server = Self::open(folder, offer, setup, None).await;
        server.grant(&server.owner.account_id, credit).await;
        server
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.as_ref().expect("a folder").path()
    }

    /// Another gateway with a clock of its own on the database of this one, which is that of `setup`,
    /// too. They have the owner in common.
    ///
    /// # Panics
    /// When any part does not start.
    pub async fn beside(&self, offer: Offer, setup: Setup) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::open(folder, offer, setup, Some(self.owner.clone())).await
    }

    /// Stops, and starts again with the same database and owner.
    ///
    /// # Panics
    /// When any part does not stop or start.
    pub async fn restarted(mut self, offer: Offer, clock: Clock) -> Self {
        self.stop().await;
        let folder = self.folder.take().expect("a folder");
        let owner = self.owner.clone();
        drop(self);
        let setup = Setup { clock, ..Setup::default() };
        Self::open(folder, offer, setup, Some(owner)).await
    }

    async fn open(
        folder: TempDir,
        offer: Offer,
        setup: Setup,
        owner: Option<IssuedAccount>,
    ) -> Self {
        let clock = setup.clock;
        let file = || format!("sqlite://{}", folder.path().join("signalbox.db").display());
        let url = setup.database.unwrap_or_else(file);
        let outbox = folder.path().join("outbox.db");
        let settings = StoreSettings { outbox, readers: setup.readers, ..StoreSettings::default() };
        let store = Store::open_as(&url, clock.clone(), settings).await.expect("a store");
        let vault = Vault::new(Kek::new(KEK), Vec::new());
        store.unlock(vault).await.expect("secrets that the key of all test servers opens");
        let ledger = Ledger::open(&store).await.expect("a ledger");
        let simulator = if setup.journal { Simulator::new() } else { Simulator::without_journal() };
        let simulator = signalbox_simulator::start(simulator).await.expect("a simulator");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let world = offer.world(&simulator.base_url());
        let settings = Settings {
            timeouts: setup.timeouts,
            hedge_percent: setup.hedge_percent,
            drains: setup.drains,
            plans: setup.plans.clone(),
            own_keys: setup.own_keys.unwrap_or_else(|| signalbox_server::own_keys(&store)),
            recognition: setup.recognition,
            moderator: setup.moderator,
            regions: setup.regions,
            reach: setup.reach,
            ..Settings::new(format!("http://{address}"))
        };
        let gateway = Gateway::new(&store, ledger.clone(), world, clock.clone(), settings);
        let terms = signalbox_platform::Settings { plans: setup.plans, ..Default::default() };
        let platform = Platform::new(&store, KeyPrefix::default()).with_settings(terms);
        let owner = match owner {
            Some(owner) => owner,
            None => platform.bootstrap(RevokeOld::No).await.expect("the first account"),
        };
        let keeper = HealthKeeper::restore(&gateway, &store).await;
        let purchases = Purchases::new(&store, setup.purchases, Plans::default());
        let purchases = purchases.expect("purchases that can be set up");
        let (gate, sells) = (Arc::clone(&gateway), purchases.clone());
        let (mail, url) = (Arc::new(KeptMail::default()), format!("http://{address}"));
        let (sent, records) = (Arc::clone(&mail) as _, setup.records);
        let people = People::looking_up(&platform, setup.people, sent, records, &url);
        let app = App::complete(gate, sells, people, clock);
        let stop = CancellationToken::new();
        let listening = Listening { stop: stop.clone(), proxies: setup.proxies };
        let serving = task::spawn("server", signalbox_server::serve(listener, app, listening));
        Self {
            owner,
            platform,
            purchases,
            ledger,
            mail,
            address,
            gateway,
            simulator: Simulated(simulator),
            serving,
            stop,
            keeper,
            folder: Some(folder),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client with the owner's API key.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller::new(self.address, &self.owner.api_key)
    }

    /// A client with the owner's management key.
    #[must_use]
    pub fn manager(&self) -> Caller {
        Caller::new(self.address, &self.owner.management_key)
    }

    /// What the simulator really did.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.simulator.0.journal()
    }

    /// From now on, `switch-NAME` in a behaviour stands for this one.
    pub fn switch(&self, name: &str, behaviour: &str) {
        self.simulator.0.simulator().switch(name, behaviour);
    }

    /// Lets answers of a behaviour with a `halt-` in it go on.
    pub fn go_on(&self, behaviour: &str) {
        self.simulator.0.simulator().go_on(behaviour);
    }

    /// How many answers of it have halted.
    #[must_use]
    pub fn halted(&self, behaviour: &str) -> usize {
        self.simulator.0.simulator().halted(behaviour)
    }

    /// Lets what was changed about an account hold for its next request.
    pub async fn renew(&self, account: &AccountId) {
        self.gateway.authenticator.renew(account).await;
    }

    /// How many generations ended in this way.
    #[must_use]
    pub fn ended(&self, exit: Exit) -> u64 {
        self.gateway.exits.count(exit)
    }

    /// How many answers are read on for clients that have left.
    #[must_use]
    pub fn draining(&self) -> usize {
        self.gateway.draining()
    }

    /// How many requests the simulator had, and has, for endpoints of this behaviour.
    #[must_use]
    pub fn count(&self, behaviour: &str) -> Count {
        self.simulator.0.simulator().count(behaviour)
    }

    /// The same for all endpoints.
    #[must_use]
    pub fn counted(&self) -> Count {
        self.simulator.0.simulator().counted()
    }

    /// What was measured of the first endpoint of a model.
    ///
    /// # Panics
    /// When there is no such model.
    #[must_use]
    pub fn measured(&self, model: &str) -> Figures {
        let world = self.gateway.world.load();
        let endpoints = world.catalog.endpoints(model);
        self.gateway.measured(&endpoints.first().expect("an endpoint").id)
    }

    /// Another account with this credit in dollars.
    ///
    /// # Panics
    /// When it can't be made.
    pub async fn account(&self, email: &str, credit: &str) -> IssuedAccount {
        let account = self.platform.create_account(email).await.expect("an account");
        self.grant(&account.account_id, credit).await;
        account
    }

    /// Adds credit in dollars; `"0"` adds nothing.
    ///
    /// # Panics
    /// When the grant is refused.
    pub async fn grant(&self, account: &AccountId, credit: &str) {
        let amount: Usd = credit.parse().expect("an amount of dollars");
        if amount > Usd::ZERO {
            let granted = self.platform.grant(account, amount, "test", "test").await;
            granted.expect("a grant");
        }
    }

    /// Another key of the owner.
    ///
    /// # Panics
    /// When it can't be made.
    pub async fn key(&self, wanted: NewKey) -> IssuedKey {
        self.platform.create_key(&self.owner.account_id, wanted).await.expect("a key")
    }

    /// The owner's balance, as durable now.
    ///
    /// # Panics
    /// When the store does not answer.
    pub async fn balance(&self) -> Balance {
        let balance = self.platform.store().balance(&self.owner.account_id).await;
        balance.expect("a store that answers").expect("the owner's balance")
    }

    /// A stored generation of the owner.
    ///
    /// # Panics
    /// When there is none.
    pub async fn generation(&self, id: &str) -> GenerationRow {
        let id = GenerationId::new(id);
        let found = self.platform.store().generation(&self.owner.account_id, &id).await;
        let found = found.expect("a store that answers");
        found.unwrap_or_else(|| panic!("no generation {id} is stored"))
    }

    /// Waits until no reservation is open and everything is durable.
    ///
    /// # Panics
    /// When a reservation is still open after five seconds.
    pub async fn settled(&self) {
        let mut quiet = 0;
        let what = "the end of every reservation";
        eventually(SETTLED_WITHIN, what, async || {
            quiet = if self.ledger.open_count() == 0 { quiet + 1 } else { 0 };
            (quiet >= QUIET_LOOKS).then_some(())
        })
        .await;
        self.ledger.flush().await.expect("a ledger that writes");
    }

    /// Checks every money invariant over the stored rows.
    ///
    /// # Panics
    /// When one is broken; the sentence lists the breaches.
    pub async fn audit(&self) {
        let report = self.platform.audit().await.expect("an audit");
        let breaches: Vec<String> = report
            .breaches
            .iter()
            .map(|one| format!("{} {}: {}", one.invariant, one.subject, one.detail))
            .collect();
        let (count, list) = (report.breach_count, breaches.join("\n"));
        assert!(report.is_clean(), "the audit found {count} breaches:\n{list}");
    }

    /// Settled, and the books are right.
    ///
    /// # Panics
    /// As [`TestServer::settled`] and [`TestServer::audit`].
    pub async fn closes_clean(&self) {
        self.settled().await;
        self.audit().await;
    }

    /// Stops as the binary does: no more requests, open answers end, leases are given back.
    ///
    /// # Panics
    /// When it does not stop.
    pub async fn stop(&self) {
        self.stop_within(limits::STOP_TIMEOUT).await;
    }

    /// The same, with this patience for open answers.
    ///
    /// # Panics
    /// When it does not stop.
    pub async fn stop_within(&self, patience: Duration) {
        self.stop.cancel();
        self.gateway.idle_within(patience).await;
        self.keeper.save().await.expect("a store that writes");
        self.ledger.shutdown().await.expect("a ledger that stops");
    }
}
