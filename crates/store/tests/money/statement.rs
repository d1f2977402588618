//! An account's statement adds up, whatever its period.

use std::time::Duration;

use signalbox_core::Usd;
use signalbox_core::id::AccountId;
use signalbox_store::statement::{Charges, Period, StatementRows};
use signalbox_store::{Ledger, Movement};

use crate::transfers::buy;
use crate::world::{World, usd};

async fn statement(
    world: &World,
    account: &AccountId,
    period: Period,
    how: Charges,
) -> StatementRows {
    world.store.statement(account, period, how).await.unwrap().unwrap()
}

fn adds_up(rows: &StatementRows) {
    let sum: i64 = rows.lines.iter().map(|line| line.change.nanos()).sum();
    assert_eq!(rows.opening.nanos() + sum, rows.closing.nanos(), "{rows:#?}");
}

#[tokio::test]
async fn every_period_begins_where_the_one_before_ended() {
    let world = World::new().await;
    let ann = world.account(1000).await;
    let eve = world.account(0).await;
    let key = world.key(&ann, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    let began = world.clock.now();
    for day in 0..5 {
        world.warm(&ledger, &key).await.unwrap();
        world.spend(&ledger, &key, 100, 10 + day).await;
        world.spend(&ledger, &key, 100, 20).await;
        if day == 2 {
            buy(&world, &ann, 500).await;
            let gift = Movement::transfer("t", &ann, &eve, usd(33), world.clock.now());
            world.store.post_movement(gift).await.unwrap();
        }
        world.clock.advance(Duration::from_secs(86_400));
    }
    ledger.shutdown().await.unwrap();
    let whole = Period { from: None, to: None };
    let all = statement(&world, &ann, whole, Charges::ByDay).await;
    adds_up(&all);
    assert_eq!(all.closing, all.stored.posted());
    // A line for each day, model and kind, and the three movements.
    assert_eq!((all.lines.len(), all.lines.iter().map(|line| line.requests).sum::<u64>()), (8, 10));
    let first = &all.lines[1];
    assert_eq!((first.text.as_str(), first.change, first.requests), ("acme/tiny", usd(-30), 2));

    let one_by_one = statement(&world, &ann, whole, Charges::OneByOne(100)).await;
    adds_up(&one_by_one);
    assert_eq!((one_by_one.closing, one_by_one.lines.len()), (all.closing, 13));
    let few = statement(&world, &ann, whole, Charges::OneByOne(4)).await;
    assert_eq!(few.lines.iter().filter(|line| line.requests > 0).count(), 4);

    let mut balance = Usd::ZERO;
    for day in -1..6 {
        let at = |day: i64| Some(began.plus_millis(day * 86_400_000));
        let period = Period { from: if day < 0 { None } else { at(day) }, to: at(day + 1) };
        let part = statement(&world, &ann, period, Charges::ByDay).await;
        adds_up(&part);
        assert_eq!(part.opening, balance, "day {day}");
        balance = part.closing;
    }
    assert_eq!(balance, all.closing);
    let theirs = statement(&world, &eve, whole, Charges::ByDay).await;
    assert_eq!((theirs.lines.len(), theirs.closing), (1, usd(33)));
    let nobody = AccountId::new("acc_x");
    assert_eq!(world.store.statement(&nobody, whole, Charges::ByDay).await.unwrap(), None);
}
