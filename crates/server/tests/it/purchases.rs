//! Purchases over HTTP: who may ask, what is answered where nothing can be bought, and webhooks.

use bytes::Bytes;
use http::Method;
use serde_json::json;
use signalbox_core::Secret;
use signalbox_platform::PurchaseSettings;
use signalbox_platform::purchase::settings::StripeSettings;
use signalbox_platform::purchase::signature;
use signalbox_testkit::{Caller, Offer, Reply, Setup, TestServer, refused};

const HOOK: &str = "/webhooks/stripe";
const SECRET: &str = "whsec_canary";

/// Every route with a method and a body that it would take.
const ROUTES: [(&str, &str, &str); 11] = [
    ("POST", "/api/v1/credits/checkout", r#"{"amount":20}"#),
    ("GET", "/api/v1/credits/purchases", ""),
    ("POST", "/api/v1/credits/purchases/pay_1/refund", ""),
    ("POST", "/api/v1/credits/purchases/pay_1/reconcile", ""),
    ("POST", "/api/v1/credits/crypto", r#"{"payment_id":"pay_1","transaction":"0x1"}"#),
    ("GET", "/api/v1/credits/auto-top-up", ""),
    ("PUT", "/api/v1/credits/auto-top-up", r#"{"threshold":2,"amount":25}"#),
    ("GET", "/api/v1/credits/tax-ids", ""),
    ("POST", "/api/v1/credits/tax-ids", r#"{"type":"eu_vat","value":"DE1"}"#),
    ("DELETE", "/api/v1/credits/tax-ids/txid_1", ""),
    ("GET", "/api/v1/credits/invoices", ""),
];

/// A server whose card processor answers nobody.
async fn selling(webhook_secrets: Vec<Secret<String>>) -> TestServer {
    let stripe = StripeSettings {
        base_url: format!("http://{}", refused().await),
        secret_key: Secret::new("sk_test_canary".to_owned()),
        webhook_secrets,
        success_url: "https://gate.example/done".to_owned(),
        cancel_url: "https://gate.example/back".to_owned(),
        automatic_tax: false,
    };
    let purchases = PurchaseSettings { stripe: Some(stripe), ..PurchaseSettings::default() };
    TestServer::start_as(Offer::new(), Setup { credit: "0", purchases, ..Setup::default() }).await
}

fn secrets() -> Vec<Secret<String>> {
    vec![Secret::new(SECRET.to_owned())]
}

async fn send(caller: &Caller, method: &str, path: &str, body: &str) -> Reply {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    caller.send(method, path, Bytes::copy_from_slice(body.as_bytes())).await
}

fn message(reply: &Reply) -> String {
    reply.json()["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn only_a_management_key_buys() {
    let server = selling(secrets()).await;
    for (method, path, body) in ROUTES {
        let nobody = server.caller().without("authorization");
        assert_eq!(send(&nobody, method, path, body).await.status, 401, "{method} {path}");
        assert_eq!(send(&server.caller(), method, path, body).await.status, 403, "{method} {path}");
        let reply = send(&server.manager(), method, path, body).await;
        assert!(![401, 403, 405, 500].contains(&reply.status), "{method} {path}: {}", reply.status);
    }
}

#[tokio::test]
async fn where_nothing_is_set_up_the_answer_says_so() {
    let server = TestServer::start(Offer::new()).await;
    let manager = server.manager();
    let card = manager.post("/api/v1/credits/checkout", &json!({"amount": 20})).await;
    assert_eq!(
        (card.status, message(&card).as_str()),
        (404, "card payments are not set up on this server")
    );
    let coin = json!({"amount": 20, "method": "crypto"});
    let coin = manager.post("/api/v1/credits/checkout", &coin).await;
    assert_eq!(coin.status, 404);
    for (method, path, body) in ROUTES {
        let reply = send(&manager, method, path, body).await;
        assert!([200, 404].contains(&reply.status), "{method} {path}: {}", reply.status);
    }
    let list = manager.get("/api/v1/credits/purchases").await.json();
    assert_eq!(list, json!({"data": [], "total_count": 0}));
    assert_eq!(manager.post(HOOK, &json!({})).await.status, 404);
}

#[tokio::test]
async fn what_can_not_be_read_is_named() {
    let server = selling(secrets()).await;
    let manager = server.manager();
    for (method, path, body, expected) in [
        ("POST", "/api/v1/credits/checkout", "", "EOF"),
        ("POST", "/api/v1/credits/checkout", r#"{"amount":"a lot"}"#, "decimal"),
        ("POST", "/api/v1/credits/checkout", r#"{"amount":"1e3"}"#, "decimal"),
        ("POST", "/api/v1/credits/checkout", r#"{"amount":-5}"#, "amount: from $5 to $25000"),
        ("POST", "/api/v1/credits/checkout", r#"{"amount":4.99}"#, "amount: from $5 to $25000"),
        ("POST", "/api/v1/credits/checkout", r#"{"amount":10.001}"#, "two decimals"),
        ("POST", "/api/v1/credits/checkout", r#"{"amount":10,"method":"gold"}"#, "method"),
        ("POST", "/api/v1/credits/checkout", r#"{"amount":10,"admin":true}"#, "unknown field"),
        ("PUT", "/api/v1/credits/auto-top-up", r#"{"amount":25}"#, "threshold"),
        ("GET", "/api/v1/credits/purchases?limit=0", "", "limit"),
        ("GET", "/api/v1/credits/purchases?offset=-1", "", "offset"),
    ] {
        let reply = send(&manager, method, path, body).await;
        assert_eq!(reply.status, 400, "{path} {body}");
        assert!(message(&reply).contains(expected), "{path} {body}: {}", message(&reply));
    }
    let large = format!(r#"{{"amount":20,"method":"{}"}}"#, "x".repeat(70_000));
    let reply = send(&manager, "POST", "/api/v1/credits/checkout", &large).await;
    assert_eq!(reply.status, 413);
}

#[tokio::test]
async fn a_processor_that_answers_nobody_is_no_fault_of_the_caller() {
    let server = selling(secrets()).await;
    let reply = server.manager().post("/api/v1/credits/checkout", &json!({"amount": 20})).await;
    assert_eq!((reply.status, reply.header("retry-after")), (502, Some("10")));
    assert!(!String::from_utf8_lossy(&reply.body).contains("canary"));
}

#[tokio::test]
async fn a_webhook_is_read_up_to_its_limit_and_believed_when_it_is_signed() {
    let server = selling(secrets()).await;
    let nobody = server.caller().without("authorization");
    let now = server.platform.store().clock().now();
    let event = json!({"id": "evt_1", "type": "customer.updated", "data": {"object": {}}});
    let body = event.to_string();
    let signed = signature::sign(&secrets()[0], body.as_bytes(), now);
    let hook = nobody.with("stripe-signature", &signed);
    let heard = send(&hook, "POST", HOOK, &body).await;
    assert_eq!((heard.status, heard.json()), (200, json!({"received": true})));
    assert_eq!(send(&hook, "POST", HOOK, &body).await.status, 200, "told again");
    assert_eq!(
        send(&hook, "POST", HOOK, &body.replace(':', ": ")).await.status,
        400,
        "written anew"
    );
    assert_eq!(send(&nobody, "POST", HOOK, &body).await.status, 400, "unsigned");
    // Signed, and of the largest size and one more.
    for (size, status) in [(256 * 1024, 200), (256 * 1024 + 1, 413)] {
        let fill = size - body.len() - r#","x":"""#.len();
        let large = format!("{},\"x\":\"{}\"}}", &body[..body.len() - 1], "x".repeat(fill));
        assert_eq!(large.len(), size);
        let signed = signature::sign(&secrets()[0], large.as_bytes(), now);
        let hook = nobody.with("stripe-signature", &signed);
        assert_eq!(send(&hook, "POST", HOOK, &large).await.status, status, "{size}");
    }
    let odd = signature::sign(&secrets()[0], b"[]", now);
    let odd = send(&nobody.with("stripe-signature", &odd), "POST", HOOK, "[]").await;
    assert_eq!(odd.status, 400, "signed, and no event");
}

#[tokio::test]
async fn ten_megabytes_are_not_read() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = selling(secrets()).await;
    for head in ["content-length: 10485760\r\n\r\n", "transfer-encoding: chunked\r\n\r\n"] {
        let mut socket = tokio::net::TcpStream::connect(server.address()).await.unwrap();
        let head = format!("POST {HOOK} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{head}");
        socket.write_all(head.as_bytes()).await.unwrap();
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let mut sent = 0;
        // The server answers long before the end, and may close.
        while head.contains("chunked") && sent < 160 {
            if socket.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
            sent += 1;
        }
        let mut answer = Vec::new();
        drop(socket.read_to_end(&mut answer).await);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        if head.contains("chunked") {
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
        } else {
            assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        }
    }
    let events = server.platform.store().keep_event(signalbox_store::payments::EventMark {
        id: "evt_probe".to_owned(),
        kind: "probe".to_owned(),
    });
    assert!(events.await.unwrap(), "it goes on working");
}

#[tokio::test]
async fn without_a_secret_there_is_no_webhook() {
    let server = selling(Vec::new()).await;
    let nobody = server.caller().without("authorization");
    let now = server.platform.store().clock().now();
    let signed = signature::sign(&Secret::new(String::new()), b"{}", now);
    let reply = send(&nobody.with("stripe-signature", &signed), "POST", HOOK, "{}").await;
    assert_eq!(reply.status, 404);
    assert_eq!(message(&reply), "POST /webhooks/stripe does not exist");
}
