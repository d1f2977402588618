//! The audit over everything that moves, and over ten kinds of damage done to the file.

use std::sync::Arc;

use signalbox_core::Usd;
use signalbox_runtime::{Clock, task};
use signalbox_store::idempotency::Answer;
use signalbox_store::statement::{Charges, Period};
use signalbox_store::vouchers::VoucherRow;
use signalbox_store::{Dispute, House, Ledger, Movement, Store};
use sqlx::{ConnectOptions, Connection};

use crate::transfers::{told, wish};
use crate::world::{POSTGRES, World, usd};

/// Runs statements behind the store's back, with its last walls taken down.
async fn run(world: &World, sql: &'static str) {
    if POSTGRES {
        let mut raw = sqlx::PgConnection::connect(&world.url()).await.unwrap();
        let walls = "ALTER TABLE transfers DISABLE TRIGGER USER; \
                     ALTER TABLE balances DROP CONSTRAINT IF EXISTS balances_covered";
        sqlx::raw_sql(walls).execute(&mut raw).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut raw).await.unwrap();
        raw.close().await.unwrap();
        return;
    }
    let mut raw = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(world.file())
        .foreign_keys(false)
        .pragma("ignore_check_constraints", "on")
        .connect()
        .await
        .unwrap();
    let walls = "DROP TRIGGER IF EXISTS transfers_keep_rows; \
                 DROP TRIGGER IF EXISTS transfers_keep_values";
    sqlx::raw_sql(walls).execute(&mut raw).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
}

/// Every kind of movement, some generations, two accounts.
async fn eventful() -> World {
    let world = World::new().await;
    let (store, now) = (&world.store, world.clock.now());
    let ann = world.account(10_000).await;
    let eve = world.account(0).await;
    run(
        &world,
        "INSERT INTO payments (id, account_id, rail, status, amount, fee, tax, refunded, currency, \
         created_at, paid_at) SELECT 'p1', substr(credit, 6), 'stripe', 'paid', 5000, 80, 20, 700, \
         'usd', 1, 2 FROM transfers WHERE kind = 'grant'",
    )
    .await;
    let voucher = VoucherRow {
        code_hash: "v1".to_owned(),
        amount: usd(300),
        uses: 2,
        redeemed: 0,
        expires_at: None,
        reason: String::new(),
        operator: "ops".to_owned(),
        created_at: now,
    };
    store.create_voucher(voucher).await.unwrap();
    let paid = |amount: Usd| Answer { status: 200, body: amount.to_string() };
    store.redeem("v1", crate::transfers::by(&ann), None, paid).await.unwrap();
    for movement in [
        Movement::purchase("p1", House::Stripe, &ann, usd(5000), now),
        Movement::refund("p1", 1, &ann, usd(700), now).because("half | of \\ it"),
        Movement::promo(&eve, usd(40), now),
        Movement::adjustment("up", &ann, usd(9), now),
        Movement::adjustment("down", &ann, usd(-8), now),
        Movement::expiry("purchase:p1", &ann, usd(60), now),
    ] {
        store.post_movement(movement).await.unwrap();
    }
    store.transfer(wish("t1", &ann, &eve, 1000), None, told).await.unwrap();
    let (key, other) = (world.key(&ann, None, None).await, world.key(&eve, None, None).await);
    let ledger = Ledger::open(store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    world.warm(&ledger, &other).await.unwrap();
    world.spend(&ledger, &key, 100, 40).await;
    world.spend(&ledger, &key, 100, 60).await;
    world.spend(&ledger, &other, 100, 70).await;
    ledger.shutdown().await.unwrap();
    store.set_line(&eve, usd(500)).await.unwrap();
    let dispute = Dispute {
        event: "e1".to_owned(),
        account: eve.clone(),
        amount: usd(2000),
        reason: "disputed".to_owned(),
        at: now,
    };
    let done = store.charge_back(dispute).await.unwrap();
    assert_eq!((done.taken, done.owed), (usd(970), usd(1030)));
    for account in [&ann, &eve] {
        let all = Period { from: None, to: None };
        let rows = store.statement(account, all, Charges::ByDay).await.unwrap().unwrap();
        let sum: i64 = rows.lines.iter().map(|line| line.change.nanos()).sum();
        assert_eq!((rows.opening, usd(sum)), (Usd::ZERO, rows.closing));
        assert_eq!(rows.closing, rows.stored.posted());
    }
    world
}

async fn found(store: &Store) -> Vec<String> {
    let report = store.audit().await.unwrap();
    let mut found: Vec<String> =
        report.breaches.iter().map(|one| format!("{} {}", one.invariant, one.subject)).collect();
    found.sort();
    found.dedup();
    found
}

#[tokio::test]
async fn everything_that_moves_is_audited_clean() {
    let world = eventful().await;
    let report = world.audit().await;
    assert!(report.is_clean(), "{:#?}", report.breaches);
    let checked = report.checked;
    assert_eq!((checked.accounts, checked.payments, checked.vouchers), (2, 1, 1));
    assert_eq!((checked.generations, checked.reservations, checked.transfers), (3, 3, 14));
}

/// What to break, the statement that breaks it, and a breach that must be named: `?` stands for any
/// subject.
const DAMAGE: [(&str, &str, &str); 17] = [
    (
        "an altered amount",
        "UPDATE transfers SET amount = amount + 1 WHERE id = 'adjustment:up'",
        "I11 adjustment:up",
    ),
    (
        "a deleted transfer",
        "DELETE FROM transfers WHERE id = 'adjustment:up'",
        "I11 adjustment:down",
    ),
    (
        "swapped order",
        "UPDATE transfers SET seq = 1000000 WHERE id = 'adjustment:up'; \
         UPDATE transfers SET seq = seq - 1 WHERE id = 'adjustment:down'; \
         UPDATE transfers SET seq = (SELECT seq + 1 FROM transfers WHERE id = 'adjustment:down') WHERE seq = 1000000",
        "I11 adjustment:down",
    ),
    (
        "a doubled charge",
        "DROP INDEX transfers_generation; INSERT INTO transfers SELECT seq + 100, id || 'x', kind, \
         debit, credit, amount, generation, reason, operator, at, prev_hash, hash FROM transfers \
         WHERE kind = 'charge' AND amount = 40",
        "I3 ?",
    ),
    ("a charge above its reservation", "UPDATE reservations SET amount = 39", "I4 ?"),
    (
        "a charge that does not recompute",
        "UPDATE generations SET usage = '{\"output\":41}' WHERE cost = 40",
        "I5 ?",
    ),
    (
        "the spending of a key",
        "UPDATE usage SET charged = charged - 1 WHERE scope LIKE 'key:%'",
        "I9 key:?",
    ),
    (
        "the spending of an account",
        "UPDATE usage SET requests = requests + 1 WHERE scope LIKE 'account:%'",
        "I9 account:?",
    ),
    (
        "the spending of a workspace",
        "DELETE FROM usage WHERE scope LIKE 'workspace:%'",
        "I9 workspace:?",
    ),
    ("the spending of a day", "UPDATE usage SET day = day + 1", "I9 key:?"),
    (
        "open for too long",
        "UPDATE reservations SET ended_at = NULL, outcome = NULL, opened_at = opened_at - 61000000",
        "I10 ?",
    ),
    ("a negative balance", "UPDATE balances SET withdrawn = withdrawn + 1000000", "I2 acc_?"),
    (
        "a doubled payment",
        "INSERT INTO transfers SELECT seq + 100, 'purchase:p1-again', kind, debit, credit, amount, \
         generation, reason, operator, at, prev_hash, hash FROM transfers WHERE id = 'purchase:p1'",
        "I12 purchase:p1-again",
    ),
    (
        "a doubled voucher",
        "INSERT INTO transfers SELECT seq + 100, 'voucher:v1:' || substr(debit, 6), 'voucher', \
         'system:vouchers', debit, 300, NULL, reason, operator, at, prev_hash, hash \
         FROM transfers WHERE kind = 'charge' AND amount = 70",
        "I12 voucher:v1:?",
    ),
    ("a payment that was never paid", "UPDATE payments SET paid_at = NULL", "I12 purchase:p1"),
    (
        "billed though it came to nothing",
        "UPDATE generations SET finish_reason = 'error' WHERE cost = 40",
        "I7 ?",
    ),
    ("what was ever purchased", "UPDATE accounts SET purchased = purchased + 1", "I9 acc_?"),
];

#[tokio::test]
async fn every_kind_of_damage_is_named() {
    // A database for each takes its time on PostgreSQL, where the checks are the same.
    for (what, damage, expected) in DAMAGE.into_iter().step_by(if POSTGRES { 4 } else { 1 }) {
        let world = eventful().await;
        assert!(world.audit().await.is_clean(), "{what}");
        run(&world, damage).await;
        let found = found(&world.store).await;
        let start = expected.trim_end_matches('?');
        let open = expected.ends_with('?');
        let named = |one: &String| if open { one.starts_with(start) } else { one == expected };
        assert!(found.iter().any(named), "{what}: {expected} not in {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_beside_a_running_process_is_clean() {
    let world = Arc::new(World::new().await);
    let (ann, eve) = (world.account(1_000_000).await, world.account(0).await);
    let key = world.key(&ann, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let (world, ledger, key, eve) =
                (world.clone(), ledger.clone(), key.clone(), eve.clone());
            task::spawn("spender", async move {
                for round in 0..40 {
                    world.spend(&ledger, &key, 100, 60).await;
                    if round % 10 == 0 {
                        let id = format!("{n}-{round}");
                        let movement = Movement::grant(&id, &eve, usd(5), world.clock.now());
                        world.store.post_movement(movement).await.unwrap();
                    }
                }
            })
        })
        .collect();
    let other = world.again().await;
    let mut looks = 0;
    while tasks.iter().any(|task| !task.is_finished()) {
        let report = other.audit().await.unwrap();
        assert!(report.is_clean(), "{:#?}", report.breaches);
        looks += 1;
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert!(looks > 0);
    ledger.shutdown().await.unwrap();
    let report = other.audit().await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.breaches);
    assert_eq!(report.checked.generations, 320);
}

/// Most memory that this process had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap_or(0)
}

/// Run by hand: `cargo test --release -p signalbox-store --test money -- --ignored --nocapture large`.
#[ignore = "measures"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_of_a_large_history() {
    let world = Arc::new(World::with_clock(Clock::system()).await);
    let account = world.account(1_000_000_000_000).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let tasks: Vec<_> = (0..512)
        .map(|_| {
            let (world, ledger, key) = (world.clone(), ledger.clone(), key.clone());
            task::spawn("large", async move {
                for _ in 0..200 {
                    world.spend(&ledger, &key, 100, 60).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let (began, before) = (world.clock.monotonic(), peak());
    let report = world.audit().await;
    let took = world.clock.monotonic() - began;
    assert!(report.is_clean(), "{:?}", report.breaches.first());
    let (rows, grown) = (report.checked.generations, peak() - before);
    println!("audit of {rows} generations: {took:?}, {grown} KiB more");
    let began = world.clock.monotonic();
    let whole = Period { from: None, to: None };
    let rows = world.store.statement(&account, whole, Charges::ByDay).await.unwrap().unwrap();
    let took = world.clock.monotonic() - began;
    println!("statement of them in {} lines: {took:?}", rows.lines.len());
}
