//! One idempotency key, one effect, one answer, for ever.

use std::sync::Arc;
use std::time::Duration;

use signalbox_core::id::AccountId;
use signalbox_runtime::task;
use signalbox_store::Refused;
use signalbox_store::idempotency::{Answer, Begun, Once, Remembered};

use crate::movements::{balance, refused};
use crate::transfers::{buy, told, wish};
use crate::world::{World, usd};

fn once(account: &AccountId, hash: &str) -> Once {
    Once { account: account.clone(), key: "k".to_owned(), request_hash: hash.to_owned() }
}

fn answer(body: &str) -> Answer {
    Answer { status: 201, body: body.to_owned() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_in_parallel_has_one_effect_and_one_answer() {
    let world = Arc::new(World::new().await);
    let ann = world.account(0).await;
    let eve = world.account(0).await;
    buy(&world, &ann, 100).await;
    let other = world.again().await;
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let store = if n % 2 == 0 { world.store.clone() } else { other.clone() };
            let (wish, once) = (wish("k", &ann, &eve, 10), once(&ann, "h"));
            task::spawn("once", async move { store.transfer(wish, Some(once), told).await })
        })
        .collect();
    let mut now = 0;
    for task in tasks {
        let done = task.await.unwrap().unwrap().unwrap();
        now += usize::from(matches!(done, Remembered::Now(_)));
        assert_eq!(done.answer(), Answer { status: 200, body: usd(90).to_string() });
    }
    assert_eq!(now, 1);
    assert_eq!(balance(&world.store, &eve).await.credited, usd(10));
}

#[tokio::test]
async fn a_claim_outlives_its_process_and_its_first_answer_counts() {
    let world = World::new().await;
    let ann = world.account(0).await;
    let eve = world.account(0).await;
    assert_eq!(world.store.begin_once(once(&ann, "h")).await.unwrap(), Begun::First);
    // The process that claimed it is gone; another one finds the claim and finishes it.
    let again = world.again().await;
    let since = world.clock.now();
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(again.begin_once(once(&ann, "h")).await.unwrap(), Begun::Unfinished(since));
    assert_eq!(refused(again.begin_once(once(&ann, "x")).await), Refused::OtherRequest);
    assert_eq!(again.begin_once(once(&eve, "x")).await.unwrap(), Begun::First, "per account");
    // Nothing happened for it: the key is as good as new.
    again.forget_once(once(&eve, "x")).await.unwrap();
    assert_eq!(again.begin_once(once(&eve, "y")).await.unwrap(), Begun::First);
    let kept = again.finish_once(once(&ann, "h"), answer("one")).await.unwrap();
    assert_eq!(kept, answer("one"));
    let kept = world.store.finish_once(once(&ann, "h"), answer("two")).await.unwrap();
    assert_eq!(kept, answer("one"), "the first answer");
    world.store.forget_once(once(&ann, "h")).await.unwrap();
    world.clock.advance(Duration::from_secs(400 * 86_400));
    let later = world.again().await;
    assert_eq!(later.begin_once(once(&ann, "h")).await.unwrap(), Begun::Done(answer("one")));
    assert_eq!(
        refused(later.finish_once(once(&ann, "x"), answer("x")).await),
        Refused::OtherRequest
    );
}
