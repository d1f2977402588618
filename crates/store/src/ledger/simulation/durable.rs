//! The durable rows, as simple as they can be, and what must always be true of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use signalbox_core::id::{AccountId, GenerationId, KeyHash, PurseId};
use signalbox_core::plan::ByokFree;
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Charge, Counts, Draw, Leased, Reservation, Source, Spender};
use tokio::sync::broadcast;

use super::Tally;
use super::dice::Dice;
use crate::changes::Change;
use crate::error::StoreError;
use crate::ledger::entry::{Entry, Outcome, Step};
use crate::ledger::vault::LeaseOp;

/// Half a minute before midnight, so that days begin in the middle of a run.
const START: Timestamp = Timestamp::from_seconds(1_788_220_770);
const DAY_MICROS: i64 = 86_400_000_000;

/// All rows behind one lock: every call is a transaction.
pub(super) struct World(Mutex<State>);

impl World {
    /// Without faults, and with one account that has this credit.
    pub fn calm(credited: i64) -> Self {
        let mut state = State::new(&mut Dice::new(0));
        let account = AccountId::new("acc_0");
        state.faults = false;
        state.spenders = spenders(&account);
        state.balances = BTreeMap::from([(account, Balance { credited, charged: 0 })]);
        Self(Mutex::new(state))
    }

    pub fn new(dice: &mut Dice) -> Self {
        Self(Mutex::new(State::new(dice)))
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Balance {
    /// What came in, less what went out.
    credited: i64,
    charged: i64,
}

struct Lease {
    amount: i64,
    op: std::sync::Arc<str>,
    added: i64,
}

struct Row {
    reservation: Reservation,
    holder: std::sync::Arc<str>,
    ended: Option<Outcome>,
    checkpoint: Option<Charge>,
}

type Place = (PurseId, Timestamp, std::sync::Arc<str>);

pub(super) struct State {
    pub faults: bool,
    pub news: broadcast::Sender<Change>,
    pub dead: Vec<std::sync::Arc<str>>,
    balances: BTreeMap<AccountId, Balance>,
    spenders: Vec<(AccountId, KeyHash, Spender)>,
    leases: BTreeMap<Place, Lease>,
    rows: BTreeMap<GenerationId, Row>,
    usage: BTreeMap<(std::sync::Arc<str>, i64), (i64, i64, i64)>,
    charges: BTreeMap<GenerationId, i64>,
    /// The highest limit that each purse ever had.
    caps: BTreeMap<PurseId, i64>,
    /// What clients were told that they were charged.
    told: BTreeMap<GenerationId, i64>,
    pub failed_commits: u64,
    pub lost_answers: u64,
    pub refused: u64,
    recovered: u64,
}

/// Keys: one without a limit, one with a daily and one with a weekly, own-key-counting limit; a budget
/// of the workspace over all of them, a number of free requests a day, and requests with own keys
/// under an allowance.
fn spenders(account: &AccountId) -> Vec<(AccountId, KeyHash, Spender)> {
    let at = Timestamp::default();
    let key = |name: &str| KeyHash::new(format!("{account}-{name}"));
    let plain = |name: &str| Spender::new(account, &key(name), &format!("default:{account}"));
    let usd = Usd::from_nanos;
    let daily = |scope: String, most, counts| {
        Draw::limit(&scope, Some(ResetInterval::Daily), usd(most), counts, at)
    };
    let budget = daily(format!("workspace:default:{account}"), 15_000, Counts::Credits);
    let limited =
        |name: &str, draw: Draw| plain(name).limited(draw, true).limited(budget.clone(), false);
    let scope = |name: &str| format!("key:{}", key(name));
    let weekly = Draw::limit(
        &scope("w"),
        Some(ResetInterval::Weekly),
        usd(9000),
        Counts::CreditsAndByok,
        at,
    );
    // An account has one plan, and so one unit.
    let by_list = account.as_str().ends_with('1');
    let free = if by_list { ByokFree::ListPriceUsd(usd(3000)) } else { ByokFree::Requests(30) };
    let allowance = Draw::allowance(account, free, at);
    let of = |name: &str, spender| (account.clone(), key(name), spender);
    vec![
        of("p", plain("p").limited(budget.clone(), false)),
        of("d", limited("d", daily(scope("d"), 5000, Counts::Credits))),
        of("w", limited("w", weekly)),
        of("f", limited("f", daily(format!("free:{account}"), 40, Counts::Requests))),
        of("o", limited("o", allowance)),
    ]
}

impl State {
    fn new(dice: &mut Dice) -> Self {
        let mut state = Self {
            faults: true,
            news: broadcast::Sender::new(64),
            dead: Vec::new(),
            balances: BTreeMap::new(),
            spenders: Vec::new(),
            leases: BTreeMap::new(),
            rows: BTreeMap::new(),
            usage: BTreeMap::new(),
            charges: BTreeMap::new(),
            caps: BTreeMap::new(),
            told: BTreeMap::new(),
            failed_commits: 0,
            lost_answers: 0,
            refused: 0,
            recovered: 0,
        };
        for n in 0..=dice.below(3) {
            let account = AccountId::new(format!("acc_{n}"));
            let credited = dice.amount(40_000);
            state.balances.insert(account.clone(), Balance { credited, charged: 0 });
            state.spenders.extend(spenders(&account));
        }
        for (.., spender) in &state.spenders {
            for draw in &spender.draws {
                if let Some(cap) = draw.cap() {
                    state.caps.insert(draw.purse.clone(), cap.nanos());
                }
            }
        }
        state
    }

    pub const fn start() -> Timestamp {
        START
    }

    /// The one whose key has a daily limit of 5,000 and a budget of 15,000 a day over it.
    pub fn limited(&self) -> (AccountId, KeyHash, Spender) {
        self.spenders[1].clone()
    }

    /// Somebody who may spend.
    pub fn somebody(&self, dice: &mut Dice) -> (AccountId, KeyHash, Spender) {
        let place = usize::try_from(dice.below(self.spenders.len() as u64)).unwrap();
        self.spenders[place].clone()
    }

    /// Credit comes in, or what is free goes out.
    pub fn move_money(&mut self, dice: &mut Dice) {
        let (account, ..) = self.somebody(dice);
        let free = self.free_credit(&account);
        let out = dice.once_in(4);
        let amount = if out { dice.amount(free.max(0) + 1) } else { dice.amount(20_000) };
        let balance = self.balances.get_mut(&account).unwrap();
        balance.credited += if out { -amount } else { amount };
        drop(self.news.send(Change::Account(account)));
        self.check();
    }

    /// A limit of a key is raised or lowered.
    pub fn change_a_limit(&mut self, dice: &mut Dice) {
        let place = usize::try_from(dice.below(self.spenders.len() as u64)).unwrap();
        let version = Timestamp::from_micros(i64::try_from(self.rows.len()).unwrap() + 1);
        let (.., spender) = &mut self.spenders[place];
        let Some(draw) = spender.draws.first_mut() else { return };
        if let Source::Limit { limit, .. } = &mut draw.source {
            *limit = Usd::from_nanos(dice.amount(9000));
            draw.version = version;
            let cap = self.caps.entry(draw.purse.clone()).or_default();
            *cap = (*cap).max(limit.nanos());
        }
    }

    fn leased(&self, purse: &PurseId, from: Timestamp, but: Option<&Place>) -> i64 {
        self.leases
            .iter()
            .filter(|(place, _)| &place.0 == purse && place.1 >= from && Some(*place) != but)
            .map(|(_, lease)| lease.amount)
            .sum()
    }

    fn posted(&self, account: &AccountId) -> i64 {
        let Balance { credited, charged } = self.balances[account];
        credited - charged
    }

    fn free_credit(&self, account: &AccountId) -> i64 {
        let purse = Draw::credit(account).purse;
        self.posted(account) - self.leased(&purse, Timestamp::default(), None)
    }

    fn spent(&self, scope: &str, counts: Counts, from: Timestamp) -> i64 {
        let first = from.micros().div_euclid(DAY_MICROS);
        let rows = self.usage.iter().filter(|((of, day), _)| &**of == scope && *day >= first);
        rows.map(|(_, (charged, byok, requests))| match counts {
            Counts::Credits => *charged,
            Counts::CreditsAndByok => charged + byok,
            Counts::Requests | Counts::FreeRequests => *requests,
            Counts::FreeList => *byok,
        })
        .sum()
    }

    /// A change of a lease, once for its id.
    pub fn lease(&mut self, holder: &std::sync::Arc<str>, op: &LeaseOp) -> Leased {
        let place = (op.draw.purse.clone(), op.window, holder.clone());
        let others = self.leased(&op.draw.purse, op.window, Some(&place));
        let others_now = Usd::from_nanos(others);
        if let Some(lease) = self.leases.get(&place).filter(|lease| lease.op == op.id) {
            let added = Usd::from_nanos(lease.added);
            return Leased { added, others: others_now, blocked: false };
        }
        if !op.take && !self.leases.contains_key(&place) {
            return Leased { added: Usd::ZERO, others: others_now, blocked: false };
        }
        let kept = self.leases.get(&place).map_or(0, |lease| lease.amount) - op.give.nanos();
        assert!(kept >= 0, "more is given back than was leased");
        let filled = match &op.draw.source {
            Source::Credit(account) => self.posted(account),
            Source::Limit { scope, limit, .. } => {
                (limit.nanos() - self.spent(scope, op.draw.counts, op.window)).max(0)
            }
        };
        let added = if op.take { (filled - others - kept).max(0) } else { 0 };
        if op.take || kept > 0 {
            let lease = Lease { amount: kept + added, op: op.id.clone(), added };
            self.leases.insert(place, lease);
        } else {
            self.leases.remove(&place);
        }
        if op.give.nanos() > added {
            drop(self.news.send(Change::Freed(op.draw.purse.clone())));
        }
        self.check();
        Leased { added: Usd::from_nanos(added), others: others_now, blocked: false }
    }

    /// Writes a batch: all of it, or nothing when an entry had ended.
    pub fn commit(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        for entry in entries.iter().filter(|entry| entry.end().is_some()) {
            let known = self.rows.get(&entry.reservation.generation);
            if known.is_some_and(|row| row.ended.is_some()) {
                return Err(StoreError::Constraint("the reservation has ended before".into()));
            }
        }
        entries.iter().for_each(|entry| self.write(entry));
        self.check();
        Ok(())
    }

    fn write(&mut self, entry: &Entry) {
        let row = self.rows.entry(entry.reservation.generation.clone()).or_insert_with(|| Row {
            reservation: entry.reservation.clone(),
            holder: entry.holder.clone(),
            ended: None,
            checkpoint: None,
        });
        match &entry.step {
            Step::Open => {}
            Step::Checkpoint(checkpoint) if row.ended.is_none() => {
                row.checkpoint = Some(checkpoint.charge);
            }
            Step::Checkpoint(_) => {}
            Step::End(end) => {
                row.ended = Some(end.outcome);
                row.checkpoint = None;
                if end.outcome == Outcome::Settled {
                    self.charge(&entry.reservation, end.charge.credits);
                }
                if let Some(charge) = entry.counted() {
                    self.count(&entry.reservation, &entry.holder, charge);
                }
            }
        }
    }

    /// A generation is charged once, and at most what is held for it.
    fn charge(&mut self, held: &Reservation, amount: Usd) {
        assert!(amount <= held.amount, "{}: {amount:?} of {:?}", held.generation, held.amount);
        let before = self.charges.insert(held.generation.clone(), amount.nanos());
        assert_eq!(before, None, "{} is charged twice", held.generation);
        self.balances.get_mut(&held.account).unwrap().charged += amount.nanos();
    }

    fn count(&mut self, held: &Reservation, holder: &std::sync::Arc<str>, charge: &Charge) {
        let day = held.opened_at.micros().div_euclid(DAY_MICROS);
        for scope in &held.spender.scopes {
            let sums = self.usage.entry((scope.clone(), day)).or_default();
            sums.0 += charge.credits.nanos();
            sums.1 += charge.byok.nanos();
            sums.2 += 1;
        }
        for draw in &held.spender.draws {
            if let (Some(free), Source::Limit { scope, .. }) = (charge.free, &draw.source)
                && draw.counts.is_allowance()
            {
                let sums = self.usage.entry((scope.clone(), day)).or_default();
                sums.1 += free.nanos();
                sums.2 += 1;
            }
            let counted = charge.counted(draw.counts).nanos();
            if counted > 0 {
                let place = (draw.purse.clone(), draw.window(held.opened_at), holder.clone());
                let lease = self.leases.get_mut(&place).expect("a lease that is charged is there");
                lease.amount -= counted;
                assert!(lease.amount >= 0, "{} is charged more than was leased", place.0);
            }
        }
    }

    /// Ends a process: what has a checkpoint is settled, the rest released, its leases are free.
    pub fn bury(&mut self, holder: &std::sync::Arc<str>) {
        let open = self.rows.iter().filter(|(_, row)| row.holder == *holder && row.ended.is_none());
        let open: Vec<_> = open.map(|(id, _)| id.clone()).collect();
        for id in open {
            let row = self.rows.get_mut(&id).unwrap();
            row.ended = Some(Outcome::Released);
            if let Some(charge) = row.checkpoint.take() {
                row.ended = Some(Outcome::Settled);
                let held = row.reservation.clone();
                self.charge(&held, charge.credits);
                self.count(&held, holder, &charge);
                self.recovered += 1;
            }
        }
        let left: Vec<_> = self.leases.keys().filter(|place| place.2 == *holder).cloned().collect();
        for place in left {
            self.leases.remove(&place);
            drop(self.news.send(Change::Freed(place.0)));
        }
        self.dead.retain(|dead| dead != holder);
        self.check();
    }

    /// A client was told what it paid.
    pub fn tell(&mut self, id: GenerationId, charged: Usd) {
        let durable = self.charges.get(&id).copied();
        assert_eq!(durable, Some(charged.nanos()), "{id} was told before it was durable");
        self.told.insert(id, charged.nanos());
    }

    /// What is leased by this process of a pot.
    pub fn lease_of(
        &self,
        purse: &PurseId,
        window: Timestamp,
        holder: &std::sync::Arc<str>,
    ) -> i64 {
        let place = (purse.clone(), window, holder.clone());
        self.leases.get(&place).map_or(0, |lease| lease.amount)
    }

    /// How many rows of leases there are.
    pub fn lease_count(&self) -> usize {
        self.leases.len()
    }

    /// What must be true after every change.
    fn check(&self) {
        for account in self.balances.keys() {
            assert!(self.free_credit(account) >= 0, "{account} is overdrawn");
        }
        for (.., spender) in &self.spenders {
            for draw in &spender.draws {
                if let Source::Limit { scope, .. } = &draw.source {
                    self.check_limit(scope, draw);
                }
            }
        }
    }

    /// No window holds more than the highest limit that it ever had.
    fn check_limit(&self, scope: &str, draw: &Draw) {
        let mut windows: Vec<_> =
            self.leases.keys().filter(|place| place.0 == draw.purse).collect();
        windows.dedup_by_key(|place| place.1);
        for window in windows.iter().map(|place| place.1) {
            let all =
                self.spent(scope, draw.counts, window) + self.leased(&draw.purse, window, None);
            let later = self.later(scope, draw, window);
            let cap = self.caps[&draw.purse];
            assert!(all - later <= cap, "{}: {all} of {cap} in a window", draw.purse);
        }
    }

    /// What belongs to windows after this one.
    fn later(&self, scope: &str, draw: &Draw, window: Timestamp) -> i64 {
        let next = (1..40)
            .map(|days| window.plus_millis(days * 86_400_000))
            .find(|at| draw.window(*at) > window);
        next.map_or(0, |next| {
            self.spent(scope, draw.counts, next) + self.leased(&draw.purse, next, None)
        })
    }

    /// What must be true when all is quiet.
    pub fn check_the_end(&self) {
        self.check();
        let open = self.rows.values().filter(|row| row.ended.is_none()).count();
        assert_eq!(open, 0, "reservations are left open");
        assert!(self.leases.is_empty(), "leases are left: {}", self.leases.len());
        for (id, amount) in &self.told {
            assert_eq!(self.charges.get(id), Some(amount), "{id}");
        }
        let all: i64 = self.charges.values().sum();
        let by_account = self.usage.iter().filter(|((scope, _), _)| scope.starts_with("account:"));
        assert_eq!(by_account.map(|(_, sums)| sums.0).sum::<i64>(), all);
    }

    pub fn tally(&self) -> Tally {
        Tally {
            settled: self.charges.len() as u64,
            recovered: self.recovered,
            refused: self.refused,
            crashes: 0,
            failed_commits: self.failed_commits,
            lost_answers: self.lost_answers,
        }
    }
}
