//! One way in for every kind: guarded, once for its id, with its projections.

use std::sync::Arc;

use signalbox_core::Usd;
use signalbox_core::id::AccountId;
use signalbox_core::plan::{PlanTerms, Tier};
use signalbox_runtime::task;
use signalbox_store::{
    Agreement, Balance, Dispute, House, Movement, Posted, Refused, Store, StoreError,
};

use crate::world::{CENT, World, usd};

pub fn refused<T: std::fmt::Debug>(done: Result<T, StoreError>) -> Refused {
    match done {
        Err(StoreError::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

pub async fn balance(store: &Store, account: &AccountId) -> Balance {
    store.balance(account).await.unwrap().unwrap()
}

async fn figures(store: &Store, account: &AccountId) -> (i64, i64, i64) {
    let balance = balance(store, account).await;
    let purchased = store.standing(account).await.unwrap().unwrap().purchased;
    (balance.credited.nanos(), balance.withdrawn.nanos(), purchased.nanos())
}

#[tokio::test]
async fn each_kind_moves_money_between_its_own_sides_and_keeps_the_projections() {
    let world = World::new().await;
    let (store, now) = (&world.store, world.clock.now());
    let ann = world.account(0).await;
    let eve = world.account(0).await;
    let movements = [
        Movement::grant("g", &ann, usd(1), now),
        Movement::promo(&ann, usd(2), now),
        Movement::purchase("p1", House::Stripe, &ann, usd(40), now),
        Movement::purchase("p2", House::Crypto, &ann, usd(50), now),
        Movement::voucher("c", &ann, usd(3), now),
        Movement::settlement("i", &ann, usd(4), now),
        Movement::adjustment("a", &ann, usd(5), now),
        Movement::adjustment("b", &ann, usd(-6), now),
        Movement::refund("p1", 1, &ann, usd(7), now),
        Movement::transfer("t", &ann, &eve, usd(8), now).because("gift").by("ann"),
        Movement::expiry("promo:x", &ann, usd(9), now),
    ];
    for movement in &movements {
        assert_eq!(store.post_movement(movement.clone()).await.unwrap(), Posted::Now);
    }
    assert_eq!(figures(store, &ann).await, (1 + 2 + 40 + 50 + 3 + 4 + 5, 6 + 7 + 8 + 9, 90));
    assert_eq!(figures(store, &eve).await, (8, 0, 0));
    let rows = store.facts().await.unwrap().transfers;
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            let side = |name: &str| name.replace(ann.as_str(), "ann").replace(eve.as_str(), "eve");
            let id = side(&row.id);
            format!("{id} {} {} {} {}", row.kind, side(&row.debit), side(&row.credit), row.amount)
        })
        .collect();
    let expected = [
        "grant:g grant system:grants acct:ann 1",
        "promo:ann promo system:promotions acct:ann 2",
        "purchase:p1 purchase system:stripe acct:ann 40",
        "purchase:p2 purchase system:crypto acct:ann 50",
        "voucher:c:ann voucher system:vouchers acct:ann 3",
        "settlement:i settlement system:invoices acct:ann 4",
        "adjustment:a adjustment system:adjustments acct:ann 5",
        "adjustment:b adjustment acct:ann system:adjustments 6",
        "refund:p1:1 refund acct:ann system:stripe 7",
        "transfer:t transfer acct:ann acct:eve 8",
        "expiry:promo:x expiry acct:ann system:expired 9",
    ];
    assert_eq!(shown, expected);

    // Again, by another process: nothing moves.
    let again = world.again().await;
    for movement in movements {
        assert_eq!(again.post_movement(movement).await.unwrap(), Posted::Before);
    }
    assert_eq!(figures(&again, &ann).await, (105, 30, 90));
    assert_eq!(again.facts().await.unwrap().transfers.len(), expected.len());
}

#[tokio::test]
async fn an_id_stands_for_one_movement_for_ever() {
    let world = World::new().await;
    let (store, now) = (&world.store, world.clock.now());
    let ann = world.account(0).await;
    let eve = world.account(0).await;
    let first = Movement::purchase("p", House::Stripe, &ann, usd(5), now);
    store.post_movement(first).await.unwrap();
    for other in [
        Movement::purchase("p", House::Stripe, &ann, usd(6), now),
        Movement::purchase("p", House::Stripe, &eve, usd(5), now),
        Movement::purchase("p", House::Crypto, &ann, usd(5), now),
    ] {
        let refused = refused(store.post_movement(other).await);
        assert_eq!(refused, Refused::Different("purchase:p".to_owned()));
    }
    assert_eq!(figures(store, &ann).await, (5, 0, 5));
    assert_eq!(figures(store, &eve).await, (0, 0, 0));
}

#[tokio::test]
async fn what_can_not_move_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let (store, now) = (&world.store, world.clock.now());
    let ann = world.account(100).await;
    let nobody = AccountId::new("acc_nobody");
    let unknown = Refused::UnknownAccount("acc_nobody".to_owned());
    let short = Refused::Insufficient { available: usd(100) };
    for (movement, expected) in [
        (Movement::grant("1", &nobody, usd(1), now), unknown.clone()),
        (Movement::adjustment("2", &nobody, usd(-1), now), unknown.clone()),
        (Movement::transfer("3", &ann, &nobody, usd(1), now), unknown),
        (Movement::grant("4", &ann, Usd::ZERO, now), Refused::Amount),
        (Movement::grant("5", &ann, usd(-5), now), Refused::Amount),
        (Movement::grant("6", &ann, Usd::MAX, now), Refused::Amount),
        (Movement::adjustment("7", &ann, usd(i64::MIN), now), Refused::Amount),
        (Movement::adjustment("8", &ann, usd(-101), now), short.clone()),
        (Movement::refund("p", 1, &ann, usd(101), now), short),
    ] {
        assert_eq!(refused(store.post_movement(movement).await), expected);
    }
    assert_eq!(figures(store, &ann).await, (100, 0, 0));
    assert_eq!(store.facts().await.unwrap().transfers.len(), 1, "the credit it began with");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_two_takers_get_the_same_dollar() {
    let world = Arc::new(World::new().await);
    let ann = world.account(10 * CENT).await;
    let other = world.again().await;
    let takers: Vec<_> = (0..40)
        .map(|n| {
            let store = if n % 2 == 0 { world.store.clone() } else { other.clone() };
            let movement =
                Movement::adjustment(&format!("{}", n / 2), &ann, usd(-CENT), world.clock.now());
            task::spawn("taker", async move { store.post_movement(movement).await })
        })
        .collect();
    let mut now = 0;
    for taker in takers {
        match taker.await.unwrap().unwrap() {
            Ok(Posted::Now) => now += 1,
            Ok(Posted::Before) => {}
            Err(error) => {
                let none = Refused::Insufficient { available: Usd::ZERO };
                assert_eq!(refused::<()>(Err(error)), none);
            }
        }
    }
    assert_eq!(now, 10, "ten cents, each once, of twenty that were asked for twice");
    assert_eq!(balance(&world.store, &ann).await.posted(), Usd::ZERO);
}

#[tokio::test]
async fn a_chargeback_takes_what_is_there_and_notes_what_is_owed() {
    let world = World::new().await;
    let store = &world.store;
    let ann = world.account(30).await;
    let dispute = |event: &str, amount| Dispute {
        event: event.to_owned(),
        account: ann.clone(),
        amount: usd(amount),
        reason: "disputed".to_owned(),
        at: world.clock.now(),
    };
    let done = store.charge_back(dispute("e1", 20)).await.unwrap();
    assert_eq!((done.posted, done.taken, done.owed), (Posted::Now, usd(20), usd(0)));
    let done = store.charge_back(dispute("e2", 25)).await.unwrap();
    assert_eq!((done.posted, done.taken, done.owed), (Posted::Now, usd(10), usd(15)));
    let done = store.charge_back(dispute("e3", 5)).await.unwrap();
    assert_eq!((done.posted, done.taken, done.owed), (Posted::Now, usd(0), usd(5)));
    for (event, amount, taken, owed) in [("e1", 20, 20, 0), ("e2", 25, 10, 15), ("e3", 5, 0, 5)] {
        let again = store.charge_back(dispute(event, amount)).await.unwrap();
        assert_eq!(
            (again.posted, again.taken, again.owed),
            (Posted::Before, usd(taken), usd(owed))
        );
    }
    assert_eq!(balance(store, &ann).await.posted(), Usd::ZERO);
    let standing = store.standing(&ann).await.unwrap().unwrap();
    assert_eq!(standing.frozen.unwrap().reason, "disputed");
    let owed: i64 = store
        .facts()
        .await
        .unwrap()
        .transfers
        .iter()
        .filter(|row| row.debit == "system:receivable")
        .map(|row| row.amount)
        .sum();
    assert_eq!(owed, 20);
    assert_eq!(refused(store.charge_back(dispute("e4", 0)).await), Refused::Amount);
}

#[tokio::test]
async fn an_account_is_frozen_once_and_thawed_once() {
    let world = World::new().await;
    let store = &world.store;
    let ann = world.account(0).await;
    let nobody = AccountId::new("acc_nobody");
    assert!(store.freeze(&ann, "first").await.unwrap());
    assert!(!store.freeze(&ann, "second").await.unwrap());
    let standing = store.standing(&ann).await.unwrap().unwrap();
    let frozen = standing.frozen.unwrap();
    assert_eq!((frozen.at, frozen.reason.as_str()), (world.clock.now(), "first"));
    assert!(store.unfreeze(&ann).await.unwrap());
    assert!(!store.unfreeze(&ann).await.unwrap());
    assert!(!store.freeze(&nobody, "x").await.unwrap());
    assert_eq!(store.standing(&ann).await.unwrap().unwrap().frozen, None);
    assert_eq!(store.standing(&nobody).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_agreed_is_kept_until_it_is_changed() {
    let world = World::new().await;
    let store = &world.store;
    let ann = world.account(0).await;
    let now = async || store.standing(&ann).await.unwrap().unwrap();
    assert_eq!(now().await.tier(), Tier::Free);
    let bought = Movement::purchase("p", House::Stripe, &ann, usd(1), world.clock.now());
    store.post_movement(bought).await.unwrap();
    assert_eq!(now().await.tier(), Tier::Payg);
    let terms = PlanTerms { byok_fee_bps: Some(300), ..PlanTerms::default() };
    let contract = Agreement {
        contract: Some(Some(Tier::Enterprise)),
        terms: Some(terms.clone()),
        shares_data: None,
    };
    assert!(store.agree(&ann, contract).await.unwrap());
    let sharing = Agreement { shares_data: Some(true), ..Agreement::default() };
    assert!(store.agree(&ann, sharing).await.unwrap());
    let standing = now().await;
    assert_eq!(
        (standing.tier(), standing.terms, standing.shares_data),
        (Tier::Enterprise, terms, true)
    );
    let ended = Agreement { contract: Some(None), ..Agreement::default() };
    assert!(store.agree(&ann, ended).await.unwrap());
    assert_eq!((now().await.tier(), now().await.shares_data), (Tier::Payg, true));
    assert!(!store.agree(&AccountId::new("acc_nobody"), Agreement::default()).await.unwrap());
}

#[tokio::test]
async fn promotional_credit_comes_with_the_account() {
    let world = World::new().await;
    let id = AccountId::new("acc_new");
    world.store.create_account_with(id.clone(), "new@example.com", usd(7)).await.unwrap();
    assert_eq!(figures(&world.store, &id).await, (7, 0, 0));
    assert_eq!(world.store.standing(&id).await.unwrap().unwrap().tier(), Tier::Free);
}
