//! Test 13, `money::terminal_race`, by schedules: everything that can end a reservation, in ten thousand
//! orders of their steps. One wins, the others hear how it ended, the balance moves once.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex as Notes;
use std::sync::PoisonError;

use shuttle::sync::{Mutex, MutexGuard};
use shuttle::thread;
use signalbox_core::id::{AccountId, GenerationId, KeyHash};
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Charge, Draw, Leased, Reserve, Spender, Terminal};

use super::State;
use super::shard::{Lock, Shard};

const SCHEDULES: usize = 10_000;
/// Steps between which the other scheduler may change its mind.
const DEPTH: usize = 3;
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const BALANCE: i64 = 100;
const HELD: i64 = 10;

impl<T> Lock<T> for Mutex<T> {
    type Held<'a>
        = MutexGuard<'a, T>
    where
        Self: 'a;

    fn hold(&self) -> MutexGuard<'_, T> {
        self.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Raced = Shard<Mutex<State>>;

/// What ends a reservation: its owner with a charge, an attempt that failed, a task that was lost, an
/// operator who gives everything back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Ending {
    Settle,
    Void,
    Expire,
    Refund,
}

const ALL: [Ending; 4] = [Ending::Settle, Ending::Void, Ending::Expire, Ending::Refund];

impl Ending {
    fn run(self, shard: &Raced, generation: &GenerationId) -> Result<(), Terminal> {
        let charge = |nanos| Charge::credits(Usd::from_nanos(nanos));
        match self {
            Self::Settle => shard.settle(generation, charge(7)).map(drop),
            Self::Void => shard.release(generation, true),
            Self::Expire => shard.release(generation, false),
            Self::Refund => shard.settle(generation, charge(0)).map(drop),
        }
    }

    const fn charged(self) -> i64 {
        match self {
            Self::Settle => 7,
            Self::Void | Self::Expire | Self::Refund => 0,
        }
    }

    /// What the others hear when this one was first.
    const fn told(self) -> Terminal {
        match self {
            Self::Settle | Self::Refund => Terminal::AlreadySettled,
            Self::Void | Self::Expire => Terminal::AlreadyReleased,
        }
    }
}

fn nanos(amount: Usd) -> i64 {
    amount.nanos()
}

/// A shard with one reservation on a balance.
fn held(generation: &GenerationId) -> (Arc<Raced>, Draw) {
    let (account, key) = (AccountId::new("acc_1"), KeyHash::new("k"));
    let spender = Arc::new(Spender::new(&account, &key, "w"));
    let draw = Draw::credit(&account);
    let mut state = State::default();
    let leased = Leased { added: Usd::from_nanos(BALANCE), others: Usd::ZERO, blocked: false };
    state.book.fill(&draw, draw.window(NOW), leased);
    let request = Reserve {
        generation: generation.clone(),
        account,
        key,
        amount: Usd::from_nanos(HELD),
        byok: Usd::ZERO,
        together: None,
        free: None,
        spender,
        now: NOW,
    };
    state.reserve(&request).unwrap();
    (Arc::new(Shard::behind(Mutex::new(state))), draw)
}

/// What is left and what is held, at one moment.
fn seen(shard: &Raced, draw: &Draw) -> (i64, i64) {
    let state = shard.lock();
    let pot = state.book.pot(&draw.purse, draw.window(NOW)).unwrap();
    (nanos(pot.left), nanos(pot.pending))
}

/// One schedule; answers who won.
fn race() -> Ending {
    let generation = GenerationId::new("gen-1");
    let (shard, draw) = held(&generation);
    // Each of them tries twice, as one does whose answer got lost.
    let racers = ALL.map(|ending| {
        let (shard, generation) = (Arc::clone(&shard), generation.clone());
        thread::spawn(move || [(); 2].map(|()| ending.run(&shard, &generation)))
    });
    let watcher = {
        let (shard, draw) = (Arc::clone(&shard), draw.clone());
        thread::spawn(move || [(); 3].map(|()| seen(&shard, &draw)))
    };
    let told = racers.map(|racer| racer.join().unwrap());
    let won: Vec<Ending> = (ALL.into_iter().zip(&told))
        .flat_map(|(ending, told)| told.iter().filter(|one| one.is_ok()).map(move |_| ending))
        .collect();
    let [winner] = won[..] else { panic!("{won:?} won: {told:?}") };
    let refused: Vec<_> = told.iter().flatten().filter_map(|one| one.err()).collect();
    assert_eq!(refused, [winner.told(); 7], "the others hear how it ended");
    let end = (BALANCE - winner.charged(), 0);
    assert_eq!(seen(&shard, &draw), end, "the balance moves once, after {winner:?}");
    let mut before = (BALANCE, HELD);
    for now in watcher.join().unwrap() {
        assert!(now == before || (before == (BALANCE, HELD) && now == end), "{before:?} {now:?}");
        before = now;
    }
    winner
}

fn winners(explore: impl FnOnce(Box<dyn Fn() + Send + Sync>)) -> usize {
    // A lock of the system: it is no step of a schedule.
    let winners = Arc::new(Notes::new(HashSet::new()));
    let noted = Arc::clone(&winners);
    explore(Box::new(move || {
        let winner = race();
        noted.lock().unwrap().insert(winner);
    }));
    winners.lock().unwrap().len()
}

#[test]
fn one_end_wins_in_ten_thousand_schedules() {
    let won = winners(|race| shuttle::check_random(race, SCHEDULES));
    assert_eq!(won, ALL.len(), "each of them wins in some");
}

#[test]
fn one_end_wins_in_schedules_that_change_their_mind_seldom() {
    let won = winners(|race| shuttle::check_pct(race, SCHEDULES / 5, DEPTH));
    assert_eq!(won, ALL.len(), "each of them wins in some");
}
