//! After the first token nothing is tried again: one error inside the stream, and no charge.

use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::speech::{ask, tokens, typed_error, with};

/// What goes wrong in a stream after content, and how many tokens came before it.
const FAULTS: &[(&str, usize)] = &[
    ("tokens-9+cut-after-1", 1),
    ("tokens-9+cut-after-5", 5),
    ("tokens-9+cut-after-9", 9),
    ("tokens-9+error-inband-1", 1),
    ("tokens-9+error-inband-8", 8),
    ("tokens-9+truncated-json", 1),
    ("tokens-9+comments+error-inband-3", 3),
    ("tokens-9+usage-twice+error-inband-3", 3),
    ("tokens-9+slow-ms-3+cut-after-4", 4),
];

fn order(body: Value) -> Value {
    with(body, "provider", json!({"order": ["sick", "well"]}))
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_in_one_error_and_is_not_charged() {
    let mut offer = Offer::new();
    for (index, (fault, _)) in FAULTS.iter().enumerate() {
        let stands = [Stand::new("sick", fault), Stand::new("well", "echo")];
        offer = offer.model(&format!("acme/b{index}"), stands);
    }
    let server = TestServer::start(offer).await;
    for (index, (fault, before)) in FAULTS.iter().enumerate() {
        let reply = server.caller().chat(&order(ask(&format!("acme/b{index}"), true))).await;
        assert_eq!(reply.status, 200, "{fault}");
        assert!(reply.ended && reply.is_stream(), "{fault}");
        let events = reply.events();
        assert_eq!(events.text(), tokens(*before), "{fault}: one provider's tokens only");
        assert_eq!(events.errors().len(), 1, "{fault}: {:?}", events.data);
        assert!(events.usages().is_empty(), "{fault}: nothing to pay");
        assert_eq!(events.finishes(), ["error"], "{fault}");
        let last = events.data.last().unwrap();
        assert_eq!(last["error"]["code"], 502, "{fault}: {last}");
        assert!(last["error"]["metadata"]["error_type"].is_string(), "{fault}: {last}");
        assert_eq!(last["choices"][0]["finish_reason"], "error", "{fault}: {last}");
        let row = server.generation(&events.id()).await;
        assert_eq!((row.cost, row.finish_reason.as_deref()), (Usd::ZERO, Some("error")), "{fault}");
        assert!(row.error_type.is_some() && !row.cancelled, "{fault}");
        let tried = row.provider_responses.matches("\"status\"").count();
        assert_eq!(tried, 1, "{fault}: nobody else was asked");
    }
    assert!(server.journal().of_model("echo").is_empty(), "no second provider was called");
    server.closes_clean().await;
    assert_eq!(server.balance().await.charged, Usd::ZERO);
}

#[tokio::test]
async fn half_of_a_tool_call_is_never_finished_by_another_provider() {
    let tool = json!([{"type": "function", "function": {"name": "weather", "parameters":
        {"type": "object", "properties": {"city": {"type": "string"}, "day": {"type": "string"}},
         "required": ["city", "day"]}}}]);
    let offer = Offer::new()
        .model("acme/call", [Stand::new("sick", "tools+cut-after-2"), Stand::new("well", "tools")])
        .model(
            "acme/think",
            [Stand::new("sick", "reason+cut-after-1"), Stand::new("well", "echo")],
        );
    let server = TestServer::start(offer).await;
    let body = with(order(ask("acme/call", true)), "tools", tool);
    let events = server.caller().chat(&body).await.events();
    let starts = |event: &&Value| {
        event.pointer("/choices/0/delta/tool_calls/0/function/name").is_some_and(Value::is_string)
    };
    assert_eq!(events.data.iter().filter(starts).count(), 1, "{:?}", events.data);
    assert_eq!((events.errors().len(), events.finishes()), (1, vec!["error".to_owned()]));
    // A thought is content, too.
    let events = server.caller().chat(&order(ask("acme/think", true))).await.events();
    assert_eq!((events.errors().len(), events.text()), (1, String::new()));
    assert_eq!(server.journal().of_model("tools").len(), 0);
    assert_eq!(server.journal().of_model("echo").len(), 0);
    server.closes_clean().await;
    assert_eq!(server.balance().await.charged, Usd::ZERO);
}

#[tokio::test]
async fn an_answer_in_one_piece_that_breaks_off_is_tried_elsewhere() {
    let offer = Offer::new().model(
        "acme/half",
        [Stand::new("sick", "tokens-9+cut-after-5"), Stand::new("well", "tokens-5")],
    );
    let server = TestServer::start(offer).await;
    let reply = server.caller().chat(&order(ask("acme/half", false))).await;
    assert_eq!(reply.json()["choices"][0]["message"]["content"], tokens(5));
    server.closes_clean().await;
}

#[tokio::test]
async fn a_failure_after_the_keep_alive_is_told_inside_the_stream() {
    // The first comment commits the status 200 (inference spec 3.2).
    let stands = [Stand::new("sick", "first-ms-5300+error-inband-0")];
    let server = TestServer::start(Offer::new().model("acme/late", stands)).await;
    let reply = server.caller().chat(&ask("acme/late", true)).await;
    assert_eq!(reply.status, 200);
    let events = reply.events();
    assert_eq!(events.comments, ["SIGNALBOX PROCESSING"]);
    assert_eq!((events.errors().len(), events.data.len()), (1, 1), "{:?}", events.data);
    assert_eq!(events.data[0]["error"]["code"], 503);
    assert_eq!(events.finishes(), ["error"]);
    server.closes_clean().await;
    assert_eq!(server.balance().await.charged, Usd::ZERO);
    // In time, the same failure has a status of its own.
    let stands = [Stand::new("sick", "first-ms-50+error-inband-0")];
    let server = TestServer::start(Offer::new().model("acme/soon", stands)).await;
    let reply = server.caller().chat(&ask("acme/soon", true)).await;
    typed_error(&reply, 503, "provider_overloaded");
}
