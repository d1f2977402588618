//! Credit that becomes too old.

use std::time::Duration;

use signalbox_core::Usd;
use signalbox_store::{House, Movement};

use crate::movements::balance;
use crate::world::{World, usd};

#[tokio::test]
async fn what_is_left_of_old_credit_ends_once() {
    let world = World::new().await;
    let store = &world.store;
    let ann = world.account(0).await;
    let eve = world.account(40).await;
    let buy = async |id: &str, amount| {
        let now = world.clock.now();
        let movement = Movement::purchase(id, House::Stripe, &ann, usd(amount), now);
        store.post_movement(movement).await.unwrap();
    };
    buy("old", 100).await;
    buy("older", 10).await;
    let now = world.clock.now();
    store.post_movement(Movement::refund("older", 1, &ann, usd(4), now)).await.unwrap();
    store.post_movement(Movement::adjustment("x", &ann, usd(-30), now)).await.unwrap();
    store.post_movement(Movement::adjustment("y", &ann, usd(3), now)).await.unwrap();
    world.clock.advance(Duration::from_secs(365 * 86_400));
    buy("new", 50).await;
    let lots = store.lots(&ann).await.unwrap();
    let left: Vec<_> = lots.iter().map(|lot| (lot.id.as_str(), lot.left.nanos())).collect();
    let expected =
        [("purchase:old", 70), ("purchase:older", 6), ("adjustment:y", 3), ("purchase:new", 50)];
    assert_eq!(left, expected);

    let year_ago = world.clock.now().plus_millis(-365 * 86_400_000 + 1);
    let expired = store.expire_credits(year_ago).await.unwrap();
    assert_eq!((expired.credits, expired.amount, expired.in_use), (3, usd(70 + 6 + 40), 0));
    assert_eq!(balance(store, &ann).await.posted(), usd(53), "a correction does not age");
    assert_eq!(balance(store, &eve).await.posted(), Usd::ZERO);
    let again = store.expire_credits(year_ago).await.unwrap();
    assert_eq!((again.credits, again.amount), (0, Usd::ZERO));
}
