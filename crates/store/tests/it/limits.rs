use std::time::Duration;

use signalbox_core::id::PurseId;
use signalbox_core::time::ResetInterval;
use signalbox_ledger::Refusal;
use signalbox_store::{Budget, KeyRecord, Ledger};

use crate::world::{World, usd};

/// The purse of a key's limit.
fn purse(key: &KeyRecord) -> PurseId {
    key.spender(&[]).draws[0].purse.clone()
}

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn a_daily_limit_starts_again_at_midnight_also_after_a_restart() {
    let world = World::new().await;
    let account = world.account(1000).await;
    let key = world.key(&account, Some(100), Some(ResetInterval::Daily)).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    world.spend(&ledger, &key, 70, 70).await;
    let refused = ledger.reserve(&world.request(&key, 31)).err();
    assert_eq!(refused, Some(Refusal::Short { purse: purse(&key), available: usd(30) }));
    world.spend(&ledger, &key, 30, 30).await;
    let used_up = Some(Refusal::Exhausted { purse: purse(&key) });
    assert_eq!(ledger.reserve(&world.request(&key, 1)).err(), used_up);

    ledger.shutdown().await.unwrap();
    let restarted = Ledger::open(&world.store).await.unwrap();
    world.warm(&restarted, &key).await.unwrap();
    assert_eq!(restarted.reserve(&world.request(&key, 1)).err(), used_up);
    world.clock.advance(DAY);
    world.spend(&restarted, &key, 100, 100).await;
    let spend = world.store.key_spend(&key.hash, world.clock.now()).await.unwrap();
    // Sunday's 100 lie in another week but in the same month.
    assert_eq!(
        (spend.total, spend.daily, spend.weekly, spend.monthly),
        (usd(200), usd(100), usd(100), usd(200))
    );
    assert!(world.audit().await.is_clean());
}

#[tokio::test]
async fn a_limit_without_reset_never_starts_again() {
    let world = World::new().await;
    let account = world.account(1000).await;
    let key = world.key(&account, Some(50), None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    world.spend(&ledger, &key, 50, 50).await;
    world.clock.advance(DAY * 400);
    let refused = ledger.reserve(&world.request(&key, 1)).err();
    assert_eq!(refused, Some(Refusal::Exhausted { purse: purse(&key) }));
}

#[tokio::test]
async fn a_changed_limit_applies_to_a_warm_key() {
    let world = World::new().await;
    let account = world.account(1000).await;
    let mut key = world.key(&account, Some(50), None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    world.spend(&ledger, &key, 50, 50).await;
    let old = key.clone();
    key.limit = Some(usd(60));
    world.clock.advance(Duration::from_secs(1));
    assert!(world.store.update_key(key.clone()).await.unwrap());
    let newer = world.store.key(&key.hash).await.unwrap().unwrap();
    world.warm(&ledger, &newer).await.unwrap();
    // A request that still carries the older record does not bring the older limit back.
    world.warm(&ledger, &old).await.unwrap();
    world.spend(&ledger, &newer, 10, 10).await;
    let refused = ledger.reserve(&world.request(&newer, 1)).err();
    assert_eq!(refused, Some(Refusal::Exhausted { purse: purse(&key) }));
}

#[tokio::test]
async fn keys_are_listed_changed_and_deleted() {
    let world = World::new().await;
    let account = world.account(0).await;
    let mut key = world.key(&account, None, None).await;
    key.name = "renamed".to_owned();
    key.disabled = true;
    key.rpm = Some(0);
    assert!(world.store.update_key(key.clone()).await.unwrap());
    let stored = world.store.key(&key.hash).await.unwrap().unwrap();
    assert_eq!((stored.name.as_str(), stored.disabled, stored.rpm), ("renamed", true, Some(0)));
    assert!(!stored.is_active(world.clock.now()));
    assert_eq!(world.store.keys_of(&account).await.unwrap().len(), 1);
    assert!(world.store.delete_key(key.hash.clone()).await.unwrap());
    assert!(!world.store.delete_key(key.hash.clone()).await.unwrap());
    assert!(world.store.key(&key.hash).await.unwrap().is_none());
    assert!(world.store.keys_of(&account).await.unwrap().is_empty());
    assert!(!world.store.update_key(key).await.unwrap());
}

#[tokio::test]
async fn a_budget_counts_what_its_workspace_spent_before_it_was_set() {
    let world = World::new().await;
    let account = world.account(1000).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.spend(&ledger, &key, 70, 70).await;
    // A budget counts what is in the database: with PostgreSQL the charge may still be on its way.
    let spent = world.store.key_spend(&key.hash, world.clock.now()).await.unwrap();
    assert_eq!(spent.total, usd(70));
    let scope = format!("workspace:default:{account}");
    let budget = Budget {
        scope: scope.clone(),
        interval: Some(ResetInterval::Monthly),
        limit: usd(100),
        include_byok: false,
        updated_at: world.clock.now(),
    };
    world.store.set_budget(account.clone(), budget).await.unwrap();
    let budgets = world.store.budgets_of(&key.workspace_id(), &key.hash).await.unwrap();
    assert_eq!(budgets.len(), 1);
    let spender = key.spender(&budgets);
    let now = world.clock.now();
    ledger.warm(&account, &spender, now).await.unwrap();
    assert_eq!(ledger.spendable(&account, &spender, now), Ok(usd(30)));
}
