//! The book against a model that keeps every fact and adds it all up anew for each question.

use proptest::collection::vec;
use proptest::prelude::*;
use signalbox_core::Timestamp;
use signalbox_core::time::ResetInterval;
use signalbox_ledger::{Book, Charge, Counts, Draw, Refusal, Reservation, Spender, Terminal};

use super::{generation, hold, leased, nanos, spender};

#[derive(Debug, Clone)]
enum Step {
    Reserve {
        generation: u32,
        spender: usize,
        amount: i64,
        byok: i64,
    },
    Settle {
        generation: u32,
        charge: i64,
        byok: i64,
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
    prop_oneof![
        6 => (generation(), 0..3_usize, -5_i64..80, -5_i64..80).prop_map(
            |(generation, spender, amount, byok)| Step::Reserve { generation, spender, amount, byok },
        ),
        5 => (generation(), -5_i64..100, -5_i64..100)
            .prop_map(|(generation, charge, byok)| Step::Settle { generation, charge, byok }),
        2 => (generation(), any::<bool>())
            .prop_map(|(generation, attempted)| Step::Release { generation, attempted }),
        3 => (0..4_usize, 0_i64..200).prop_map(|(draw, amount)| Step::Fill { draw, amount }),
        1 => (0..4_usize, 0_i64..200).prop_map(|(draw, most)| Step::Withdraw { draw, most }),
        2 => (-60_i64..200).prop_map(|hours| Step::Wait { hours }),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Open,
    Settled { credits: i64, byok: i64 },
    Released { attempted: bool },
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
    let draws = vec![Draw::credit(&super::account()), daily.clone(), weekly.clone(), free.clone()];
    World {
        book: Book::new(),
        draws,
        spenders: vec![spender(&[]), spender(&[daily.clone(), weekly]), spender(&[free, daily])],
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
            let counts = |credits, byok, requests| {
                draw.counts.of(nanos(credits), nanos(byok), requests).nanos()
            };
            match *fate {
                Fate::Open => pending += counts(held.amount.nanos(), held.byok.nanos(), 1),
                Fate::Settled { credits, byok } => left -= counts(credits, byok, 1),
                Fate::Released { attempted } => left -= counts(0, 0, u32::from(attempted)),
            }
        }
        Some((left, pending))
    }

    fn refusal(&self, spender: &Spender, amount: i64, byok: i64) -> Option<Refusal> {
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
            let need = draw.counts.of(nanos(amount), nanos(byok), 1).nanos();
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
            Step::Reserve { generation: n, spender, amount, byok } => {
                self.reserve(n, spender, amount, byok)
            }
            Step::Settle { generation: n, charge, byok } => {
                let found = self
                    .book
                    .settle(&generation(n), Charge { credits: nanos(charge), byok: nanos(byok) });
                let expected = self.end(n, |held| Fate::Settled {
                    credits: charge.clamp(0, held.amount.nanos()),
                    byok: byok.clamp(0, held.byok.nanos()),
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

    fn reserve(&mut self, n: u32, who: usize, amount: i64, byok: i64) {
        let who = self.spenders[who].clone();
        let mut request = hold(n, amount, &who, self.now);
        request.byok = nanos(byok);
        let (amount, byok) = (amount.max(0), byok.max(0));
        let known = self.held.iter().any(|(held, _)| held.generation == generation(n));
        let expected = if known {
            Err(Refusal::AlreadyReserved)
        } else {
            self.refusal(&who, amount, byok).map_or(Ok(()), Err)
        };
        assert_eq!(self.book.reserve(&request), expected);
        if expected.is_ok() {
            let held = self.book.reservation(&generation(n)).unwrap().clone();
            assert_eq!((held.amount, held.byok), (nanos(amount), nanos(byok)));
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
