use serde_json::{Value, json};

use crate::wire::{PNG, joined, post, simulator, with};

const PATH: &str = "/v2/chat";

fn ask(model: &str, stream: bool) -> Value {
    json!({"model": model, "stream": stream, "messages": [{"role": "user", "content": "one two three"}]})
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"enum": ["Bern"]}}});
    let tool =
        |name: &str| json!({"type": "function", "function": {"name": name, "parameters": schema}});
    json!([tool("a"), tool("b")])
}

#[tokio::test]
async fn a_stream_has_thinking_text_and_an_end_with_usage() {
    let sim = simulator().await;
    let events = post(&sim, PATH, &ask("echo+reason+cached", true)).await.events();
    assert_eq!(joined(&events, "/delta/message/content/thinking"), "Let me think. ");
    assert_eq!(joined(&events, "/delta/message/content/text"), "one two three");
    let last = events.last().unwrap();
    assert_eq!(
        (&last["type"], &last["delta"]["finish_reason"]),
        (&json!("message-end"), &json!("COMPLETE"))
    );
    assert_eq!(last["delta"]["usage"]["tokens"]["output_tokens"], 6);
    assert_eq!(last["delta"]["usage"]["cached_tokens"], 2);
    let indices: Vec<&Value> =
        events.iter().filter(|e| e["type"] == "content-start").map(|e| &e["index"]).collect();
    assert_eq!(indices, [0, 1]);
}

#[tokio::test]
async fn tools_go_round_and_a_plan_can_come_first() {
    let sim = simulator().await;
    let body = with(ask("tools+plan", true), json!({"tools": tools()}));
    let events = post(&sim, PATH, &body).await.events();
    assert_eq!(joined(&events, "/delta/message/tool_plan"), "Let me think. ");
    assert_eq!(
        joined(&events, "/delta/message/tool_calls/function/arguments"),
        "{\"city\":\"Bern\"}{\"city\":\"Bern\"}"
    );
    let whole = post(&sim, PATH, &with(body, json!({"stream": false}))).await.json();
    assert_eq!(whole["finish_reason"], "TOOL_CALL");
    let mut messages = vec![json!({"role": "user", "content": "go"}), whole["message"].clone()];
    messages[1].as_object_mut().unwrap().remove("content");
    for index in 0..2 {
        messages.push(
            json!({"role": "tool", "tool_call_id": format!("call_sim_{index}"), "content": "ok"}),
        );
    }
    let next = with(ask("tools", false), json!({"tools": tools(), "messages": messages}));
    let answer = post(&sim, PATH, &next).await.json();
    assert_eq!(answer["message"]["content"][0]["text"], "The tools have answered.");
}

#[tokio::test]
async fn what_the_provider_refuses_is_refused() {
    let sim = simulator().await;
    let user = json!({"role": "user", "content": "x"});
    let call = json!({"id": "t", "type": "function", "function": {"name": "a", "arguments": "{}"}});
    let cases = [
        (json!({"top_p": 1}), "parameter 'top_p' is not a valid field"),
        (json!({"tool_choice": "auto"}), "REQUIRED or NONE"),
        (json!({"messages": [user, {"role": "tool", "content": "x"}]}), "must have a tool_call_id"),
        (
            json!({"messages": [user, {"role": "tool", "tool_call_id": "t", "content": "x"}]}),
            "not found in previous tool calls",
        ),
        (
            json!({"messages": [{"role": "assistant", "tool_calls": [call]}, user]}),
            "did not have response messages: t",
        ),
        (
            json!({"messages": [{"role": "developer", "content": "x"}]}),
            "must be one of system, user, assistant, tool",
        ),
        (json!({"response_format": {"type": "json_schema"}}), "must be text or json_object"),
        (
            json!({"tools": [{"type": "function", "function": {"name": "a"}}]}),
            "parameters is required",
        ),
    ];
    for (members, expected) in cases {
        let answer = post(&sim, PATH, &with(ask("echo", false), members)).await;
        assert_eq!(answer.status, 400, "{expected}");
        assert!(answer.json()["message"].as_str().unwrap().contains(expected), "{}", answer.text());
    }
}

#[tokio::test]
async fn faults_media_and_the_other_words_are_the_dialect_s() {
    let sim = simulator().await;
    let events = post(&sim, PATH, &ask("tokens-9+error-inband-2", true)).await.events();
    assert_eq!(events.last().unwrap()["delta"]["finish_reason"], "ERROR");
    let end = post(&sim, PATH, &ask("tokens-2+no-done", true)).await.text();
    assert!(end.contains("content-end") && !end.contains("message-end"));
    let cited = post(&sim, PATH, &ask("echo+cite", true)).await.text();
    assert!(cited.contains("citation-start") && cited.contains("citation-end"));
    assert!(
        post(&sim, PATH, &ask("echo+cite", false)).await.json()["message"]["citations"].is_array()
    );
    let parts = json!([{"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}}]);
    let body =
        with(ask("describe", false), json!({"messages": [{"role": "user", "content": parts}]}));
    assert_eq!(
        post(&sim, PATH, &body).await.json()["message"]["content"][0]["text"],
        "image/png:3"
    );
    let format = json!({"response_format": {"type": "json_object", "json_schema": {"properties": {"n": {"type": "integer"}}}}});
    let valid = post(&sim, PATH, &with(ask("json", false), format)).await.json();
    assert_eq!(valid["message"]["content"][0]["text"], "{\"n\":7}");
}
