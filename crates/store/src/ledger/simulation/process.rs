//! A gateway with clients that ask for money, get it, leave, or forget it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signalbox_core::Usd;
use signalbox_core::id::GenerationId;
use signalbox_ledger::{Charge, Reserve};
use signalbox_runtime::{Clock, task};

use super::dice::Dice;
use super::durable::{State, World};
use super::vault::{SimulatedVault, TICK, Window};
use crate::generations::GenerationRow;
use crate::ledger::{Hold, Ledger, LedgerError, Settlement};

const CLIENTS: u64 = 6;

pub(super) struct Process {
    window: Window,
    ledger: Ledger,
    /// Clients finish what they have begun and ask for nothing more.
    resting: Arc<AtomicBool>,
}

impl Process {
    /// A process whose clock may be hours off.
    pub async fn start(world: &Arc<World>, mut dice: Dice) -> Self {
        let off = match dice.below(6) {
            0 => 3_600_000,
            1 => -3_600_000,
            2 => 30 * 86_400_000,
            _ => 0,
        };
        let clock = Clock::manual(State::start().plus_millis(off));
        let holder: Arc<str> = format!("process-{:x}", dice.below(u64::MAX)).into();
        let window = Window::new(world, clock, holder, dice.fork());
        task::spawn("time", keep_time(window.clone()));
        let vault = Box::new(SimulatedVault::new(window.clone()));
        let ledger = Ledger::with_vault(vault).await.unwrap();
        let resting = Arc::new(AtomicBool::new(false));
        for _ in 0..CLIENTS {
            let client = Client {
                window: window.clone(),
                ledger: ledger.clone(),
                resting: resting.clone(),
                dice: dice.fork(),
            };
            task::spawn("client", client.run());
        }
        Self { window, ledger, resting }
    }

    /// Dies at once. Others may find out at any time.
    pub fn crash(self) {
        self.window.dead.store(true, Ordering::Relaxed);
        self.window.world.lock().dead.push(self.window.holder.clone());
        // What is in memory is gone without a word.
        std::mem::forget(self.ledger);
    }

    pub fn rest(&self) {
        self.resting.store(true, Ordering::Relaxed);
    }

    /// Ends in good order, and shows that no pot had more than its lease.
    pub async fn stop(self) {
        self.rest();
        for _ in 0..600 {
            if self.ledger.open_count() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(self.ledger.open_count(), 0, "holds are left open");
        self.ledger.flush().await.unwrap();
        self.compare();
        self.ledger.shutdown().await.unwrap();
        self.window.dead.store(true, Ordering::Relaxed);
    }

    /// What is left in memory is at most what the row has.
    fn compare(&self) {
        let world = self.window.world.lock();
        for shard in self.ledger.inner.shards.iter() {
            let state = shard.lock();
            for (purse, pot) in state.book.pots() {
                let row = world.lease_of(purse, pot.window, &self.window.holder);
                assert!(pot.left.nanos() <= row, "{purse}: {:?} of a lease of {row}", pot.left);
            }
        }
    }
}

async fn keep_time(window: Window) {
    while !window.dead.load(Ordering::Relaxed) {
        tokio::time::sleep(TICK).await;
        window.clock.advance(TICK);
    }
}

struct Client {
    window: Window,
    ledger: Ledger,
    resting: Arc<AtomicBool>,
    dice: Dice,
}

impl Client {
    fn is_over(&self) -> bool {
        self.window.dead.load(Ordering::Relaxed) || self.resting.load(Ordering::Relaxed)
    }

    async fn run(mut self) {
        while !self.is_over() {
            tokio::time::sleep(self.dice.pause(1500)).await;
            if self.is_over() {
                return;
            }
            match self.hold().await {
                Ok(hold) => self.spend(hold).await,
                Err(LedgerError::Refused(_)) => self.window.world.lock().refused += 1,
                Err(_) => {}
            }
        }
    }

    async fn hold(&mut self) -> Result<Hold, LedgerError> {
        let (account, key, spender) = self.window.world.lock().somebody(&mut self.dice);
        let now = self.window.clock.now();
        let id = format!("gen-{}-{:x}", self.window.holder, self.dice.below(u64::MAX));
        let byok = Usd::from_nanos(self.dice.amount(200));
        let draws_free = spender.draws.iter().any(|draw| draw.counts.is_allowance());
        let request = Reserve {
            generation: GenerationId::new(id),
            account: account.clone(),
            key,
            amount: Usd::from_nanos(self.dice.amount(400)),
            byok,
            together: None,
            free: draws_free.then_some(byok),
            spender: Arc::new(spender),
            now,
        };
        self.ledger.warm(&account, &request.spender, now).await?;
        self.ledger.reserve_or_refill(&request).await
    }

    async fn spend(&mut self, hold: Hold) {
        let long = self.dice.once_in(4);
        tokio::time::sleep(self.dice.pause(if long { 6000 } else { 300 })).await;
        if self.dice.once_in(2) {
            let reached = self.dice.amount(200);
            let reached = Usd::from_nanos(reached);
            hold.checkpoint(
                Charge { free: hold.free(), ..Charge::credits(reached) },
                GenerationRow::default(),
            );
            tokio::time::sleep(self.dice.pause(1500)).await;
        }
        if self.window.dead.load(Ordering::Relaxed) {
            std::mem::forget(hold);
            return;
        }
        let id = hold.generation().clone();
        let charge = Charge {
            credits: Usd::from_nanos(self.dice.amount(500)),
            byok: Usd::from_nanos(self.dice.amount(300)),
            free: if self.dice.once_in(4) { None } else { hold.free() },
        };
        match self.dice.below(10) {
            0 => drop(hold),
            1 => drop(self.ledger.release(hold, Vec::new(), Some(GenerationRow::default())).await),
            2 => {
                // A client that leaves while its charge is written.
                let settled =
                    self.ledger.settle(hold, settlement(charge), GenerationRow::default());
                drop(tokio::time::timeout(self.dice.pause(5), settled).await);
            }
            _ => {
                if let Ok(settled) =
                    self.ledger.settle(hold, settlement(charge), GenerationRow::default()).await
                {
                    self.window.world.lock().tell(id, settled.charged);
                }
            }
        }
    }
}

fn settlement(charge: Charge) -> Settlement {
    Settlement { charge, waste: Vec::new() }
}
