//! Before the first content a failure stays between us and the provider, after it nobody else is
//! asked (reliability design, tests 19 and 20).

use serde_json::json;
use signalbox_core::Usd;
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::raw::{Beat, Raw, delta, stream_head};
use crate::speech::{Answered, ask, attempts, tokens, with};

const INBAND: &str = "data: {\"error\":{\"code\":503,\"message\":\"overloaded\"}}\n\n";

/// What a provider sends before it dies, and whether that is content.
fn beginnings() -> Vec<(&'static str, String, bool)> {
    let role = delta(r#"{"role":"assistant","content":""}"#);
    let call = r#"{"tool_calls":[{"index":0,"id":"c1","type":"function","function":
        {"name":"weather","arguments":""}}]}"#;
    vec![
        ("headers", String::new(), false),
        ("a comment", ": wait\n\n".to_owned(), false),
        ("a role", role.clone(), false),
        ("an empty delta", format!("{role}{}{}", delta("{}"), delta(r#"{"content":""}"#)), false),
        ("a token", format!("{role}{}", delta(r#"{"content":"sick "}"#)), true),
        ("a tool call", format!("{role}{}", delta(&call.replace('\n', ""))), true),
        ("a thought", format!("{role}{}", delta(r#"{"reasoning":"sick "}"#)), true),
    ]
}

async fn dies_after(ending: &str) {
    for (name, text, content) in beginnings() {
        let mut beats = vec![Beat::Send(stream_head() + &text)];
        beats.push(Beat::Send(ending.to_owned()));
        let raw = Raw::playing(beats).await;
        let offer = Offer::new()
            .provider_at("sick", &raw.address())
            .model("acme/m", [Stand::new("sick", "m"), Stand::new("well", "tokens-5")]);
        let server = TestServer::start(offer).await;
        let tool = json!([{"type": "function", "function": {"name": "weather"}}]);
        let body = with(ask("acme/m", true), "provider", json!({"order": ["sick", "well"]}));
        let reply = server.caller().chat(&with(body, "tools", tool)).await;
        let calls = server.count("tokens-5").arrived;
        if content {
            let said = String::from_utf8_lossy(&reply.body);
            let events = reply.events();
            assert_eq!(
                (reply.status, calls),
                (200, 0),
                "after {name} nobody else is asked: {said}"
            );
            assert!(!events.text().contains('t'), "{name}: {said}");
            assert_eq!((events.errors().len(), events.finishes()), (1, vec!["error".to_owned()]));
            let error = events.errors()[0]["error"].clone();
            assert!(error["code"].is_u64(), "{name}: {error}");
            assert!(error["metadata"]["error_type"].is_string(), "{name}: {error}");
            assert!(events.usages().is_empty(), "{name}: {said}");
            assert_eq!(server.balance().await.charged, Usd::ZERO, "{name}");
        } else {
            let answer = Answered::read(&reply);
            assert_eq!((answer.text, calls), (tokens(5), 1), "after {name}");
            let row = server.generation(&answer.id).await;
            assert_eq!(attempts(&row).len(), 2, "{name}");
        }
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn first_content_rule() {
    dies_after("").await;
}

#[tokio::test]
async fn inband_error() {
    dies_after(INBAND).await;
}

#[tokio::test]
async fn inband_error_as_an_answer_without_content_is_none() {
    let finish = "data: {\"id\":\"r\",\"choices\":[]}\n\ndata: [DONE]\n\n";
    dies_after_nothing(finish).await;
    dies_after_nothing("data: [DONE]\n\n").await;
}

async fn dies_after_nothing(ending: &str) {
    let raw = Raw::playing(vec![Beat::Send(stream_head() + ending)]).await;
    let offer = Offer::new()
        .provider_at("sick", &raw.address())
        .model("acme/m", [Stand::new("sick", "m"), Stand::new("well", "tokens-5")]);
    let server = TestServer::start(offer).await;
    let body = with(ask("acme/m", true), "provider", json!({"order": ["sick", "well"]}));
    assert_eq!(Answered::read(&server.caller().chat(&body).await).text, tokens(5), "{ending}");
    server.closes_clean().await;
}
