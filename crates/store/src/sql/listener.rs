//! Hearing from PostgreSQL that news was committed, by whichever process.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{Error, raw_sql};
use tokio::sync::Notify;

use super::Remote;

/// The channel that the trigger on `changes` notifies.
const CHANNEL: &str = "signalbox_changes";
/// Longest time for a new connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Time until the next try after a connection that was lost or could not be made.
const REDIAL: Duration = Duration::from_millis(500);
/// After so long a silence the connection has to prove that it is there: one that the network has
/// forgotten looks like one on which nothing happens.
const QUIET: Duration = Duration::from_secs(15);

async fn in_time<T>(
    time: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(time, work).await.unwrap_or(Err(Error::PoolTimedOut))
}

impl Remote {
    /// Wakes `nudge` whenever somebody committed news, for ever. While there is no connection nobody is
    /// woken; each new one wakes once, for what was missed.
    pub async fn listen(self, nudge: Arc<Notify>) {
        loop {
            if let Err(error) = self.hear(&nudge).await {
                tracing::debug!(%error, "news of other processes is not announced for now");
            }
            tokio::time::sleep(REDIAL).await;
        }
    }

    async fn hear(&self, nudge: &Notify) -> Result<(), Error> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(CONNECT)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with((*self.options).clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        in_time(CONNECT, listener.listen(CHANNEL)).await?;
        nudge.notify_one();
        loop {
            match tokio::time::timeout(QUIET, listener.try_recv()).await {
                Ok(heard) => match heard? {
                    Some(_) => nudge.notify_one(),
                    // The connection is lost.
                    None => return Ok(()),
                },
                Err(_) => {
                    in_time(CONNECT, raw_sql("SELECT 1").execute(&mut listener)).await?;
                }
            }
        }
    }
}
