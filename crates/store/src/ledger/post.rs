//! From the book's decision to the writer's queue, without an await between.

use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Charge, Reservation, Settled};
use tokio::sync::oneshot;

use super::entry::{Checkpoint, End, Entry, Outcome, Step};
use super::rows::{Written, agree};
use super::{COMMIT_WAIT, Hold, Inner, LedgerError, Settlement};
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

    fn post(&self, reservation: Reservation, step: Step) -> Result<(), StoreError> {
        let holder = self.vault.holder().clone();
        self.vault.post(Entry { reservation, holder, step })
    }

    pub(super) fn post_settlement(
        &self,
        mut hold: Hold,
        settlement: Settlement,
        row: Box<GenerationRow>,
    ) -> Result<(Settled, Answer), LedgerError> {
        let Some(held) = hold.reservation.take() else { return Err(StoreError::Closed.into()) };
        let shard = self.shards.of(&held.account);
        let settled = shard.settle(&held.generation, settlement.charge)?;
        if settled.clamped_by > Usd::ZERO {
            tracing::error!(generation = %held.generation, by = %settled.clamped_by, "a cost was above its hold and is cut down to it");
        }
        let charge = Charge { credits: settled.charged, byok: settled.byok, free: settled.free };
        let (done, answer) = oneshot::channel();
        let end = End {
            outcome: Outcome::Settled,
            at: self.vault.clock().now(),
            charge,
            waste: settlement.waste,
            row: Some(Written::new(row, &held, &charge)),
            checkpointed: hold.checkpointed(),
            done: Some(done),
        };
        self.post(held, Step::End(end))?;
        Ok((settled, answer))
    }

    pub(super) fn post_release(
        &self,
        mut hold: Hold,
        waste: Vec<Usd>,
        row: Option<Box<GenerationRow>>,
    ) -> Result<Option<Answer>, LedgerError> {
        let Some(held) = hold.reservation.take() else { return Err(StoreError::Closed.into()) };
        let attempted = row.is_some();
        self.shards.of(&held.account).release(&held.generation, attempted)?;
        let nothing = Charge::default();
        let (done, answer) = oneshot::channel();
        let row = row.map(|row| Written::new(row, &held, &nothing));
        let (done, answer) = if attempted { (Some(done), Some(answer)) } else { (None, None) };
        let end = End {
            outcome: Outcome::Released,
            at: self.vault.clock().now(),
            charge: nothing,
            waste,
            row,
            checkpointed: hold.checkpointed(),
            done,
        };
        self.post(held, Step::End(end))?;
        Ok(answer)
    }

    /// Queues the row of a generation that held nothing.
    pub(super) fn post_record(&self, row: Box<GenerationRow>) -> Result<Answer, StoreError> {
        let at = self.vault.clock().now();
        let nothing = Reservation {
            generation: row.id.clone(),
            account: row.account.clone(),
            key: row.key.clone(),
            amount: Usd::ZERO,
            byok: Usd::ZERO,
            together: Usd::ZERO,
            free: None,
            opened_at: at,
            spender: self.nobody.clone(),
        };
        let (done, answer) = oneshot::channel();
        let charge = Charge::default();
        let row = Some(Written::new(row, &nothing, &charge));
        let end = End {
            outcome: Outcome::Recorded,
            at,
            charge,
            waste: Vec::new(),
            row,
            checkpointed: false,
            done: Some(done),
        };
        self.post(nothing, Step::End(end))?;
        Ok(answer)
    }

    /// Queues what an open reservation has come to, at most what is held for it.
    pub(super) fn post_checkpoint(
        &self,
        held: &Reservation,
        charge: Charge,
        mut row: GenerationRow,
    ) -> Result<(), StoreError> {
        let charge = held.cut(charge);
        agree(&mut row, held, &charge);
        row.recovered = true;
        let record = serde_json::to_string(&row)
            .map_err(|error| StoreError::Damaged(format!("checkpoint: {error}")))?;
        let at = self.vault.clock().now();
        self.post(held.clone(), Step::Checkpoint(Checkpoint { at, charge, record }))
    }

    /// Gives back a hold that its owner lost.
    pub(super) fn abandon(&self, held: Reservation, checkpointed: bool) {
        let released = self.shards.of(&held.account).release(&held.generation, false);
        if let Err(error) = released {
            tracing::error!(generation = %held.generation, %error, "a lost hold had ended");
            return;
        }
        let end = End {
            outcome: Outcome::Released,
            at: self.vault.clock().now(),
            charge: Charge::default(),
            waste: Vec::new(),
            row: None,
            checkpointed,
            done: None,
        };
        drop(self.post(held, Step::End(end)));
    }

    /// Queues rows for the reservations opened before `before` that are still open. Short ones never
    /// get here: their row is written once, when they end.
    pub(super) fn post_young(&self, before: Option<Timestamp>) {
        for shard in self.shards.iter() {
            let mut state = shard.lock();
            for reservation in state.take_young(before) {
                // Under the lock, so that the end can't be queued before the opening.
                drop(self.post(reservation, Step::Open));
            }
        }
    }
}
