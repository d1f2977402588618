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
/// How long a process leaves a purse to others who asked for it. They hear of what was given within
/// 200 ms, and ask again within that.
const LEFT: Duration = Duration::from_millis(400);

/// A purse that nobody has drawn on for so long leaves the memory, in milliseconds.
const IDLE_MILLIS: i64 = 15 * 60_000;
/// The same when its window is over.
const OVER_MILLIS: i64 = 10_000;

/// Whether it is worth giving a purse back that was used then. A clock that jumps either way was not
/// used for long.
fn is_long_ago(used: Timestamp, now: Timestamp, over: bool) -> bool {
    let most = if over { OVER_MILLIS } else { IDLE_MILLIS };
    now >= used.plus_millis(most) || used >= now.plus_millis(most)
}

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

/// To whom a purse is left.
#[derive(Debug, Clone, Copy)]
struct Left {
    until: Duration,
    /// The strongest wish.
    rank: u64,
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
    /// Purses of which the free part is left to other processes.
    left: FastMap<Slot, Left>,
    /// All purses that are here, in the order in which they are looked at.
    queue: VecDeque<Slot>,
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
        let pots = self.book.pots_of(purse).iter();
        let mut all: Vec<_> = pots.map(|pot| (draw.clone(), pot.window)).collect();
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

    /// Notes a purse that has just come into memory.
    pub fn queue(&mut self, slot: Slot) {
        self.queue.push_back(slot);
    }

    /// Looks at the next `most` purses in turn, and gives those that nobody has drawn on for a while,
    /// at most `wanted` of them.
    pub fn idle(&mut self, now: Timestamp, most: usize, wanted: usize) -> Vec<(Draw, Timestamp)> {
        let mut idle = Vec::new();
        for _ in 0..most.min(self.queue.len()) {
            if idle.len() >= wanted {
                break;
            }
            let Some((purse, window)) = self.queue.pop_front() else { break };
            let (Some(pot), Some(draw)) = (self.book.pot(&purse, window), self.draws.get(&purse))
            else {
                continue;
            };
            let over = draw.window(now) > window;
            match pot.used {
                None => self.book.touch(&purse, window, now),
                Some(used) if pot.pending == Usd::ZERO && is_long_ago(used, now, over) => {
                    idle.push((draw.clone(), window));
                }
                Some(_) => {}
            }
            // Until it is forgotten: somebody may draw on it yet.
            self.queue.push_back((purse, window));
        }
        idle
    }

    /// Forgets a purse of which nothing is here any more.
    pub fn forget(&mut self, slot: &Slot) {
        if self.asked.contains_key(slot) || !self.book.forget(&slot.0, slot.1) {
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

    /// Leaves the free part of a purse to others with a wish of this rank, for a while.
    pub fn leave_to(&mut self, slot: &Slot, rank: u64, now: Duration) {
        let until = now.saturating_add(LEFT);
        let left = self.left.entry(slot.clone()).or_insert(Left { until, rank });
        let rank = if left.until > now { left.rank.min(rank) } else { rank };
        *left = Left { until, rank };
    }

    /// Takes a purse back into use: it was needed here after all.
    pub fn stop_leaving(&mut self, slot: &Slot) {
        self.left.remove(slot);
    }

    /// Whether a purse is left to a wish that is stronger than the strongest one here.
    pub fn is_left(&self, slot: &Slot, here: Option<u64>, now: Duration) -> bool {
        let left = self.left.get(slot).filter(|left| now < left.until);
        left.is_some_and(|left| here.is_none_or(|here| here > left.rank))
    }

    /// Purses whose free part may be taken again.
    pub fn end_leaving(&mut self, now: Duration) -> Vec<Slot> {
        let over = self.left.iter().filter(|(_, left)| left.until <= now);
        let mut ended: Vec<_> = over.map(|(slot, _)| slot.clone()).collect();
        ended.sort();
        for slot in &ended {
            self.left.remove(slot);
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
