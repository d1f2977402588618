//! The auditor finds nothing in rows that the store wrote, and finds every single thing that is
//! changed behind its back.

use signalbox_runtime::task;
use signalbox_store::Ledger;
use sqlx::{ConnectOptions, Connection};
use std::sync::Arc;

use crate::world::{World, grant, usd};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_settlements_are_audited_clean() {
    let world = Arc::new(World::new().await);
    let mut keys = Vec::new();
    for _ in 0..20 {
        let account = world.account(1_000_000_000).await;
        keys.push(world.key(&account, None, None).await);
    }
    let ledger = Ledger::open(&world.store).await.unwrap();
    for key in &keys {
        world.warm(&ledger, key).await.unwrap();
    }
    let tasks: Vec<_> = (0..100usize)
        .map(|n| {
            let (world, ledger, key) = (world.clone(), ledger.clone(), keys[n % 20].clone());
            task::spawn("settler", async move {
                for round in 0..100i64 {
                    let cost = round * 13 % 900;
                    world.spend(&ledger, &key, 1000, cost).await;
                    if round == 50 && n < 10 {
                        grant(&world.store, &key.account, 5).await;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let report = world.audit().await;
    assert!(report.is_clean(), "{:?}", report.breaches.first());
    assert_eq!((report.checked.generations, report.checked.reservations), (10_000, 10_000));
}

/// Settles two generations, then lets `damage` loose on the file and says which invariants break.
async fn broken_by(damage: &'static str) -> Vec<&'static str> {
    let world = World::new().await;
    let account = world.account(1000).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    world.spend(&ledger, &key, 100, 40).await;
    world.spend(&ledger, &key, 100, 60).await;
    ledger.shutdown().await.unwrap();
    assert!(world.audit().await.is_clean());
    let mut raw = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(world.file())
        .foreign_keys(false)
        .pragma("ignore_check_constraints", "on")
        .connect()
        .await
        .unwrap();
    for trigger in ["transfers_keep_rows", "transfers_keep_values"] {
        let sql = format!("DROP TRIGGER {trigger}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut raw).await.unwrap();
    }
    sqlx::raw_sql(damage).execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
    world.clock.advance(std::time::Duration::from_secs(61));
    let report = world.audit().await;
    report.breaches.iter().map(|breach| breach.invariant).collect()
}

#[tokio::test]
async fn every_kind_of_damage_is_found() {
    let cases = [
        ("I1", "UPDATE transfers SET credit = 'acct:nobody' WHERE seq = 2"),
        ("I2", "UPDATE transfers SET amount = 5000 WHERE seq = 3"),
        ("I3", "UPDATE reservations SET outcome = 'released'"),
        ("I4", "UPDATE reservations SET amount = 10"),
        ("I5", "UPDATE generations SET usage = '{\"output\":41}' WHERE cost = 40"),
        ("I7", "UPDATE generations SET finish_reason = 'error' WHERE cost = 40"),
        ("I9", "UPDATE balances SET charged = charged + 1"),
        ("I9", "UPDATE usage SET charged = charged - 1 WHERE scope LIKE 'key:%'"),
        ("I9", "UPDATE generations SET cost = 41 WHERE cost = 40"),
        ("I10", "UPDATE reservations SET ended_at = NULL, outcome = NULL"),
        ("I11", "UPDATE transfers SET reason = 'x' WHERE seq = 1"),
        ("I11", "DELETE FROM transfers WHERE seq = 2"),
    ];
    for (invariant, damage) in cases {
        let found = broken_by(damage).await;
        assert!(found.contains(&invariant), "{damage}: {found:?}");
    }
}

#[tokio::test]
async fn the_history_can_not_be_changed_by_accident() {
    let world = World::new().await;
    let account = world.account(1000).await;
    let mut raw =
        sqlx::sqlite::SqliteConnectOptions::new().filename(world.file()).connect().await.unwrap();
    for sql in ["UPDATE transfers SET amount = 1", "DELETE FROM transfers"] {
        assert!(sqlx::raw_sql(sql).execute(&mut raw).await.is_err(), "{sql}");
    }
    // The last wall: a balance can't fall below nothing.
    let below = sqlx::raw_sql("UPDATE balances SET charged = 1001").execute(&mut raw).await;
    assert!(below.is_err());
    assert_eq!(world.store.balance(&account).await.unwrap().unwrap().posted(), usd(1000));
}
