//! Everything that the stages share.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use signalbox_catalog::Endpoint;
use signalbox_catalog::listing::LiveFigures;
use signalbox_core::{Timeouts, limits};
use signalbox_policy::attempt::{Refusals, Share};
use signalbox_policy::health::{Figures, Seat};
use signalbox_policy::{Candidate, HealthBoard, RetryBudget};
use signalbox_runtime::Clock;
use signalbox_store::{Ledger, Store};
use signalbox_upstream::Client;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::apps::Apps;
use crate::authenticate::Authenticator;
use crate::cache::ResponseCache;
use crate::exit::Exits;
use crate::moderation::Moderator;
use crate::orphan::Orphanage;
use crate::presets::Presets;
use crate::ratio::Ratios;
use crate::recognition::Recognition;
use crate::region::Regions;
use crate::settings::{Drains, MAX_HEDGE_PERCENT, Settings};
use crate::sticky::Sticky;
use crate::tasks::Tasks;
use crate::world::World;

/// What the data plane is made of.
#[derive(Debug)]
pub struct Gateway {
    /// What a request sees of catalogue and providers; replaced whole.
    pub world: ArcSwap<World>,
    /// Keys to principals.
    pub authenticator: Authenticator,
    /// Where the public pages are, for links in error texts.
    pub public_url: String,
    /// How generations ended.
    pub exits: Exits,
    /// The hosts whose requests stay in a region.
    pub regions: Regions,
    pub(crate) clock: Clock,
    pub(crate) ledger: Ledger,
    pub(crate) client: Client,
    pub(crate) health: HealthBoard,
    pub(crate) retries: RetryBudget,
    pub(crate) hedges: Share,
    pub(crate) refusals: Refusals,
    pub(crate) timeouts: Timeouts,
    pub(crate) ratios: Ratios,
    pub(crate) answers: ResponseCache,
    pub(crate) presets: Presets,
    pub(crate) apps: Apps,
    pub(crate) sticky: Sticky,
    pub(crate) tasks: Tasks,
    pub(crate) drains: Arc<Semaphore>,
    pub(crate) orphanage: Orphanage,
    pub(crate) draining: Drains,
    pub(crate) recognition: Option<Recognition>,
    pub(crate) moderator: Option<Arc<dyn Moderator>>,
    pub(crate) running: TaskTracker,
    /// Cancelled when answers must end because the process does.
    pub(crate) stopping: CancellationToken,
}

impl Gateway {
    /// A data plane over this store and catalogue.
    #[must_use]
    pub fn new(
        store: &Store,
        ledger: Ledger,
        world: World,
        clock: Clock,
        settings: Settings,
    ) -> Arc<Self> {
        let page = format!("{}/settings/privacy", settings.public_url).into();
        Arc::new(Self {
            world: ArcSwap::from_pointee(world),
            authenticator: Authenticator::new(
                store,
                clock.clone(),
                settings.plans,
                settings.own_keys,
                page,
            ),
            public_url: settings.public_url,
            exits: Exits::default(),
            regions: settings.regions,
            clock,
            ledger,
            client: Client::reaching(settings.reach),
            health: HealthBoard::default(),
            retries: RetryBudget::default(),
            hedges: Share::new(settings.hedge_percent.min(MAX_HEDGE_PERCENT)),
            refusals: Refusals::default(),
            timeouts: settings.timeouts,
            ratios: Ratios::default(),
            answers: ResponseCache::default(),
            presets: Presets::new(store),
            apps: Apps::new(store),
            sticky: Sticky::default(),
            tasks: Tasks::embedded(),
            drains: Arc::new(Semaphore::new(settings.drains.most)),
            orphanage: Orphanage::open(),
            draining: settings.drains,
            recognition: settings.recognition,
            moderator: settings.moderator,
            running: TaskTracker::new(),
            stopping: CancellationToken::new(),
        })
    }

    /// The name of this process in the ledger.
    #[must_use]
    pub fn holder(&self) -> Arc<str> {
        self.ledger.holder()
    }

    /// Whether names of people and addresses can be found.
    #[must_use]
    pub const fn has_recognizer(&self) -> bool {
        self.recognition.is_some()
    }

    /// How many answers are read on for clients that have left.
    #[must_use]
    pub fn draining(&self) -> usize {
        self.draining.most.saturating_sub(self.drains.available_permits())
    }

    /// How long this candidate may take; `None` is anybody.
    pub(crate) fn timeouts(&self, candidate: Option<&Candidate>) -> Timeouts {
        candidate.map_or(self.timeouts, |one| self.timeouts.with(&one.provider.timeouts))
    }

    /// What was measured of an endpoint, by its id, with the operator's credential.
    #[must_use]
    pub fn measured(&self, endpoint: &str) -> Figures {
        self.health.figures(Seat { endpoint, credential: None }, self.clock.now())
    }

    /// What was measured of an endpoint with the operator's credential; where that is too little,
    /// what was published.
    #[must_use]
    pub fn live_figures(&self, endpoint: &Endpoint) -> LiveFigures {
        let live = self.measured(&endpoint.id);
        let published = LiveFigures::published(endpoint);
        LiveFigures {
            uptime_5m: live.uptime_5m.map(f64::from).or(published.uptime_5m),
            uptime_30m: live.uptime_30m.map(f64::from).or(published.uptime_30m),
            uptime_1d: live.uptime_1d.map(f64::from).or(published.uptime_1d),
            latency_30m: live.latency_30m.or(published.latency_30m),
            throughput_30m: live.throughput_30m.or(published.throughput_30m),
        }
    }

    /// Waits until every generation has been settled; those that take too long are ended with an
    /// error.
    pub async fn idle(&self) {
        self.idle_within(limits::STOP_TIMEOUT).await;
    }

    /// The same, with this patience for those that are open.
    pub async fn idle_within(&self, patience: Duration) {
        self.running.close();
        if tokio::time::timeout(patience, self.running.wait()).await.is_ok() {
            return;
        }
        tracing::warn!(left = self.running.len(), "ending the answers that are still open");
        self.stopping.cancel();
        let last = tokio::time::timeout(limits::USAGE_WAIT, self.running.wait());
        if last.await.is_err() {
            tracing::warn!(left = self.running.len(), "stopped with generations unfinished");
        }
    }
}
