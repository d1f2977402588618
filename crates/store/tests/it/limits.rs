use std::time::Duration;

use signalbox_core::time::ResetInterval;
use signalbox_ledger::Refusal;
use signalbox_store::Ledger;

use crate::world::{World, usd};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn a_daily_limit_starts_again_at_midnight_also_after_a_restart() {
    let world = World::new().await;
    let account = world.account(1000).await;
    let key = world.key(&account, Some(100), Some(ResetInterval::Daily)).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    ledger.warm(&account, &key).await.unwrap();
    world.spend(&ledger, &key, 70, 70).await;
    let refused = ledger.reserve(world.request(&key, 31)).err();
    assert_eq!(refused, Some(Refusal::KeyLimitTooLow { remaining: usd(30) }));
    world.spend(&ledger, &key, 30, 30).await;
    let used_up = Refusal::KeyLimitExceeded { limit: usd(100), used: usd(100) };
    assert_eq!(ledger.reserve(world.request(&key, 1)).err(), Some(used_up));

    ledger.shutdown().await.unwrap();
    let restarted = Ledger::open(&world.store).await.unwrap();
    restarted.warm(&account, &key).await.unwrap();
    assert_eq!(restarted.reserve(world.request(&key, 1)).err(), Some(used_up));
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
    ledger.warm(&account, &key).await.unwrap();
    world.spend(&ledger, &key, 50, 50).await;
    world.clock.advance(DAY * 400);
    let refused = ledger.reserve(world.request(&key, 1)).err();
    assert_eq!(refused, Some(Refusal::KeyLimitExceeded { limit: usd(50), used: usd(50) }));
}

#[tokio::test]
async fn a_changed_limit_applies_to_a_warm_key() {
    let world = World::new().await;
    let account = world.account(1000).await;
    let mut key = world.key(&account, Some(50), None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    ledger.warm(&account, &key).await.unwrap();
    world.spend(&ledger, &key, 50, 50).await;
    let old = key.clone();
    key.limit = Some(usd(60));
    world.clock.advance(Duration::from_secs(1));
    assert!(world.store.update_key(key.clone()).await.unwrap());
    let newer = world.store.key(&key.hash).await.unwrap().unwrap();
    ledger.warm(&account, &newer).await.unwrap();
    // A request that still carries the older record does not bring the older limit back.
    ledger.warm(&account, &old).await.unwrap();
    world.spend(&ledger, &key, 10, 10).await;
    assert!(ledger.reserve(world.request(&key, 1)).is_err());
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
