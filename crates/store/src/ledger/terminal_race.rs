//! Everything that can end a reservation, at once, from two processes (reliability.md test 13): the
//! settlement of its owner, the release of a supervisor, the settlement of a checkpoint and the
//! release by a process that buries it. One wins; the others are told that it has ended.

use std::sync::Arc;

use signalbox_core::id::{AccountId, GenerationId, KeyHash};
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Charge, Grant, Reservation, Spender};
use signalbox_runtime::{Clock, entropy, task};
use tokio::sync::{Barrier, oneshot};

use super::entry::{End, Entry, Outcome, Step};
use crate::error::StoreError;
use crate::store::Store;

const RACERS: usize = 64;
const ROUNDS: i64 = 20;
const COST: i64 = 7;

fn end(held: &Reservation, settles: bool) -> (Entry, oneshot::Receiver<Result<(), StoreError>>) {
    let (done, answer) = oneshot::channel();
    let credits = if settles { Usd::from_nanos(COST) } else { Usd::ZERO };
    let end = End {
        outcome: if settles { Outcome::Settled } else { Outcome::Released },
        at: Timestamp::from_seconds(1_800_000_001),
        charge: Charge::credits(credits),
        waste: Vec::new(),
        row: None,
        checkpointed: settles,
        done: Some(done),
    };
    (Entry { reservation: held.clone(), holder: "process".into(), step: Step::End(end) }, answer)
}

async fn race(stores: &[Store; 2], held: Reservation) -> (usize, bool) {
    let start = Arc::new(Barrier::new(RACERS));
    let racers: Vec<_> = (0..RACERS)
        .map(|n| {
            let (store, held, start) = (stores[n % 2].clone(), held.clone(), start.clone());
            task::spawn("racer", async move {
                let settles = n % 3 == 0;
                let (entry, answer) = end(&held, settles);
                start.wait().await;
                store.writer().post(entry).unwrap();
                (settles, answer.await.unwrap())
            })
        })
        .collect();
    let (mut won, mut charged) = (0, false);
    for racer in racers {
        match racer.await.unwrap().unwrap() {
            (settles, Ok(())) => (won, charged) = (won + 1, settles),
            // It has ended, or its charge is there.
            (_, Err(StoreError::Constraint(_))) => {}
            (_, Err(other)) => panic!("{other}"),
        }
    }
    (won, charged)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_sixty_four_ends_a_reservation() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("race.db").display());
    let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    let open = async || Store::open(&url, clock.clone()).await.unwrap();
    let stores = [open().await, open().await];
    let account = AccountId::new("acc_1");
    stores[0].create_account(account.clone(), "ann@example.com").await.unwrap();
    let grant = Grant {
        id: "g1".to_owned(),
        account: account.clone(),
        amount: Usd::from_nanos(1000),
        reason: String::new(),
        operator: "ops".to_owned(),
        at: clock.now(),
    };
    stores[0].grant(grant).await.unwrap();
    let key = KeyHash::new("k");
    // No purse, and so no lease: only what is charged is looked at here.
    let scopes = Spender::new(&account, &key, "w").scopes;
    let spender = Arc::new(Spender { draws: Vec::new(), scopes });
    let mut expected = 0;
    for _ in 0..ROUNDS {
        let held = Reservation {
            generation: GenerationId::generate(clock.now(), entropy::bytes()),
            account: account.clone(),
            key: key.clone(),
            amount: Usd::from_nanos(10),
            byok: Usd::ZERO,
            together: Usd::from_nanos(10),
            free: None,
            opened_at: clock.now(),
            spender: spender.clone(),
        };
        let (won, charged) = race(&stores, held).await;
        assert_eq!(won, 1);
        expected += if charged { COST } else { 0 };
        let balance = stores[1].balance(&account).await.unwrap().unwrap();
        assert_eq!(balance.charged, Usd::from_nanos(expected), "the balance moves once");
    }
}
