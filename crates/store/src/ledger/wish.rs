//! Waiting for what other processes hold.
//!
//! Requests in several processes may be short of the same purses, of each of which every process
//! holds a part that is too small. So wishes have a rank, which is the same for all purses of a
//! request. A process keeps what it holds from wishes that are weaker than its own, and neither keeps
//! nor takes what a stronger one asks for. Of all who wait one is given everything that nobody holds
//! for a running request.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signalbox_core::id::PurseId;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Draw, Reserve};

use super::vault::Slot;
use super::{Inner, LedgerError};
use crate::changes::Change;

/// Time between two looks of a request that waits; each asks the others again.
const LOOK: Duration = Duration::from_millis(200);

/// Looks for which no more is asked for than is missing.
const PATIENT: u32 = 2;

/// The rank of what is given back and that no wish here may take.
const FIRST: u64 = 0;
/// The rank of what is given back and that every wish here may take.
pub(super) const LAST: u64 = u64::MAX;

/// What requests of this process wait for.
#[derive(Debug, Default)]
pub(super) struct Wishes(Mutex<HashMap<PurseId, Wanted>>);

/// The wishes for one purse.
#[derive(Debug, Default)]
struct Wanted {
    /// The rank and the window of each.
    wishes: Vec<(u64, Timestamp)>,
    told: Option<Told>,
}

/// What others were told last.
#[derive(Debug, Clone, Copy)]
struct Told {
    at: Duration,
    amount: Usd,
    rank: u64,
}

impl Wanted {
    /// The strongest of them; the lowest number is.
    fn strongest(&self) -> u64 {
        self.wishes.iter().map(|(rank, _)| *rank).min().unwrap_or(u64::MAX)
    }
}

impl Wishes {
    fn lock(&self) -> MutexGuard<'_, HashMap<PurseId, Wanted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, (purse, window): &Slot, rank: u64) {
        self.lock().entry(purse.clone()).or_default().wishes.push((rank, *window));
    }

    fn leave(&self, (purse, window): &Slot, rank: u64) {
        let mut all = self.lock();
        let Some(wanted) = all.get_mut(purse) else { return };
        let wish = (rank, *window);
        if let Some(place) = wanted.wishes.iter().position(|one| *one == wish) {
            wanted.wishes.swap_remove(place);
        }
        if wanted.wishes.is_empty() {
            all.remove(purse);
        }
    }

    /// The rank to ask others with, unless they have just been asked for as much and as strongly.
    fn to_tell(&self, purse: &PurseId, amount: Usd, now: Duration) -> Option<u64> {
        let mut all = self.lock();
        let wanted = all.get_mut(purse)?;
        let rank = wanted.strongest();
        let known = wanted.told.is_some_and(|told| {
            now < told.at.saturating_add(LOOK) && amount <= told.amount && told.rank <= rank
        });
        if known {
            return None;
        }
        wanted.told = Some(Told { at: now, amount, rank });
        Some(rank)
    }

    /// The strongest wish for a purse here.
    pub(super) fn strongest(&self, purse: &PurseId) -> Option<u64> {
        self.lock().get(purse).map(Wanted::strongest)
    }

    /// Whether a request waits for this window of a purse.
    pub(super) fn has(&self, (purse, window): &Slot) -> bool {
        let all = self.lock();
        all.get(purse).is_some_and(|wanted| wanted.wishes.iter().any(|(_, at)| at == window))
    }

    /// Whether this process wants a purse at least as much.
    pub(super) fn outrank(&self, purse: &PurseId, rank: u64) -> bool {
        self.strongest(purse).is_some_and(|here| here <= rank)
    }
}

/// The wishes of one request, for as long as it waits.
struct Waiting<'l> {
    wishes: &'l Wishes,
    rank: u64,
    slots: Vec<Slot>,
}

impl<'l> Waiting<'l> {
    /// Nobody can choose a generation's id, so nobody can choose to be first.
    fn new(wishes: &'l Wishes, request: &Reserve) -> Self {
        let rank =
            BuildHasherDefault::<DefaultHasher>::default().hash_one(request.generation.as_str());
        Self { wishes, rank, slots: Vec::new() }
    }

    fn add(&mut self, slot: Slot) {
        if !self.slots.contains(&slot) {
            self.wishes.enter(&slot, self.rank);
            self.slots.push(slot);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        for slot in &self.slots {
            self.wishes.leave(slot, self.rank);
        }
    }
}

impl Inner {
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
    /// waits until the purses cover the request, or nobody else holds any of one that does not. Never
    /// ends by itself while others do: the caller bounds the wait.
    pub(super) async fn refill_or_wait(
        self: &Arc<Self>,
        request: &Reserve,
    ) -> Result<(), LedgerError> {
        let mut waiting = Waiting::new(&self.wishes, request);
        let arrived = self.credit_arrived.notified();
        tokio::pin!(arrived);
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut looks = 0_u32;
        loop {
            tokio::select! {
                biased;
                _ = ticks.tick() => {
                    looks = looks.saturating_add(1);
                    arrived.as_mut().enable();
                    for (draw, ..) in self.missing(request) {
                        waiting.add((draw.purse.clone(), draw.window(request.now)));
                    }
                    self.take_what_is_free(request).await?;
                }
                () = arrived.as_mut() => arrived.set(self.credit_arrived.notified()),
            }
            arrived.as_mut().enable();
            let missing = self.missing(request);
            if missing.is_empty() || missing.iter().any(|(.., elsewhere)| !elsewhere) {
                return Ok(());
            }
            for (draw, amount, _) in missing {
                waiting.add((draw.purse.clone(), draw.window(request.now)));
                // What was missing did not do: windows overlap, or somebody had to give twice.
                let amount = if looks > PATIENT { Usd::MAX } else { amount };
                self.ask_for(draw, amount).await?;
            }
        }
    }

    /// Asks other processes for a part of a purse.
    async fn ask_for(&self, draw: &Draw, amount: Usd) -> Result<(), LedgerError> {
        let now = self.vault.clock().monotonic();
        if let Some(rank) = self.wishes.to_tell(&draw.purse, amount, now) {
            let purse = draw.purse.clone();
            self.vault.announce(Change::Wanted { purse, amount, rank }).await?;
        }
        Ok(())
    }

    /// Whether a purse was left to a stronger wish of another process a moment ago.
    pub(super) fn is_left_to_others(&self, place: usize, slot: &Slot, now: Duration) -> bool {
        let here = self.wishes.strongest(&slot.0);
        self.shards.at(place).lock().is_left(slot, here, now)
    }

    /// Leases what is free of the purses that are short.
    async fn take_what_is_free(self: &Arc<Self>, request: &Reserve) -> Result<(), LedgerError> {
        for (draw, ..) in self.missing(request) {
            let now = self.vault.clock().monotonic();
            let (place, window) = Self::slot(request, draw);
            self.give_back_later(place, draw, window).await?;
            let slot = (draw.purse.clone(), window);
            if !self.is_left_to_others(place, &slot, now) {
                self.refill(place, draw, window).await?;
            }
        }
        Ok(())
    }

    /// Gives back what this process holds of later windows of a purse, where its clock has been
    /// before: all of it counts against this one.
    async fn give_back_later(
        &self,
        place: usize,
        draw: &Draw,
        window: Timestamp,
    ) -> Result<(), LedgerError> {
        let held = self.shards.at(place).lock().draws_of(&draw.purse);
        for (later, at) in held.into_iter().filter(|(_, at)| *at > window) {
            self.give_back(place, &later, at, FIRST, |available| available).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_wish_counts_and_others_are_asked_once_for_all() {
        let (wishes, purse, second) =
            (Wishes::default(), PurseId::new("p"), Duration::from_secs(1));
        let slot = |day: i64| (PurseId::new("p"), Timestamp::from_seconds(day * 86_400));
        assert!(!wishes.outrank(&purse, u64::MAX), "nobody waits");
        wishes.enter(&slot(1), 7);
        wishes.enter(&slot(2), 9);
        assert!(wishes.has(&slot(1)) && wishes.has(&slot(2)) && !wishes.has(&slot(3)));
        assert!(wishes.outrank(&purse, 7) && wishes.outrank(&purse, 8));
        assert!(!wishes.outrank(&purse, 6));
        let usd = Usd::from_nanos;
        assert_eq!(wishes.to_tell(&purse, usd(5), second), Some(7));
        assert_eq!(wishes.to_tell(&purse, usd(5), second), None);
        assert_eq!(wishes.to_tell(&purse, usd(6), second), Some(7), "more is wanted");
        wishes.enter(&slot(1), 3);
        assert_eq!(wishes.to_tell(&purse, usd(1), second), Some(3), "more strongly");
        assert_eq!(wishes.to_tell(&purse, usd(1), second + LOOK), Some(3), "once more");
        for (day, rank) in [(1, 3), (1, 7), (2, 9)] {
            wishes.leave(&slot(day), rank);
        }
        assert!(!wishes.outrank(&purse, u64::MAX));
        assert!(wishes.lock().is_empty());
    }
}
