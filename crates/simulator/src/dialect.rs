//! The dialects that are spoken, and which of them a request is in.

use http::HeaderMap;
use serde_json::{Value, json};

use crate::agent;
use crate::answer::{Answer, Token};
use crate::ask::{Ask, Reading, Wrong};
use crate::behaviour::{Behaviour, Content};
use crate::frames::Writer;
use crate::{
    anthropic_messages, bedrock_converse, cohere_v2, gemini, openai_chat, openai_completions,
    openai_responses,
};

/// A provider's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenaiChat,
    OpenaiResponses,
    OpenaiCompletions,
    AnthropicMessages,
    Gemini,
    BedrockConverse,
    CohereV2,
}

/// Who carries the dialect: what is around the bodies and the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// The provider that invented it.
    Own,
    /// Messages in the `invoke` calls of the binary event stream's cloud.
    Invoke,
    /// Messages in `rawPredict` calls, or the Gemini dialect with a project in the path.
    Vertex,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub dialect: Dialect,
    pub carrier: Carrier,
    /// The model, where the path names it.
    pub model: Option<String>,
    /// Whether to stream, where the path says so.
    pub stream: Option<bool>,
    /// Whether a stream is a JSON array rather than server-sent events.
    pub array: bool,
}

/// Whom an answer is written for.
#[derive(Clone, Copy)]
pub(crate) struct Recipient<'a> {
    pub dialect: Dialect,
    pub carrier: Carrier,
    pub id: &'a str,
    pub model: &'a str,
    /// Whether the request asked for usage in the stream.
    pub wants_usage: bool,
    /// Whether a stream is a JSON array.
    pub array: bool,
    /// Whether the model signs its function calls.
    pub signs: bool,
}

/// An error to be written in a dialect's envelope.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failure {
    pub status: u16,
    /// What is wrong with the request; a simulated failure has nothing to say.
    pub wrong: Option<Wrong>,
    /// `context_length_exceeded` or `content_policy_violation`.
    pub code: Option<&'static str>,
    /// Seconds to wait.
    pub retry_after: Option<u64>,
}

impl Failure {
    pub(crate) fn simulated(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(crate) fn refused(wrong: Wrong) -> Self {
        Self { status: 400, code: wrong.code, wrong: Some(wrong), retry_after: None }
    }

    /// The message: what is wrong, or one of the dialect's own for the two known causes.
    pub(crate) fn message(&self, context: &str, policy: &str) -> String {
        match (&self.wrong, self.code) {
            (Some(wrong), _) => wrong.message.clone(),
            (None, Some("context_length_exceeded")) => context.to_owned(),
            (None, Some("content_policy_violation")) => policy.to_owned(),
            _ => "A simulated failure.".to_owned(),
        }
    }
}

impl Route {
    fn body(dialect: Dialect) -> Self {
        Self { dialect, carrier: Carrier::Own, model: None, stream: None, array: false }
    }

    fn named(dialect: Dialect, carrier: Carrier, model: &str, stream: bool) -> Self {
        let model = Some(unescaped(model));
        Self { dialect, carrier, model, stream: Some(stream), array: false }
    }

    /// The route of a path and its query; `None` when nothing is there.
    pub(crate) fn of(path: &str, query: &str) -> Option<Self> {
        if let Some((before, verb)) = path.rsplit_once(':') {
            let model = before.rsplit('/').next()?;
            let at_project = before.contains("/projects/");
            let carrier = if at_project { Carrier::Vertex } else { Carrier::Own };
            match verb {
                "generateContent" => {
                    return Some(Self::named(Dialect::Gemini, carrier, model, false));
                }
                "streamGenerateContent" => {
                    let array = !query.split('&').any(|pair| pair == "alt=sse");
                    let route = Self::named(Dialect::Gemini, carrier, model, true);
                    return Some(Self { array, ..route });
                }
                "rawPredict" | "streamRawPredict" => {
                    let stream = verb == "streamRawPredict";
                    let dialect = Dialect::AnthropicMessages;
                    return Some(Self::named(dialect, Carrier::Vertex, model, stream));
                }
                _ => {}
            }
        }
        if let Some((_, rest)) = path.split_once("/model/") {
            let (model, verb) = rest.rsplit_once('/')?;
            let (dialect, carrier, stream) = match verb {
                "converse" => (Dialect::BedrockConverse, Carrier::Own, false),
                "converse-stream" => (Dialect::BedrockConverse, Carrier::Own, true),
                "invoke" => (Dialect::AnthropicMessages, Carrier::Invoke, false),
                "invoke-with-response-stream" => {
                    (Dialect::AnthropicMessages, Carrier::Invoke, true)
                }
                _ => return None,
            };
            return Some(Self::named(dialect, carrier, model, stream));
        }
        let endings = [
            ("/chat/completions", Dialect::OpenaiChat),
            ("/completions", Dialect::OpenaiCompletions),
            ("/responses", Dialect::OpenaiResponses),
            ("/messages", Dialect::AnthropicMessages),
            ("/chat", Dialect::CohereV2),
        ];
        let found = endings.iter().find(|(end, _)| path.ends_with(end));
        found.map(|(_, dialect)| Self::body(*dialect))
    }
}

/// A path's piece without its percent signs.
pub(crate) fn unescaped(piece: &str) -> String {
    let mut out = Vec::new();
    let mut rest = piece.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        let ahead = rest.as_slice().get(..2).filter(|two| two.iter().all(u8::is_ascii_hexdigit));
        let ahead = ahead.and_then(|two| std::str::from_utf8(two).ok());
        match ahead.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(code) if byte == b'%' => {
                out.push(code);
                rest.nth(1);
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl Dialect {
    /// Its name in the product's rows.
    pub(crate) fn slug(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai-chat",
            Self::OpenaiResponses => "openai-responses",
            Self::OpenaiCompletions => "openai-completions",
            Self::AnthropicMessages => "anthropic-messages",
            Self::Gemini => "gemini",
            Self::BedrockConverse => "bedrock-converse",
            Self::CohereV2 => "cohere-v2",
        }
    }

    /// Reads a request, as strictly as the provider does.
    pub(crate) fn read(self, route: &Route, head: &HeaderMap, body: &Value) -> Reading<Ask> {
        let mut ask = match self {
            Self::OpenaiChat => openai_chat::read(body),
            Self::OpenaiResponses => openai_responses::read(body),
            Self::OpenaiCompletions => openai_completions::read(body),
            Self::AnthropicMessages => anthropic_messages::read(route, head, body),
            Self::Gemini => gemini::read(route, body),
            Self::BedrockConverse => bedrock_converse::read(route, body),
            Self::CohereV2 => cohere_v2::read(body),
        }?;
        if Behaviour::parse(&ask.model).content == Content::Agent {
            ask.result = agent::result(body);
        }
        Ok(ask)
    }

    /// Whether the dialect has words for a token.
    pub(crate) fn carries(self, token: &Token) -> bool {
        match (self, token) {
            (_, Token::Text(_)) => true,
            (Self::OpenaiCompletions, _) => false,
            (Self::CohereV2, Token::Redacted) => false,
            (Self::CohereV2 | Self::AnthropicMessages, Token::Image(_)) => false,
            (Self::Gemini, Token::Redacted) => false,
            (Self::Gemini | Self::AnthropicMessages | Self::BedrockConverse, Token::Refusal(_)) => {
                false
            }
            _ => true,
        }
    }

    /// What writes a stream.
    pub(crate) fn writer(self, to: &Recipient<'_>) -> Box<dyn Writer> {
        match self {
            Self::OpenaiChat => Box::new(openai_chat::ChunkWriter::new(to)),
            Self::OpenaiResponses => Box::new(openai_responses::EventWriter::new(to)),
            Self::OpenaiCompletions => Box::new(openai_completions::ChunkWriter::new(to)),
            Self::AnthropicMessages => Box::new(anthropic_messages::EventWriter::new(to)),
            Self::Gemini => Box::new(gemini::ChunkWriter::new(to)),
            Self::BedrockConverse => Box::new(bedrock_converse::EventWriter::new(to)),
            Self::CohereV2 => Box::new(cohere_v2::EventWriter::new(to)),
        }
    }

    /// The answer in one piece.
    pub(crate) fn document(self, answer: &Answer, to: &Recipient<'_>) -> Value {
        match self {
            Self::OpenaiChat => openai_chat::document(answer, to),
            Self::OpenaiResponses => openai_responses::document(answer, to),
            Self::OpenaiCompletions => openai_completions::document(answer, to),
            Self::AnthropicMessages => anthropic_messages::document(answer, to),
            Self::Gemini => gemini::document(answer, to),
            Self::BedrockConverse => bedrock_converse::document(answer),
            Self::CohereV2 => cohere_v2::document(answer, to),
        }
    }

    /// An error in a document of status 200.
    pub(crate) fn failed_document(self, to: &Recipient<'_>) -> Value {
        match self {
            Self::OpenaiResponses => openai_responses::failed(to),
            Self::CohereV2 => cohere_v2::failed(to),
            _ => self.error(to.carrier, &Failure::simulated(502)),
        }
    }

    /// A document whose members have the wrong types.
    pub(crate) fn wrong_document(self, to: &Recipient<'_>) -> Value {
        match self {
            Self::OpenaiChat | Self::OpenaiCompletions => json!({"id": to.id, "choices": "none"}),
            Self::OpenaiResponses => json!({"id": to.id, "object": "response", "output": "none"}),
            Self::AnthropicMessages => json!({"id": to.id, "type": "message", "content": "none"}),
            Self::Gemini => json!({"candidates": "none", "usageMetadata": [1]}),
            Self::BedrockConverse => json!({"output": "none", "usage": [1]}),
            Self::CohereV2 => json!({"id": to.id, "message": "none", "finish_reason": 7}),
        }
    }

    /// The member of a document that holds the usage.
    pub(crate) fn usage_member(self) -> &'static str {
        if self == Self::Gemini { "usageMetadata" } else { "usage" }
    }

    /// An error's body.
    pub(crate) fn error(self, carrier: Carrier, failure: &Failure) -> Value {
        match self {
            Self::OpenaiChat => openai_chat::error(failure),
            Self::OpenaiResponses | Self::OpenaiCompletions => openai_responses::error(failure),
            Self::AnthropicMessages => anthropic_messages::error(carrier, failure),
            Self::Gemini => gemini::error(failure),
            Self::BedrockConverse => bedrock_converse::error(failure),
            Self::CohereV2 => cohere_v2::error(failure),
        }
    }

    /// The content type of a stream.
    pub(crate) fn stream_kind(self, route: &Route) -> &'static str {
        match (self, route.carrier) {
            (Self::BedrockConverse, _) | (_, Carrier::Invoke) => crate::event_stream::CONTENT_TYPE,
            _ if route.array => "application/json",
            _ => "text/event-stream",
        }
    }

    /// The id that an answer carries, from the simulator's own.
    pub(crate) fn answer_id(self, id: &str) -> String {
        match self {
            Self::OpenaiResponses => format!("resp_{id}"),
            Self::AnthropicMessages => format!("msg_{id}"),
            Self::OpenaiCompletions => format!("cmpl-{id}"),
            _ => id.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_dialect_model_and_stream() {
        let of = |path| Route::of(path, "").unwrap();
        assert_eq!(of("/v1/chat/completions").dialect, Dialect::OpenaiChat);
        assert_eq!(of("/v1/completions").dialect, Dialect::OpenaiCompletions);
        assert_eq!(of("/v2/chat").dialect, Dialect::CohereV2);
        let bedrock = of("/model/us.anthropic.x-v1%3A0+tools/converse-stream");
        assert_eq!(bedrock.model.as_deref(), Some("us.anthropic.x-v1:0+tools"));
        assert_eq!(bedrock.stream, Some(true));
        let raw = of("/v1/projects/p/locations/l/publishers/a/models/echo@1:streamRawPredict");
        assert_eq!((raw.carrier, raw.model.as_deref()), (Carrier::Vertex, Some("echo@1")));
        assert!(of("/v1beta/models/echo:streamGenerateContent").array);
        assert!(
            !Route::of("/v1beta/models/a%2Fb:streamGenerateContent", "key=1&alt=sse")
                .unwrap()
                .array
        );
        assert_eq!(Route::of("/v1/nothing", ""), None);
        assert_eq!(Route::of("/model/x/other", ""), None);
    }

    #[test]
    fn percent_signs_that_mean_nothing_stay() {
        assert_eq!(unescaped("a%2Fb%zz%4"), "a/b%zz%4");
    }
}
