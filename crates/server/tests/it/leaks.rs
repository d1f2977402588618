//! Every way out of a request gives the reservation back, however often it is taken.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use signalbox_core::Usd;
use signalbox_runtime::task;
use signalbox_testkit::{Leave, Offer, Stand, TestServer};
use tokio::sync::Barrier;

use crate::speech::{Answered, ask, typed_error, with};

/// How often each way is taken.
const TIMES: usize = 50;
/// How many take it at once.
const AT_ONCE: usize = 10;

/// The ways out: what the provider does, and when the client leaves.
const EXITS: &[(&str, Leave)] = &[
    ("tokens-5", Leave::Never),
    ("tokens-5+no-usage", Leave::Never),
    ("tokens-5+usage-huge", Leave::Never),
    ("status-400", Leave::Never),
    ("status-401", Leave::Never),
    ("status-429", Leave::Never),
    ("status-500", Leave::Never),
    ("garbage", Leave::Never),
    ("blank", Leave::Never),
    ("tokens-9+error-inband-0", Leave::Never),
    ("tokens-9+error-inband-3", Leave::Never),
    ("tokens-9+cut-after-3", Leave::Never),
    ("tokens-9+truncated-json", Leave::Never),
    ("hang", Leave::After(Duration::from_millis(30))),
    ("tokens-9+hang-after-3", Leave::AfterEvents(3)),
    ("tokens-90+slow-ms-3", Leave::After(Duration::from_millis(40))),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_way_out_of_a_request_keeps_money_back() {
    let mut offer = Offer::new();
    for (index, (behaviour, _)) in EXITS.iter().enumerate() {
        offer = offer.model(&format!("exit/e{index}"), [Stand::new("one", behaviour)]);
    }
    let server = TestServer::start(offer).await;
    for (index, (behaviour, leave)) in EXITS.iter().enumerate() {
        for _ in 0..TIMES / AT_ONCE {
            let visits: Vec<_> = (0..AT_ONCE)
                .map(|_| {
                    let (caller, leave) = (server.caller(), *leave);
                    let body = ask(&format!("exit/e{index}"), true);
                    task::spawn("visit", async move { caller.chat_until(&body, leave).await })
                })
                .collect();
            for visit in visits {
                visit.await.unwrap().unwrap();
            }
        }
        server.settled().await;
        let available = server.ledger.available(&server.owner.account_id);
        assert_eq!(available, Some(server.balance().await.posted()), "{behaviour}");
    }
    server.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_at_once_never_spend_more_than_there_is() {
    let stands = [Stand::new("one", "tokens-150+slow-ms-1")];
    let server = TestServer::start_with(Offer::new().model("acme/one", stands), "0.02").await;
    let barrier = Arc::new(Barrier::new(100));
    let visits: Vec<_> = (0..100)
        .map(|index| {
            let (caller, barrier) = (server.caller(), Arc::clone(&barrier));
            task::spawn("visit", async move {
                let body = ask("acme/one", index % 2 == 0);
                barrier.wait().await;
                caller.chat(&body).await
            })
        })
        .collect();
    let mut charged = Usd::ZERO;
    let mut served = 0;
    for visit in visits {
        let reply = visit.await.unwrap().unwrap();
        if reply.status == 200 {
            served += 1;
            charged = charged.checked_add(Answered::read(&reply).cost()).unwrap();
        } else {
            typed_error(&reply, 402, "payment_required");
        }
    }
    server.closes_clean().await;
    assert!((1..100).contains(&served), "some and not all: {served}");
    assert_eq!(server.journal().entries().len(), served, "who was refused was not served");
    let balance = server.balance().await;
    assert_eq!(balance.charged, charged);
    assert!(balance.posted() >= Usd::ZERO, "{balance:?}");
}

#[tokio::test]
async fn an_odd_but_complete_answer_is_an_answer() {
    let text = ["tokens-5+no-done", "tokens-5+comments", "tokens-5+usage-twice", "reason+tokens-5"];
    let other = ["big-200kb", "json", "image-out", "tools", "empty+no-done", "cached"];
    let mut offer = Offer::new();
    for (index, behaviour) in text.iter().chain(&other).enumerate() {
        offer = offer.model(&format!("odd/o{index}"), [Stand::new("one", behaviour)]);
    }
    let server = TestServer::start(offer).await;
    let tool = json!([{"type": "function", "function": {"name": "look", "parameters":
        {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]}}}]);
    for (index, behaviour) in text.iter().chain(&other).enumerate() {
        for stream in [true, false] {
            let body = with(ask(&format!("odd/o{index}"), stream), "tools", tool.clone());
            let answer = Answered::read(&server.caller().chat(&body).await);
            if text.contains(behaviour) {
                assert_eq!(answer.text, crate::speech::tokens(5), "{behaviour}");
            }
            let finish = if *behaviour == "tools" { "tool_calls" } else { "stop" };
            assert_eq!(answer.finish, finish, "{behaviour}, streamed {stream}");
            assert_eq!(server.generation(&answer.id).await.cost, answer.cost(), "{behaviour}");
        }
    }
    server.closes_clean().await;
}
