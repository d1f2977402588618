//! What is sold, and how it is asked for at each door.

use serde_json::{Value, json};
use signalbox_testkit::{Draw, Offer, Reply, Stand};

/// A model, and what each of its endpoints does.
pub const MODELS: &[(&str, &[&str])] = &[
    ("plain", &["tokens-12"]),
    ("again", &["tokens-12"]),
    ("cached", &["tokens-8+cached"]),
    ("flaky", &["flaky-40+tokens-9", "flaky-40+tokens-10", "tokens-11"]),
    ("second", &["status-503", "tokens-5"]),
    ("dead", &["status-503", "status-500"]),
    ("inband", &["tokens-20+error-inband-5"]),
    ("torn", &["tokens-20+cut-after-7"]),
    ("slow", &["tokens-30+slow-ms-1"]),
    ("silent", &["tokens-15+no-usage"]),
    ("negative", &["tokens-15+usage-negative"]),
    ("zero", &["tokens-4+usage-zero"]),
    ("blank", &["blank"]),
];

/// The languages of clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Chat,
    Responses,
    Messages,
    Completions,
}

impl Door {
    pub const ALL: [Self; 4] = [Self::Chat, Self::Responses, Self::Messages, Self::Completions];

    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/api/v1/chat/completions",
            Self::Responses => "/api/v1/responses",
            Self::Messages => "/api/v1/messages",
            Self::Completions => "/api/v1/completions",
        }
    }

    /// A request in its language; `words` is what the user says.
    pub fn body(self, model: &str, words: &str, stream: bool) -> Value {
        let said = json!([{"role": "user", "content": words}]);
        let mut body = match self {
            Self::Chat | Self::Messages => json!({"messages": said, "max_tokens": 200}),
            Self::Responses => json!({"input": said, "max_output_tokens": 200}),
            Self::Completions => json!({"prompt": words, "max_tokens": 200}),
        };
        body["model"] = json!(model);
        body["stream"] = json!(stream);
        body
    }
}

/// Each model at providers of three dialects, so that some requests are relayed and others are
/// carried over the hub; and one that is free.
pub fn offer() -> Offer {
    let mut offer = Offer::new();
    for (slug, dialect) in DIALECTS {
        for nth in 0..3 {
            offer = offer.speaking(&format!("{slug}{nth}"), dialect);
        }
    }
    for (slug, _) in DIALECTS {
        for (name, behaviours) in MODELS {
            let stands = behaviours.iter().enumerate().map(|(nth, behaviour)| {
                let prices = json!({"prompt": "0.000001", "completion": "0.000002",
                    "input_cache_read": "0.0000003", "request": "0.000000007"});
                let stand = Stand::new(&format!("{slug}{nth}"), behaviour).with("pricing", prices);
                stand.with("data_policy", kept_by_nobody())
            });
            offer = offer.model(&format!("{slug}/{name}"), stands);
        }
    }
    let free = json!({"prompt": "0", "completion": "0"});
    let gift = Stand::new("chat0", "tokens-3").with("pricing", free);
    offer.model("chat/gift:free", [gift])
}

/// The dialects of providers, by the name that their slugs begin with.
const DIALECTS: [(&str, &str); 3] =
    [("chat", "openai-chat"), ("resp", "openai-responses"), ("mess", "anthropic-messages")];

fn kept_by_nobody() -> Value {
    json!({"training": false, "retains_prompts": false, "zdr": true})
}

/// A model of the offer.
pub fn model(draw: &mut Draw) -> String {
    if draw.below(40) == 0 {
        return "chat/gift:free".to_owned();
    }
    let (slug, _) = *draw.one(&DIALECTS);
    let (name, _) = *draw.one(MODELS);
    format!("{slug}/{name}")
}

/// What an answer says that it cost, in nano-dollars; `None` when it does not say, as one that broke
/// off or failed.
pub fn told(reply: &Reply) -> Option<i64> {
    if !reply.ended || reply.status != 200 {
        return None;
    }
    let text = String::from_utf8_lossy(&reply.body);
    let documents: Vec<Value> = if reply.is_stream() {
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.filter_map(|data| serde_json::from_str(data).ok()).collect()
    } else {
        vec![reply.json()]
    };
    documents.iter().rev().find_map(cost)
}

fn cost(document: &Value) -> Option<i64> {
    let usage = document.get("usage").or_else(|| document.pointer("/response/usage"))?;
    let dollars = usage.get("cost")?.as_f64()?;
    let exact: signalbox_core::Usd = format!("{dollars:.9}").parse().unwrap();
    Some(exact.nanos())
}
