//! What is in memory: books in shards, so that accounts don't wait for each other.

use std::collections::VecDeque;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::time::Duration;

use signalbox_core::id::{AccountId, GenerationId, PurseId};
use signalbox_core::{FastMap, Timestamp, Usd};
use signalbox_ledger::{Book, Draw, Refusal, Reservation, Reserve};

use super::vault::{LeaseOp, Slot};

mod shard;
#[cfg(test)]
mod shard_race;

pub(super) use shard::Shard;

const SHARDS: usize = 16;

/// The books, by account.
pub(super) struct Shards([Shard; SHARDS]);

impl Default for Shards {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Shard::default()))
    }
}

impl Shards {
    pub fn place(account: &AccountId) -> usize {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(account);
        usize::try_from(hash % 16).unwrap_or(0)
    }

    pub fn at(&self, place: usize) -> &Shard {
        let [first, ..] = &self.0;
        self.0.get(place).unwrap_or(first)
    }

    pub fn of(&self, account: &AccountId) -> &Shard {
        self.at(Self::place(account))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Shard> {
        self.0.iter()
    }

    pub fn open_count(&self) -> usize {
        self.iter().map(|shard| shard.lock().book.reservations().count()).sum()
    }

    /// The shards that have a purse, with its draws and windows.
    pub fn with_purse(&self, purse: &PurseId) -> Vec<(usize, Draw, Timestamp)> {
        let each = self.0.iter().enumerate().flat_map(|(place, shard)| {
            let state = shard.lock();
            let draws: Vec<_> = state.draws_of(purse);
            draws.into_iter().map(move |(draw, window)| (place, draw, window))
        });
        each.collect()
    }
}

/// The purses of one shard.
#[derive(Default)]
pub(super) struct State {
    pub book: Book,
    /// The draw that each purse was last leased for.
    draws: FastMap<PurseId, Draw>,
    /// Changes of leases that were asked for and not yet answered.
    asked: FastMap<Slot, LeaseOp>,
    /// How often each purse was filled.
    fills: FastMap<Slot, u64>,
    /// Purses of which the free part is left to another process until then.
    yielded: FastMap<Slot, Duration>,
    /// Reservations in the order of their opening whose rows are not written yet.
    young: VecDeque<GenerationId>,
}

impl State {
    pub fn reserve(&mut self, request: &Reserve) -> Result<Reservation, Refusal> {
        self.book.reserve(request)?;
        let generation = &request.generation;
        let unknown = || Refusal::AlreadyReserved;
        let held = self.book.reservation(generation).cloned().ok_or_else(unknown)?;
        self.young.push_back(generation.clone());
        Ok(held)
    }

    /// Remembers what a purse was leased for.
    pub fn remember(&mut self, draw: &Draw) {
        self.draws.insert(draw.purse.clone(), draw.clone());
    }

    /// The draw of a purse with each window that has a pot.
    pub fn draws_of(&self, purse: &PurseId) -> Vec<(Draw, Timestamp)> {
        let Some(draw) = self.draws.get(purse) else { return Vec::new() };
        let pots = self.book.pots().filter(|(name, _)| *name == purse);
        let mut all: Vec<_> = pots.map(|(_, pot)| (draw.clone(), pot.window)).collect();
        all.sort_by_key(|(_, window)| *window);
        all
    }

    /// The draws of all purses with their windows.
    pub fn all_draws(&self) -> Vec<(Draw, Timestamp)> {
        let draw = |purse: &PurseId| self.draws.get(purse).cloned();
        let pots = self.book.pots().filter_map(|(purse, pot)| Some((draw(purse)?, pot.window)));
        let mut all: Vec<_> = pots.collect();
        // In one order, so that a simulation can be replayed.
        all.sort_by(|(one, at), (other, then)| (&one.purse, at).cmp(&(&other.purse, then)));
        all
    }

    /// The draws of windows that are over at `now` and of which nothing is held.
    pub fn over(&self, now: Timestamp) -> Vec<(Draw, Timestamp)> {
        let begun = self
            .book
            .pots()
            .filter(|(_, pot)| pot.window > Timestamp::default() && pot.pending == Usd::ZERO);
        let over = begun.filter_map(|(purse, pot)| {
            let draw = self.draws.get(purse).filter(|draw| draw.window(now) > pot.window)?;
            Some((draw.clone(), pot.window))
        });
        let mut over: Vec<_> = over.collect();
        over.sort_by(|(one, at), (other, then)| (&one.purse, at).cmp(&(&other.purse, then)));
        over
    }

    /// Forgets a purse whose window is over.
    pub fn forget(&mut self, slot: &Slot) {
        if !self.book.forget(&slot.0, slot.1) {
            return;
        }
        self.fills.remove(slot);
        if !self.book.has(&slot.0) {
            self.draws.remove(&slot.0);
        }
    }

    /// The change of this lease that waits for its answer, else `new`, which then does.
    pub fn ask(&mut self, slot: &Slot, new: impl FnOnce(&mut Book) -> LeaseOp) -> LeaseOp {
        if let Some(asked) = self.asked.get(slot) {
            return asked.clone();
        }
        let op = new(&mut self.book);
        self.asked.insert(slot.clone(), op.clone());
        op
    }

    /// The change was answered.
    pub fn answered(&mut self, slot: &Slot) {
        self.asked.remove(slot);
    }

    /// Whether this change still waits for its answer.
    pub fn is_asked(&self, slot: &Slot, id: &str) -> bool {
        self.asked.get(slot).is_some_and(|op| &*op.id == id)
    }

    /// Changes of leases that were asked for and not answered.
    pub fn unanswered(&self) -> Vec<LeaseOp> {
        let mut all: Vec<_> = self.asked.values().cloned().collect();
        all.sort_by(|one, other| {
            (&one.draw.purse, one.window).cmp(&(&other.draw.purse, other.window))
        });
        all
    }

    /// How often a purse was filled.
    pub fn fills(&self, slot: &Slot) -> u64 {
        self.fills.get(slot).copied().unwrap_or(0)
    }

    /// It was filled once more.
    pub fn count_fill(&mut self, slot: &Slot) {
        let count = self.fills.entry(slot.clone()).or_default();
        *count = count.wrapping_add(1);
    }

    /// Leaves the free part of a purse to others until `until`.
    pub fn yield_until(&mut self, slot: &Slot, until: Duration) {
        self.yielded.insert(slot.clone(), until);
    }

    /// Takes a purse back into use: it was needed here after all.
    pub fn stop_yielding(&mut self, slot: &Slot) {
        self.yielded.remove(slot);
    }

    pub fn is_yielded(&self, slot: &Slot) -> bool {
        self.yielded.contains_key(slot)
    }

    /// Purses whose free part may be taken again.
    pub fn end_yields(&mut self, now: Duration) -> Vec<Slot> {
        let over = self.yielded.iter().filter(|(_, until)| **until <= now);
        let mut ended: Vec<_> = over.map(|(slot, _)| slot.clone()).collect();
        ended.sort();
        for slot in &ended {
            self.yielded.remove(slot);
        }
        ended
    }

    /// Takes out what was opened before `before` (everything for `None`) and is still open.
    pub fn take_young(&mut self, before: Option<Timestamp>) -> Vec<Reservation> {
        let mut taken = Vec::new();
        while let Some(generation) = self.young.front() {
            if let Some(held) = self.book.reservation(generation) {
                if before.is_some_and(|before| held.opened_at > before) {
                    break;
                }
                taken.push(held.clone());
            }
            self.young.pop_front();
        }
        taken
    }
}
