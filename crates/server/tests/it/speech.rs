//! What tests say and what they expect to hear.

use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_store::GenerationRow;
use signalbox_testkit::Reply;

/// A request to one model.
pub fn ask(model: &str, stream: bool) -> Value {
    json!({
        "model": model, "stream": stream, "max_tokens": 200,
        "messages": [{"role": "user", "content": "Say something, please."}],
    })
}

/// The same with another member.
pub fn with(mut body: Value, member: &str, value: Value) -> Value {
    body[member] = value;
    body
}

/// `t0 t1 …`, as the simulator's `tokens-N` says it.
pub fn tokens(count: usize) -> String {
    (0..count).map(|index| format!("t{index} ")).collect()
}

/// Dollars of a JSON number.
pub fn usd(value: &Value) -> Usd {
    let number = value.as_f64().unwrap_or_else(|| panic!("{value} is no amount"));
    format!("{number:.9}").parse().unwrap()
}

/// What an answer says and what it cost, streamed or not.
#[derive(Debug)]
pub struct Answered {
    pub id: String,
    pub text: String,
    pub provider: String,
    pub model: String,
    pub finish: String,
    pub usage: Value,
}

impl Answered {
    /// Reads an answer that must be a good and complete one.
    pub fn read(reply: &Reply) -> Self {
        let said = String::from_utf8_lossy(&reply.body);
        assert_eq!(reply.status, 200, "{said}");
        assert!(reply.ended, "{said}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if !reply.is_stream() {
            let body = reply.json();
            assert!(body.get("error").is_none(), "{body}");
            return Self {
                id: text(&body["id"]),
                text: text(&body["choices"][0]["message"]["content"]),
                provider: text(&body["provider"]),
                model: text(&body["model"]),
                finish: text(&body["choices"][0]["finish_reason"]),
                usage: body["usage"].clone(),
            };
        }
        let events = reply.events();
        assert!(events.errors().is_empty(), "{said}");
        assert!(events.done, "{said}");
        let last = events.data.last().unwrap();
        assert_eq!(events.usages().len(), 1, "usage once: {said}");
        assert!(last["usage"].is_object(), "usage last: {said}");
        Self {
            id: events.id(),
            text: events.text(),
            provider: text(&last["provider"]),
            model: text(&last["model"]),
            finish: events.finishes().concat(),
            usage: last["usage"].clone(),
        }
    }

    pub fn cost(&self) -> Usd {
        usd(&self.usage["cost"])
    }
}

/// The attempts that a generation row lists.
pub fn attempts(row: &GenerationRow) -> Vec<Value> {
    serde_json::from_str(&row.provider_responses).unwrap()
}

/// Checks that a reply is the typed error of the specification: the status thrice, the kind twice,
/// and a message for a person. Returns its `error` object.
pub fn typed_error(reply: &Reply, status: u16, error_type: &str) -> Value {
    let body = reply.json();
    let error = body["error"].clone();
    assert_eq!(reply.status, status, "{body}");
    assert_eq!(error["code"], status, "{body}");
    assert_eq!(error["error_type"], error_type, "{body}");
    assert_eq!(error["metadata"]["error_type"], error_type, "{body}");
    assert!(error["message"].as_str().is_some_and(|text| text.len() > 3), "{body}");
    assert_eq!(reply.header("content-type"), Some("application/json"), "{body}");
    error
}
