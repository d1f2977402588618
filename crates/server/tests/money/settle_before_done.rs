//! Nobody sees what an answer cost, or that it has ended, before that cost is durable: with a writer
//! that is held back, in all four languages, streamed and not.

use std::time::Duration;

use signalbox_core::Usd;
use signalbox_runtime::task;
use signalbox_testkit::{Caller, Offer, Opened, Reply, Stand, TestServer, eventually};

use crate::tongue::{Tongue, costs};

const SOON: Duration = Duration::from_secs(5);
const TOKENS: usize = 5;
/// What marks the end of a stream in one of the languages.
const ENDS: [&str; 4] = ["[DONE]", "message_stop", "response.completed", "\"cost\""];

async fn server() -> TestServer {
    let mut offer = Tongue::providers(Offer::new());
    for tongue in Tongue::ALL {
        let stand = Stand::new(tongue.provider(), "tokens-5");
        offer = offer.model(&format!("acme/{}", tongue.provider()), [stand]);
    }
    let server = TestServer::start(offer).await;
    // The key is known and the credit is leased.
    let first = server.caller().post(Tongue::Chat.path(), &ask(Tongue::Chat, false)).await;
    assert_eq!(first.status, 200);
    server
}

fn ask(tongue: Tongue, stream: bool) -> serde_json::Value {
    tongue.ask(&format!("acme/{}", tongue.provider()), stream)
}

/// Waits until the settlement is on its way to the writer, and everything that could have come to the
/// client has had time for it.
async fn posted(server: &TestServer, caller: &Caller) {
    let posted = async || (server.ledger.open_count() == 0).then_some(());
    eventually(SOON, "the settlement", posted).await;
    for _ in 0..5 {
        assert_eq!(caller.get("/api/v1/key").await.status, 200);
    }
}

/// Reads what is there, without waiting for more.
async fn read_what_is_there(opened: &mut Opened) {
    while let Some(Some(_)) = task::soon(opened.chunk()).await {}
}

/// The end is there now, and so is its charge.
async fn paid(server: &TestServer, before: Usd, reply: &Reply) -> Usd {
    let [cost] = costs(reply)[..] else { panic!("{:?}", costs(reply)) };
    assert!(cost > Usd::ZERO && reply.ended);
    let charged = server.balance().await.charged;
    assert_eq!(charged, before.checked_add(cost).unwrap(), "durable before it was seen");
    charged
}

#[tokio::test]
async fn settle_before_done_of_streams() {
    let server = server().await;
    let caller = server.caller();
    let mut charged = server.balance().await.charged;
    for tongue in Tongue::ALL {
        let pause = server.platform.store().pause().await.unwrap();
        let mut opened = caller.post_open(tongue.path(), &ask(tongue, true)).await;
        opened.until(&format!("t{} ", TOKENS - 1)).await;
        posted(&server, &caller).await;
        read_what_is_there(&mut opened).await;
        for end in ENDS {
            assert!(!opened.has_text(end), "{tongue:?}: {end} in {:?}", opened.so_far());
        }
        assert!(!opened.so_far().ended && costs(&opened.so_far()).is_empty(), "{tongue:?}");
        drop(pause);
        charged = paid(&server, charged, &opened.rest().await).await;
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn settle_before_done_of_answers_in_one_piece() {
    let server = server().await;
    let caller = server.caller();
    let mut charged = server.balance().await.charged;
    for tongue in Tongue::ALL {
        let pause = server.platform.store().pause().await.unwrap();
        let before = server.journal().entries().len();
        let asking = caller.clone();
        let mut reply =
            task::spawn(
                "asking",
                async move { asking.post(tongue.path(), &ask(tongue, false)).await },
            );
        let called = async || (server.journal().entries().len() > before).then_some(());
        eventually(SOON, "the call", called).await;
        drop(server.journal().settled().await);
        posted(&server, &caller).await;
        assert!(task::soon(&mut reply).await.is_none(), "{tongue:?}: an answer before its charge");
        drop(pause);
        let reply = reply.await.unwrap().unwrap();
        charged = paid(&server, charged, &reply).await;
    }
    server.closes_clean().await;
}
