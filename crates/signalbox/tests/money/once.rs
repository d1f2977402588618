//! Who asks again after the gateway died gets what the first request came to: one effect, one answer
//! (reliability design, test 29).

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use signalbox_runtime::task;

use crate::books::Books;
use crate::caller::Line;
use crate::node::Node;
use crate::offer::{Offer, Stand};
use crate::site::Site;
use signalbox_testkit::{Draw, rounds};

/// Deaths.
const ROUNDS: u64 = 12;
/// Within this time after a request was sent the gateway dies.
const LIFE_MICROS: u64 = 40_000;

/// A request with a key of its own.
#[derive(Debug, Clone)]
struct Wish {
    path: &'static str,
    credential: String,
    key: String,
    body: String,
}

/// Its status and document; `None` when the connection broke.
async fn ask(address: std::net::SocketAddr, wish: Wish) -> Option<(u16, Value)> {
    let mut line = Line::open(address).await?;
    let credential = format!("Bearer {}", wish.credential);
    let headers = [
        ("authorization", credential.as_str()),
        ("idempotency-key", wish.key.as_str()),
        ("x-signalbox-once", "true"),
    ];
    let answer = line.send(Method::POST, wish.path, &headers, Bytes::from(wish.body)).await?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    Some((status, serde_json::from_slice(&body).ok()?))
}

/// Asks until it is answered; while somebody is at it, or the database is busy, it is asked again.
async fn insist(node: &Node, wish: &Wish) -> (u16, Value) {
    for _ in 0..600 {
        match ask(node.address, wish.clone()).await {
            Some((503, _)) | None => {}
            Some((409, error)) if error.to_string().contains("being worked on") => {}
            Some(answer) => return answer,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no answer to {wish:?}");
}

async fn die_and_ask_again(site: Site, mut draw: Draw) {
    let owner = site.admin(&["bootstrap"]);
    let text = |member: &str| owner[member].as_str().unwrap().to_owned();
    site.admin(&["grant", "--account", &text("account_id"), "--usd", "10"]);
    let mut node = site.node();
    node.start().await;
    let deaths = rounds(ROUNDS);
    let mut lost = 0;
    for round in 0..deaths {
        let voucher = site.admin(&["voucher", "create", "--usd", "1", "--reason", "test"]);
        let redeem = Wish {
            path: "/api/v1/credits/redeem",
            credential: text("management_key"),
            key: format!("redeem-{round}"),
            body: json!({"code": voucher["code"]}).to_string(),
        };
        let chat = Wish {
            path: "/api/v1/chat/completions",
            credential: text("api_key"),
            key: format!("chat-{round}"),
            body: json!({"model": "sim/brief", "max_tokens": 100,
                "messages": [{"role": "user", "content": format!("Round {round}.")}]})
            .to_string(),
        };
        let first = [&redeem, &chat].map(|wish| {
            let (address, wish) = (node.address, wish.clone());
            task::spawn("first", async move { ask(address, wish).await })
        });
        tokio::time::sleep(Duration::from_micros(draw.below(LIFE_MICROS))).await;
        node.kill();
        node.start().await;
        let mut heard = Vec::new();
        for one in first {
            heard.push(one.await.unwrap().flatten());
        }
        for (wish, heard) in [&redeem, &chat].into_iter().zip(heard) {
            let answer = insist(&node, wish).await;
            match &heard {
                Some((200, _)) => assert_eq!(Some(&answer), heard.as_ref(), "the same answer"),
                Some((status, error)) => assert!(*status >= 500, "{status} {error}"),
                None if answer.0 == 409 => {
                    assert!(answer.1.to_string().contains("charged as gen-"), "{answer:?}");
                    lost += 1;
                }
                None => assert_eq!(answer.0, 200, "{answer:?}"),
            }
            assert_eq!(insist(&node, wish).await, answer, "and again");
        }
    }
    assert!(node.stop().await.success());
    let books = Books::read(&site.store().await).await;
    let count = |kind: &str| books.facts.transfers.iter().filter(|one| one.kind == kind).count();
    println!("{deaths} deaths, {lost} answers were charged and lost, seed {}", draw.seed());
    let deaths = usize::try_from(deaths).unwrap();
    assert_eq!((count("voucher"), count("charge")), (deaths, deaths), "one effect of each");
    site.audit();
}

fn offer() -> Offer {
    Offer::new().model("sim/brief", [Stand::new("sim-one", "tokens-5+first-ms-8")])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_again_after_a_death_pays_once() {
    let draw = Draw::seeded(29);
    die_and_ask_again(Site::new(&offer(), draw.seed()).await, draw).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_again_after_a_death_pays_once_on_postgres() {
    let draw = Draw::seeded(30);
    die_and_ask_again(Site::on_postgres(&offer(), draw.seed()).await, draw).await;
}
