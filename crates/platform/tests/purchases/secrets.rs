//! Reliability design, test 18, for purchases: no secret is in what is logged, shown or answered.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;
use signalbox_core::ApiError;
use signalbox_platform::purchase::fee::Method;
use signalbox_platform::purchase::{Claim, Wish};
use tracing::subscriber::with_default;

use crate::node::Chain;
use crate::peer::Fault;
use crate::world::{KEY, SECRET, World, by, event, usd};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn everything_goes_wrong() -> Vec<String> {
    let chain = Chain::start().await;
    let world = World::with(|settings| settings.crypto = Some(chain.settings())).await;
    let mut told = vec![format!("{:?}", world.settings), format!("{:?}", world.purchases)];
    let mut note = |error: signalbox_platform::PurchaseError| {
        told.push(format!("{error:?} {error}"));
        let error = ApiError::from(error);
        told.push(format!("{error:?} {}", error.message));
    };
    let card = Wish { amount: usd("20"), method: Method::Card, keep_card: false, once: None };
    for status in [400, 401, 500] {
        world.peer.fail_next("/v1/checkout/sessions", Fault::Status(status));
        note(world.purchases.checkout(&by(&world.account), card.clone()).await.unwrap_err());
    }
    let id = world.buy("20").await;
    world.peer.fail_next("/v1/refunds", Fault::Status(400));
    note(world.purchases.refund(&by(&world.account), &id).await.unwrap_err());
    world.rule().await;
    world.peer.fail_next("/v1/payment_intents", Fault::Lost);
    world.purchases.refund(&by(&world.account), &id).await.unwrap();
    world.purchases.look(&world.account).await.unwrap();
    let order = Wish { method: Method::Crypto, ..card };
    let order = world.purchases.checkout(&by(&world.account), order).await.unwrap();
    let transaction = format!("0x{:064x}", 1);
    let claim = Claim { payment: order.purchase.id, transaction };
    note(world.purchases.claim(&world.account, claim).await.unwrap_err());
    let body = event("evt_1", "odd", json!({"note": "canary_body"})).to_string();
    let forged = world.purchases.hear("t=1,v1=00", body.as_bytes()).await.unwrap();
    told.push(format!("{forged:?}"));
    world.hear(&event("evt_2", "payment_intent.succeeded", json!({"note": "canary_body"}))).await;
    told
}

#[test]
fn no_secret_is_logged_shown_or_answered() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let told = with_default(subscriber, || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(everything_goes_wrong())
    });
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("later"), "something was logged: {logged}");
    for canary in [KEY, SECRET, "canary"] {
        assert!(!logged.contains(canary), "{canary} was logged");
        for text in &told {
            assert!(!text.contains(canary), "{canary} is in {text}");
        }
    }
}
