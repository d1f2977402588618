use signalbox_core::Usd;
use signalbox_core::id::GenerationId;
use signalbox_ledger::Refusal;
use signalbox_store::{GenerationRow, Ledger};

use crate::world::{CENT, World, usd};

#[tokio::test]
async fn a_settlement_is_durable_when_it_answers() {
    let world = World::new().await;
    let account = world.account(100 * CENT).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let hold = ledger.reserve(&world.request(&key, CENT)).unwrap();
    assert_eq!(ledger.available(&account), Some(usd(99 * CENT)));
    let id = hold.generation().clone();
    let settled = ledger.settle(hold, usd(CENT / 2), world.row(CENT / 2)).await.unwrap();
    assert_eq!((settled.charged, settled.clamped_by), (usd(CENT / 2), Usd::ZERO));

    ledger.flush().await.unwrap();
    let other = world.again().await;
    let row = other.generation(&account, &id).await.unwrap().unwrap();
    let mut expected = world.row(CENT / 2);
    expected.id = id.clone();
    expected.request_id = row.request_id.clone();
    expected.account = account.clone();
    expected.key = key.hash.clone();
    assert_eq!(row, expected);
    let balance = other.balance(&account).await.unwrap().unwrap();
    assert_eq!(balance.posted(), usd(100 * CENT - CENT / 2));
    assert_eq!(other.key_spend(&key.hash, world.clock.now()).await.unwrap().daily, usd(CENT / 2));
    let report = world.audit().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.checked.transfers, report.checked.generations), (2, 1));
}

#[tokio::test]
async fn a_cost_above_its_hold_is_cut_down_and_reported() {
    let world = World::new().await;
    let account = world.account(100).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let hold = ledger.reserve(&world.request(&key, 40)).unwrap();
    let settled = ledger.settle(hold, usd(90), world.row(90)).await.unwrap();
    assert_eq!((settled.charged, settled.clamped_by), (usd(40), usd(50)));
    assert_eq!(ledger.available(&account), Some(usd(60)));
    assert!(world.audit().await.is_clean());
}

#[tokio::test]
async fn a_generation_that_held_nothing_is_only_recorded() {
    let world = World::new().await;
    let account = world.account(100).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let paid = world.spend(&ledger, &key, 10, 10).await;
    let mut row = world.row(0);
    (row.account, row.key) = (account.clone(), key.hash.clone());
    (row.usage, row.prices) = (signalbox_core::Usage::default(), None);
    row.response_cache_source_id = Some(paid);
    let free = (0..3).map(|number| {
        let mut row = row.clone();
        row.id = GenerationId::new(format!("gen-free-{number}"));
        row.cost = usd(5);
        row
    });
    for wanted in free {
        let id = wanted.id.clone();
        ledger.record(wanted.clone()).await.unwrap();
        ledger.flush().await.unwrap();
        let found = world.again().await.generation(&account, &id).await.unwrap().unwrap();
        assert_eq!(found, GenerationRow { cost: Usd::ZERO, ..wanted });
    }
    let again = ledger.record(GenerationRow { id: GenerationId::new("gen-free-0"), ..row }).await;
    // An outbox answers before the database has looked.
    assert!(again.is_err() || crate::world::POSTGRES);
    assert_eq!((ledger.open_count(), ledger.available(&account)), (0, Some(usd(90))));
    let report = world.audit().await;
    assert!(report.is_clean(), "{report:?}");
    let checked = report.checked;
    assert_eq!((checked.transfers, checked.generations, checked.reservations), (2, 4, 1));
}

#[tokio::test]
async fn a_free_generation_is_recorded_without_a_transfer() {
    let world = World::new().await;
    let account = world.account(0).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let id = world.spend(&ledger, &key, 0, 0).await;
    assert!(world.store.generation(&account, &id).await.unwrap().is_some());
    let report = world.audit().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.checked.transfers, report.checked.reservations), (0, 1));
}

#[tokio::test]
async fn a_release_gives_all_back_and_can_leave_a_row() {
    let world = World::new().await;
    let account = world.account(100).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let one = ledger.reserve(&world.request(&key, 60)).unwrap();
    let refused = ledger.reserve(&world.request(&key, 60)).err();
    assert_eq!(refused, Some(World::short(&account, 40)));
    ledger.release(one, Vec::new(), None).await.unwrap();
    let two = ledger.reserve(&world.request(&key, 60)).unwrap();
    let id = two.generation().clone();
    let mut row = world.row(0);
    row.error_type = Some("provider_unavailable".to_owned());
    row.finish_reason = Some("error".to_owned());
    ledger.release(two, Vec::new(), Some(row)).await.unwrap();
    let stored = world.store.generation(&account, &id).await.unwrap().unwrap();
    assert_eq!(stored.error_type.as_deref(), Some("provider_unavailable"));
    assert_eq!(ledger.available(&account), Some(usd(100)));
    assert!(world.audit().await.is_clean());
}

#[tokio::test]
async fn a_lost_hold_gives_its_amount_back_and_charges_nothing() {
    let world = World::new().await;
    let account = world.account(100).await;
    let key = world.key(&account, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    drop(ledger.reserve(&world.request(&key, 60)).unwrap());
    assert_eq!((ledger.available(&account), ledger.open_count()), (Some(usd(100)), 0));
    ledger.flush().await.unwrap();
    let report = world.audit().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.checked.reservations, report.checked.transfers), (1, 1));
}

#[tokio::test]
async fn a_key_of_another_account_is_not_taken() {
    let world = World::new().await;
    let rich = world.account(100).await;
    let poor = world.account(0).await;
    let key = world.key(&poor, None, None).await;
    let ledger = Ledger::open(&world.store).await.unwrap();
    world.warm(&ledger, &key).await.unwrap();
    let mut request = world.request(&key, 1);
    request.account = rich.clone();
    // Not loaded, unless both accounts happen to be in one shard: then it is the poor one's to spend.
    let refused = ledger.reserve(&request).err();
    assert!(
        matches!(refused, Some(Refusal::Unloaded { .. } | Refusal::Short { .. })),
        "{refused:?}"
    );
    assert_eq!(ledger.available(&rich), None);
}
