//! The book against a model that keeps every fact and adds it all up anew for each question.

use proptest::collection::vec;
use proptest::prelude::*;
use signalbox_core::plan::ByokFree;
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{
    Book, Charge, Counts, Draw, Refusal, Reservation, Reserve, Spender, Terminal,
};

use super::{generation, hold, leased, nanos, spender};

#[derive(Debug, Clone)]
enum Step {
    Reserve {
        generation: u32,
        spender: usize,
        amount: i64,
        byok: i64,
        /// What both are together less the greater of them, and what of the second is free.
        more: i64,
        free: Option<i64>,
    },
    Settle {
        generation: u32,
        charge: i64,
        byok: i64,
        free: Option<i64>,
    },
    Release {
        generation: u32,
        attempted: bool,
    },
    Fill {
        draw: usize,
        amount: i64,
    },
    Withdraw {
        draw: usize,
        most: i64,
    },
    /// Hours, also backwards.
    Wait {
        hours: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let generation = || 0_u32..12;
    let free = || proptest::option::of(-5_i64..90);
    prop_oneof![
        6 => (generation(), 0..4_usize, -5_i64..80, -5_i64..80, -5_i64..80, free()).prop_map(
            |(generation, spender, amount, byok, more, free)| {
                Step::Reserve { generation, spender, amount, byok, more, free }
            },
        ),
        5 => (generation(), -5_i64..100, -5_i64..100, free()).prop_map(
            |(generation, charge, byok, free)| Step::Settle { generation, charge, byok, free },
        ),
        2 => (generation(), any::<bool>())
            .prop_map(|(generation, attempted)| Step::Release { generation, attempted }),
        3 => (0..6_usize, 0_i64..200).prop_map(|(draw, amount)| Step::Fill { draw, amount }),
        1 => (0..6_usize, 0_i64..200).prop_map(|(draw, most)| Step::Withdraw { draw, most }),
        2 => (-60_i64..200).prop_map(|hours| Step::Wait { hours }),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Open,
    Settled { credits: i64, byok: i64, free: Option<i64> },
    Released { attempted: bool },
}

/// What a purse counts, as the rules say it.
fn counted(draw: &Draw, credits: i64, together: i64, free: Option<i64>) -> i64 {
    match draw.counts {
        Counts::Credits => credits,
        Counts::CreditsAndByok => together,
        Counts::Requests => 1,
        Counts::FreeRequests => i64::from(free.is_some()),
        Counts::FreeList => free.unwrap_or(0),
    }
}

struct World {
    book: Book,
    draws: Vec<Draw>,
    spenders: Vec<std::sync::Arc<Spender>>,
    filled: Vec<(usize, Timestamp, i64)>,
    held: Vec<(Reservation, Fate)>,
    now: Timestamp,
}

fn world(start: i64) -> World {
    let cap = |interval, counts| super::limit(100, interval, counts);
    let daily = cap(Some(ResetInterval::Daily), Counts::Credits);
    let weekly = cap(Some(ResetInterval::Weekly), Counts::CreditsAndByok);
    let free = Draw::limit("free:acc_1", None, nanos(6), Counts::Requests, Timestamp::default());
    let allowance = |free| Draw::allowance(&super::account(), free, Timestamp::default());
    let own = [ByokFree::Requests(4), ByokFree::ListPriceUsd(nanos(300))].map(allowance);
    let mut draws = vec![Draw::credit(&super::account()), daily.clone(), weekly.clone()];
    draws.push(free.clone());
    draws.extend(own.clone());
    let [requests, list] = own;
    World {
        book: Book::new(),
        draws,
        spenders: vec![
            spender(&[]),
            spender(&[daily.clone(), weekly.clone(), list]),
            spender(&[free, daily]),
            spender(&[weekly, requests]),
        ],
        filled: Vec::new(),
        held: Vec::new(),
        now: Timestamp::from_seconds(start),
    }
}

impl World {
    /// What is left of a pot and what is held of it; `None` when it was never filled.
    fn pot(&self, draw: &Draw, window: Timestamp) -> Option<(i64, i64)> {
        let place = self.draws.iter().position(|one| one.purse == draw.purse)?;
        let fills = self.filled.iter().filter(|(of, at, _)| *of == place && *at == window);
        fills.clone().next()?;
        let (mut left, mut pending) = (fills.map(|(.., amount)| amount).sum::<i64>(), 0);
        for (held, fate) in &self.held {
            let ours = held.spender.draws.iter().any(|one| one.purse == draw.purse);
            if !ours || draw.window(held.opened_at) != window {
                continue;
            }
            match *fate {
                Fate::Open => {
                    let free = held.free.map(|free| free.nanos());
                    pending += counted(draw, held.amount.nanos(), held.together.nanos(), free);
                }
                Fate::Settled { credits, byok, free } => {
                    left -= counted(draw, credits, credits + byok, free);
                }
                Fate::Released { attempted } => {
                    left -= if attempted { counted(draw, 0, 0, None) } else { 0 };
                }
            }
        }
        Some((left, pending))
    }

    fn refusal(&self, spender: &Spender, asked: (i64, i64, Option<i64>)) -> Option<Refusal> {
        let pot = |draw: &Draw| self.pot(draw, draw.window(self.now));
        for draw in &spender.draws {
            let purse = draw.purse.clone();
            match pot(draw) {
                None => return Some(Refusal::Unloaded { purse }),
                Some((left, _)) if draw.cap().is_some() && left <= 0 => {
                    return Some(Refusal::Exhausted { purse });
                }
                Some(_) => {}
            }
        }
        spender.draws.iter().find_map(|draw| {
            let (left, pending) = pot(draw)?;
            let (amount, together, free) = asked;
            let need = counted(draw, amount, together, free);
            let available = nanos(left - pending);
            let purse = draw.purse.clone();
            (need > left - pending).then_some(Refusal::Short { purse, available })
        })
    }

    fn end(&mut self, n: u32, fate: impl Fn(&Reservation) -> Fate) -> Result<(), Terminal> {
        let found = self.held.iter_mut().find(|(held, _)| held.generation == generation(n));
        let (held, was) = found.ok_or(Terminal::UnknownReservation)?;
        match was {
            Fate::Open => *was = fate(held),
            Fate::Settled { .. } => return Err(Terminal::AlreadySettled),
            Fate::Released { .. } => return Err(Terminal::AlreadyReleased),
        }
        Ok(())
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Reserve { generation: n, spender, amount, byok, more, free } => {
                let mut request = hold(n, amount, &self.spenders[spender], self.now);
                request.byok = nanos(byok);
                request.together = Some(nanos(amount.max(byok) + more));
                request.free = free.map(nanos);
                self.reserve(n, &request);
            }
            Step::Settle { generation: n, charge, byok, free } => {
                let (credits, list) = (nanos(charge), nanos(byok));
                let came_to = Charge { credits, byok: list, free: free.map(nanos) };
                let found = self.book.settle(&generation(n), came_to);
                let expected = self.end(n, |held| {
                    let credits = charge.clamp(0, held.amount.nanos());
                    let room = held.together.nanos() - credits;
                    let byok = byok.clamp(0, held.byok.nanos().min(room));
                    let free = free.zip(held.free);
                    let free = free.map(|(used, held)| used.min(held.nanos()).clamp(0, byok));
                    Fate::Settled { credits, byok, free }
                });
                assert_eq!(found.map(drop), expected);
            }
            Step::Release { generation: n, attempted } => {
                let found = self.book.release(&generation(n), attempted);
                let expected = self.end(n, |_| Fate::Released { attempted });
                assert_eq!(found.map(drop), expected);
            }
            Step::Fill { draw, amount } => {
                let window = self.draws[draw].window(self.now);
                self.book.fill(&self.draws[draw], window, leased(amount));
                self.filled.push((draw, window, amount));
            }
            Step::Withdraw { draw, most } => {
                let it = self.draws[draw].clone();
                let window = it.window(self.now);
                let (left, pending) = self.pot(&it, window).unwrap_or_default();
                let taken = self.book.withdraw(&it.purse, window, nanos(most)).nanos();
                assert_eq!(taken, most.min(left - pending).max(0));
                if taken > 0 {
                    self.filled.push((draw, window, -taken));
                }
            }
            Step::Wait { hours } => self.now = self.now.plus_millis(hours * 3_600_000),
        }
    }

    fn reserve(&mut self, n: u32, request: &Reserve) {
        let (amount, byok) = (request.amount.nanos().max(0), request.byok.nanos().max(0));
        let together = request.together.map_or(0, Usd::nanos).max(amount).min(amount + byok);
        let free = request.free.map(|free| free.nanos().clamp(0, byok));
        let known = self.held.iter().any(|(held, _)| held.generation == generation(n));
        let expected = if known {
            Err(Refusal::AlreadyReserved)
        } else {
            self.refusal(&request.spender, (amount, together, free)).map_or(Ok(()), Err)
        };
        assert_eq!(self.book.reserve(request), expected);
        if expected.is_ok() {
            let held = self.book.reservation(&generation(n)).unwrap().clone();
            assert_eq!((held.amount, held.byok), (nanos(amount), nanos(byok)));
            assert_eq!((held.together, held.free), (nanos(together), free.map(nanos)));
            self.held.push((held, Fate::Open));
        }
    }

    fn compare(&self) {
        for (purse, pot) in self.book.pots() {
            let draw = self.draws.iter().find(|draw| &draw.purse == purse).unwrap();
            let expected = self.pot(draw, pot.window).unwrap();
            assert_eq!((pot.left.nanos(), pot.pending.nanos()), expected, "{purse}");
            assert!(pot.available().nanos() >= 0, "{purse}");
        }
        let open = self.held.iter().filter(|(_, fate)| *fate == Fate::Open).count();
        assert_eq!(self.book.reservations().count(), open);
    }
}

proptest! {
    #[test]
    fn the_book_agrees_with_a_model_that_remembers_everything(
        steps in vec(step(), 1..150),
        start in 1_700_000_000_i64..1_900_000_000,
    ) {
        let mut world = world(start);
        for step in steps {
            world.take(step);
            world.compare();
        }
    }
}
