//! What every route can reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signalbox_gateway::Gateway;
use signalbox_platform::people::mail::PrintedMail;
use signalbox_platform::{People, PeopleSettings, Platform, Purchases};
use signalbox_runtime::Clock;

/// The two planes behind the routes. Clones are cheap.
#[derive(Debug, Clone)]
pub struct App(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    gateway: Arc<Gateway>,
    platform: Platform,
    purchases: Purchases,
    people: People,
    clock: Clock,
    ready: AtomicBool,
}

impl App {
    /// An application that is ready to serve.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>, platform: Platform, clock: Clock) -> Self {
        let purchases = Purchases::none(platform.store());
        Self::selling(gateway, platform, purchases, clock)
    }

    /// The same where credit can be bought.
    #[must_use]
    pub fn selling(
        gateway: Arc<Gateway>,
        platform: Platform,
        purchases: Purchases,
        clock: Clock,
    ) -> Self {
        let settings = PeopleSettings::default();
        let mail = Arc::new(PrintedMail);
        let people = People::new(&platform, settings, mail, &gateway.public_url);
        Self::complete(gateway, purchases, people, clock)
    }

    /// The same with people who sign in as the operator decided.
    #[must_use]
    pub fn complete(
        gateway: Arc<Gateway>,
        purchases: Purchases,
        people: People,
        clock: Clock,
    ) -> Self {
        let (platform, ready) = (people.platform().clone(), AtomicBool::new(true));
        Self(Arc::new(Shared { gateway, platform, purchases, people, clock, ready }))
    }

    pub(crate) fn gateway(&self) -> &Arc<Gateway> {
        &self.0.gateway
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.0.platform
    }

    pub(crate) fn purchases(&self) -> &Purchases {
        &self.0.purchases
    }

    pub(crate) fn people(&self) -> &People {
        &self.0.people
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.0.ready.load(Ordering::Relaxed)
    }

    /// From now on `/health/ready` says no: the process is about to stop.
    pub(crate) fn stop_being_ready(&self) {
        self.0.ready.store(false, Ordering::Relaxed);
    }
}
