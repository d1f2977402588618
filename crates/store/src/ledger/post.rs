//! From the book's decision to the writer's queue, without an await between.

use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Reservation, Settled};
use tokio::sync::oneshot;

use super::batch::{End, Entry, Outcome};
use super::rows::Written;
use super::{COMMIT_WAIT, Hold, Inner, LedgerError};
use crate::error::StoreError;
use crate::generations::GenerationRow;

/// Says when an entry is durable.
pub(super) type Answer = oneshot::Receiver<Result<(), StoreError>>;

impl Inner {
    pub(super) async fn durable(&self, answer: Answer) -> Result<(), LedgerError> {
        match tokio::time::timeout(COMMIT_WAIT, answer).await {
            Ok(Ok(done)) => Ok(done?),
            Ok(Err(_)) => Err(StoreError::Closed.into()),
            Err(_) => Err(LedgerError::Delayed),
        }
    }

    fn end(&self, reservation: Reservation, end: End) -> Result<(), StoreError> {
        let holder = self.holder.id().clone();
        self.store.writer().post(Entry { reservation, holder, end: Some(end) })
    }

    pub(super) fn post_settlement(
        &self,
        mut hold: Hold,
        charge: Usd,
        row: Box<GenerationRow>,
    ) -> Result<(Settled, Answer), LedgerError> {
        let Some(held) = hold.reservation.take() else { return Err(StoreError::Closed.into()) };
        let at = self.store.clock().now();
        let settled =
            self.shards.of(&held.account).lock().book.settle(&held.generation, charge, at)?;
        if settled.clamped_by > Usd::ZERO {
            tracing::error!(generation = %held.generation, by = %settled.clamped_by, "a cost was above its hold and is cut down to it");
        }
        let (done, answer) = oneshot::channel();
        let end = End {
            outcome: Outcome::Settled,
            at,
            charged: settled.charged,
            row: Some(Written::new(row, &held, settled.charged)),
            done: Some(done),
        };
        self.end(held, end)?;
        Ok((settled, answer))
    }

    pub(super) fn post_release(
        &self,
        mut hold: Hold,
        row: Option<Box<GenerationRow>>,
    ) -> Result<Option<Answer>, LedgerError> {
        let Some(held) = hold.reservation.take() else { return Err(StoreError::Closed.into()) };
        self.shards.of(&held.account).lock().book.release(&held.generation)?;
        let (done, answer) = oneshot::channel();
        let row = row.map(|row| Written::new(row, &held, Usd::ZERO));
        let (done, answer) = if row.is_some() { (Some(done), Some(answer)) } else { (None, None) };
        let at = self.store.clock().now();
        self.end(held, End { outcome: Outcome::Released, at, charged: Usd::ZERO, row, done })?;
        Ok(answer)
    }

    /// Queues the row of a generation that held nothing.
    pub(super) fn post_record(&self, row: Box<GenerationRow>) -> Result<Answer, StoreError> {
        let at = self.store.clock().now();
        let nothing = Reservation {
            generation: row.id.clone(),
            account: row.account.clone(),
            key: row.key.clone(),
            amount: Usd::ZERO,
            opened_at: at,
        };
        let (done, answer) = oneshot::channel();
        let row = Some(Written::new(row, &nothing, Usd::ZERO));
        let end = End { outcome: Outcome::Recorded, at, charged: Usd::ZERO, row, done: Some(done) };
        self.end(nothing, end)?;
        Ok(answer)
    }

    /// Gives back a hold that its owner lost.
    pub(super) fn abandon(&self, held: Reservation) {
        let released = self.shards.of(&held.account).lock().book.release(&held.generation);
        if let Err(error) = released {
            tracing::error!(generation = %held.generation, %error, "a lost hold had ended");
            return;
        }
        let at = self.store.clock().now();
        let end = End { outcome: Outcome::Released, at, charged: Usd::ZERO, row: None, done: None };
        drop(self.end(held, end));
    }

    /// Queues rows for the reservations opened before `before` that are still open. Short ones never
    /// get here: their row is written once, when they end.
    pub(super) fn post_young(&self, before: Option<Timestamp>) {
        for shard in self.shards.iter() {
            let mut state = shard.lock();
            for reservation in state.take_young(before) {
                // Under the lock, so that the end can't be queued before the opening.
                let holder = self.holder.id().clone();
                drop(self.store.writer().post(Entry { reservation, holder, end: None }));
            }
        }
    }
}
