//! The doors by which a text reaches a provider, and how each tells an error.

use http::Method;
use serde_json::{Value, json};
use signalbox_testkit::{Caller, Offer, Reply, Stand, TestServer};

/// A route with a body that says something.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    pub path: &'static str,
    pub model: &'static str,
    pub streams: bool,
    body: fn(&str) -> Value,
}

const fn door(path: &'static str, model: &'static str, body: fn(&str) -> Value) -> Door {
    Door { path, model, streams: true, body }
}

/// Every door; one whose provider speaks the client's language, and some through the hub.
pub const DOORS: &[Door] = &[
    door(
        "chat/completions",
        "acme/chat",
        |text| json!({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]}),
    ),
    door("chat/completions", "acme/chat", |text| {
        json!({"messages": [{"role": "user", "content": "Go on."},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function",
                "function": {"name": "f", "arguments": json!({"q": text}).to_string()}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "done"}]})
    }),
    door("cursor/chat/completions", "acme/chat", |text| json!({"input": text})),
    door("completions", "acme/chat", |text| json!({"prompt": text})),
    door(
        "messages",
        "acme/messages",
        |text| json!({"max_tokens": 50, "messages": [{"role": "user", "content": text}]}),
    ),
    door(
        "messages",
        "acme/chat",
        |text| json!({"max_tokens": 50, "messages": [{"role": "user", "content": [{"type": "text", "text": text}]}]}),
    ),
    door("responses", "acme/responses", |text| json!({"input": text})),
    door(
        "responses",
        "acme/messages",
        |text| json!({"instructions": "Be brief.", "input": [{"role": "user", "content": text}]}),
    ),
    Door { streams: false, ..door("embeddings", "acme/e1", |text| json!({"input": ["a", text]})) },
    Door {
        streams: false,
        ..door("rerank", "acme/r1", |text| json!({"query": "q", "documents": ["a", text]}))
    },
];

impl Door {
    /// A request that says this.
    pub fn body(&self, text: &str, stream: bool) -> Value {
        let mut body = (self.body)(text);
        body["model"] = self.model.into();
        if stream {
            body["stream"] = true.into();
        }
        body
    }

    /// Streamed or not, as far as there is a choice.
    pub fn manners(&self) -> &'static [bool] {
        if self.streams { &[false, true] } else { &[false] }
    }

    pub async fn post(&self, caller: &Caller, body: &Value) -> Reply {
        caller.post(&format!("/api/v1/{}", self.path), body).await
    }

    /// Checks that a reply is an error as this door tells it, and gives what holds in all of them: the
    /// message, and the metadata.
    pub fn error(&self, reply: &Reply, status: u16, kind: &str) -> (String, Value) {
        let told = reply.json();
        assert_eq!(reply.status, status, "{self:?}: {told}");
        assert_eq!(reply.header("content-type"), Some("application/json"), "{self:?}");
        let error = &told["error"];
        let metadata = match self.path {
            "messages" => {
                assert_eq!(told["type"], "error", "{told}");
                let expected = match status {
                    403 => "permission_error",
                    404 => "not_found_error",
                    503 => "overloaded_error",
                    _ => panic!("no case for {status}"),
                };
                assert_eq!(
                    (&error["type"], &error["error_type"]),
                    (&json!(expected), &json!(kind)),
                    "{told}"
                );
                &told["metadata"]
            }
            "responses" => {
                assert!(error["code"].is_string(), "{told}");
                &told["metadata"]
            }
            _ => {
                assert_eq!(
                    (&error["code"], &error["error_type"]),
                    (&json!(status), &json!(kind)),
                    "{told}"
                );
                assert_eq!(error["metadata"]["error_type"], kind, "{told}");
                &error["metadata"]
            }
        };
        (error["message"].as_str().unwrap().to_owned(), metadata.clone())
    }
}

/// Sells what the doors ask for. `changed` is laid over every endpoint's row.
pub fn offer(changed: &[(&str, Value)]) -> Offer {
    let stand = |provider: &str, behaviour: &str, prices: Option<Value>| {
        let stand = Stand::new(provider, behaviour);
        let stand =
            changed.iter().fold(stand, |stand, (key, value)| stand.with(key, value.clone()));
        prices.into_iter().fold(stand, |stand, prices| stand.with("pricing", prices))
    };
    let embeds = json!({"prompt": "0.00000013", "completion": "0"});
    let ranks = json!({"prompt": "0", "completion": "0", "search_unit": "0.002"});
    Offer::new()
        .model("acme/chat", [stand("well", "tokens-5", None)])
        .speaking("anthropic-like", "anthropic-messages")
        .model("acme/messages", [stand("anthropic-like", "tokens-5", None)])
        .speaking("responses-like", "openai-responses")
        .model("acme/responses", [stand("responses-like", "tokens-5", None)])
        .model_for("embeddings", "acme/e1", [stand("embedder", "v1", Some(embeds))])
        .model_for("rerank", "acme/r1", [stand("ranker", "r1", Some(ranks))])
}

/// What the provider was sent last.
pub fn sent(server: &TestServer) -> String {
    server.journal().entries().last().unwrap().body.clone().unwrap().to_string()
}

/// How many requests reached a provider, of whatever kind.
pub fn calls(server: &TestServer) -> usize {
    server.journal().entries().len()
}

/// The body of an answer with this status.
pub fn told(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", String::from_utf8_lossy(&reply.body));
    reply.json()
}

pub async fn patch(caller: &Caller, path: &str, body: Value) -> Value {
    told(&caller.send(Method::PATCH, path, body.to_string().into()).await, 200)
}
