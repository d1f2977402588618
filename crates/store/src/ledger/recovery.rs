//! What a dead process left: its open reservations end, its leases are free again.
//!
//! A reservation with a checkpoint is charged what had been delivered by then; one without was held
//! for nothing anybody saw and is given back. Both are in the customer's favour.

use std::sync::Arc;

use signalbox_core::id::{AccountId, GenerationId, KeyHash, PurseId};
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Charge, Reservation, Spender};
use tokio::sync::oneshot;

use super::batch;
use super::entry::{End, Entry, Outcome, Step};
use super::rows::Written;
use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::generations::{GenerationRow, parse};
use crate::sql::{Connection, Line, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// Ends a process: settles what has a checkpoint, releases the rest, frees its leases.
pub(crate) async fn bury(store: &Store, id: &Arc<str>) -> Result<(), StoreError> {
    let settled = settle_checkpoints(store, id).await?;
    let (holder, now) = (id.clone(), store.clock().now());
    let released = store
        .write(Durability::Process, move |connection| Box::pin(give_back(connection, holder, now)))
        .await?;
    if settled > 0 || released > 0 {
        tracing::warn!(settled, released, "open reservations of an ended process were ended");
    }
    Ok(())
}

async fn settle_checkpoints(store: &Store, id: &Arc<str>) -> Result<usize, StoreError> {
    let rows = query(
        "SELECT r.generation, r.account_id, r.key_hash, r.amount, r.byok, r.opened_at, r.spender, \
         c.charged, c.byok, c.record FROM reservations r JOIN checkpoints c \
         ON c.generation = r.generation WHERE r.holder = $1 AND r.ended_at IS NULL",
    )
    .bind(id.clone())
    .fetch_all(store.readers())
    .await?;
    if store.is_postgres() {
        return settle_there(store, id, &rows).await;
    }
    let mut answers = Vec::with_capacity(rows.len());
    for row in &rows {
        let (done, answer) = oneshot::channel();
        store.writer().post(settlement(row, id, store.clock().now(), Some(done))?)?;
        answers.push(answer);
    }
    let mut settled = 0_usize;
    for answer in answers {
        match answer.await.map_err(|_| StoreError::Closed)? {
            Ok(()) => settled = settled.saturating_add(1),
            // Another process was faster.
            Err(StoreError::Constraint(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(settled)
}

/// The same where charges of this process go elsewhere: in transactions of their own.
async fn settle_there(store: &Store, id: &Arc<str>, rows: &[Line]) -> Result<usize, StoreError> {
    let mut settled = 0_usize;
    for row in rows {
        let entry = settlement(row, id, store.clock().now(), None)?;
        let written = store
            .write(Durability::Process, move |connection| {
                Box::pin(async move {
                    batch::postgres::write(connection, std::slice::from_ref(&entry)).await
                })
            })
            .await;
        match written {
            Ok(()) => settled = settled.saturating_add(1),
            // Another process was faster.
            Err(StoreError::Constraint(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(settled)
}

fn settlement(
    row: &Line,
    holder: &Arc<str>,
    at: Timestamp,
    done: Option<oneshot::Sender<Result<(), StoreError>>>,
) -> Result<Entry, StoreError> {
    let text = |index: usize| row.try_get::<String, _>(index);
    let amount = |index: usize| row.try_get::<i64, _>(index).map(Usd::from_nanos);
    let spender: Option<String> = row.try_get(6)?;
    let spender: Spender = match spender {
        Some(spender) => parse("spender", &spender)?,
        None => return Err(StoreError::Damaged("an open reservation without a spender".into())),
    };
    let record: Box<GenerationRow> = parse("checkpoint", &text(9)?)?;
    let (credits, byok) = (amount(3)?, amount(4)?);
    let reservation = Reservation {
        generation: GenerationId::new(text(0)?),
        account: AccountId::new(text(1)?),
        key: KeyHash::new(text(2)?),
        amount: credits,
        byok,
        together: credits.saturating_add(byok),
        free: record.byok_free,
        opened_at: Timestamp::from_micros(row.try_get(5)?),
        spender: Arc::new(spender),
    };
    // What is written was cut to what was held when it was written.
    let reached = Charge { credits: amount(7)?, byok: amount(8)?, free: record.byok_free };
    let charge = reservation.cut(reached);
    let end = End {
        outcome: Outcome::Settled,
        at,
        charge,
        waste: Vec::new(),
        row: Some(Written::new(record, &reservation, &charge)),
        checkpointed: true,
        done,
    };
    Ok(Entry { reservation, holder: holder.clone(), step: Step::End(end) })
}

async fn give_back(
    connection: &mut Connection,
    id: Arc<str>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let released = query(
        "UPDATE reservations SET ended_at = $1, outcome = 'recovered', spender = NULL \
         WHERE holder = $2 AND ended_at IS NULL",
    )
    .bind(now.micros())
    .bind(id.clone())
    .execute(&mut *connection)
    .await?
    .rows_affected();
    let leases = query("DELETE FROM leases WHERE holder = $1 RETURNING purse, amount")
        .bind(id.clone())
        .fetch_all(&mut *connection)
        .await?;
    for lease in &leases {
        if lease.try_get::<i64, _>(1)? > 0 {
            let purse = PurseId::new(lease.try_get::<String, _>(0)?);
            announce(connection, &Change::Freed(purse), now).await?;
        }
    }
    query("DELETE FROM holders WHERE id = $1").bind(id).execute(connection).await?;
    Ok(released)
}
