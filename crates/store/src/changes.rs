//! News of changes, also of those that other processes made.
//!
//! Whoever changes a key or an account adds a row to `changes` in the same transaction. Every open
//! store follows that table.

use std::sync::Arc;
use std::time::Duration;

use signalbox_core::id::{AccountId, KeyHash, PurseId};
use signalbox_core::{Timestamp, Usd};
use tokio::sync::{Notify, broadcast};

use crate::error::StoreError;
use crate::sql::{Connection, Pool, Row, query};

/// How often the table is read: a change of another process shows well within a second.
const POLL: Duration = Duration::from_millis(200);

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
}

impl Change {
    const fn topic(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Account(_) => "account",
            Self::Wanted { .. } => "wanted",
            Self::Freed(_) => "freed",
        }
    }

    fn subject(&self) -> String {
        match self {
            Self::Key(hash) => hash.to_string(),
            Self::Account(id) => id.to_string(),
            Self::Wanted { purse, amount, rank } => format!("{}:{rank} {purse}", amount.nanos()),
            Self::Freed(purse) => purse.to_string(),
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
    mut seen: i64,
    news: broadcast::Sender<Change>,
    nudge: Arc<Notify>,
) {
    let mut tick = tokio::time::interval(POLL);
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
}
