//! What a test server is started with.

use std::sync::Arc;

use signalbox_core::{Plans, Timeouts};
use signalbox_gateway::{Drains, Moderator, OwnKeys, Reach, Recognition, Regions};
use signalbox_platform::people::records::{SystemRecords, TxtRecords};
use signalbox_platform::{PeopleSettings, PurchaseSettings};
use signalbox_runtime::Clock;
use signalbox_server::Proxies;
use signalbox_store::StoreSettings;

/// What the owner's account has to begin with.
const CREDIT: &str = "100";

/// What a test server is started with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Dollars that the owner has; `"0"` is none.
    pub credit: &'static str,
    /// How long providers may take, where their rows say nothing.
    pub timeouts: Timeouts,
    /// Percent of the streams that may be hedged.
    pub hedge_percent: u8,
    /// The time of day; a test may move it.
    pub clock: Clock,
    /// The URL of a database of the test's own; absent for a file in the server's folder.
    pub database: Option<String>,
    /// Connections that only read, where the database is a server.
    pub readers: u32,
    /// How far answers are read on for clients that have left.
    pub drains: Drains,
    /// What accounts may do and what they pay.
    pub plans: Plans,
    /// Whether the simulator notes every request. Many thousands are only counted.
    pub journal: bool,
    /// Where the own provider keys of callers come from; their rows, unless a test says otherwise.
    pub own_keys: Option<OwnKeys>,
    /// Where addresses of callers may lead.
    pub reach: Reach,
    /// What credit is sold with; nothing, unless a test says so.
    pub purchases: PurchaseSettings,
    /// Who may sign up, and what apps may do.
    pub people: PeopleSettings,
    /// Who looks up the records of domains.
    pub records: Arc<dyn TxtRecords>,
    /// The proxies in front of it.
    pub proxies: Proxies,
    /// What finds names of people and addresses.
    pub recognition: Option<Recognition>,
    /// What judges prompts for endpoints that require it.
    pub moderator: Option<Arc<dyn Moderator>>,
    /// The hosts whose requests stay in a region.
    pub regions: Regions,
}

impl Default for Setup {
    fn default() -> Self {
        let (timeouts, clock) = (Timeouts::default(), Clock::system());
        Self {
            credit: CREDIT,
            timeouts,
            hedge_percent: 0,
            clock,
            drains: Drains::default(),
            plans: Plans::default(),
            database: None,
            readers: StoreSettings::default().readers,
            journal: true,
            own_keys: None,
            reach: Reach::PublicOnly,
            purchases: PurchaseSettings::default(),
            people: PeopleSettings::default(),
            records: Arc::new(SystemRecords),
            proxies: Proxies::default(),
            recognition: None,
            moderator: None,
            regions: Regions::default(),
        }
    }
}
