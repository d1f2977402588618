//! Whoever saw the price has been charged it, though the gateway died in the same millisecond (I6).

use std::time::Duration;

use signalbox_core::Usd;

use crate::books::Books;
use crate::caller::{Line, Wish, chat_on};
use crate::node::Node;
use crate::offer::{Offer, Stand};
use crate::site::Site;

/// Gateways killed in each world; there are two worlds.
const ROUNDS: usize = 100;

/// Kills a gateway when a client has seen the price of one answer, and gives what was seen.
async fn see_and_kill(node: &mut Node, key: &str, round: usize) -> (String, Usd) {
    let model = if round % 4 < 2 { "sim/brief" } else { "sim/long" };
    let wish = Wish::new(key, model, format!("round-{round}"));
    let wish = if round.is_multiple_of(2) { wish.streamed() } else { wish };
    let line = Line::open(node.address).await.expect("a gateway that listens");
    let mut first = None;
    let seen = chat_on(line, &wish, |seen| {
        if first.is_none() && seen.cost.is_some() {
            node.kill();
            first = seen.cost;
        }
    })
    .await;
    let cost = first.unwrap_or_else(|| panic!("an answer with a price: {seen:?}"));
    (seen.id.expect("a generation's id"), cost)
}

async fn world(seed: u64) -> (usize, Duration) {
    let offer = Offer::new()
        .model("sim/brief", [Stand::new("sim-one", "tokens-5")])
        .model("sim/long", [Stand::new("sim-one", "tokens-200+cached+reason")]);
    let site = Site::new(&offer, seed).await;
    let owner = site.owner("10");
    let mut node = site.node();
    let store = site.store().await;
    let (mut kept, mut slowest) = (0, Duration::ZERO);
    for round in 0..ROUNDS {
        slowest = slowest.max(node.start().await);
        let (id, cost) = see_and_kill(&mut node, &owner.key, round).await;
        assert!(cost > Usd::ZERO);
        let books = Books::read(&store).await;
        assert_eq!(books.charges(&id), [cost], "round {round}: {id}");
        assert_eq!(books.row(&id).await.expect("a row").cost, cost);
        kept += 1;
    }
    slowest = slowest.max(node.start().await);
    let report = site.audit();
    assert_eq!(report["checked"]["generations"], ROUNDS);
    (kept, slowest)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_saw_the_price_was_charged_it_though_the_gateway_died_at_once() {
    let (one, two) = tokio::join!(world(1), world(2));
    println!(
        "{} of {} charges kept; slowest start {:?}",
        one.0 + two.0,
        2 * ROUNDS,
        one.1.max(two.1)
    );
    assert_eq!(one.0 + two.0, 2 * ROUNDS);
}
