//! What the live ledger follows: grants, changed keys, dead processes, long reservations.

use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use signalbox_core::id::KeyHash;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;

use super::Inner;
use super::holder;
use crate::changes::Change;
use crate::error::StoreError;

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
    async fn apply(&self, change: Change) -> Result<(), StoreError> {
        match change {
            Change::Account(account) => {
                self.top_up(&account).await?;
                self.credit_arrived.notify_waiters();
                Ok(())
            }
            Change::Key(hash) => self.renew_key(&hash).await,
            Change::Wanted(account) => {
                self.others.store(true, Ordering::Relaxed);
                if self.is_wanted_here(&account) {
                    return Ok(());
                }
                self.give_back_half(&account).await
            }
        }
    }

    async fn renew_key(&self, hash: &KeyHash) -> Result<(), StoreError> {
        if let Some(key) = self.store.key(hash).await? {
            self.shards.of(&key.account).lock().renew(&key);
        }
        Ok(())
    }

    async fn refresh_all(&self) -> Result<(), StoreError> {
        for shard in self.shards.iter() {
            let accounts = shard.lock().accounts();
            for account in accounts {
                self.top_up(&account).await?;
                for key in self.store.keys_of(&account).await? {
                    shard.lock().renew(&key);
                }
            }
        }
        self.credit_arrived.notify_waiters();
        Ok(())
    }

    async fn look_around(&self) -> Result<(), StoreError> {
        self.post_young(Some(self.store.clock().now().plus_millis(-YOUNG_MILLIS)));
        let now = self.store.clock().monotonic();
        for shard in self.shards.iter() {
            let ended = shard.lock().end_yields(now);
            for account in ended {
                self.top_up(&account).await?;
            }
        }
        let others = holder::bury_the_dead(&self.store, &self.holder).await?;
        self.others.store(others, Ordering::Relaxed);
        Ok(())
    }
}
