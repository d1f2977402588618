//! News of changes, also of those that other processes made.
//!
//! Whoever changes a key or an account adds a row to `changes` in the same transaction. Every open
//! store follows that table: every so often, at once after a commit of its own, and with PostgreSQL when
//! a trigger on the table says so.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use signalbox_core::id::{AccountId, KeyHash, PurseId};
use signalbox_core::{Timestamp, Usd};
use signalbox_runtime::Clock;
use tokio::sync::{Notify, broadcast};

use crate::error::StoreError;
use crate::sql::{Connection, Pool, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// Rows are kept for at least so long after they were written.
const KEPT: Duration = Duration::from_secs(3_600);
/// Who has not looked for so long, in milliseconds, may have missed some.
const GAP_MILLIS: i64 = 1_800_000;
/// Time between two removals of old rows, and rows of one transaction.
const PRUNE_EVERY: Duration = Duration::from_secs(600);
const PRUNED_AT_ONCE: i64 = 2_000;

/// The rank of a wish that gives way to every other.
const WEAKEST: &str = "18446744073709551615";

/// Something that copies in memory must follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A key was made, changed or deleted.
    Key(KeyHash),
    /// An account was made, or credit came in.
    Account(AccountId),
    /// Somebody needs this much of a purse and asks those that hold leases of it to give some back.
    Wanted {
        /// The purse.
        purse: PurseId,
        /// How much is missing.
        amount: Usd,
        /// A lower one goes first when several want the same.
        rank: u64,
    },
    /// Somebody gave back a part of a purse.
    Freed(PurseId),
    /// So much time has passed without a look that news may have been missed. It has no row.
    All,
}

impl Change {
    const fn topic(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Account(_) => "account",
            Self::Wanted { .. } => "wanted",
            Self::Freed(_) => "freed",
            Self::All => "all",
        }
    }

    fn subject(&self) -> String {
        match self {
            Self::Key(hash) => hash.to_string(),
            Self::Account(id) => id.to_string(),
            Self::Wanted { purse, amount, rank } => format!("{}:{rank} {purse}", amount.nanos()),
            Self::Freed(purse) => purse.to_string(),
            Self::All => String::new(),
        }
    }

    fn read(topic: &str, subject: String) -> Option<Self> {
        match topic {
            "key" => Some(Self::Key(KeyHash::new(subject))),
            "account" => Some(Self::Account(AccountId::new(subject))),
            "wanted" => {
                let (wish, purse) = subject.split_once(' ')?;
                // Earlier versions had no ranks.
                let (amount, rank) = wish.split_once(':').unwrap_or((wish, WEAKEST));
                let amount = Usd::from_nanos(amount.parse().ok()?);
                let rank = rank.parse().ok()?;
                Some(Self::Wanted { purse: PurseId::new(purse), amount, rank })
            }
            "freed" => Some(Self::Freed(PurseId::new(subject))),
            _ => None,
        }
    }
}

/// Adds a row of news to the running transaction.
pub(crate) async fn announce(
    connection: &mut Connection,
    change: &Change,
    now: Timestamp,
) -> Result<(), StoreError> {
    query("INSERT INTO changes (topic, subject, at) VALUES ($1, $2, $3)")
        .bind(change.topic())
        .bind(change.subject())
        .bind(now.micros())
        .execute(connection)
        .await?;
    Ok(())
}

/// The number of the latest row of news; 0 when there is none.
pub(crate) async fn latest(readers: &Pool) -> Result<i64, StoreError> {
    let row = query("SELECT coalesce(max(seq), 0) FROM changes").fetch_one(readers).await?;
    row.try_get(0)
}

/// Follows the table for ever and passes on what is new, in order.
pub(crate) async fn tail(
    readers: Pool,
    clock: Clock,
    mut seen: i64,
    news: broadcast::Sender<Change>,
    nudge: Arc<Notify>,
    poll: Duration,
) {
    let mut looked = clock.now();
    let mut tick = tokio::time::interval(poll);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = nudge.notified() => {}
        }
        match read_after(&readers, seen).await {
            Ok(rows) => {
                failing = false;
                let now = clock.now();
                if now > looked.plus_millis(GAP_MILLIS) {
                    drop(news.send(Change::All));
                }
                looked = now;
                for (seq, change) in rows {
                    seen = seq;
                    if let Some(change) = change {
                        drop(news.send(change));
                    }
                }
            }
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(%error, "changes of other processes can't be read for now");
            }
            Err(_) => {}
        }
    }
}

async fn read_after(readers: &Pool, seen: i64) -> Result<Vec<(i64, Option<Change>)>, StoreError> {
    let rows =
        query("SELECT seq, topic, subject FROM changes WHERE seq > $1 ORDER BY seq LIMIT 512")
            .bind(seen)
            .fetch_all(readers)
            .await?;
    rows.iter()
        .map(|row| {
            let topic: &str = row.try_get(1)?;
            Ok((row.try_get(0)?, Change::read(topic, row.try_get(2)?)))
        })
        .collect()
}

/// Removes rows that every process has read long ago. It goes by the time that passes here, so that
/// nobody's clock matters.
#[derive(Debug, Default)]
pub(crate) struct Pruner {
    next: Duration,
    /// The last row at moments that have passed.
    marks: VecDeque<(Duration, i64)>,
}

impl Pruner {
    /// Up to which row the table can be emptied now, if it is time to look.
    pub async fn due(&mut self, store: &Store) -> Result<Option<i64>, StoreError> {
        let now = store.clock().monotonic();
        if now < self.next {
            return Ok(None);
        }
        self.next = now.saturating_add(PRUNE_EVERY);
        self.marks.push_back((now, latest(store.readers()).await?));
        let mut last = None;
        while let Some((at, seq)) = self.marks.front()
            && at.saturating_add(KEPT) <= now
        {
            last = Some(*seq);
            self.marks.pop_front();
        }
        Ok(last)
    }
}

/// Removes the rows up to `last`, a few in each transaction.
pub(crate) async fn prune(store: &Store, last: i64) -> Result<(), StoreError> {
    loop {
        let removed = store
            .write(Durability::Process, move |connection| {
                Box::pin(async move {
                    let done = query(
                        "DELETE FROM changes WHERE seq <= $1 \
                         AND seq < (SELECT min(seq) FROM changes) + $2",
                    )
                    .bind(last)
                    .bind(PRUNED_AT_ONCE)
                    .execute(connection)
                    .await?;
                    Ok(done.rows_affected())
                })
            })
            .await?;
        if removed == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_reads_back_from_its_row() {
        for change in [
            Change::Key(KeyHash::new("ab")),
            Change::Account(AccountId::new("acc_1")),
            Change::Wanted {
                purse: PurseId::new("key:ab/daily"),
                amount: Usd::from_nanos(7),
                rank: 12,
            },
            Change::Freed(PurseId::new("credit:acc_1")),
        ] {
            let read = Change::read(change.topic(), change.subject());
            assert_eq!(read, Some(change));
        }
        let weak = Change::read("wanted", "7 key:ab/daily".to_owned());
        assert!(matches!(weak, Some(Change::Wanted { rank: u64::MAX, .. })), "{weak:?}");
        assert_eq!(Change::read("later", String::new()), None);
    }

    async fn rows(store: &Store) -> Vec<i64> {
        let rows = query("SELECT seq FROM changes ORDER BY seq").fetch_all(store.readers()).await;
        rows.unwrap().iter().map(|row| row.try_get(0).unwrap()).collect()
    }

    async fn tell(store: &Store, count: usize) {
        let now = store.clock().now();
        for _ in 0..count {
            let told = store.write(Durability::Process, move |connection| {
                let change = Change::Freed(PurseId::new("credit:acc_1"));
                Box::pin(async move { announce(connection, &change, now).await })
            });
            told.await.unwrap();
        }
    }

    #[tokio::test]
    async fn rows_are_removed_once_everybody_has_had_an_hour_to_read_them() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("a.db").display());
        let clock = Clock::manual(Timestamp::from_seconds(1_788_220_800));
        let store = Store::open(&url, clock.clone()).await.unwrap();
        let mut pruner = Pruner::default();
        let mut look = async || {
            if let Some(last) = pruner.due(&store).await.unwrap() {
                prune(&store, last).await.unwrap();
            }
        };
        tell(&store, 5).await;
        look().await;
        clock.advance(Duration::from_secs(3_000));
        tell(&store, 3).await;
        look().await;
        assert_eq!(rows(&store).await, [1, 2, 3, 4, 5, 6, 7, 8]);
        clock.advance(Duration::from_secs(700));
        look().await;
        assert_eq!(rows(&store).await, [6, 7, 8], "what was there an hour ago");
        clock.advance(Duration::from_secs(30 * 86_400));
        look().await;
        assert!(rows(&store).await.is_empty());
        tell(&store, 1).await;
        assert_eq!(rows(&store).await, [9], "no number is given twice");
    }

    #[tokio::test]
    async fn who_has_not_looked_for_long_hears_that_anything_may_have_changed() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("a.db").display());
        let clock = Clock::manual(Timestamp::from_seconds(1_788_220_800));
        let store = Store::open(&url, clock.clone()).await.unwrap();
        let mut news = store.subscribe();
        tell(&store, 1).await;
        assert!(matches!(news.recv().await, Ok(Change::Freed(_))));
        clock.advance(Duration::from_secs(1_801));
        tell(&store, 1).await;
        assert_eq!(news.recv().await, Ok(Change::All));
        assert!(matches!(news.recv().await, Ok(Change::Freed(_))));
    }
}
