//! Windows of limits and budgets, with two gateways whose clocks cross midnight, are behind and jump
//! (reliability.md test 31). The sum of each window is exact, nothing overshoots, no window opens
//! twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::Spender;
use signalbox_runtime::{Clock, task};
use signalbox_store::{Budget, KeyRecord, Ledger, Store};

use crate::world::{World, usd};

/// 100 ms before Tuesday 2026-09-01, a new month.
const EDGE: Timestamp = Timestamp::from_micros(1_788_220_799_900_000);
const DAY: Duration = Duration::from_secs(86_400);
const HOLD: i64 = 30;
const COST: i64 = 20;

/// One gateway with a clock of its own.
struct Gate {
    clock: Clock,
    store: Store,
    ledger: Ledger,
}

impl Gate {
    async fn open(world: &World, at: Timestamp) -> Arc<Self> {
        let clock = Clock::manual(at);
        let store = world.again_at(clock.clone()).await;
        let ledger = Ledger::open(&store).await.unwrap();
        task::spawn("time", tick(clock.clone()));
        Arc::new(Self { clock, store, ledger })
    }

    /// Whether the request was admitted and charged.
    async fn spend(&self, world: &World, key: &KeyRecord, spender: &Arc<Spender>) -> bool {
        let mut request = world.request(key, HOLD);
        request.spender = spender.clone();
        request.now = self.clock.now();
        let Ok(hold) = self.ledger.reserve_or_refill(&request).await else { return false };
        task::spawn("yield", async {}).await.unwrap();
        self.ledger.settle(hold, usd(COST), world.row(COST)).await.unwrap();
        true
    }
}

/// Time goes on.
async fn tick(clock: Clock) {
    const TICK: Duration = Duration::from_millis(10);
    loop {
        tokio::time::sleep(TICK).await;
        clock.advance(TICK);
    }
}

fn budget(scope: &str, interval: Option<ResetInterval>, limit: i64) -> Budget {
    let at = Timestamp::default();
    let scope = scope.to_owned();
    Budget { scope, interval, limit: usd(limit), include_byok: false, updated_at: at }
}

/// What the stored rows say was spent on each day.
async fn by_day(gate: &Gate, scope: &str) -> BTreeMap<i64, i64> {
    gate.ledger.flush().await.unwrap();
    gate.store.spent_by_day(scope).await.unwrap().into_iter().collect()
}

async fn at_once(
    gates: &[Arc<Gate>],
    world: &Arc<World>,
    key: &KeyRecord,
    who: &Arc<Spender>,
) -> usize {
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let (gate, world) = (gates[n % gates.len()].clone(), world.clone());
            let (key, who) = (key.clone(), who.clone());
            task::spawn("spend", async move {
                if n == 40 {
                    gate.clock.advance(Duration::from_millis(200));
                }
                gate.spend(&world, &key, &who).await
            })
        })
        .collect();
    let mut admitted = 0;
    for task in tasks {
        admitted += usize::from(task.await.unwrap().unwrap());
    }
    admitted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_never_holds_more_than_its_limit_whatever_the_clocks_do() {
    let world = Arc::new(World::with_clock(Clock::manual(EDGE)).await);
    let account = world.account(1_000_000).await;
    let key = world.key(&account, Some(500), Some(ResetInterval::Daily)).await;
    let scope = format!("workspace:default:{account}");
    for (interval, limit) in [
        (Some(ResetInterval::Daily), 450),
        (Some(ResetInterval::Weekly), 1600),
        (Some(ResetInterval::Monthly), 2000),
        (None, 5000),
    ] {
        world.store.set_budget(account.clone(), budget(&scope, interval, limit)).await.unwrap();
    }
    let budgets = world.store.budgets_of(&key.workspace_id(), &key.hash).await.unwrap();
    assert_eq!(budgets.len(), 4);
    let who = Arc::new(key.spender(&budgets));

    // Two gateways across midnight; one of them is a little ahead.
    let one = Gate::open(&world, EDGE).await;
    let two = Gate::open(&world, EDGE.plus_millis(50)).await;
    let both = [one.clone(), two.clone()];
    let mut admitted = at_once(&both, &world, &key, &who).await;
    admitted += at_once(&both, &world, &key, &who).await;

    // A gateway whose clock is an hour behind opens no day again, and one a month ahead has a new
    // day, week and month, but not a new lifetime.
    let behind = Gate::open(&world, EDGE.plus_millis(-3_600_000)).await;
    admitted += at_once(std::slice::from_ref(&behind), &world, &key, &who).await;
    one.clock.advance(DAY * 30);
    admitted += at_once(std::slice::from_ref(&one), &world, &key, &who).await;
    admitted += at_once(&[two.clone(), behind.clone()], &world, &key, &who).await;

    for gate in [&one, &two, &behind] {
        gate.ledger.flush().await.unwrap();
    }
    let days = by_day(&one, &scope).await;
    let total: i64 = days.values().sum();
    assert_eq!(total, i64::try_from(admitted).unwrap() * COST, "every charge counts on one day");
    // Never more than 450 a day; less, where a part lay in a gateway that did not need it.
    assert!(!days.is_empty() && days.values().all(|spent| *spent <= 450), "{days:?}");
    assert_eq!(by_day(&one, &format!("key:{}", key.hash)).await, days);
    let report = world.audit().await;
    assert!(report.is_clean(), "{:?}", report.breaches);
    for gate in [one, two, behind] {
        gate.ledger.shutdown().await.unwrap();
    }
    assert_eq!(
        world.store.balance(&account).await.unwrap().unwrap().charged,
        Usd::from_nanos(total)
    );
}
