use serde_json::{Value, json};

use crate::wire::{PDF, PNG, joined, post, simulator, with};

fn path(model: &str, stream: bool) -> String {
    let verb = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
    format!("/v1beta/models/{model}:{verb}")
}

fn ask() -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": "one two three"}]}]})
}

fn tools() -> Value {
    let schema =
        json!({"type": "OBJECT", "properties": {"city": {"type": "STRING", "enum": ["Bern"]}}});
    let tool = |name: &str| json!({"name": name, "parameters": schema});
    json!([{"functionDeclarations": [tool("a"), tool("b")]}])
}

#[tokio::test]
async fn a_stream_counts_thoughts_beside_candidates_and_on_every_chunk() {
    let sim = simulator().await;
    let answer = post(&sim, &path("echo+reason", true), &ask()).await;
    let events = answer.events();
    assert_eq!(
        joined(&events, "/candidates/0/content/parts/0/text"),
        "Let me think. one two three"
    );
    let counts: Vec<u64> = events
        .iter()
        .map(|e| e["usageMetadata"]["candidatesTokenCount"].as_u64().unwrap())
        .collect();
    assert_eq!(counts, [0, 0, 0, 1, 2, 3, 3]);
    let last = events.last().unwrap();
    assert_eq!(last["usageMetadata"]["thoughtsTokenCount"], 3);
    assert_eq!(last["usageMetadata"]["totalTokenCount"], 10);
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    assert_eq!(sim.journal().settled().await[0].tokens, 6);
    let array = post(&sim, "/v1beta/models/echo:streamGenerateContent", &ask()).await.json();
    assert_eq!(
        joined(array.as_array().unwrap(), "/candidates/0/content/parts/0/text"),
        "one two three"
    );
}

#[tokio::test]
async fn signatures_have_to_come_back_where_the_model_is_strict() {
    let sim = simulator().await;
    for model in ["gemini-3-pro+tools", "tools+signed"] {
        let whole =
            post(&sim, &path(model, false), &with(ask(), json!({"tools": tools()}))).await.json();
        let parts = whole["candidates"][0]["content"]["parts"].clone();
        assert!(parts[0]["thoughtSignature"].is_string() && parts[1]["thoughtSignature"].is_null());
        assert_eq!(parts[1]["functionCall"]["args"], json!({"city": "Bern"}));
        let result =
            |name: &str| json!({"functionResponse": {"name": name, "response": {"result": 1}}});
        let mut next = with(
            ask(),
            json!({"tools": tools(), "contents": [
                {"role": "user", "parts": [{"text": "go"}]},
                {"role": "model", "parts": parts},
                {"role": "user", "parts": [result("a"), result("b")]},
            ]}),
        );
        let answer = post(&sim, &path(model, false), &next).await.json();
        assert_eq!(
            answer["candidates"][0]["content"]["parts"][0]["text"],
            "The tools have answered."
        );
        next["contents"][1]["parts"][0]["thoughtSignature"] = json!("c2lt");
        assert!(
            post(&sim, &path(model, false), &next)
                .await
                .text()
                .contains("Corrupted thought signature")
        );
        next["contents"][1]["parts"][0]["thoughtSignature"] =
            json!("skip_thought_signature_validator");
        assert_eq!(post(&sim, &path(model, false), &next).await.status, 200);
        next["contents"][1]["parts"][0].as_object_mut().unwrap().remove("thoughtSignature");
        let missing = post(&sim, &path(model, true), &next).await;
        assert!(missing.status == 400 && missing.text().contains("missing a thought_signature"));
        assert_eq!(post(&sim, &path("tools", false), &next).await.status, 200, "others do without");
    }
}

#[tokio::test]
async fn what_the_provider_refuses_is_refused() {
    let sim = simulator().await;
    let user = json!({"role": "user", "parts": [{"text": "x"}]});
    let call = json!({"role": "model", "parts": [{"functionCall": {"name": "a", "args": {}}}]});
    let result =
        json!({"role": "user", "parts": [{"functionResponse": {"name": "a", "response": {}}}]});
    let cases = [
        (json!({"model": "x"}), "Unknown name \"model\": Cannot find field."),
        (
            json!({"generationConfig": {"maxTokens": 1}}),
            "Unknown name \"maxTokens\" at 'generation_config'",
        ),
        (json!({"contents": []}), "contents is not specified"),
        (
            json!({"contents": [user, {"role": "assistant", "parts": [{"text": "x"}]}]}),
            "Please use a valid role",
        ),
        (json!({"contents": [user, {"role": "model", "parts": []}]}), "parts must not be empty"),
        (
            json!({"contents": [user, {"role": "model", "parts": [{"thought": true}]}]}),
            "required oneof field 'data'",
        ),
        (json!({"contents": [user, result]}), "comes immediately after a function call turn"),
        (json!({"contents": [user, call, user]}), "number of function response parts"),
        (
            json!({"contents": [call, result]}),
            "function call turn comes immediately after a user turn",
        ),
        (
            json!({"tools": [{"functionDeclarations": [{"name": "a", "parameters": {"type": "OBJECT", "$schema": "x"}}]}]}),
            "Unknown name \"$schema\"",
        ),
        (json!({"generationConfig": {"responseSchema": {"type": "STRING"}}}), "response_mime_type"),
    ];
    for (members, expected) in cases {
        let answer = post(&sim, &path("echo", false), &with(ask(), members)).await;
        assert_eq!(answer.status, 400, "{expected}");
        let error = answer.json();
        assert_eq!(error["error"]["status"], "INVALID_ARGUMENT");
        assert!(error["error"]["message"].as_str().unwrap().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn faults_media_and_the_other_words_are_the_dialect_s() {
    let sim = simulator().await;
    let events = post(&sim, &path("tokens-9+error-inband-2", true), &ask()).await.events();
    assert_eq!(events.last().unwrap()["error"]["status"], "INTERNAL");
    let limited = post(&sim, &path("status-429-retry-7", true), &ask()).await.json();
    assert_eq!(limited["error"]["details"][0]["retryDelay"], "7s");
    let end = post(&sim, &path("tokens-2+no-done", true), &ask()).await.text();
    assert!(end.contains("t1 ") && !end.contains("finishReason"));
    let refused = post(&sim, &path("refuse", false), &ask()).await.json();
    assert_eq!(refused["candidates"][0]["finishReason"], "SAFETY");
    let blocked = post(&sim, &path("blocked", true), &ask()).await.events();
    assert_eq!(blocked[0]["promptFeedback"]["blockReason"], "PROHIBITED_CONTENT");
    let cited = post(&sim, &path("echo+cite", false), &ask()).await.json();
    assert!(cited["candidates"][0]["groundingMetadata"]["groundingChunks"].is_array());
    let image = post(&sim, &path("image-out", false), &ask()).await.json();
    assert_eq!(
        image["candidates"][0]["content"]["parts"][1]["inlineData"]["mimeType"],
        "image/png"
    );
    let parts = json!([{"inlineData": {"mimeType": "image/png", "data": PNG}},
        {"inlineData": {"mimeType": "application/pdf", "data": PDF}}, {"fileData": {"fileUri": "https://x.example/v"}}]);
    let body = json!({"contents": [{"role": "user", "parts": parts}]});
    let said = post(&sim, &path("describe", false), &body).await.json();
    assert_eq!(
        said["candidates"][0]["content"]["parts"][0]["text"],
        "image/png:3 application/pdf:9 url:https://x.example/v"
    );
    let other = json!({"contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": PNG}}]}]});
    let said = post(&sim, &path("describe", false), &other).await.json();
    assert_eq!(said["candidates"][0]["content"]["parts"][0]["text"], "image/png:3");
    let config = json!({"generationConfig": {"responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}}}});
    let valid = post(&sim, &path("json", false), &with(ask(), config)).await.json();
    assert_eq!(valid["candidates"][0]["content"]["parts"][0]["text"], "{\"n\":7}");
}
