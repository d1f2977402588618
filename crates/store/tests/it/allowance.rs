//! What an account may use of its own provider keys in a month before the fee begins: exact under
//! concurrency and over two processes.

use std::sync::Arc;
use std::time::Duration;

use signalbox_core::Usd;
use signalbox_core::plan::ByokFree;
use signalbox_ledger::{Charge, Counts, Draw, Refusal, Reserve, Spender, byok_fee};
use signalbox_runtime::{Clock, task};
use signalbox_store::{GenerationRow, KeyRecord, Ledger, LedgerError, Settlement};

use crate::world::{World, start, usd};

/// Five percent.
pub const BPS: u32 = 500;
/// The list price of a request, and the most that it could have been.
pub const LIST: i64 = 70;
const MOST: i64 = 90;

pub fn draw(key: &KeyRecord, free: ByokFree) -> Draw {
    Draw::allowance(&key.account, free, start())
}

/// A request whose list price is at most `MOST`, of which `free` is to be covered by the allowance.
pub fn request(world: &World, key: &KeyRecord, allowance: Option<(&Draw, i64)>) -> Reserve {
    let plain = key.spender(&[]);
    let spender: Spender = match allowance {
        Some((draw, _)) => plain.limited(draw.clone(), false),
        None => plain,
    };
    let free = allowance.map(|(_, free)| usd(free.min(MOST)));
    let fee = byok_fee(usd(MOST), free.unwrap_or_default(), BPS);
    Reserve {
        amount: fee,
        byok: usd(MOST),
        free,
        spender: Arc::new(spender),
        ..world.request(key, 0)
    }
}

/// The row of an answer by an own key: one nano-dollar of list price for each token.
pub fn row(world: &World) -> GenerationRow {
    GenerationRow { byok: Some(usd(LIST)), fee_bps: Some(BPS), ..world.row(LIST) }
}

/// What the allowance covers of one request, tried as the gateway does: with all of it, with what is
/// there, without. `answered` is whether anybody answers it.
pub async fn one(
    world: &World,
    ledger: &Ledger,
    key: &KeyRecord,
    allowance: &Draw,
    answered: bool,
) -> Usd {
    let mut free = Some(MOST);
    let hold = loop {
        let wish = request(world, key, free.map(|free| (allowance, free)));
        match ledger.reserve_or_refill(&wish).await {
            Ok(hold) => break hold,
            Err(LedgerError::Refused(Refusal::Short { purse, available }))
                if purse == allowance.purse
                    && allowance.counts == Counts::FreeList
                    && available > Usd::ZERO =>
            {
                free = Some(available.nanos());
            }
            Err(LedgerError::Refused(
                Refusal::Short { purse, .. } | Refusal::Exhausted { purse },
            )) if purse == allowance.purse => free = None,
            // The other process is slow to share the credit for the fee.
            Err(LedgerError::Refused(Refusal::Short { .. })) => {}
            Err(error) => panic!("{error}"),
        }
    };
    if !answered {
        ledger.release(hold, Vec::new(), Some(world.row(0))).await.unwrap();
        return Usd::ZERO;
    }
    let covered = hold.free().map(|free| free.min(usd(LIST)));
    let credits = byok_fee(usd(LIST), covered.unwrap_or_default(), BPS);
    let charge = Charge { credits, byok: usd(LIST), free: covered };
    let settlement = Settlement { charge, waste: Vec::new() };
    let settled = ledger.settle(hold, settlement, row(world)).await.unwrap();
    assert_eq!((settled.charged, settled.free, settled.clamped_by), (credits, covered, Usd::ZERO));
    covered.unwrap_or_default()
}

/// Two processes, an allowance that is used up under way, requests that fail now and then. `total` is
/// what is free in the end, to the nano-dollar.
async fn storm(free: ByokFree, total: i64) {
    let world = Arc::new(World::with_clock(Clock::system()).await);
    let account = world.account(1_000_000).await;
    let key = world.key(&account, None, None).await;
    let other = world.again().await;
    let ledgers = [Ledger::open(&world.store).await.unwrap(), Ledger::open(&other).await.unwrap()];
    let allowance = draw(&key, free);
    let tasks: Vec<_> = (0..160)
        .map(|n| {
            let (world, ledger) = (world.clone(), ledgers[n % 2].clone());
            let (key, allowance) = (key.clone(), allowance.clone());
            task::spawn(
                "storm",
                async move { one(&world, &ledger, &key, &allowance, n % 9 != 0).await },
            )
        })
        .collect();
    let mut covered = 0;
    for task in tasks {
        covered += task.await.unwrap().unwrap().nanos();
    }
    assert!(covered <= total, "{covered} of {total}");
    // What came back from those that failed is there for others, wherever they ask.
    for n in 0.. {
        let more = one(&world, &ledgers[n % 2], &key, &allowance, true).await.nanos();
        covered += more;
        if more == 0 {
            break;
        }
    }
    assert_eq!(covered, total);
    assert_eq!(one(&world, &ledgers[1], &key, &allowance, true).await, Usd::ZERO);
    let facts = world.store.facts().await.unwrap();
    let stored: i64 = facts.generations.iter().filter_map(|row| row.byok_free).sum();
    assert_eq!(stored, total);
    let report = world.audit().await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_give_exactly_the_free_requests_of_a_month_away() {
    storm(ByokFree::Requests(60), 60 * LIST).await;
}

/// The last free request is free in part.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_give_exactly_the_free_list_price_of_a_month_away() {
    storm(ByokFree::ListPriceUsd(usd(40 * LIST + 33)), 40 * LIST + 33).await;
}

#[tokio::test]
async fn a_month_starts_anew_and_a_plan_may_count_in_the_other_unit_from_one_day_to_the_next() {
    let world = World::new().await;
    let account = world.account(1_000_000).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    let requests = draw(&key, ByokFree::Requests(3));
    for expected in [LIST, LIST, LIST, 0, 0] {
        assert_eq!(one(&world, &ledger, &key, &requests, true).await, usd(expected));
    }
    // What was posted counts in either unit.
    ledger.flush().await.unwrap();
    assert!(world.audit().await.is_clean());
    let more = draw(&key, ByokFree::ListPriceUsd(usd(3 * LIST + 100)));
    for expected in [LIST, 30, 0] {
        assert_eq!(one(&world, &ledger, &key, &more, true).await, usd(expected));
    }
    // Five requests have been free, one of them in part.
    ledger.flush().await.unwrap();
    assert!(world.audit().await.is_clean());
    let five = draw(&key, ByokFree::Requests(6));
    for expected in [LIST, 0] {
        assert_eq!(one(&world, &ledger, &key, &five, true).await, usd(expected));
    }
    world.clock.advance(Duration::from_secs(31 * 86_400));
    assert_eq!(one(&world, &ledger, &key, &five, true).await, usd(LIST));
    assert!(world.audit().await.is_clean());
}
