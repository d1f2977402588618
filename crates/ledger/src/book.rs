//! The live ledger of some accounts: hold, charge, give back. A pure transition function.

mod ended;
mod pot;
mod refusal;

use std::sync::Arc;

use signalbox_core::id::{AccountId, GenerationId, KeyHash, PurseId};
use signalbox_core::{FastMap, Timestamp, Usd};

use self::ended::{Ended, Outcome};
pub use self::pot::Pot;
pub use self::refusal::{Refusal, Terminal};
use crate::entry::{Charge, Reservation};
use crate::purse::{Counts, Draw, Source, Spender};

/// A request to hold money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve {
    /// The generation it is for. It can be reserved once.
    pub generation: GenerationId,
    /// Whose balance.
    pub account: AccountId,
    /// The key that asks.
    pub key: KeyHash,
    /// The upper bound of the charge. Below zero counts as zero.
    pub amount: Usd,
    /// The upper bound of the list price of what the caller's own key pays for.
    pub byok: Usd,
    /// The upper bound of both together; absent for their sum.
    pub together: Option<Usd>,
    /// The part of `byok` that is to be free of the fee, for the purse of the month's allowance.
    pub free: Option<Usd>,
    /// The purses to hold it of.
    pub spender: Arc<Spender>,
    /// Now; decides the windows.
    pub now: Timestamp,
}

impl Reserve {
    /// The reservation that it asks for.
    #[must_use]
    pub fn reservation(&self) -> Reservation {
        let (amount, byok) = (self.amount.max(Usd::ZERO), self.byok.max(Usd::ZERO));
        let sum = amount.saturating_add(byok);
        Reservation {
            generation: self.generation.clone(),
            account: self.account.clone(),
            key: self.key.clone(),
            amount,
            byok,
            together: self.together.map_or(sum, |both| both.clamp(amount, sum)),
            free: self.free.map(|free| free.clamp(Usd::ZERO, byok)),
            opened_at: self.now,
            spender: Arc::clone(&self.spender),
        }
    }
}

/// What a process was given of a purse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leased {
    /// What was added to its lease.
    pub added: Usd,
    /// What other processes hold of the purse.
    pub others: Usd,
    /// Whether nothing may be taken of it.
    pub blocked: bool,
}

/// What a settlement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// What was charged: the cost, at most what was held.
    pub charged: Usd,
    /// The list price that was counted for the caller's own key, at most what was held.
    pub byok: Usd,
    /// The part of it that was free of the fee, at most what was held; absent where nothing was.
    pub free: Option<Usd>,
    /// What the cost was above the amount held. Above zero is a defect of the bound or of the
    /// provider's numbers; it is reported and never collected.
    pub clamped_by: Usd,
    /// What was held and not needed.
    pub released: Usd,
}

/// Purses, and the reservations that are open, in memory.
///
/// A purse of a window holds what this process may spend of it: its lease. Each window of a limit
/// is a purse of its own, so a clock that jumps finds what it left.
///
/// **Invariant:** `left - pending >= 0` for every pot after every call.
/// **Invariant:** a reservation ends once, by `settle` or by `release`.
/// **Invariant:** a call that answers an error changes nothing.
///
/// It remembers the last [`Book::REMEMBERED`] ended reservations, so that a second end gets a typed
/// answer; before those, storage's unique index decides.
#[derive(Debug, Default)]
pub struct Book {
    pots: FastMap<PurseId, Vec<Pot>>,
    open: FastMap<GenerationId, Reservation>,
    ended: Ended,
}

impl Book {
    /// How many ended reservations are remembered.
    pub const REMEMBERED: usize = ended::CAPACITY;

    /// A book without purses.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The pot of a purse and a window.
    #[must_use]
    pub fn pot(&self, purse: &PurseId, window: Timestamp) -> Option<&Pot> {
        self.pots.get(purse)?.iter().find(|pot| pot.window == window)
    }

    fn pot_mut(&mut self, purse: &PurseId, window: Timestamp) -> Option<&mut Pot> {
        self.pots.get_mut(purse)?.iter_mut().find(|pot| pot.window == window)
    }

    /// All pots with their purses, in no particular order.
    pub fn pots(&self) -> impl Iterator<Item = (&PurseId, &Pot)> {
        self.pots.iter().flat_map(|(purse, pots)| pots.iter().map(move |pot| (purse, pot)))
    }

    /// The pots of a purse, in no particular order.
    #[must_use]
    pub fn pots_of(&self, purse: &PurseId) -> &[Pot] {
        self.pots.get(purse).map_or(&[], Vec::as_slice)
    }

    /// Whether a purse has a pot of any window.
    #[must_use]
    pub fn has(&self, purse: &PurseId) -> bool {
        self.pots.contains_key(purse)
    }

    /// Puts what was leased into the pot of a draw and a window, which begins with it, and
    /// remembers the limit that it was leased under and what other processes hold.
    pub fn fill(&mut self, draw: &Draw, window: Timestamp, leased: Leased) {
        let pots = self.pots.entry(draw.purse.clone()).or_default();
        let place = pots.iter().position(|pot| pot.window == window).unwrap_or_else(|| {
            pots.push(Pot::empty(draw, window));
            pots.len().saturating_sub(1)
        });
        if let Some(pot) = pots.get_mut(place) {
            pot.fill(draw, leased);
        }
    }

    /// Takes up to `most` of what is available out of a pot, and answers how much.
    pub fn withdraw(&mut self, purse: &PurseId, window: Timestamp, most: Usd) -> Usd {
        self.pot_mut(purse, window).map_or(Usd::ZERO, |pot| pot.withdraw(most))
    }

    /// Notes that other processes now hold so much more of a purse.
    pub fn gave(&mut self, purse: &PurseId, window: Timestamp, amount: Usd) {
        if let Some(pot) = self.pot_mut(purse, window) {
            pot.others = pot.others.saturating_add(amount);
        }
    }

    /// Notes that a pot was in use at `now`.
    pub fn touch(&mut self, purse: &PurseId, window: Timestamp, now: Timestamp) {
        if let Some(pot) = self.pot_mut(purse, window) {
            pot.used = Some(now);
        }
    }

    /// Forgets a pot. `false`, and no change, while something is in it or held of it.
    pub fn forget(&mut self, purse: &PurseId, window: Timestamp) -> bool {
        let Some(pots) = self.pots.get_mut(purse) else { return false };
        let before = pots.len();
        pots.retain(|pot| pot.window != window || !pot.is_idle());
        let gone = pots.len() < before;
        if pots.is_empty() {
            self.pots.remove(purse);
        }
        gone
    }

    /// The pot of a draw at `now`, unless it has to be loaded first.
    fn loaded(&self, draw: &Draw, now: Timestamp) -> Result<&Pot, Refusal> {
        self.pot(&draw.purse, draw.window(now))
            .filter(|pot| pot.fits(draw))
            .ok_or_else(|| Refusal::Unloaded { purse: draw.purse.clone() })
    }

    /// Whether the purses of a spender are loaded for `now`; else one that is not.
    ///
    /// # Errors
    /// [`Refusal::Unloaded`].
    pub fn ready(&self, spender: &Spender, now: Timestamp) -> Result<(), Refusal> {
        spender.draws.iter().try_for_each(|draw| self.loaded(draw, now).map(drop))
    }

    /// The refusals that do not depend on the amount, in the order of the draws.
    fn admit(&self, spender: &Spender, now: Timestamp) -> Result<(), Refusal> {
        for draw in &spender.draws {
            let pot = self.loaded(draw, now)?;
            match draw.source {
                Source::Limit { .. } if pot.is_exhausted() => {
                    return Err(Refusal::Exhausted { purse: draw.purse.clone() });
                }
                Source::Credit(_) if pot.blocked => return Err(Refusal::Blocked),
                Source::Limit { .. } | Source::Credit(_) => {}
            }
        }
        Ok(())
    }

    /// The most credits that a spender may reserve now: the least of what is available in the purses
    /// that count credits. It is the budget for `affordable_output`.
    ///
    /// # Errors
    /// The refusal that every reservation would get now, even one of nothing.
    pub fn spendable(&self, spender: &Spender, now: Timestamp) -> Result<Usd, Refusal> {
        self.admit(spender, now)?;
        self.least(spender, now, Counts::is_money)
    }

    /// The same for credits and the list price of own keys together: the least of what is available in
    /// the purses that count both, and all that there can be where none does.
    ///
    /// # Errors
    /// [`Refusal::Unloaded`].
    pub fn spendable_together(&self, spender: &Spender, now: Timestamp) -> Result<Usd, Refusal> {
        self.least(spender, now, |counts| counts == Counts::CreditsAndByok)
    }

    fn least(
        &self,
        spender: &Spender,
        now: Timestamp,
        of: impl Fn(Counts) -> bool,
    ) -> Result<Usd, Refusal> {
        let mut least = Usd::MAX;
        for draw in spender.draws.iter().filter(|draw| of(draw.counts)) {
            least = least.min(self.loaded(draw, now)?.available());
        }
        Ok(least)
    }

    /// Holds an amount for a generation.
    ///
    /// # Errors
    /// The first of these that is true: the generation was reserved before; a purse is not loaded,
    /// its limit is used up or the account is blocked, in the order of the draws; a purse does
    /// not cover what it would count.
    pub fn reserve(&mut self, request: &Reserve) -> Result<(), Refusal> {
        let Reserve { generation, spender, now, .. } = request;
        if self.open.contains_key(generation) || self.ended.outcome(generation).is_some() {
            return Err(Refusal::AlreadyReserved);
        }
        self.admit(spender, *now)?;
        let held = request.reservation();
        for draw in &spender.draws {
            let available = self.loaded(draw, *now)?.available();
            if held.held_of(draw) > available {
                return Err(Refusal::Short { purse: draw.purse.clone(), available });
            }
        }
        for draw in &spender.draws {
            let amount = held.held_of(draw);
            if let Some(pot) = self.pot_mut(&draw.purse, draw.window(*now)) {
                pot.hold(amount, *now);
            }
        }
        self.open.insert(generation.clone(), held);
        Ok(())
    }

    /// Ends a reservation with a charge and frees the rest. It counts in the windows of the moment
    /// when it was opened. More than was held is cut down to it, and less than nothing to nothing.
    ///
    /// # Errors
    /// When the reservation has ended or was never opened.
    pub fn settle(
        &mut self,
        generation: &GenerationId,
        charge: Charge,
    ) -> Result<Settled, Terminal> {
        let held = self.take(generation, Outcome::Settled)?;
        let cost = charge.credits.max(Usd::ZERO);
        let counted = held.cut(charge);
        self.free(&held, Some(counted));
        Ok(Settled {
            charged: counted.credits,
            byok: counted.byok,
            free: counted.free,
            clamped_by: cost.saturating_sub(counted.credits),
            released: held.amount.saturating_sub(counted.credits),
        })
    }

    /// Ends a reservation without a charge, and answers what was held. One that was `attempted`
    /// still counts as a request (platform spec 6.2: failed attempts count).
    ///
    /// # Errors
    /// When the reservation has ended or was never opened.
    pub fn release(
        &mut self,
        generation: &GenerationId,
        attempted: bool,
    ) -> Result<Reservation, Terminal> {
        let held = self.take(generation, Outcome::Released)?;
        self.free(&held, attempted.then(Charge::default));
        Ok(held)
    }

    /// The reservation of a generation while it is open.
    #[must_use]
    pub fn reservation(&self, generation: &GenerationId) -> Option<&Reservation> {
        self.open.get(generation)
    }

    /// All open reservations, in no particular order.
    pub fn reservations(&self) -> impl Iterator<Item = &Reservation> {
        self.open.values()
    }

    /// Takes a reservation out and remembers how it ended.
    fn take(
        &mut self,
        generation: &GenerationId,
        outcome: Outcome,
    ) -> Result<Reservation, Terminal> {
        let Some(held) = self.open.remove(generation) else {
            return Err(match self.ended.outcome(generation) {
                Some(Outcome::Settled) => Terminal::AlreadySettled,
                Some(Outcome::Released) => Terminal::AlreadyReleased,
                None => Terminal::UnknownReservation,
            });
        };
        self.ended.remember(generation.clone(), outcome);
        Ok(held)
    }

    /// Frees what was held of each purse and takes out what is counted of it.
    fn free(&mut self, held: &Reservation, counted: Option<Charge>) {
        for draw in &held.spender.draws {
            let counted = counted.map_or(Usd::ZERO, |charge| charge.counted(draw.counts));
            if let Some(pot) = self.pot_mut(&draw.purse, draw.window(held.opened_at)) {
                pot.end(held.held_of(draw), counted);
            }
        }
    }
}
