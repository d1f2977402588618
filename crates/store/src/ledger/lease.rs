//! Leases in memory: taking what is free of a purse, giving back.
//!
//! A change of a lease is named, so that it happens once even when its answer is lost. What is given
//! back leaves the book before it leaves the row, and what is taken enters the row before the book:
//! the row is never below the book.

use std::sync::Arc;

use signalbox_core::id::PurseId;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Draw, Reserve};
use signalbox_runtime::{entropy, task};

use super::live::Shards;
use super::vault::{LeaseOp, Slot};
use super::wish::LAST;
use super::{Inner, LedgerError};
use crate::error::StoreError;

/// Purses of a shard that are looked at, and idle ones that are given back, twice a second.
const LOOKED_AT: usize = 256;
const GIVEN_AT_ONCE: usize = 10;

fn name() -> Arc<str> {
    hex::encode(entropy::bytes()).into()
}

impl Inner {
    /// Takes what is free of the purse into the book. It goes on when the caller goes away.
    pub(super) async fn refill(
        self: &Arc<Self>,
        place: usize,
        draw: &Draw,
        window: Timestamp,
    ) -> Result<(), LedgerError> {
        let (ledger, draw) = (Arc::clone(self), draw.clone());
        let work =
            task::spawn("ledger-lease", async move { ledger.take(place, &draw, window).await });
        match work.await {
            Ok(Some(done)) => done,
            Ok(None) | Err(_) => Err(StoreError::Closed.into()),
        }
    }

    /// One change of a lease: gives back everything that is available when the limit has changed,
    /// then takes what is free.
    async fn take(&self, place: usize, draw: &Draw, window: Timestamp) -> Result<(), LedgerError> {
        let shard = self.shards.at(place);
        let slot = (draw.purse.clone(), window);
        let seen = shard.lock().fills(&slot);
        let _turn = shard.leasing.lock().await;
        // Who waited behind another who asked has his answer.
        let answered = {
            let state = shard.lock();
            let fits = state.book.pot(&slot.0, window).is_some_and(|pot| pot.fits(draw));
            fits && state.fills(&slot) != seen
        };
        if answered {
            return Ok(());
        }
        loop {
            let op = shard.lock().ask(&slot, |book| {
                let stale = book.pot(&draw.purse, window).is_some_and(|pot| !pot.fits(draw));
                let most = if stale { Usd::MAX } else { Usd::ZERO };
                let give = book.withdraw(&draw.purse, window, most);
                LeaseOp { id: name(), draw: draw.clone(), window, give, take: true }
            });
            // An older change, whose answer was lost, comes first.
            let ours = op.take && &op.draw == draw;
            self.change(place, op).await?;
            if ours {
                return Ok(());
            }
        }
    }

    /// Asks the vault and does in memory what it did.
    async fn change(&self, place: usize, op: LeaseOp) -> Result<(), LedgerError> {
        let (slot, draw, taking) = ((op.draw.purse.clone(), op.window), op.draw.clone(), op.take);
        if op.give > Usd::ZERO {
            // What ended generations did not need is among it. If this process died before their ends
            // are written, their checkpoints would count, which may be more.
            self.vault.written().await?;
        }
        let answer = self.vault.lease(op).await?;
        let mut state = self.shards.at(place).lock();
        state.answered(&slot);
        let Some(leased) = answer else { return Err(LedgerError::UnknownAccount) };
        if taking {
            state.remember(&draw);
            if state.book.pot(&slot.0, slot.1).is_none() {
                state.queue(slot.clone());
            }
            state.book.fill(&draw, slot.1, leased);
            state.stop_leaving(&slot);
            state.count_fill(&slot);
        }
        drop(state);
        self.credit_arrived.notify_waiters();
        Ok(())
    }

    /// Brings what is free now into the purses of this name that are here: into the window of this
    /// moment and those that requests wait for. Others would only take it away from these.
    pub(super) async fn top_up(self: &Arc<Self>, purse: &PurseId) -> Result<(), LedgerError> {
        for (place, draw, window) in self.shards.with_purse(purse) {
            let clock = self.vault.clock();
            let slot = (purse.clone(), window);
            let needed = draw.window(clock.now()) == window || self.wishes.has(&slot);
            if needed && !self.is_left_to_others(place, &slot, clock.monotonic()) {
                self.refill(place, &draw, window).await?;
            }
        }
        Ok(())
    }

    /// Gives back a part of what is not held, because somebody asked for it: half of it, or what was
    /// asked for if that is more. What is free of the purse is left to him.
    pub(super) async fn share(
        &self,
        purse: &PurseId,
        wanted: Usd,
        rank: u64,
    ) -> Result<(), LedgerError> {
        for (place, draw, window) in self.shards.with_purse(purse) {
            let half = |available: Usd| Usd::from_nanos(available.nanos() / 2).max(wanted);
            let now = self.vault.clock().monotonic();
            self.shards.at(place).lock().leave_to(&(purse.clone(), window), rank, now);
            self.give_back(place, &draw, window, rank, half).await?;
        }
        Ok(())
    }

    /// Gives back as much of a pot as `part` says of what is available, for a wish of this rank.
    pub(super) async fn give_back(
        &self,
        place: usize,
        draw: &Draw,
        window: Timestamp,
        rank: u64,
        part: impl Fn(Usd) -> Usd,
    ) -> Result<(), LedgerError> {
        let shard = self.shards.at(place);
        let _turn = shard.leasing.lock().await;
        let slot = (draw.purse.clone(), window);
        let now = self.vault.clock().monotonic();
        let op = {
            let mut state = shard.lock();
            let available =
                state.book.pot(&slot.0, window).map_or(Usd::ZERO, |pot| pot.available());
            if part(available) <= Usd::ZERO || available <= Usd::ZERO {
                return Ok(());
            }
            // Else we would hear of our own gift first and take it back.
            state.leave_to(&slot, rank, now);
            state.ask(&slot, |book| {
                let give = book.withdraw(&slot.0, window, part(available));
                book.gave(&slot.0, window, give);
                LeaseOp { id: name(), draw: draw.clone(), window, give, take: false }
            })
        };
        self.change(place, op).await
    }

    /// Asks again for what was not answered.
    pub(super) async fn ask_again(&self) -> Result<(), LedgerError> {
        for (place, shard) in self.shards.iter().enumerate() {
            let unanswered = shard.lock().unanswered();
            for op in unanswered {
                let _turn = shard.leasing.lock().await;
                let slot = (op.draw.purse.clone(), op.window);
                if shard.lock().is_asked(&slot, &op.id) {
                    self.change(place, op).await?;
                }
            }
        }
        Ok(())
    }

    /// Gives back a few of the purses that nobody has drawn on for a while, and forgets them.
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<(), LedgerError> {
        let mut left = GIVEN_AT_ONCE;
        for (place, shard) in self.shards.iter().enumerate() {
            let idle = shard.lock().idle(now, LOOKED_AT, left);
            left = left.saturating_sub(idle.len());
            for (draw, window) in idle {
                self.put_away(place, draw, window).await?;
            }
        }
        Ok(())
    }

    /// Gives back all that is available of a pot, and its row with it, and forgets it.
    async fn put_away(
        &self,
        place: usize,
        draw: Draw,
        window: Timestamp,
    ) -> Result<(), LedgerError> {
        let shard = self.shards.at(place);
        let _turn = shard.leasing.lock().await;
        let (slot, now) = ((draw.purse.clone(), window), self.vault.clock().monotonic());
        let op = {
            let mut state = shard.lock();
            state.leave_to(&slot, LAST, now);
            state.ask(&slot, |book| {
                let give = book.withdraw(&slot.0, window, Usd::MAX);
                book.gave(&slot.0, window, give);
                LeaseOp { id: name(), draw, window, give, take: false }
            })
        };
        self.change(place, op).await?;
        shard.lock().forget(&slot);
        Ok(())
    }

    /// The slot of a draw and the shard it is in, as [`Inner::refill`] wants them.
    pub(super) fn slot(request: &Reserve, draw: &Draw) -> (usize, Timestamp) {
        (Shards::place(&request.account), draw.window(request.now))
    }

    /// Takes what is free of the purses that are no longer left to others.
    pub(super) async fn end_leaving(self: &Arc<Self>) -> Result<(), LedgerError> {
        let now = self.vault.clock().monotonic();
        let mut ended: Vec<Slot> = Vec::new();
        for shard in self.shards.iter() {
            ended.extend(shard.lock().end_leaving(now));
        }
        for (purse, _) in ended {
            self.top_up(&purse).await?;
        }
        Ok(())
    }
}
