use serde_json::{Value, json};

use crate::wire::{PDF, PNG, joined, send, simulator, with};

fn ask() -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": "one two three"}]}],
        "inferenceConfig": {"maxTokens": 4096}})
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"enum": ["Bern"]}}});
    let tool = |name: &str| json!({"toolSpec": {"name": name, "inputSchema": {"json": schema}}});
    json!({"tools": [tool("a"), tool("b")]})
}

async fn post(
    to: &signalbox_simulator::Running,
    model: &str,
    stream: bool,
    body: &Value,
) -> crate::wire::Answer {
    let verb = if stream { "converse-stream" } else { "converse" };
    send(to, &format!("/model/{model}/{verb}"), &[], body.to_string()).await
}

#[tokio::test]
async fn a_stream_s_frames_are_sound_and_in_order() {
    let sim = simulator().await;
    let frames = post(&sim, "us.x-v1%3A0+echo+reason+cached", true, &ask()).await.frames();
    let kinds: Vec<&str> = frames.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds.first(), Some(&"messageStart"));
    assert_eq!(kinds[kinds.len() - 3..], ["contentBlockStop", "messageStop", "metadata"]);
    let payloads: Vec<Value> = frames.into_iter().map(|(_, payload)| payload).collect();
    assert_eq!(joined(&payloads, "/delta/text"), "one two three");
    assert_eq!(joined(&payloads, "/delta/reasoningContent/text"), "Let me think. ");
    let usage = &payloads.last().unwrap()["usage"];
    assert_eq!((&usage["outputTokens"], &usage["cacheReadInputTokens"]), (&json!(6), &json!(2)));
    assert_eq!(sim.journal().settled().await[0].model, "us.x-v1:0+echo+reason+cached");
}

#[tokio::test]
async fn reasoning_goes_round_with_its_calls() {
    let sim = simulator().await;
    let fields = json!({"thinking": {"type": "enabled", "budget_tokens": 1024}});
    let body = with(ask(), json!({"toolConfig": tools(), "additionalModelRequestFields": fields}));
    let whole = post(&sim, "tools", false, &body).await.json();
    assert_eq!(whole["stopReason"], "tool_use");
    let content = whole["output"]["message"]["content"].clone();
    assert_eq!(content[1]["toolUse"]["input"], json!({"city": "Bern"}));
    let result = |id: &str| json!({"toolResult": {"toolUseId": id, "content": [{"text": "ok"}]}});
    let mut next = with(
        body,
        json!({"messages": [
            {"role": "user", "content": [{"text": "go"}]},
            {"role": "assistant", "content": content},
            {"role": "user", "content": [result("tooluse_sim_0"), result("tooluse_sim_1")]},
        ]}),
    );
    let answer = post(&sim, "tools", false, &next).await.json();
    assert_eq!(answer["output"]["message"]["content"][0]["text"], "The tools have answered.");
    next["messages"][1]["content"][0]["reasoningContent"]["reasoningText"]["text"] = json!("No.");
    let refused = post(&sim, "tools", true, &next).await;
    assert_eq!(
        (refused.status, &refused.headers["x-amzn-errortype"]),
        (400, &"ValidationException".parse().unwrap())
    );
    assert!(refused.json()["message"].as_str().unwrap().contains("Invalid `signature`"));
}

#[tokio::test]
async fn what_the_provider_refuses_is_refused() {
    let sim = simulator().await;
    let user = |block: Value| json!({"messages": [{"role": "user", "content": [block]}]});
    let document =
        |name: &str| json!({"document": {"format": "pdf", "name": name, "source": {"bytes": PDF}}});
    let beside = |blocks: Value| json!({"messages": [{"role": "user", "content": blocks}]});
    let text = json!({"text": "x"});
    let call = json!({"toolUse": {"toolUseId": "t", "name": "a", "input": {}}});
    let cases = [
        (json!({"modelId": "x"}), "extraneous key [modelId]"),
        (user(json!({"text": " "})), "is blank"),
        (user(document("a")), "A text block must be included"),
        (beside(json!([text, document("a.pdf")])), "The document file name 'a.pdf' is not valid"),
        (beside(json!([text, document("a"), document("a")])), "duplicate document names"),
        (
            user(json!({"image": {"format": "bmp", "source": {"bytes": PNG}}})),
            "Member must satisfy enum value set",
        ),
        (user(json!({"type": "text", "text": "x"})), "must have exactly one member"),
        (
            json!({"messages": [{"role": "assistant", "content": [text]}]}),
            "must start with a user message",
        ),
        (
            json!({"messages": [{"role": "user", "content": [text]}, {"role": "user", "content": [text]}]}),
            "must alternate",
        ),
        (
            json!({"toolConfig": tools(), "messages": [{"role": "user", "content": [text]}, {"role": "assistant", "content": [call]}, {"role": "user", "content": [text]}]}),
            "Expected toolResult blocks at messages.2.content",
        ),
        (
            json!({"messages": [{"role": "user", "content": [text]}, {"role": "assistant", "content": [call]}, {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": []}}]}]}),
            "The toolConfig field must be defined",
        ),
        (
            user(json!({"toolResult": {"toolUseId": "t", "content": []}})),
            "exceeds the number of toolUse blocks",
        ),
        (json!({"toolConfig": {"tools": []}}), "toolConfig.tools"),
    ];
    for (members, expected) in cases {
        let answer = post(&sim, "echo", false, &with(ask(), members)).await;
        assert_eq!(answer.status, 400, "{expected}");
        assert!(answer.json()["message"].as_str().unwrap().contains(expected), "{}", answer.text());
    }
}

#[tokio::test]
async fn faults_media_and_the_other_words_are_the_dialect_s() {
    let sim = simulator().await;
    let frames = post(&sim, "tokens-9+error-inband-2", true, &ask()).await.frames();
    assert_eq!(frames.last().unwrap().0, "internalServerException");
    let frames = post(&sim, "role-only-then-503", true, &ask()).await.frames();
    assert_eq!(frames.last().unwrap().0, "serviceUnavailableException");
    let limited = post(&sim, "status-429-retry-7", false, &ask()).await;
    assert_eq!(&limited.headers["x-amzn-errortype"], "ThrottlingException");
    let frames = post(&sim, "tokens-2+no-done", true, &ask()).await.frames();
    assert_eq!(frames.last().unwrap().0, "contentBlockStop");
    let half = post(&sim, "tokens-2+truncated-json", true, &ask()).await.bytes;
    assert!(half.len() > 100);
    let refused = post(&sim, "refuse", false, &ask()).await.json();
    assert_eq!(refused["stopReason"], "content_filtered");
    let redacted = post(&sim, "echo+redacted+cite", false, &ask()).await.json();
    let content = &redacted["output"]["message"]["content"];
    assert!(content[0]["reasoningContent"]["redactedContent"].is_string());
    assert_eq!(content[1]["citationsContent"]["content"][0]["text"], "one two three");
    let blocks = json!([{"text": "x"}, {"image": {"format": "png", "source": {"bytes": PNG}}},
        {"document": {"format": "pdf", "name": "a", "source": {"bytes": PDF}}}]);
    let body = with(ask(), json!({"messages": [{"role": "user", "content": blocks}]}));
    let said = post(&sim, "describe", false, &body).await.json();
    assert_eq!(said["output"]["message"]["content"][0]["text"], "image/png:3 application/pdf:9");
    let schema = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}";
    let format = json!({"outputConfig": {"textFormat": {"type": "json_schema",
        "structure": {"jsonSchema": {"name": "n", "schema": schema}}}}});
    let valid = post(&sim, "json", false, &with(ask(), format)).await.json();
    assert_eq!(valid["output"]["message"]["content"][0]["text"], "{\"n\":7}");
}
