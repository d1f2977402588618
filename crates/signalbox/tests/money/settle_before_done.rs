//! Whoever saw the price has been charged it, though the gateway died in the same millisecond (I6).

use std::time::Duration;

use signalbox_core::Usd;

use crate::books::Books;
use crate::caller::{Line, Wish, chat_on};
use crate::node::Node;
use crate::offer::{Offer, Stand};
use crate::site::Site;

/// Gateways killed in each of two worlds, and in the one on PostgreSQL.
const ROUNDS: (usize, usize) = (100, 12);

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

fn offer() -> Offer {
    Offer::new()
        .model("sim/brief", [Stand::new("sim-one", "tokens-5")])
        .model("sim/long", [Stand::new("sim-one", "tokens-200+cached+reason")])
}

/// What the rounds of one world came to.
#[derive(Debug, Default)]
struct Kept {
    charges: usize,
    slowest_start: Duration,
    /// Longest time after a start in which a charge was not yet to be seen.
    latest: Duration,
}

async fn world(site: Site, rounds: usize) -> Kept {
    let owner = site.owner("10");
    let mut node = site.node();
    let store = site.store().await;
    let mut kept = Kept { slowest_start: node.start().await, ..Kept::default() };
    for round in 0..rounds {
        let (id, cost) = see_and_kill(&mut node, &owner.key, round).await;
        assert!(cost > Usd::ZERO);
        kept.slowest_start = kept.slowest_start.max(node.start().await);
        let (books, waited) = Books::with_charge(&store, &id).await;
        kept.latest = kept.latest.max(waited);
        assert_eq!(books.charges(&id), [cost], "round {round}: {id}");
        assert_eq!(books.row(&id).await.expect("a row").cost, cost);
        kept.charges += 1;
    }
    let report = site.audit();
    assert_eq!(report["checked"]["generations"], rounds);
    kept
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_saw_the_price_was_charged_it_though_the_gateway_died_at_once() {
    let (one, two) = (Site::new(&offer(), 1).await, Site::new(&offer(), 2).await);
    let (one, two) = tokio::join!(world(one, ROUNDS.0), world(two, ROUNDS.0));
    println!("{one:?} {two:?}");
    assert_eq!(one.charges + two.charges, 2 * ROUNDS.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_is_true_on_postgres() {
    let kept = world(Site::on_postgres(&offer(), 3).await, ROUNDS.1).await;
    println!("{kept:?}");
    assert_eq!(kept.charges, ROUNDS.1);
}
