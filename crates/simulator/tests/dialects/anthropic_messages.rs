use serde_json::{Value, json};

use crate::wire::{PDF, PNG, joined, post, send, simulator, with};

const PATH: &str = "/v1/messages";

fn ask(model: &str, stream: bool) -> Value {
    json!({"model": model, "max_tokens": 4096, "stream": stream,
        "messages": [{"role": "user", "content": "one two three"}]})
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"enum": ["Bern"]}}});
    let tool = |name: &str| json!({"name": name, "input_schema": schema});
    json!([tool("a"), tool("b")])
}

#[tokio::test]
async fn a_stream_has_blocks_and_cumulative_usage() {
    let sim = simulator().await;
    let events = post(&sim, PATH, &ask("echo+reason+cached", true)).await.events();
    let kinds: Vec<&str> = events.iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(kinds[..3], ["message_start", "ping", "content_block_start"]);
    assert_eq!(kinds[kinds.len() - 2..], ["message_delta", "message_stop"]);
    assert_eq!(joined(&events, "/delta/thinking"), "Let me think. ");
    assert_eq!(joined(&events, "/delta/text"), "one two three");
    assert_eq!(events[0]["message"]["usage"]["output_tokens"], 1);
    let last = &events[events.len() - 2];
    assert_eq!(last["delta"]["stop_reason"], "end_turn");
    assert_eq!(last["usage"]["output_tokens"], 6);
    assert_eq!(
        (&last["usage"]["input_tokens"], &last["usage"]["cache_read_input_tokens"]),
        (&json!(2), &json!(2))
    );
    let entry = &sim.journal().settled().await[0];
    assert_eq!((entry.dialect, entry.tokens), ("anthropic-messages", 6));
    assert_eq!(entry.usage.as_ref(), Some(&last["usage"]));
    assert_eq!(entry.headers["anthropic-version"], "2023-06-01");
}

#[tokio::test]
async fn thinking_goes_round_with_its_calls_and_on_every_carrier() {
    let sim = simulator().await;
    let thinking = json!({"type": "enabled", "budget_tokens": 1024});
    let body = with(ask("tools", false), json!({"tools": tools(), "thinking": thinking}));
    let whole = post(&sim, PATH, &body).await.json();
    assert_eq!(whole["stop_reason"], "tool_use");
    let content = whole["content"].as_array().unwrap();
    let kinds: Vec<&str> = content.iter().map(|b| b["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["thinking", "tool_use", "tool_use"]);
    assert_eq!(content[1]["input"], json!({"city": "Bern"}));
    let result = |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "ok"});
    let mut next = with(
        body,
        json!({"messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": content},
            {"role": "user", "content": [result("toolu_sim_0"), result("toolu_sim_1")]},
        ]}),
    );
    let answer = post(&sim, PATH, &next).await.json();
    assert_eq!(answer["content"][0]["text"], "The tools have answered.");
    let mut elsewhere = next.clone();
    for name in ["model", "stream"] {
        elsewhere.as_object_mut().unwrap().remove(name);
    }
    elsewhere["anthropic_version"] = json!("vertex-2023-10-16");
    let path = "/v1/projects/p/locations/l/publishers/anthropic/models/tools:rawPredict";
    assert_eq!(send(&sim, path, &[], elsewhere.to_string()).await.status, 200);
    elsewhere["anthropic_version"] = json!("bedrock-2023-05-31");
    assert_eq!(send(&sim, "/model/tools/invoke", &[], elsewhere.to_string()).await.status, 200);
    next["messages"][1]["content"][0]["thinking"] = json!("Let me think otherwise.");
    let refused = post(&sim, PATH, &next).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("messages.1.content.0: Invalid `signature` in `thinking` block")
    );
    next["messages"][1]["content"].as_array_mut().unwrap().remove(0);
    assert!(post(&sim, PATH, &next).await.text().contains("but found `tool_use`"));
}

#[tokio::test]
async fn what_the_provider_refuses_is_refused() {
    let sim = simulator().await;
    let mark = json!({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}});
    let call = json!({"type": "tool_use", "id": "t", "name": "a", "input": {}});
    let cases = [
        (json!({"max_tokens": null}), "max_tokens: Field required"),
        (json!({"n": 1}), "n: Extra inputs are not permitted"),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 1000}}),
            "greater than or equal to 1024",
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 4096}}),
            "must be greater than `thinking.budget_tokens`",
        ),
        (json!({"system": [mark, mark, mark, mark, mark]}), "A maximum of 4 blocks"),
        (json!({"messages": [{"role": "system", "content": "x"}]}), "messages.0.role"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]}),
            "non-empty",
        ),
        (
            json!({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [call]}, {"role": "user", "content": "y"}]}),
            "without `tool_result` blocks immediately after: t",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}]}),
            "unexpected `tool_use_id`",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": [{"type": "redacted_thinking", "data": "c2lt"}]}]}),
            "redacted_thinking",
        ),
        (json!({"tool_choice": {"type": "any"}}), "while providing tools"),
    ];
    for (members, expected) in cases {
        let answer = post(&sim, PATH, &with(ask("echo", false), members)).await;
        assert_eq!(answer.status, 400, "{expected}");
        let error = answer.json();
        assert_eq!(
            (&error["type"], &error["error"]["type"]),
            (&json!("error"), &json!("invalid_request_error"))
        );
        assert!(error["error"]["message"].as_str().unwrap().contains(expected), "{error}");
    }
    let bare = send(&sim, PATH, &[], ask("echo", false).to_string()).await;
    assert!(bare.text().contains("anthropic-version: header is required"));
    let newest = [("anthropic-version", "2026-10-21")];
    let warm = with(ask("echo", false), json!({"temperature": 1}));
    assert_eq!(post(&sim, PATH, &warm).await.status, 200);
    let refused = send(&sim, PATH, &newest, warm.to_string()).await;
    assert!(refused.text().contains("temperature: Extra inputs are not permitted"));
    let pdf =
        json!({"type": "document", "source": {"type": "url", "url": "https://x.example/a.pdf"}});
    let said = json!({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [pdf]}]});
    let refused = send(&sim, PATH, &newest, with(ask("echo", false), said).to_string()).await;
    assert!(refused.text().contains("not permitted in `assistant` messages"));
    assert_eq!(sim.journal().settled().await.len(), 15);
}

#[tokio::test]
async fn an_instruction_may_stand_behind_the_user() {
    let sim = simulator().await;
    let message = |role: &str, content: Value| json!({"role": role, "content": content});
    let (user, system) = (message("user", json!("x y")), message("system", json!("be brief")));
    let image = json!([{"type": "image", "source": {"type": "url", "url": "https://x.example"}}]);
    for (messages, status) in [
        (json!([user, system]), 200),
        (json!([user, system, message("assistant", json!("z")), user]), 200),
        (json!([user, message("assistant", json!("z")), system]), 400),
        (json!([user, message("system", image)]), 400),
    ] {
        let body = with(ask("echo", false), json!({"messages": messages}));
        let answer = post(&sim, PATH, &body).await;
        assert_eq!(answer.status, status, "{messages}");
        if status == 200 {
            assert_eq!(answer.json()["content"][0]["text"], "x y");
        }
    }
}

#[tokio::test]
async fn faults_wear_the_dialect_s_envelope() {
    let sim = simulator().await;
    let events = post(&sim, PATH, &ask("tokens-9+error-inband-2", true)).await.events();
    assert_eq!(events.last().unwrap()["error"]["type"], "api_error");
    let busy = post(&sim, PATH, &ask("status-529", true)).await;
    assert_eq!(
        (busy.status, busy.json()["error"]["type"].clone()),
        (529, json!("overloaded_error"))
    );
    let long = post(&sim, PATH, &ask("status-400-context", false)).await.json();
    assert!(long["error"]["message"].as_str().unwrap().starts_with("prompt is too long"));
    let text = post(&sim, PATH, &ask("tokens-2+no-done", true)).await.text();
    assert!(text.contains("message_delta") && !text.contains("message_stop"));
    let text = post(&sim, PATH, &ask("tokens-9+cut-after-3", true)).await.text();
    assert!(text.contains("\"t2 \"") && !text.contains("\"t3 \""));
    assert!(post(&sim, PATH, &ask("wrong-type", true)).await.text().contains("\"index\":\"none\""));
    let silent = post(&sim, PATH, &ask("tokens-2+no-usage", true)).await.text();
    assert!(!silent.contains("\"usage\""));
}

#[tokio::test]
async fn invoke_wraps_the_events_in_binary_frames() {
    let sim = simulator().await;
    let body = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50,
        "messages": [{"role": "user", "content": "one two"}]});
    let path = "/model/us.anthropic.x-v1%3A0+echo/invoke-with-response-stream";
    let frames = send(&sim, path, &[], body.to_string()).await.frames();
    assert!(frames.iter().all(|(kind, payload)| kind == "chunk" && payload["bytes"].is_string()));
    assert!(frames.len() > 5);
    let path = "/model/tokens-9+error-inband-1/invoke-with-response-stream";
    let frames = send(&sim, path, &[], body.to_string()).await.frames();
    assert_eq!(frames.last().unwrap().0, "internalServerException");
    let refused =
        send(&sim, "/model/echo/invoke", &[], with(body, json!({"model": "x"})).to_string()).await;
    assert_eq!(
        (refused.status, &refused.headers["x-amzn-errortype"]),
        (400, &"ValidationException".parse().unwrap())
    );
    assert_eq!(refused.json()["message"], "model: Extra inputs are not permitted");
}

#[tokio::test]
async fn media_arrive_and_the_other_words_have_their_forms() {
    let sim = simulator().await;
    let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}});
    let pdf = json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}});
    let link =
        json!({"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}});
    let members = json!({"messages": [{"role": "user", "content": [image, pdf, link]}]});
    let said = post(&sim, PATH, &with(ask("describe", false), members)).await.json();
    assert_eq!(
        said["content"][0]["text"],
        "image/png:3 application/pdf:9 url:https://x.example/a.png"
    );
    let refusal = post(&sim, PATH, &ask("refuse", false)).await.json();
    assert_eq!((&refusal["stop_reason"], &refusal["content"]), (&json!("refusal"), &json!([])));
    let redacted = post(&sim, PATH, &ask("echo+redacted", false)).await.json();
    assert_eq!(redacted["content"][0]["type"], "redacted_thinking");
    let again = json!({"messages": [{"role": "user", "content": "x"},
        {"role": "assistant", "content": redacted["content"]}, {"role": "user", "content": "y"}]});
    assert_eq!(post(&sim, PATH, &with(ask("echo", false), again)).await.status, 200);
    let cited = post(&sim, PATH, &ask("echo+cite", true)).await.text();
    assert!(cited.contains("citations_delta"));
    let format = json!({"output_config": {"format": {"type": "json_schema", "schema":
        {"type": "object", "properties": {"n": {"type": "integer"}}}}}});
    let valid = post(&sim, PATH, &with(ask("json", false), format)).await.json();
    assert_eq!(valid["content"][0]["text"], "{\"n\":7}");
}
