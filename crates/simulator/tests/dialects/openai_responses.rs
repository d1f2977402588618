use serde_json::{Value, json};

use crate::wire::{PDF, PNG, joined, post, simulator, with};

const PATH: &str = "/v1/responses";

fn ask(model: &str, stream: bool) -> Value {
    json!({"model": model, "stream": stream, "store": false, "input": "one two three",
        "include": ["reasoning.encrypted_content"]})
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"enum": ["Bern"]}}});
    let tool = |name: &str| json!({"type": "function", "name": name, "parameters": schema});
    json!([tool("a"), tool("b")])
}

#[tokio::test]
async fn a_stream_s_events_are_numbered_and_end_in_the_whole_answer() {
    let sim = simulator().await;
    let body = with(ask("tools+reason", true), json!({"tools": tools()}));
    let events = post(&sim, PATH, &body).await.events();
    let numbers: Vec<u64> = events.iter().map(|e| e["sequence_number"].as_u64().unwrap()).collect();
    assert!(numbers.iter().enumerate().all(|(at, n)| at as u64 == *n));
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.completed");
    let mut whole = post(&sim, PATH, &with(body, json!({"stream": false}))).await.json();
    let mut streamed = last["response"].clone();
    for response in [&mut whole, &mut streamed] {
        for item in response["output"].as_array_mut().unwrap() {
            item["id"] = json!("x");
        }
        response["id"] = json!("x");
    }
    assert_eq!(whole, streamed, "stream and whole answer are the same");
    let kinds: Vec<&str> =
        whole["output"].as_array().unwrap().iter().map(|i| i["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["reasoning", "function_call", "function_call"]);
    assert_eq!(whole["usage"]["output_tokens_details"]["reasoning_tokens"], 3);
    assert_eq!(sim.journal().settled().await[0].usage.as_ref(), Some(&whole["usage"]));
}

#[tokio::test]
async fn text_refusals_and_pictures_have_their_events() {
    let sim = simulator().await;
    let events = post(&sim, PATH, &ask("echo+cite", true)).await.events();
    let deltas: Vec<Value> =
        events.iter().filter(|e| e["type"] == "response.output_text.delta").cloned().collect();
    assert_eq!(joined(&deltas, "/delta"), "one two three");
    assert!(events.iter().any(|e| e["type"] == "response.output_text.annotation.added"));
    let refusal = post(&sim, PATH, &ask("refuse", false)).await.json();
    assert_eq!(refusal["output"][0]["content"][0]["type"], "refusal");
    assert!(post(&sim, PATH, &ask("refuse", true)).await.text().contains("response.refusal.delta"));
    let image = post(&sim, PATH, &ask("image-out", false)).await.json();
    assert_eq!(image["output"][1]["type"], "image_generation_call");
    let cut = post(&sim, PATH, &with(ask("tokens-50", true), json!({"max_output_tokens": 16})))
        .await
        .events();
    assert_eq!(cut.last().unwrap()["type"], "response.incomplete");
    let empty = post(&sim, PATH, &ask("empty", true)).await.events();
    assert_eq!(empty.last().unwrap()["response"]["output"][0]["content"][0]["text"], "");
}

#[tokio::test]
async fn sealed_reasoning_goes_round_untouched_only() {
    let sim = simulator().await;
    let whole =
        post(&sim, PATH, &with(ask("tools+reason+redacted", false), json!({"tools": tools()})))
            .await
            .json();
    let mut input = vec![json!({"role": "user", "content": "go"})];
    input.extend(whole["output"].as_array().unwrap().iter().cloned());
    for index in 0..2 {
        input.push(json!({"type": "function_call_output", "call_id": format!("call_sim_{index}"), "output": "ok"}));
    }
    let mut next = with(ask("tools", false), json!({"tools": tools(), "input": input}));
    let answer = post(&sim, PATH, &next).await.json();
    assert_eq!(answer["output"][0]["content"][0]["text"], "The tools have answered.");
    next["input"][1]["encrypted_content"] = json!("c2lt");
    let refused = post(&sim, PATH, &next).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].clone()),
        (400, json!("invalid_encrypted_content"))
    );
    let silent = post(&sim, PATH, &with(ask("reason", false), json!({"include": []}))).await.json();
    assert_eq!(silent["output"][0]["encrypted_content"], Value::Null);
}

#[tokio::test]
async fn what_the_provider_refuses_is_refused() {
    let sim = simulator().await;
    let user = json!({"role": "user", "content": "x"});
    let cases = [
        (json!({"messages": []}), "Unknown parameter: 'messages'."),
        (json!({"max_output_tokens": 3}), ">= 16"),
        (json!({"tools": [{"type": "function", "function": {"name": "a"}}]}), "'tools[0].name'"),
        (
            json!({"input": [user, {"type": "function_call_output", "call_id": "c", "output": ""}]}),
            "No tool call found for function call output with call_id c.",
        ),
        (
            json!({"input": [{"type": "function_call", "call_id": "c", "name": "a", "arguments": "{}"}, user]}),
            "No tool output found for function call c.",
        ),
        (
            json!({"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]}),
            "'output_text', 'refusal'",
        ),
        (
            json!({"input": [user, {"type": "reasoning", "id": "rs_1", "summary": []}]}),
            "without its required following item",
        ),
        (
            json!({"input": [{"role": "user", "content": "x", "name": "n"}]}),
            "Unknown parameter: 'input[0].name'.",
        ),
        (json!({"text": {"format": {"type": "json_schema", "schema": {}}}}), "'text.format.name'"),
        (json!({"previous_response_id": "resp_1"}), "Previous response"),
    ];
    for (members, expected) in cases {
        let answer = post(&sim, PATH, &with(ask("echo", false), members)).await;
        assert_eq!(answer.status, 400, "{expected}");
        assert!(
            answer.json()["error"]["message"].as_str().unwrap().contains(expected),
            "{}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn faults_and_media_are_the_dialect_s() {
    let sim = simulator().await;
    let first = post(&sim, PATH, &ask("error-inband-0", true)).await.events();
    assert_eq!((first.len(), &first[0]["type"]), (1, &json!("error")));
    let later = post(&sim, PATH, &ask("tokens-9+error-inband-2", true)).await.events();
    assert_eq!(later.last().unwrap()["response"]["error"]["code"], "server_error");
    assert_eq!(post(&sim, PATH, &ask("error-inband-0", false)).await.json()["status"], "failed");
    let end = post(&sim, PATH, &ask("tokens-2+no-done", true)).await.text();
    assert!(end.contains("output_item.done") && !end.contains("response.completed"));
    let limited = post(&sim, PATH, &ask("status-429-retry-7", true)).await;
    assert_eq!((limited.status, &limited.headers["retry-after"]), (429, &"7".parse().unwrap()));
    let parts = json!([{"type": "input_image", "image_url": format!("data:image/png;base64,{PNG}")},
        {"type": "input_file", "filename": "a.pdf", "file_data": format!("data:application/pdf;base64,{PDF}")}]);
    let input = json!({"input": [{"role": "user", "content": parts}]});
    let said = post(&sim, PATH, &with(ask("describe", false), input)).await.json();
    assert_eq!(said["output"][0]["content"][0]["text"], "image/png:3 application/pdf:9");
    let format = json!({"text": {"format": {"type": "json_schema", "name": "n", "schema": {"properties": {"ok": {"type": "boolean"}}}}}});
    let valid = post(&sim, PATH, &with(ask("json", false), format)).await.json();
    assert_eq!(valid["output"][0]["content"][0]["text"], "{\"ok\":true}");
}
