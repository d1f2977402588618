//! A server with one cheap model, and what tests ask of it.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use signalbox_testkit::{Caller, Offer, Reply, Stand, TestServer};

pub async fn start() -> TestServer {
    let offer = Offer::new().model("acme/one", [Stand::new("well", "tokens-5")]);
    TestServer::start_with(offer, "3").await
}

pub async fn patch(caller: &Caller, path: &str, body: Value) -> Reply {
    caller.send(Method::PATCH, path, body.to_string().into()).await
}

pub async fn put(caller: &Caller, path: &str, body: Value) -> Reply {
    caller.send(Method::PUT, path, body.to_string().into()).await
}

pub async fn delete(caller: &Caller, path: &str) -> Reply {
    caller.send(Method::DELETE, path, Bytes::new()).await
}

/// The body of an answer with this status.
pub fn told(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", String::from_utf8_lossy(&reply.body));
    reply.json()
}

/// A request that costs a little.
pub fn chat() -> Value {
    json!({
        "model": "acme/one", "max_tokens": 20,
        "messages": [{"role": "user", "content": "Say something, please."}],
    })
}
