//! The rows of leases. Each change is one transaction.

use std::sync::Arc;

use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Counts, Draw, Leased, Source};

use super::vault::LeaseOp;
use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::keys::day_of;
use crate::sql::{Connection, Row, query};

/// Does a change once: asked again, it answers as it did then. `None` when the account of a credit
/// does not exist.
pub(crate) async fn change(
    connection: &mut Connection,
    holder: &Arc<str>,
    op: &LeaseOp,
    now: Timestamp,
) -> Result<Option<Leased>, StoreError> {
    let (known, done) = known(connection, holder, op).await?;
    let others = others(connection, holder, &op.draw, op.window).await?;
    let Some((filled, blocked)) = filled(connection, &op.draw, op.window).await? else {
        return Ok(None);
    };
    if let Some(added) = done {
        return Ok(Some(Leased { added, others, blocked }));
    }
    if known.is_none() && !op.take {
        // It was given back before, with its row.
        return Ok(Some(Leased { added: Usd::ZERO, others, blocked }));
    }
    let kept = known.unwrap_or(Usd::ZERO).saturating_sub(op.give);
    if kept.is_negative() {
        return Err(StoreError::Constraint("more is given back than was leased".to_owned()));
    }
    let mut added = Usd::ZERO;
    if op.take && !blocked {
        added = filled.saturating_sub(others).saturating_sub(kept).max(Usd::ZERO);
    }
    if !op.take && kept == Usd::ZERO {
        query("DELETE FROM leases WHERE purse = $1 AND window_start = $2 AND holder = $3")
            .bind(op.draw.purse.as_str())
            .bind(op.window.micros())
            .bind(holder.clone())
            .execute(&mut *connection)
            .await?;
    } else {
        write(connection, holder, op, (kept, added)).await?;
    }
    if op.give > added {
        announce(connection, &Change::Freed(op.draw.purse.clone()), now).await?;
    }
    Ok(Some(Leased { added, others, blocked }))
}

/// Writes what is kept and what is added of a lease.
async fn write(
    connection: &mut Connection,
    holder: &Arc<str>,
    op: &LeaseOp,
    (kept, added): (Usd, Usd),
) -> Result<(), StoreError> {
    query(
        "INSERT INTO leases (purse, window_start, holder, amount, op, op_added) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (purse, window_start, holder) \
         DO UPDATE SET amount = excluded.amount, op = excluded.op, op_added = excluded.op_added",
    )
    .bind(op.draw.purse.as_str())
    .bind(op.window.micros())
    .bind(holder.clone())
    .bind(kept.saturating_add(added).nanos())
    .bind(op.id.clone())
    .bind(added.nanos())
    .execute(connection)
    .await?;
    Ok(())
}

/// The lease of this process now, where it has one, and what this change added if it was done before.
async fn known(
    connection: &mut Connection,
    holder: &Arc<str>,
    op: &LeaseOp,
) -> Result<(Option<Usd>, Option<Usd>), StoreError> {
    let row = query(
        "SELECT amount, op, op_added FROM leases \
         WHERE purse = $1 AND window_start = $2 AND holder = $3",
    )
    .bind(op.draw.purse.as_str())
    .bind(op.window.micros())
    .bind(holder.clone())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok((None, None)) };
    let last: Option<String> = row.try_get(1)?;
    let done = if last.as_deref() == Some(&*op.id) { Some(row.try_get(2)?) } else { None };
    Ok((Some(Usd::from_nanos(row.try_get(0)?)), done.map(Usd::from_nanos)))
}

/// What other processes hold of a purse, in this window and in those after it: what a clock that was
/// ahead has leased counts too.
async fn others(
    connection: &mut Connection,
    holder: &Arc<str>,
    draw: &Draw,
    window: Timestamp,
) -> Result<Usd, StoreError> {
    let row = query(
        "SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM leases WHERE purse = $1 \
         AND window_start >= $2 AND NOT (holder = $3 AND window_start = $2)",
    )
    .bind(draw.purse.as_str())
    .bind(window.micros())
    .bind(holder.clone())
    .fetch_one(connection)
    .await?;
    Ok(Usd::from_nanos(row.try_get(0)?))
}

/// What is in a purse before leases, and whether nothing may be taken of it: the balance, or the
/// limit less what was spent since the window began. Never below zero for a limit.
async fn filled(
    connection: &mut Connection,
    draw: &Draw,
    window: Timestamp,
) -> Result<Option<(Usd, bool)>, StoreError> {
    match &draw.source {
        Source::Credit(account) => balance(connection, account).await,
        Source::Limit { scope, limit, .. } => {
            let spent = spent(connection, scope, draw.counts, window).await?;
            Ok(Some((limit.saturating_sub(spent).max(Usd::ZERO), false)))
        }
    }
}

async fn balance(
    connection: &mut Connection,
    account: &AccountId,
) -> Result<Option<(Usd, bool)>, StoreError> {
    let row = query(
        "SELECT credited + line - charged - withdrawn, frozen_at FROM balances \
         JOIN accounts ON id = account_id WHERE account_id = $1",
    )
    .bind(account.as_str())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let balance = Usd::from_nanos(row.try_get(0)?);
    let frozen = row.try_get::<Option<i64>, _>(1)?.is_some();
    Ok(Some((balance, frozen || balance.is_negative())))
}

async fn spent(
    connection: &mut Connection,
    scope: &str,
    counts: Counts,
    window: Timestamp,
) -> Result<Usd, StoreError> {
    let row = query(
        "SELECT CAST(coalesce(sum(charged), 0) AS BIGINT), CAST(coalesce(sum(byok), 0) AS BIGINT), \
         CAST(coalesce(sum(requests), 0) AS BIGINT) FROM usage WHERE scope = $1 AND day >= $2",
    )
    .bind(scope)
    .bind(day_of(window))
    .fetch_one(connection)
    .await?;
    let amount = |index: usize| row.try_get::<i64, _>(index).map(Usd::from_nanos);
    Ok(match counts {
        Counts::Credits => amount(0)?,
        Counts::CreditsAndByok => amount(0)?.saturating_add(amount(1)?),
        Counts::Requests | Counts::FreeRequests => amount(2)?,
        Counts::FreeList => amount(1)?,
    })
}

#[cfg(test)]
mod tests {
    use signalbox_runtime::Clock;

    use super::*;
    use crate::store::Store;
    use crate::writer::Durability;

    async fn ask(store: &Store, op: &LeaseOp) -> Leased {
        let (op, now) = (op.clone(), store.clock().now());
        let done = store.write(Durability::Process, move |connection| {
            Box::pin(async move { change(connection, &"one".into(), &op, now).await })
        });
        done.await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_lease_that_is_given_back_as_a_whole_leaves_no_row_and_is_given_back_once() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("a.db").display());
        let clock = Clock::manual(Timestamp::from_seconds(1_788_220_800));
        let store = Store::open(&url, clock).await.unwrap();
        let limit = Usd::from_nanos(50);
        let draw = Draw::limit("key:ab", None, limit, Counts::Credits, Timestamp::default());
        let window = Timestamp::default();
        let op = |id: &str, give: i64, take: bool| {
            let give = Usd::from_nanos(give);
            LeaseOp { id: id.into(), draw: draw.clone(), window, give, take }
        };
        let taken = ask(&store, &op("a", 0, true)).await;
        assert_eq!(taken.added, limit);
        ask(&store, &op("b", 20, false)).await;
        let back = op("c", 30, false);
        for _ in 0..2 {
            assert_eq!(ask(&store, &back).await.added, Usd::ZERO);
        }
        let rows = query("SELECT holder FROM leases").fetch_all(store.readers()).await.unwrap();
        assert!(rows.is_empty());
        assert_eq!(ask(&store, &op("d", 0, true)).await.added, limit, "all of it is free again");
    }
}
