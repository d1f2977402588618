//! The book against a model that keeps every fact and adds it all up anew for each question.

use proptest::collection::vec;
use proptest::prelude::*;
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Book, KeyTerms, Refusal, Reserve, Settled, Spend, Terminal};

use super::{account, generation, key, nanos};

#[derive(Debug, Clone)]
enum Step {
    Reserve { generation: u32, account: u8, key: u8, amount: i64 },
    Settle { generation: u32, charge: i64 },
    Release { generation: u32 },
    Credit { account: u8, amount: i64 },
    Terms { key: u8, limit: Option<i64>, reset: Option<ResetInterval> },
    Wait { hours: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let generation = || 0_u32..12;
    let reset = prop::option::of(prop::sample::select(vec![
        ResetInterval::Daily,
        ResetInterval::Weekly,
        ResetInterval::Monthly,
    ]));
    prop_oneof![
        6 => (generation(), 0_u8..3, 0_u8..4, -5_i64..80).prop_map(
            |(generation, account, key, amount)| Step::Reserve { generation, account, key, amount },
        ),
        5 => (generation(), -5_i64..100)
            .prop_map(|(generation, charge)| Step::Settle { generation, charge }),
        2 => generation().prop_map(|generation| Step::Release { generation }),
        1 => (0_u8..3, -5_i64..200)
            .prop_map(|(account, amount)| Step::Credit { account, amount }),
        1 => (0_u8..3, prop::option::of(0_i64..150), reset)
            .prop_map(|(key, limit, reset)| Step::Terms { key, limit, reset }),
        2 => (0_i64..400).prop_map(|hours| Step::Wait { hours }),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Open,
    Settled { amount: i64, at: Timestamp },
    Released,
}

#[derive(Debug)]
struct Held {
    generation: u32,
    account: u8,
    key: u8,
    amount: i64,
    fate: Fate,
}

/// Accounts 0 and 1; keys 0 and 1 of account 0 and key 2 of account 1.
#[derive(Debug, Default)]
struct Model {
    credits: Vec<(u8, i64)>,
    held: Vec<Held>,
    limits: [(Option<i64>, Option<ResetInterval>); 3],
}

const OWNER: [u8; 3] = [0, 0, 1];

impl Model {
    fn posted(&self, account: u8) -> i64 {
        let came: i64 = self.credits.iter().filter(|(to, _)| *to == account).map(|(_, n)| n).sum();
        let went: i64 = self
            .held
            .iter()
            .filter(|held| held.account == account)
            .map(|held| if let Fate::Settled { amount, .. } = held.fate { amount } else { 0 })
            .sum();
        came - went
    }

    fn pending(&self, of: impl Fn(&Held) -> bool) -> i64 {
        let open = |held: &&Held| held.fate == Fate::Open && of(held);
        self.held.iter().filter(open).map(|held| held.amount).sum()
    }

    fn available(&self, account: u8) -> i64 {
        self.posted(account) - self.pending(|held| held.account == account)
    }

    fn used(&self, key: u8, now: Timestamp) -> i64 {
        let reset = self.limits[usize::from(key)].1;
        let counts = |at: Timestamp| {
            reset.is_none_or(|reset| at.window_start(reset) == now.window_start(reset))
        };
        self.held
            .iter()
            .filter(|held| held.key == key)
            .map(|held| match held.fate {
                Fate::Settled { amount, at } if counts(at) => amount,
                _ => 0,
            })
            .sum()
    }

    fn remaining(&self, key: u8, now: Timestamp) -> Option<i64> {
        let limit = self.limits.get(usize::from(key))?.0?;
        Some((limit - self.used(key, now) - self.pending(|held| held.key == key)).max(0))
    }

    fn refusal(&self, account: u8, key: u8, amount: i64, now: Timestamp) -> Option<Refusal> {
        if account > 1 {
            return Some(Refusal::UnknownAccount);
        }
        if OWNER.get(usize::from(key)) != Some(&account) {
            return Some(Refusal::UnknownKey);
        }
        if let Some(limit) = self.limits[usize::from(key)].0
            && self.used(key, now) >= limit
        {
            let used = nanos(self.used(key, now));
            return Some(Refusal::KeyLimitExceeded { limit: nanos(limit), used });
        }
        if amount > self.available(account) {
            let available = nanos(self.available(account));
            return Some(Refusal::InsufficientCredit { available });
        }
        let remaining = self.remaining(key, now).filter(|remaining| amount > *remaining)?;
        Some(Refusal::KeyLimitTooLow { remaining: nanos(remaining) })
    }

    fn end(&mut self, generation: u32) -> Result<&mut Held, Terminal> {
        let held = self.held.iter_mut().find(|held| held.generation == generation);
        let held = held.ok_or(Terminal::UnknownReservation)?;
        match held.fate {
            Fate::Open => Ok(held),
            Fate::Settled { .. } => Err(Terminal::AlreadySettled),
            Fate::Released => Err(Terminal::AlreadyReleased),
        }
    }
}

fn terms(key_number: u8, limit: Option<i64>, reset: Option<ResetInterval>) -> KeyTerms {
    let owner = account(OWNER[usize::from(key_number)]);
    KeyTerms { key: key(key_number), account: owner, limit: limit.map(nanos), reset }
}

fn take(book: &mut Book, model: &mut Model, step: Step, now: &mut Timestamp) {
    match step {
        Step::Reserve { generation: n, account: of, key: through, amount } => {
            let request = Reserve {
                generation: generation(n),
                account: account(of),
                key: key(through),
                amount: nanos(amount),
                now: *now,
            };
            let amount = amount.max(0);
            let expected = if model.held.iter().any(|held| held.generation == n) {
                Err(Refusal::AlreadyReserved)
            } else {
                model.refusal(of, through, amount, *now).map_or(Ok(()), Err)
            };
            assert_eq!(book.reserve(request), expected);
            if expected.is_ok() {
                let fate = Fate::Open;
                model.held.push(Held { generation: n, account: of, key: through, amount, fate });
            }
        }
        Step::Settle { generation: n, charge } => {
            let found = book.settle(&generation(n), nanos(charge), *now);
            let expected = model.end(n).map(|held| {
                let amount = charge.clamp(0, held.amount);
                held.fate = Fate::Settled { amount, at: *now };
                (amount, charge.max(0) - amount, held.amount - amount)
            });
            let found = found.map(|settled| {
                let Settled { charged, clamped_by, released } = settled;
                (charged.nanos(), clamped_by.nanos(), released.nanos())
            });
            assert_eq!(found, expected);
        }
        Step::Release { generation: n } => {
            let expected = model.end(n).map(|held| {
                held.fate = Fate::Released;
                held.amount
            });
            let found = book.release(&generation(n)).map(|released| released.amount.nanos());
            assert_eq!(found, expected);
        }
        Step::Credit { account: to, amount } => {
            let done = book.credit(&account(to), nanos(amount)).is_ok();
            assert_eq!(done, to < 2 && amount > 0);
            if done {
                model.credits.push((to, amount));
            }
        }
        Step::Terms { key: of, limit, reset } => {
            assert!(book.open_key(terms(of, limit, reset), Spend::default()));
            model.limits[usize::from(of)] = (limit, reset);
        }
        Step::Wait { hours } => *now = now.plus_millis(hours * 3_600_000),
    }
}

fn compare(book: &Book, model: &Model, now: Timestamp) {
    for n in 0..2 {
        assert_eq!(book.posted(&account(n)), Some(nanos(model.posted(n))));
        assert_eq!(book.available(&account(n)), Some(nanos(model.available(n))));
        assert!(book.available(&account(n)).unwrap() >= Usd::ZERO);
    }
    for n in 0..3 {
        assert_eq!(book.key_remaining(&key(n), now), model.remaining(n, now).map(nanos));
    }
    let open = model.held.iter().filter(|held| held.fate == Fate::Open).count();
    assert_eq!(book.reservations().count(), open);
}

proptest! {
    #[test]
    fn the_book_agrees_with_a_model_that_remembers_everything(
        steps in vec(step(), 1..120),
        start in 1_700_000_000_i64..1_900_000_000,
    ) {
        let mut now = Timestamp::from_seconds(start);
        let (mut book, mut model) = (Book::new(), Model::default());
        for (n, posted) in [(0, 100), (1, 0)] {
            book.open_account(account(n), nanos(posted));
            model.credits.push((n, posted));
        }
        for n in 0..3 {
            book.open_key(terms(n, None, None), Spend::none(now));
        }
        for step in steps {
            take(&mut book, &mut model, step, &mut now);
            compare(&book, &model, now);
        }
    }
}
