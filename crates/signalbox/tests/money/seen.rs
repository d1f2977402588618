//! What one client saw of one request.

use std::time::Duration;

use serde::Deserialize;
use signalbox_core::Usd;

/// A client's page of the journal.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The request's `user`, by which its generation row is found.
    pub tag: String,
    /// The HTTP status; 0 when no head arrived.
    pub status: u16,
    /// The generation's id.
    pub id: Option<String>,
    /// When each token of the answer arrived.
    pub tokens: Vec<Duration>,
    /// `usage.cost`, once it arrived.
    pub cost: Option<Usd>,
    /// `usage.completion_tokens`, with the cost.
    pub output: u64,
    /// Whether the end marker came, or the JSON document was whole.
    pub done: bool,
    /// Whether the client left by its own will.
    pub left: bool,
    /// The error that the gateway told of.
    pub error: Option<String>,
}

/// A chunk of a stream or a whole answer, as far as it matters.
#[derive(Deserialize)]
struct Answer {
    id: Option<String>,
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Text>,
    message: Option<Text>,
}

#[derive(Deserialize)]
struct Text {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    cost: Usd,
    completion_tokens: u64,
}

impl Seen {
    /// Takes in one JSON document that arrived at `now`.
    pub fn take(&mut self, json: &[u8], now: Duration) {
        let answer: Answer = serde_json::from_slice(json)
            .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(json)));
        self.id = answer.id.or(self.id.take());
        for choice in answer.choices {
            let text = choice.delta.or(choice.message).and_then(|text| text.content);
            for _ in text.iter().flat_map(|text| text.split_whitespace()) {
                self.tokens.push(now);
            }
        }
        if let Some(usage) = answer.usage {
            assert_eq!(self.cost, None, "usage came twice in {}", self.tag);
            (self.cost, self.output) = (Some(usage.cost), usage.completion_tokens);
        }
        if let Some(error) = answer.error {
            self.error = Some(error.to_string());
        }
    }
}
