//! Who waits is served when what all processes hold together would do: in virtual time, without
//! faults.

use std::sync::Arc;
use std::time::Duration;

use signalbox_core::Usd;
use signalbox_core::id::GenerationId;
use signalbox_ledger::Reserve;
use signalbox_runtime::{Clock, task};

use super::dice::Dice;
use super::durable::{State, World};
use super::vault::{SimulatedVault, Window};
use crate::ledger::{Hold, Ledger, LedgerError};

/// All that there is: of the credit, and of the key's limit on each day.
pub(super) const ALL: i64 = 5000;

/// One process.
#[derive(Clone)]
pub(super) struct Gate {
    name: &'static str,
    world: Arc<World>,
    clock: Clock,
    pub ledger: Ledger,
}

impl Gate {
    pub async fn open(world: &Arc<World>, name: &'static str, dice: &mut Dice) -> Self {
        let clock = Clock::manual(State::start());
        let window = Window::new(world, clock.clone(), name.into(), dice.fork());
        task::spawn("time", keep_time(clock.clone()));
        let ledger = Ledger::with_vault(Box::new(SimulatedVault::new(window))).await.unwrap();
        Self { name, world: world.clone(), clock, ledger }
    }

    /// Asks for an amount, as if it were `days` later here.
    pub async fn ask(&self, amount: i64, days: i64, turn: u64) -> Option<Hold> {
        let (account, key, spender) = self.world.lock().limited();
        let now = self.clock.now().plus_millis(days * 86_400_000);
        let request = Reserve {
            generation: GenerationId::new(format!("{}-{turn}-{days}", self.name)),
            account: account.clone(),
            key,
            amount: Usd::from_nanos(amount),
            byok: Usd::ZERO,
            together: None,
            free: None,
            spender: Arc::new(spender),
            now,
        };
        self.ledger.warm(&account, &request.spender, now).await.unwrap();
        match self.ledger.reserve_or_refill(&request).await {
            Ok(hold) => Some(hold),
            Err(LedgerError::Refused(_)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn release(&self, hold: Hold) {
        self.ledger.release(hold, Vec::new(), None).await.unwrap();
    }
}

async fn keep_time(clock: Clock) {
    const TICK: Duration = Duration::from_millis(50);
    loop {
        tokio::time::sleep(TICK).await;
        clock.advance(TICK);
    }
}

pub(super) fn virtual_time(run: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(run);
}

async fn gates(world: &Arc<World>, count: usize, dice: &mut Dice) -> Vec<Gate> {
    let mut gates = Vec::new();
    for name in ["one", "two", "three"].into_iter().take(count) {
        gates.push(Gate::open(world, name, dice).await);
    }
    gates
}

/// All ask at once for more than half of everything, on these days: one of them gets it.
async fn all_at_once(gates: &[Gate], days: &[i64], dice: &mut Dice, turn: u64) -> usize {
    let asking: Vec<_> = gates
        .iter()
        .zip(days)
        .map(|(gate, days)| {
            let (gate, days, pause) = (gate.clone(), *days, dice.pause(50));
            let amount = ALL / 2 + 1 + dice.amount(ALL / 2);
            task::spawn("asks", async move {
                tokio::time::sleep(pause).await;
                gate.ask(amount, days, turn).await
            })
        })
        .collect();
    let mut admitted = 0;
    let mut holds = Vec::new();
    for (gate, asked) in gates.iter().zip(asking) {
        if let Some(hold) = asked.await.unwrap().unwrap() {
            admitted += 1;
            holds.push((gate, hold));
        }
    }
    for (gate, hold) in holds {
        gate.release(hold).await;
    }
    admitted
}

#[test]
fn of_all_who_are_short_of_several_purses_one_is_served() {
    virtual_time(async {
        let mut dice = Dice::new(7);
        for count in [2, 3] {
            let world = Arc::new(World::calm(ALL));
            let gates = gates(&world, count, &mut dice).await;
            for turn in 0..100 {
                let admitted = all_at_once(&gates, &[0; 3], &mut dice, turn).await;
                assert_eq!(admitted, 1, "turn {turn} of {count} processes");
                tokio::time::sleep(dice.pause(1200)).await;
            }
        }
    });
}

#[test]
fn what_a_clock_that_is_ahead_has_leased_comes_back() {
    virtual_time(async {
        let mut dice = Dice::new(8);
        let world = Arc::new(World::calm(ALL));
        let gates = gates(&world, 3, &mut dice).await;
        for turn in 0..100 {
            // One of them is a month ahead, or all are on days of their own.
            let days = if turn % 2 == 0 { [0, 30, 1] } else { [0, 0, 31] };
            let admitted = all_at_once(&gates, &days, &mut dice, turn).await;
            assert_eq!(admitted, 1, "turn {turn}");
            tokio::time::sleep(dice.pause(1200)).await;
        }
    });
}

#[test]
fn a_process_does_not_wait_for_what_it_leased_itself_when_its_clock_was_ahead() {
    virtual_time(async {
        let mut dice = Dice::new(9);
        let world = Arc::new(World::calm(ALL));
        let gate = Gate::open(&world, "one", &mut dice).await;
        for (turn, days) in [(1, 31), (2, 0), (3, 1), (4, -1)] {
            let hold = gate.ask(ALL, days, turn).await.expect("everything");
            gate.release(hold).await;
        }
    });
}
