//! What was seen of each endpoint. Pure: every call brings the time along.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use signalbox_catalog::Endpoint;
use signalbox_core::Timestamp;

use super::entry::{Entry, Pace, lock};
use super::key::{Key, Named};
use super::tally::Figures;
use super::{Admission, EndpointHealth, Health, Observation, Seat, Sending};

/// Parts of the board, each with a table of its own.
const SHARDS: usize = 16;
/// Most entries of a part. Seats of the operator's own credential are as many as there are
/// endpoints; those of tenants' keys could be any number. About 20 KiB each when all are busy.
const SHARD_SEATS: usize = 1024;

type Seats = HashMap<Key, Arc<Entry>>;

/// Observations by endpoint and credential.
///
/// An attempt is asked for with [`HealthBoard::enter`] and, if let in, ended with
/// [`HealthBoard::record`]; in between, [`HealthBoard::answering`] says that it has content, and
/// [`HealthBoard::hanging`] whether waiting for it is pointless. The moment of `enter` is what the
/// others know it by.
///
/// Reading takes no lock. Statistics are at most a second old; the rest is up to date.
#[derive(Debug)]
pub struct HealthBoard {
    hasher: RandomState,
    shards: [Shard; SHARDS],
    paces: Mutex<HashMap<String, Arc<Pace>>>,
}

/// A table that is replaced whole when a seat is seen for the first time.
#[derive(Debug, Default)]
struct Shard {
    seats: ArcSwap<Seats>,
    growing: Mutex<()>,
}

impl Default for HealthBoard {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Shard::default()),
            paces: Mutex::default(),
        }
    }
}

impl HealthBoard {
    /// Asks to make an attempt at `now`.
    pub fn enter(&self, sending: &Sending<'_>, now: Timestamp) -> Admission {
        // What a tenant's key leads to, which may be anything, says nothing about a model.
        let pace = || match sending.seat.credential {
            None => self.pace(sending.model),
            Some(_) => Arc::default(),
        };
        self.entry(sending.seat, now).enter(sending, now, pace)
    }

    /// Notes that the attempt sent at `sent` has content: its endpoint is alive.
    pub fn answering(&self, seat: Seat<'_>, sent: Timestamp, now: Timestamp) {
        self.entry(seat, now).answering(sent, now);
    }

    /// Whether the attempt sent at `sent`, which has no content yet, should go elsewhere because
    /// its endpoint answers nobody: five attempts or more are overdue, and nothing was heard since
    /// they were sent (reliability design 5.4). The endpoint is ejected then.
    #[must_use]
    pub fn hanging(&self, seat: Seat<'_>, sent: Timestamp, now: Timestamp) -> bool {
        self.find(seat).is_some_and(|entry| entry.hanging(sent, now))
    }

    /// How long after sending an attempt without content is overdue, and [`HealthBoard::hanging`]
    /// worth asking; `whole` is for answers in one piece.
    #[must_use]
    pub fn hang_check_after(&self, seat: Seat<'_>, whole: bool) -> Duration {
        let patience = self.find(seat).unwrap_or_default().patience();
        if whole { patience.whole } else { patience.first }
    }

    /// Notes how an attempt that was let in, and sent at `sent`, went.
    pub fn record(&self, seat: Seat<'_>, sent: Timestamp, now: Timestamp, seen: Observation) {
        self.entry(seat, now).record(sent, now, seen);
    }

    /// All statistics of an endpoint with a credential.
    #[must_use]
    pub fn figures(&self, seat: Seat<'_>, now: Timestamp) -> Figures {
        self.find(seat).map_or_else(Figures::default, |entry| entry.figures(now))
    }

    fn shard(&self, endpoint: &str) -> &Shard {
        let place = self.hasher.hash_one(endpoint) as usize % SHARDS;
        let [first, ..] = &self.shards;
        self.shards.get(place).unwrap_or(first)
    }

    pub(super) fn find(&self, seat: Seat<'_>) -> Option<Arc<Entry>> {
        let seats = self.shard(seat.endpoint).seats.load();
        seats.get(&seat as &dyn Named).map(Arc::clone)
    }

    /// The seat's entry, made if there is none.
    pub(super) fn entry(&self, seat: Seat<'_>, now: Timestamp) -> Arc<Entry> {
        if let Some(entry) = self.find(seat) {
            return entry;
        }
        let shard = self.shard(seat.endpoint);
        let _growing = lock(&shard.growing);
        if let Some(entry) = self.find(seat) {
            return entry;
        }
        let entry = Arc::new(Entry::default());
        entry.touched.store(now.micros(), Ordering::Relaxed);
        let mut seats = Seats::clone(&shard.seats.load());
        if seats.len() >= SHARD_SEATS {
            forget_oldest(&mut seats);
        }
        seats.insert(Key::from(seat), Arc::clone(&entry));
        shard.seats.store(Arc::new(seats));
        entry
    }

    /// Every seat with its entry, in no particular order.
    pub(super) fn all(&self) -> impl Iterator<Item = (Key, Arc<Entry>)> {
        let of = |shard: &Shard| {
            let seats = shard.seats.load();
            let all = seats.iter().map(|(key, entry)| (key.clone(), Arc::clone(entry)));
            all.collect::<Vec<_>>()
        };
        self.shards.iter().flat_map(of)
    }

    /// What the endpoints of a model take. As many as there are models with traffic; bounded like
    /// the seats, for whoever makes up models.
    fn pace(&self, model: &str) -> Arc<Pace> {
        let mut paces = lock(&self.paces);
        if let Some(pace) = paces.get(model) {
            return Arc::clone(pace);
        }
        if paces.len() >= SHARDS * SHARD_SEATS {
            paces.clear();
        }
        Arc::clone(paces.entry(model.to_owned()).or_default())
    }
}

/// Makes room: the quarter that was not written to for longest goes, of tenants' keys as long as there
/// are any, so that they never crowd out the operator's.
fn forget_oldest(seats: &mut Seats) {
    let touched = |entry: &Entry| entry.touched.load(Ordering::Relaxed);
    let tenants = seats.keys().any(Key::is_tenants);
    let concerned = |key: &Key| key.is_tenants() == tenants;
    let all = seats.iter().filter(|(key, _)| concerned(key));
    let mut moments: Vec<i64> = all.map(|(_, entry)| touched(entry)).collect();
    let quarter = moments.len() / 4;
    let (_, limit, _) = moments.select_nth_unstable(quarter);
    let limit = *limit;
    seats.retain(|key, entry| !concerned(key) || touched(entry) > limit);
}

impl Health for HealthBoard {
    fn of(&self, endpoint: &Endpoint, credential: Option<&str>, now: Timestamp) -> EndpointHealth {
        let seat = Seat { endpoint: &endpoint.id, credential };
        let own = || self.find(Seat { credential: None, ..seat });
        let Some(entry) = self.find(seat) else {
            return match credential {
                None => EndpointHealth::default(),
                Some(_) => borrowed(EndpointHealth::default(), own(), now),
            };
        };
        let health = entry.health(now);
        if credential.is_some() { borrowed(health, own(), now) } else { health }
    }
}

/// How fast an endpoint is does not depend on who pays, so that a tenant's key starts with what is
/// known already.
fn borrowed(mut health: EndpointHealth, own: Option<Arc<Entry>>, now: Timestamp) -> EndpointHealth {
    if let (Some(own), true) = (own, health.latency_ms.is_none() || health.throughput.is_none()) {
        let figures = own.figures(now);
        health.latency_ms = health.latency_ms.or(figures.latency_5m);
        health.throughput = health.throughput.or(figures.throughput_5m);
    }
    health
}
