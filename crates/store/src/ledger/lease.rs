//! Leases in memory: taking what is free of a purse, giving back, waiting for others.
//!
//! A change of a lease is named, so that it happens once even when its answer is lost. What is given
//! back leaves the book before it leaves the row, and what is taken enters the row before the book:
//! the row is never below the book.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use signalbox_core::id::PurseId;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Draw, Reserve};
use signalbox_runtime::{entropy, task};

use super::live::Shards;
use super::vault::{LeaseOp, Slot};
use super::{Inner, LedgerError};
use crate::changes::Change;
use crate::error::StoreError;

/// How long a process that gave credit back leaves it to others. They hear of it within 200 ms.
const YIELD: Duration = Duration::from_millis(500);

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
        let answer = self.vault.lease(op).await?;
        let mut state = self.shards.at(place).lock();
        state.answered(&slot);
        let Some(leased) = answer else { return Err(LedgerError::UnknownAccount) };
        if taking {
            state.remember(&draw);
            state.book.fill(&draw, slot.1, leased);
            state.stop_yielding(&slot);
            state.count_fill(&slot);
        }
        drop(state);
        self.credit_arrived.notify_waiters();
        Ok(())
    }

    /// Brings what is free now into the purses of this name that are here.
    pub(super) async fn top_up(self: &Arc<Self>, purse: &PurseId) -> Result<(), LedgerError> {
        for (place, draw, window) in self.shards.with_purse(purse) {
            if !self.shards.at(place).lock().is_yielded(&(purse.clone(), window)) {
                self.refill(place, &draw, window).await?;
            }
        }
        Ok(())
    }

    /// Gives back a part of what is not held, because somebody asked for it: half of it, or what was
    /// asked for if that is more.
    pub(super) async fn share(&self, purse: &PurseId, wanted: Usd) -> Result<(), LedgerError> {
        for (place, draw, window) in self.shards.with_purse(purse) {
            let half = |available: Usd| Usd::from_nanos(available.nanos() / 2).max(wanted);
            self.give_back(place, &draw, window, half).await?;
        }
        Ok(())
    }

    /// Gives back as much of a pot as `part` says of what is available.
    pub(super) async fn give_back(
        &self,
        place: usize,
        draw: &Draw,
        window: Timestamp,
        part: impl Fn(Usd) -> Usd,
    ) -> Result<(), LedgerError> {
        let shard = self.shards.at(place);
        let _turn = shard.leasing.lock().await;
        let slot = (draw.purse.clone(), window);
        let until = self.vault.clock().monotonic().saturating_add(YIELD);
        let op = {
            let mut state = shard.lock();
            let available =
                state.book.pot(&slot.0, window).map_or(Usd::ZERO, |pot| pot.available());
            if part(available) <= Usd::ZERO || available <= Usd::ZERO {
                return Ok(());
            }
            // Else we would hear of our own gift first and take it back.
            state.yield_until(&slot, until);
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

    /// Gives back what is left of windows that are over, and forgets them.
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<(), LedgerError> {
        for (place, shard) in self.shards.iter().enumerate() {
            let over = shard.lock().over(now);
            for (draw, window) in over {
                self.give_back(place, &draw, window, |available| available).await?;
                shard.lock().forget(&(draw.purse, window));
            }
        }
        Ok(())
    }

    /// The draws of a request whose purses do not cover it, each with what is missing and whether
    /// other processes hold part of it.
    pub(super) fn missing<'r>(&self, request: &'r Reserve) -> Vec<(&'r Draw, Usd, bool)> {
        let state = self.shards.of(&request.account).lock();
        let held = request.reservation();
        let each = request.spender.draws.iter().filter_map(|draw| {
            let pot = state.book.pot(&draw.purse, draw.window(request.now))?;
            let missing = held.held_of(draw).saturating_sub(pot.available());
            (missing > Usd::ZERO).then_some((draw, missing, pot.others > Usd::ZERO))
        });
        each.collect()
    }

    /// Takes what is free of the purses that are short, unless that was left to others just now; then
    /// waits for them.
    pub(super) async fn refill_or_wait(
        self: &Arc<Self>,
        request: &Reserve,
    ) -> Result<(), LedgerError> {
        for (draw, ..) in self.missing(request) {
            let (place, window) = Self::slot(request, draw);
            let yielded = self.shards.at(place).lock().is_yielded(&(draw.purse.clone(), window));
            if !yielded {
                self.refill(place, draw, window).await?;
            }
        }
        self.wait_for(request).await;
        Ok(())
    }

    /// Asks for what is missing and waits until the purses cover the request, or nobody else holds
    /// any of one that does not. Never ends by itself while others do: the caller bounds the wait.
    async fn wait_for(&self, request: &Reserve) {
        let mut wishes = Vec::new();
        let arrived = self.credit_arrived.notified();
        tokio::pin!(arrived);
        loop {
            arrived.as_mut().enable();
            let missing = self.missing(request);
            if missing.is_empty() || missing.iter().any(|(.., elsewhere)| !elsewhere) {
                return;
            }
            for (draw, amount, _) in missing {
                if wishes.iter().any(|wish: &Wish<'_>| *wish.purse == draw.purse) {
                    continue;
                }
                wishes.push(Wish::new(self, &draw.purse));
                let change = Change::Wanted { purse: draw.purse.clone(), amount };
                if self.vault.announce(change).await.is_err() {
                    return;
                }
            }
            arrived.as_mut().await;
            arrived.set(self.credit_arrived.notified());
        }
    }

    pub(super) fn is_wanted_here(&self, purse: &PurseId) -> bool {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).contains_key(purse)
    }

    /// The slot of a draw and the shard it is in, as [`Inner::refill`] wants them.
    pub(super) fn slot(request: &Reserve, draw: &Draw) -> (usize, Timestamp) {
        (Shards::place(&request.account), draw.window(request.now))
    }

    /// What the purses that stopped yielding are now owed.
    pub(super) async fn end_yields(self: &Arc<Self>) -> Result<(), LedgerError> {
        let now = self.vault.clock().monotonic();
        let mut ended: Vec<Slot> = Vec::new();
        for shard in self.shards.iter() {
            ended.extend(shard.lock().end_yields(now));
        }
        for (purse, _) in ended {
            self.top_up(&purse).await?;
        }
        Ok(())
    }
}

/// Marks a purse as wanted by this process, so that it doesn't give its own share away meanwhile.
struct Wish<'l> {
    ledger: &'l Inner,
    purse: &'l PurseId,
}

impl<'l> Wish<'l> {
    fn new(ledger: &'l Inner, purse: &'l PurseId) -> Self {
        let mut wanted = ledger.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let count = wanted.entry(purse.clone()).or_default();
        *count = count.saturating_add(1);
        Self { ledger, purse }
    }
}

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        let mut wanted = self.ledger.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = wanted.get_mut(self.purse) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                wanted.remove(self.purse);
            }
        }
    }
}
