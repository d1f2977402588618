//! What is in memory: books in shards, so that accounts don't wait for each other.

use std::collections::VecDeque;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signalbox_core::id::{AccountId, GenerationId, KeyHash};
use signalbox_core::{FastMap, Timestamp, Usd};
use signalbox_ledger::{Book, KeyTerms, Refusal, Reservation, Reserve, Spend};

use crate::keys::KeyRecord;

const SHARDS: usize = 16;

/// The books, by account.
pub(super) struct Shards([Shard; SHARDS]);

impl Default for Shards {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Shard::default()))
    }
}

/// One shard.
#[derive(Default)]
pub(super) struct Shard {
    state: Mutex<State>,
    /// Held while a lease of one of its accounts changes, so that memory and rows change together.
    pub warming: tokio::sync::Mutex<()>,
}

impl Shard {
    /// The state; a panic elsewhere does not lock the money up.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shards {
    pub fn of(&self, account: &AccountId) -> &Shard {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(account);
        let index = usize::try_from(hash % 16).unwrap_or(0);
        let [first, ..] = &self.0;
        self.0.get(index).unwrap_or(first)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Shard> {
        self.0.iter()
    }

    pub fn open_count(&self) -> usize {
        self.iter().map(|shard| shard.lock().book.reservations().count()).sum()
    }
}

/// The accounts of one shard.
#[derive(Default)]
pub(super) struct State {
    pub book: Book,
    accounts: Vec<AccountId>,
    /// Accounts whose free credit is left to another process until then.
    yielded: FastMap<AccountId, Duration>,
    /// When the record was last changed that each key's terms come from.
    terms: FastMap<KeyHash, Timestamp>,
    /// Reservations in the order of their opening whose rows are not written yet.
    young: VecDeque<GenerationId>,
}

fn version(key: &KeyRecord) -> Timestamp {
    key.updated_at.unwrap_or(key.created_at)
}

fn terms_of(key: &KeyRecord) -> KeyTerms {
    KeyTerms {
        key: key.hash.clone(),
        account: key.account.clone(),
        limit: key.limit,
        reset: key.limit_reset,
    }
}

impl State {
    pub fn reserve(&mut self, request: Reserve) -> Result<Reservation, Refusal> {
        let generation = request.generation.clone();
        self.book.reserve(request)?;
        let held = self.book.reservation(&generation).cloned().ok_or(Refusal::UnknownAccount)?;
        self.young.push_back(generation);
        Ok(held)
    }

    /// Whether account and key are here; brings in newer terms on the way.
    pub fn is_warm(&mut self, account: &AccountId, key: &KeyRecord) -> bool {
        match self.terms.get(&key.hash) {
            None => return false,
            Some(known) if *known < version(key) => self.renew(key),
            Some(_) => {}
        }
        self.has_account(account)
    }

    pub fn has_account(&self, account: &AccountId) -> bool {
        self.book.posted(account).is_some()
    }

    /// Changes the terms of a key that is here.
    pub fn renew(&mut self, key: &KeyRecord) {
        if let Some(known) = self.terms.get_mut(&key.hash) {
            *known = version(key);
            self.book.open_key(terms_of(key), Spend::none(version(key)));
        }
    }

    pub fn open_account(&mut self, account: &AccountId, posted: Usd) {
        if self.book.open_account(account.clone(), posted) {
            self.accounts.push(account.clone());
        }
    }

    pub fn open_key(&mut self, key: &KeyRecord, spend: Spend) {
        if self.book.open_key(terms_of(key), spend) {
            self.terms.insert(key.hash.clone(), version(key));
        }
    }

    /// Leaves the free credit of an account to others until `until`.
    pub fn yield_until(&mut self, account: &AccountId, until: Duration) {
        self.yielded.insert(account.clone(), until);
    }

    pub fn is_yielded(&self, account: &AccountId) -> bool {
        self.yielded.contains_key(account)
    }

    /// Accounts whose free credit may be taken again.
    pub fn end_yields(&mut self, now: Duration) -> Vec<AccountId> {
        let ended: Vec<_> = self
            .yielded
            .iter()
            .filter(|(_, until)| **until <= now)
            .map(|(account, _)| account.clone())
            .collect();
        for account in &ended {
            self.yielded.remove(account);
        }
        ended
    }

    pub fn accounts(&self) -> Vec<AccountId> {
        self.accounts.clone()
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
