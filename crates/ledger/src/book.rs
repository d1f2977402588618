//! The live ledger of some accounts: hold, charge, give back. A pure transition function.

mod ended;
mod refusal;

use signalbox_core::id::{AccountId, GenerationId, KeyHash};
use signalbox_core::time::ResetInterval;
use signalbox_core::{FastMap, Timestamp, Usd};

use self::ended::{Ended, Outcome};
pub use self::refusal::{CreditError, Refusal, Terminal};
use crate::entry::Reservation;
use crate::spend::Spend;

/// A request to hold money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve {
    /// The generation it is for. It can be reserved once.
    pub generation: GenerationId,
    /// Whose balance.
    pub account: AccountId,
    /// Whose limit. The key must belong to the account.
    pub key: KeyHash,
    /// The upper bound of the cost. Below zero counts as zero.
    pub amount: Usd,
    /// Now; decides the key's window.
    pub now: Timestamp,
}

/// What a key may spend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTerms {
    /// The key.
    pub key: KeyHash,
    /// The account that pays.
    pub account: AccountId,
    /// The most it may spend in a window; `None` for no limit.
    pub limit: Option<Usd>,
    /// When the limit starts again; `None` for never.
    pub reset: Option<ResetInterval>,
}

/// What a settlement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// What was charged: the cost, at most what was held.
    pub charged: Usd,
    /// What the cost was above the amount held. Above zero is a defect of the bound or of the
    /// provider's numbers; it is reported and never collected.
    pub clamped_by: Usd,
    /// What was held and not needed.
    pub released: Usd,
}

/// What a release gave back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Released {
    /// The amount that was held.
    pub amount: Usd,
}

#[derive(Debug)]
struct Account {
    posted: Usd,
    pending: Usd,
    open: usize,
}

impl Account {
    fn available(&self) -> Usd {
        self.posted.saturating_sub(self.pending)
    }
}

#[derive(Debug)]
struct Key {
    terms: KeyTerms,
    spend: Spend,
    pending: Usd,
}

impl Key {
    /// The limit with what is used of it at `now`, settled only; `None` without a limit.
    fn limit_and_used(&self, now: Timestamp) -> Option<(Usd, Usd)> {
        let limit = self.terms.limit?;
        Some((limit, self.spend.seen_at(now).within(self.terms.reset)))
    }

    fn remaining(&self, now: Timestamp) -> Option<Usd> {
        let (limit, used) = self.limit_and_used(now)?;
        let left = limit.saturating_sub(used).saturating_sub(self.pending);
        Some(left.max(Usd::ZERO))
    }
}

/// Accounts, their keys and the reservations that are open, in memory.
///
/// **Invariant:** for an account opened with no debt, `posted - pending >= 0` after every call.
/// **Invariant:** a reservation ends once, by `settle` or by `release`.
/// **Invariant:** a call that answers an error changes nothing.
///
/// It remembers the last [`Book::REMEMBERED`] ended reservations, so that a second end gets a typed
/// answer; before those, storage's unique index decides.
#[derive(Debug, Default)]
pub struct Book {
    accounts: FastMap<AccountId, Account>,
    keys: FastMap<KeyHash, Key>,
    open: FastMap<GenerationId, Reservation>,
    ended: Ended,
}

impl Book {
    /// How many ended reservations are remembered.
    pub const REMEMBERED: usize = ended::CAPACITY;

    /// A book without accounts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins to keep an account with this posted balance. `false`, and no change, when it is open
    /// already: the live balance is newer than any stored one.
    pub fn open_account(&mut self, account: AccountId, posted: Usd) -> bool {
        if self.accounts.contains_key(&account) {
            return false;
        }
        self.accounts.insert(account, Account { posted, pending: Usd::ZERO, open: 0 });
        true
    }

    /// Begins to keep a key, or changes the terms of one that is open. The spending of an open key
    /// stays: it is newer than any stored one. A key never changes its account; `false`, and no
    /// change, when that was asked for.
    pub fn open_key(&mut self, terms: KeyTerms, spend: Spend) -> bool {
        match self.keys.get_mut(&terms.key) {
            Some(open) if open.terms.account != terms.account => return false,
            Some(open) => open.terms = terms,
            None => {
                self.keys.insert(terms.key.clone(), Key { terms, spend, pending: Usd::ZERO });
            }
        }
        true
    }

    /// Forgets an account and its keys, for instance because it was idle. `false`, and no change,
    /// while it has open reservations or when it is not known.
    pub fn close(&mut self, account: &AccountId) -> bool {
        if self.accounts.get(account).is_none_or(|found| found.open > 0) {
            return false;
        }
        self.accounts.remove(account);
        self.keys.retain(|_, key| &key.terms.account != account);
        true
    }

    /// Adds money that came in, and answers the new posted balance.
    ///
    /// # Errors
    /// When the account is not open, the amount is not above zero or the balance would not fit.
    pub fn credit(&mut self, account: &AccountId, amount: Usd) -> Result<Usd, CreditError> {
        let found = self.accounts.get_mut(account).ok_or(CreditError::UnknownAccount)?;
        if amount <= Usd::ZERO {
            return Err(CreditError::NotPositive);
        }
        found.posted = found.posted.checked_add(amount).ok_or(CreditError::OutOfRange)?;
        Ok(found.posted)
    }

    /// The most that this key may reserve now: the account's available balance or what is left of
    /// the key's limit, whichever is less. It is the budget for `affordable_output`.
    ///
    /// # Errors
    /// The refusal that every reservation would get now, even one of nothing.
    pub fn spendable(
        &self,
        account: &AccountId,
        key: &KeyHash,
        now: Timestamp,
    ) -> Result<Usd, Refusal> {
        let owner = self.accounts.get(account).ok_or(Refusal::UnknownAccount)?;
        let key = self.key_of(account, key)?;
        Self::admit(owner, key, now)?;
        let available = owner.available();
        Ok(key.remaining(now).map_or(available, |left| left.min(available)))
    }

    /// Holds an amount for a generation.
    ///
    /// # Errors
    /// The first of these that is true: the generation was reserved before; the account or the key
    /// is not known; the key's limit is used up; the balance is below zero; the balance does not
    /// cover the amount; the key's limit does not cover it.
    pub fn reserve(&mut self, request: Reserve) -> Result<(), Refusal> {
        let Reserve { generation, account, key, amount, now } = request;
        let amount = amount.max(Usd::ZERO);
        if self.open.contains_key(&generation) || self.ended.outcome(&generation).is_some() {
            return Err(Refusal::AlreadyReserved);
        }
        let owner = self.accounts.get_mut(&account).ok_or(Refusal::UnknownAccount)?;
        let spender = self.keys.get_mut(&key).filter(|found| found.terms.account == account);
        let spender = spender.ok_or(Refusal::UnknownKey)?;
        Self::admit(owner, spender, now)?;

        let available = owner.available();
        if amount > available {
            return Err(Refusal::InsufficientCredit { available });
        }
        if let Some(remaining) = spender.remaining(now).filter(|left| amount > *left) {
            return Err(Refusal::KeyLimitTooLow { remaining });
        }
        // Neither sum can overflow: both are at most the posted balance.
        owner.pending = owner.pending.saturating_add(amount);
        spender.pending = spender.pending.saturating_add(amount);
        owner.open = owner.open.saturating_add(1);
        let held =
            Reservation { generation: generation.clone(), account, key, amount, opened_at: now };
        self.open.insert(generation, held);
        Ok(())
    }

    /// Ends a reservation with a charge and frees the rest. The charge counts in the key's window of
    /// `now`. More than was held is cut down to it, and less than nothing to nothing.
    ///
    /// # Errors
    /// When the reservation has ended or was never opened.
    pub fn settle(
        &mut self,
        generation: &GenerationId,
        charge: Usd,
        now: Timestamp,
    ) -> Result<Settled, Terminal> {
        let held = self.end(generation, Outcome::Settled)?;
        let cost = charge.max(Usd::ZERO);
        let charged = cost.min(held.amount);
        if let Some(owner) = self.accounts.get_mut(&held.account) {
            owner.posted = owner.posted.saturating_sub(charged);
        }
        if let Some(spender) = self.keys.get_mut(&held.key) {
            spender.spend = spender.spend.plus(charged, now);
        }
        Ok(Settled {
            charged,
            clamped_by: cost.saturating_sub(charged),
            released: held.amount.saturating_sub(charged),
        })
    }

    /// Ends a reservation without a charge.
    ///
    /// # Errors
    /// When the reservation has ended or was never opened.
    pub fn release(&mut self, generation: &GenerationId) -> Result<Released, Terminal> {
        let held = self.end(generation, Outcome::Released)?;
        Ok(Released { amount: held.amount })
    }

    /// What the account has been left with by all postings; `None` when it is not open.
    #[must_use]
    pub fn posted(&self, account: &AccountId) -> Option<Usd> {
        self.accounts.get(account).map(|found| found.posted)
    }

    /// What is held of the account; `None` when it is not open.
    #[must_use]
    pub fn pending(&self, account: &AccountId) -> Option<Usd> {
        self.accounts.get(account).map(|found| found.pending)
    }

    /// Posted less pending; `None` when the account is not open.
    #[must_use]
    pub fn available(&self, account: &AccountId) -> Option<Usd> {
        self.accounts.get(account).map(Account::available)
    }

    /// What is left of the key's limit at `now`, held amounts counted as used, never below zero.
    /// `None` for a key without a limit or one that is not open.
    #[must_use]
    pub fn key_remaining(&self, key: &KeyHash, now: Timestamp) -> Option<Usd> {
        self.keys.get(key)?.remaining(now)
    }

    /// What the key has spent, with the windows of `now`; `None` when it is not open.
    #[must_use]
    pub fn key_spend(&self, key: &KeyHash, now: Timestamp) -> Option<Spend> {
        self.keys.get(key).map(|found| found.spend.seen_at(now))
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

    fn key_of(&self, account: &AccountId, key: &KeyHash) -> Result<&Key, Refusal> {
        let found = self.keys.get(key).filter(|found| &found.terms.account == account);
        found.ok_or(Refusal::UnknownKey)
    }

    /// The refusals that do not depend on the amount (platform spec 2.5: the key's cap comes first).
    fn admit(owner: &Account, key: &Key, now: Timestamp) -> Result<(), Refusal> {
        if let Some((limit, used)) = key.limit_and_used(now).filter(|(limit, used)| used >= limit) {
            return Err(Refusal::KeyLimitExceeded { limit, used });
        }
        if owner.posted.is_negative() {
            return Err(Refusal::NegativeBalance);
        }
        Ok(())
    }

    /// Takes a reservation out, frees what it held and remembers how it ended.
    fn end(
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
        if let Some(owner) = self.accounts.get_mut(&held.account) {
            owner.pending = owner.pending.saturating_sub(held.amount);
            owner.open = owner.open.saturating_sub(1);
        }
        if let Some(spender) = self.keys.get_mut(&held.key) {
            spender.pending = spender.pending.saturating_sub(held.amount);
        }
        self.ended.remember(generation.clone(), outcome);
        Ok(held)
    }
}
