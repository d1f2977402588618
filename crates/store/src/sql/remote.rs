//! A PostgreSQL server: how to reach it, and whether it is there.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use signalbox_runtime::{Clock, task};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{ConnectOptions, raw_sql};

use super::Connection;
use crate::error::StoreError;

/// Longest time for a new connection.
const CONNECT: Duration = Duration::from_secs(2);
/// Longest time for one answer; a connection that does not keep it is thrown away.
const ANSWER: Duration = Duration::from_secs(20);
/// Time between two beats.
const BEAT: Duration = Duration::from_millis(40);
/// The same after a connection that could not be made.
const REDIAL: Duration = Duration::from_millis(100);
/// A second look after a caller's patience has ended, for a process that was itself too busy to see the last beat.
const SECOND_LOOK: Duration = Duration::from_millis(20);
/// Longest time without an answer to a beat.
const LOST: Duration = Duration::from_secs(5);

/// A server. Clones share its connections and its pulse.
#[derive(Clone)]
pub(crate) struct Remote {
    pub(super) options: Arc<PgConnectOptions>,
    pool: PgPool,
    pulse: Arc<Pulse>,
}

/// Beats that were answered. Slow is told from absent by it: a statement may take its time as long
/// as the server answers others.
#[derive(Debug)]
struct Pulse {
    /// A caller who has waited this long while no beat was answered hears that the database is away.
    patience: Duration,
    beats: AtomicU64,
    /// Whether it was found silent, and no beat was answered since.
    down: AtomicBool,
    /// Smoothed time that a beat takes, in microseconds.
    round_trip: AtomicU64,
}

impl Pulse {
    fn new(patience: Duration) -> Self {
        let (beats, down, round_trip) = Default::default();
        Self { patience, beats, down, round_trip }
    }

    fn beat(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let known = self.round_trip.load(Ordering::Relaxed);
        let smoothed = known.saturating_mul(7).saturating_add(took) / 8;
        self.round_trip.store(smoothed, Ordering::Relaxed);
        self.beats.fetch_add(1, Ordering::Relaxed);
        self.down.store(false, Ordering::Relaxed);
    }

    fn miss(&self) {
        self.down.store(true, Ordering::Relaxed);
    }

    fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    /// How long to wait for a beat: longer when the server is far away.
    fn patience(&self) -> Duration {
        let round_trip = Duration::from_micros(self.round_trip.load(Ordering::Relaxed));
        self.patience.max(round_trip.saturating_mul(4))
    }

    /// Resolves when the server has been silent for a while.
    async fn silence(&self) {
        loop {
            let before = self.beats.load(Ordering::Relaxed);
            tokio::time::sleep(self.patience()).await;
            if self.beats.load(Ordering::Relaxed) == before {
                tokio::time::sleep(SECOND_LOOK).await;
                if self.beats.load(Ordering::Relaxed) == before {
                    self.miss();
                    return;
                }
            }
        }
    }
}

/// What a driver's call resolves to.
pub(super) type Answer<'c, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'c>>;

/// The error of a server that does not answer.
pub(crate) fn silent() -> StoreError {
    StoreError::Unavailable("the server does not answer".to_owned())
}

impl Remote {
    pub fn new(options: PgConnectOptions, pool: PgPool, patience: Duration) -> Self {
        let pulse = Arc::new(Pulse::new(patience));
        Self { options: Arc::new(options), pool, pulse }
    }

    /// A connection of its own.
    pub async fn connect(&self) -> Result<Connection, StoreError> {
        Ok(Connection::Postgres(self.dial().await?))
    }

    async fn dial(&self) -> Result<PgConnection, StoreError> {
        let longest = CONNECT.max(self.pulse.patience);
        match tokio::time::timeout(longest, self.options.connect()).await {
            Ok(connected) => Ok(connected?),
            Err(_) => Err(silent()),
        }
    }

    /// Whether the server is known to be away: then nobody has to wait for it.
    pub fn is_down(&self) -> bool {
        self.pulse.is_down()
    }

    /// Runs `work` in a task, which goes on when nobody waits for it any more: a statement that is cut
    /// off in the middle would leave its connection in the middle too. Answers early when the server
    /// is silent.
    pub async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> Answer<'c, T> + Send + 'static,
    {
        if self.is_down() {
            return Err(silent());
        }
        let pool = self.pool.clone();
        let run = async move {
            let mut connection = pool.acquire().await?;
            let done = tokio::time::timeout(ANSWER, work(&mut connection)).await;
            done.map_or_else(
                |_| {
                    connection.close_on_drop();
                    Err(silent())
                },
                |done| Ok(done?),
            )
        };
        let run = task::spawn("store-query", run);
        self.unless_silent(async { run.await.ok().flatten().unwrap_or(Err(StoreError::Closed)) })
            .await
    }

    /// Waits for an answer for as long as the server gives signs of life.
    pub async fn unless_silent<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        if self.is_down() {
            return Err(silent());
        }
        tokio::select! {
            biased;
            answer = answer => answer,
            () = self.pulse.silence() => Err(silent()),
        }
    }

    /// Feels the pulse for ever.
    pub async fn watch(self) {
        let clock = Clock::system();
        let mut connection = None;
        loop {
            if connection.is_none() {
                connection = self.dial().await.ok();
                if connection.is_none() {
                    self.pulse.miss();
                    tokio::time::sleep(REDIAL).await;
                }
            }
            if let Some(open) = &mut connection {
                let start = clock.monotonic();
                match tokio::time::timeout(LOST, raw_sql("SELECT 1").execute(open)).await {
                    Ok(Ok(_)) => self.pulse.beat(clock.monotonic().saturating_sub(start)),
                    _ => {
                        self.pulse.miss();
                        connection = None;
                    }
                }
            }
            tokio::time::sleep(BEAT).await;
        }
    }
}
