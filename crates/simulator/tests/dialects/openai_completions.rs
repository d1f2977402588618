use serde_json::{Value, json};

use crate::wire::{joined, post, simulator, with};

const PATH: &str = "/v1/completions";

fn ask(model: &str, stream: bool) -> Value {
    json!({"model": model, "stream": stream, "prompt": "one two three"})
}

#[tokio::test]
async fn a_prompt_is_continued_streamed_or_not() {
    let sim = simulator().await;
    let options = json!({"stream_options": {"include_usage": true}});
    let answer = post(&sim, PATH, &with(ask("echo", true), options)).await;
    assert!(answer.text().ends_with("data: [DONE]\n\n"));
    let events = answer.events();
    assert_eq!(joined(&events, "/choices/0/text"), "one two three");
    assert_eq!(events.last().unwrap()["usage"]["completion_tokens"], 3);
    let whole = post(&sim, PATH, &ask("tokens-50+reason", false)).await.json();
    assert_eq!(whole["choices"][0]["finish_reason"], "length", "sixteen tokens are the default");
    assert_eq!(
        (&whole["object"], &whole["usage"]["completion_tokens"]),
        (&json!("text_completion"), &json!(16))
    );
    let entries = sim.journal().settled().await;
    assert_eq!(
        entries.iter().map(|e| (e.dialect, e.tokens)).collect::<Vec<_>>(),
        [("openai-completions", 3), ("openai-completions", 16)]
    );
}

#[tokio::test]
async fn messages_and_unknown_members_are_refused() {
    let sim = simulator().await;
    let cases = [
        (json!({"messages": []}), "Unrecognized request argument supplied: messages"),
        (json!({"prompt": null}), "Missing required parameter: 'prompt'."),
        (json!({"stream_options": {}}), "only allowed when 'stream' is enabled"),
    ];
    for (members, expected) in cases {
        let answer = post(&sim, PATH, &with(ask("echo", false), members)).await;
        assert_eq!(answer.status, 400);
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains(expected));
    }
    let events = post(&sim, PATH, &ask("error-inband-1", true)).await.events();
    assert_eq!(events.last().unwrap()["error"]["type"], "server_error");
}
