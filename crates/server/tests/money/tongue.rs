//! The four languages in which a client may ask, each with a provider that speaks the same.

use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_testkit::{Offer, Reply};

use crate::speech::usd;

/// A client's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    Chat,
    Completions,
    Messages,
    Responses,
}

/// What the user says.
const PLEA: &str = "Say something, please.";

impl Tongue {
    pub const ALL: [Self; 4] = [Self::Chat, Self::Completions, Self::Messages, Self::Responses];

    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/api/v1/chat/completions",
            Self::Completions => "/api/v1/completions",
            Self::Messages => "/api/v1/messages",
            Self::Responses => "/api/v1/responses",
        }
    }

    /// The provider who speaks it, which is the name of the dialect.
    pub const fn provider(self) -> &'static str {
        match self {
            Self::Chat => "openai-chat",
            Self::Completions => "openai-completions",
            Self::Messages => "anthropic-messages",
            Self::Responses => "openai-responses",
        }
    }

    /// A request to a model for at most 200 tokens.
    pub fn ask(self, model: &str, stream: bool) -> Value {
        let said = json!([{"role": "user", "content": PLEA}]);
        let mut body = match self {
            Self::Chat | Self::Messages => json!({"messages": said, "max_tokens": 200}),
            Self::Completions => json!({"prompt": PLEA, "max_tokens": 200}),
            Self::Responses => json!({"input": PLEA, "max_output_tokens": 200}),
        };
        body["model"] = json!(model);
        body["stream"] = json!(stream);
        body
    }

    /// An offer with the providers of all of them.
    pub fn providers(offer: Offer) -> Offer {
        Self::ALL.into_iter().fold(offer, |offer, tongue| {
            let slug = tongue.provider();
            offer.speaking_as(slug, json!([{"dialect": slug}]))
        })
    }
}

/// Every cost that an answer tells, wherever its language puts it.
pub fn costs(reply: &Reply) -> Vec<Usd> {
    let mut found = Vec::new();
    for document in documents(reply) {
        collect(&document, &mut found);
    }
    found
}

/// The JSON of an answer, event by event.
pub fn documents(reply: &Reply) -> Vec<Value> {
    if !reply.is_stream() {
        return vec![reply.json()];
    }
    let text = String::from_utf8_lossy(&reply.body);
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn collect(value: &Value, found: &mut Vec<Usd>) {
    match value {
        Value::Object(members) => {
            if let Some(cost) = members.get("usage").and_then(|usage| usage.get("cost")) {
                found.push(usd(cost));
            }
            members.values().for_each(|one| collect(one, found));
        }
        Value::Array(list) => list.iter().for_each(|one| collect(one, found)),
        _ => {}
    }
}
