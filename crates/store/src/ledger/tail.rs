//! What the live ledger follows: credit that comes in, wishes of others, dead processes, long
//! reservations, purses that nobody uses any more.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;

use super::{Inner, LedgerError};
use crate::changes::Change;

/// Time between two looks at long reservations and at other processes.
const TICK: Duration = Duration::from_millis(500);
/// A reservation that is open for longer gets a row of its own before it ends.
const YOUNG_MILLIS: i64 = 1000;
/// Follows until the ledger is gone.
pub(super) async fn follow(ledger: Weak<Inner>, mut news: Receiver<Change>) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let heard = tokio::select! {
            biased;
            heard = news.recv() => Some(heard),
            _ = tick.tick() => None,
        };
        let Some(ledger) = ledger.upgrade() else { return };
        let done = match heard {
            None => ledger.look_around().await,
            Some(Ok(change)) => ledger.apply(change).await,
            Some(Err(RecvError::Lagged(_))) => ledger.refresh_all().await,
            Some(Err(RecvError::Closed)) => return,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "the live ledger could not follow a change yet");
        }
    }
}

impl Inner {
    async fn apply(self: &Arc<Self>, change: Change) -> Result<(), LedgerError> {
        match change {
            Change::Account(account) => {
                self.top_up(&signalbox_ledger::Draw::credit(&account).purse).await
            }
            Change::Freed(purse) => self.top_up(&purse).await,
            Change::Wanted { purse, amount, rank } => {
                if self.wishes.outrank(&purse, rank) {
                    return Ok(());
                }
                self.share(&purse, amount, rank).await
            }
            // Whoever spends with a key brings its limit along.
            Change::Key(_) => Ok(()),
            Change::All => self.refresh_all().await,
        }
    }

    async fn refresh_all(self: &Arc<Self>) -> Result<(), LedgerError> {
        for shard in self.shards.iter() {
            let draws = shard.lock().all_draws();
            for (draw, _) in draws {
                self.top_up(&draw.purse).await?;
            }
        }
        Ok(())
    }

    async fn look_around(self: &Arc<Self>) -> Result<(), LedgerError> {
        let now = self.vault.clock().now();
        self.post_young(Some(now.plus_millis(-YOUNG_MILLIS)));
        self.ask_again().await?;
        self.end_leaving().await?;
        self.sweep(now).await?;
        Ok(self.vault.look_around().await?)
    }
}
