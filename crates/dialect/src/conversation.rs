//! A request in no dialect's words: the hub between what a client sent and what another dialect's
//! provider is to get.
//!
//! A reader builds it from a checked document; a writer makes a body of it and says as
//! [`Loss`](crate::loss::Loss) what its dialect cannot carry. JSON that is passed on (tool schemas,
//! arguments, numbers) is kept as the text that came: providers' prompt caches key on bytes.
//! Tool results are parts of a user message, whatever the client's dialect makes of them.

mod part;
mod told;
mod tool;

use signalbox_core::Parameter;

use crate::document::{Kind, Raw};
use crate::loss::{Loss, Lost, report};
use crate::openai_chat::survey::ReasoningRequest;
pub use part::{
    CacheMark, FileSource, ImageSource, Part, PartBody, Reasoning, RedactedReasoning, Verbatim,
};
pub use tool::{Function, Tool, ToolChoice};

/// A language that bodies are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WireDialect {
    /// `POST /chat/completions`.
    OpenaiChat,
    /// `POST /v1/messages`.
    AnthropicMessages,
    /// `POST /responses`.
    OpenaiResponses,
    /// `POST /models/{model}:generateContent`.
    Gemini,
    /// `POST /v2/chat`.
    CohereV2,
    /// `POST /model/{model}/converse`.
    BedrockConverse,
    /// Legacy `POST /completions`.
    OpenaiCompletions,
}

impl WireDialect {
    /// Every dialect, in declaration order.
    pub const ALL: [Self; 7] = [
        Self::OpenaiChat,
        Self::AnthropicMessages,
        Self::OpenaiResponses,
        Self::Gemini,
        Self::CohereV2,
        Self::BedrockConverse,
        Self::OpenaiCompletions,
    ];

    /// The name in provider files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai-chat",
            Self::AnthropicMessages => "anthropic-messages",
            Self::OpenaiResponses => "openai-responses",
            Self::Gemini => "gemini",
            Self::CohereV2 => "cohere-v2",
            Self::BedrockConverse => "bedrock-converse",
            Self::OpenaiCompletions => "openai-completions",
        }
    }
}

/// Who speaks. Results of tools come from the user's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Instructions in the middle of the conversation. Those before it are in
    /// [`Conversation::system`].
    System,
    /// The client: text, media and tool results.
    User,
    /// The model: text, reasoning, tool calls and refusals.
    Assistant,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// A name for the speaker.
    pub name: Option<String>,
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// Members of the message that only the dialect of origin knows.
    pub extra: Vec<Extra>,
}

/// A member of a body that this vocabulary has no word for. It goes to the same dialect only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// The member's key, without escapes.
    pub key: String,
    /// The value as raw JSON.
    pub json: String,
}

/// A whole request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Conversation {
    /// Instructions before the first message: text parts.
    pub system: Vec<Part>,
    /// The messages in order. Two of the same role may follow each other.
    pub messages: Vec<Message>,
    /// The tools on offer.
    pub tools: Vec<Tool>,
    /// Which tool to use; `None` when nothing was said.
    pub tool_choice: Option<ToolChoice>,
    /// Whether several tools may be called in one turn; `None` when nothing was said.
    pub parallel_tool_calls: Option<bool>,
    /// Sampling parameters that were sent, each with its value as raw JSON, in the chat dialect's
    /// names: temperature, top_p, top_k, min_p, top_a, the penalties, seed, logit_bias, logprobs,
    /// top_logprobs. Never a default.
    pub sampling: Vec<(Parameter, String)>,
    /// The limit on output tokens that the client set.
    pub max_output: Option<u64>,
    /// Sequences that end the answer.
    pub stop: Vec<String>,
    /// `response_format` as raw JSON, in the chat dialect's shape.
    pub response_format: Option<String>,
    /// What was asked about reasoning.
    pub reasoning: Option<ReasoningRequest>,
    /// How verbose the answer is to be: `low` to `max`. Messages calls it effort.
    pub verbosity: Option<String>,
    /// The end user, as the client named it. It must not leave the process.
    pub user: Option<String>,
    /// `metadata` as raw JSON. It must not leave the process.
    pub metadata: Option<String>,
    /// Caching of the whole prompt was asked for, without a mark on a part.
    pub cache_mark: Option<CacheMark>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// The dialect that the request came in; `None` when it was made here.
    pub origin: Option<WireDialect>,
    /// Members that only the dialect of origin knows. The router's own are not among them.
    pub extra: Vec<Extra>,
    /// What the reader found and has no word for: lost, whoever the provider is.
    pub lost: Vec<Loss>,
}

impl Extra {
    /// The members of an object beside the known ones. What says nothing is left out: null, false and
    /// empty lists.
    #[must_use]
    pub fn beside(known: &[&str], object: Raw<'_>) -> Vec<Self> {
        let says_nothing = |value: Raw<'_>| match value.kind() {
            Kind::Null => true,
            Kind::Bool => value.text() == "false",
            Kind::Array => value.elements().next().is_none(),
            _ => false,
        };
        let members = object.members().filter(|entry| !known.contains(&&*entry.key));
        members
            .filter(|entry| !says_nothing(entry.value))
            .map(|entry| Self { key: entry.key.into_owned(), json: entry.value.text().to_owned() })
            .collect()
    }
}

impl Conversation {
    /// Reports what no writer has a place for: what the reader could not say, and the members of
    /// parts and tools that only the dialect of origin knows, but for those that this one `takes`.
    pub(crate) fn report_unheard(
        &self,
        losses: &mut Vec<Loss>,
        takes: impl Fn(&PartBody, &str) -> bool + Copy,
    ) {
        for loss in &self.lost {
            report(losses, loss.what, &loss.detail);
        }
        for tool in &self.tools {
            if let Tool::Function(function) = tool {
                for extra in &function.extra {
                    report(losses, Lost::Property, &format!("tool.{}", extra.key));
                }
            }
        }
        let said = self.messages.iter().flat_map(|message| &message.parts);
        for part in self.system.iter().chain(said) {
            part.report_unheard(losses, takes);
        }
    }
}

impl Message {
    /// A message without a name.
    #[must_use]
    pub const fn new(role: Role, parts: Vec<Part>) -> Self {
        Self { role, name: None, parts, extra: Vec::new() }
    }
}
