//! Tools for models that know none.

use serde_json::json;
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::speech::{Answered, ask, with};

#[tokio::test]
async fn tools_are_told_in_words_to_a_model_that_knows_none() {
    let plain = Stand::new("plain", "tokens-4").with("supported_parameters", json!(["max_tokens"]));
    let server = TestServer::start(Offer::new().model("acme/plain", [plain])).await;
    let tools = json!([{"type": "function", "function": {"name": "add", "parameters": {}}}]);
    let body = with(ask("acme/plain", false), "tools", tools);
    let body = with(
        body,
        "messages",
        json!([
            {"role": "user", "content": "1 + 2?"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "three"},
        ]),
    );
    Answered::read(&server.caller().chat(&body).await);
    let sent = server.journal().entries().last().unwrap().body.clone().unwrap();
    assert!(sent.get("tools").is_none() && !sent.to_string().contains("tool_call_id"), "{sent}");
    let said = |at: usize| sent["messages"][at]["content"].as_str().unwrap_or_default().to_owned();
    assert!(said(0).contains("name: \"add\""), "{sent}");
    assert!(said(2).starts_with("tool_call:") && said(3).contains("three"), "{sent}");
    let strict = with(body, "provider", json!({"require_parameters": true}));
    let refused = server.caller().chat(&strict).await;
    assert_eq!(refused.status, 404, "{}", String::from_utf8_lossy(&refused.body));
    server.closes_clean().await;
}

#[tokio::test]
async fn what_a_client_cannot_be_shown_is_told() {
    let stand = Stand::new("painter", "image-out");
    let server = TestServer::start(Offer::new().model("acme/painter", [stand])).await;
    let body = json!({"model": "acme/painter", "max_tokens": 50,
        "messages": [{"role": "user", "content": "A boat, please."}]});
    let caller = server.caller().with("x-openrouter-metadata", "enabled");
    for stream in [false, true] {
        let reply =
            caller.post("/api/v1/messages", &with(body.clone(), "stream", stream.into())).await;
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        assert_eq!(reply.status, 200, "{text}");
        assert!(text.contains(r#""losses":[{"detail":"images","kind":"answer"}]"#), "{text}");
    }
    server.closes_clean().await;
}
