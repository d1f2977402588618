//! The wire formats that providers speak.

use serde::{Deserialize, Serialize};
use signalbox_core::{Parameter as P, ParameterSet};

use crate::{Task, Transport};

/// A wire format, whoever speaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each variant is its own name in provider files")]
pub enum Dialect {
    OpenaiChat,
    OpenaiResponses,
    AnthropicMessages,
    OpenaiCompletions,
    Gemini,
    BedrockConverse,
    CohereV2,
    OpenaiEmbeddings,
    OpenaiEmbeddingsInt8,
    GeminiEmbeddings,
    GeminiEmbedContent,
    CohereEmbed,
    Rerank,
}

impl Dialect {
    /// Every dialect, in declaration order.
    pub const ALL: [Self; 13] = [
        Self::OpenaiChat,
        Self::OpenaiResponses,
        Self::AnthropicMessages,
        Self::OpenaiCompletions,
        Self::Gemini,
        Self::BedrockConverse,
        Self::CohereV2,
        Self::OpenaiEmbeddings,
        Self::OpenaiEmbeddingsInt8,
        Self::GeminiEmbeddings,
        Self::GeminiEmbedContent,
        Self::CohereEmbed,
        Self::Rerank,
    ];

    /// The name in provider files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai-chat",
            Self::OpenaiResponses => "openai-responses",
            Self::AnthropicMessages => "anthropic-messages",
            Self::OpenaiCompletions => "openai-completions",
            Self::Gemini => "gemini",
            Self::BedrockConverse => "bedrock-converse",
            Self::CohereV2 => "cohere-v2",
            Self::OpenaiEmbeddings => "openai-embeddings",
            Self::OpenaiEmbeddingsInt8 => "openai-embeddings-int8",
            Self::GeminiEmbeddings => "gemini-embeddings",
            Self::GeminiEmbedContent => "gemini-embed-content",
            Self::CohereEmbed => "cohere-embed",
            Self::Rerank => "rerank",
        }
    }

    /// What endpoints are asked to do in this dialect.
    #[must_use]
    pub const fn task(self) -> Task {
        match self {
            Self::OpenaiEmbeddings
            | Self::OpenaiEmbeddingsInt8
            | Self::GeminiEmbeddings
            | Self::GeminiEmbedContent
            | Self::CohereEmbed => Task::Embeddings,
            Self::Rerank => Task::Rerank,
            _ => Task::Chat,
        }
    }

    /// The path below the base URL when a row names none. `{model}` stands for the provider's id of
    /// the model.
    #[must_use]
    pub const fn default_path(self) -> &'static str {
        match self {
            Self::OpenaiChat => "/chat/completions",
            Self::OpenaiResponses => "/responses",
            Self::AnthropicMessages => "/messages",
            Self::OpenaiCompletions => "/completions",
            Self::Gemini => "/models/{model}:generateContent",
            Self::BedrockConverse => "/model/{model}/converse",
            Self::CohereV2 => "/chat",
            Self::OpenaiEmbeddings | Self::OpenaiEmbeddingsInt8 => "/embeddings",
            Self::GeminiEmbeddings => "/models/{model}:batchEmbedContents",
            Self::GeminiEmbedContent => "/models/{model}:embedContent",
            Self::CohereEmbed => "/embed",
            Self::Rerank => "/rerank",
        }
    }

    /// The path for a streamed answer when a row names no path at all; `None` is the same as for a
    /// whole one.
    #[must_use]
    pub const fn default_stream_path(self) -> Option<&'static str> {
        match self {
            Self::Gemini => Some("/models/{model}:streamGenerateContent?alt=sse"),
            Self::BedrockConverse => Some("/model/{model}/converse-stream"),
            _ => None,
        }
    }

    /// Headers that every request has unless a row says otherwise: name and value.
    #[must_use]
    pub const fn default_headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::AnthropicMessages => &[("anthropic-version", "2023-06-01")],
            _ => &[],
        }
    }

    /// How it travels when a row says nothing else.
    #[must_use]
    pub fn default_transport(self) -> Transport {
        match self {
            Self::AnthropicMessages => Transport::HeaderKey { header: String::from("x-api-key") },
            Self::Gemini | Self::GeminiEmbeddings | Self::GeminiEmbedContent => {
                Transport::HeaderKey { header: String::from("x-goog-api-key") }
            }
            Self::BedrockConverse => Transport::Sigv4,
            _ => Transport::Bearer,
        }
    }

    /// The parameters that the dialect has a place for: what a configured endpoint supports when it
    /// names none.
    #[must_use]
    pub fn parameters(self) -> ParameterSet {
        let listed = match self {
            Self::OpenaiChat | Self::OpenaiCompletions => return ParameterSet::all(),
            Self::OpenaiResponses => RESPONSES,
            Self::AnthropicMessages => MESSAGES,
            Self::Gemini => GEMINI,
            Self::BedrockConverse => CONVERSE,
            Self::CohereV2 => COHERE,
            Self::OpenaiEmbeddings
            | Self::OpenaiEmbeddingsInt8
            | Self::GeminiEmbeddings
            | Self::GeminiEmbedContent
            | Self::CohereEmbed
            | Self::Rerank => &[],
        };
        listed.iter().copied().collect()
    }
}

const RESPONSES: &[P] = &[
    P::Temperature,
    P::TopP,
    P::MaxTokens,
    P::MaxCompletionTokens,
    P::TopLogprobs,
    P::Logprobs,
    P::ResponseFormat,
    P::StructuredOutputs,
    P::Tools,
    P::ToolChoice,
    P::ParallelToolCalls,
    P::IncludeReasoning,
    P::Reasoning,
    P::ReasoningEffort,
    P::Verbosity,
];

const MESSAGES: &[P] = &[
    P::Temperature,
    P::TopP,
    P::TopK,
    P::MaxTokens,
    P::MaxCompletionTokens,
    P::Stop,
    P::ResponseFormat,
    P::StructuredOutputs,
    P::Tools,
    P::ToolChoice,
    P::ParallelToolCalls,
    P::IncludeReasoning,
    P::Reasoning,
    P::ReasoningEffort,
    P::Verbosity,
];

const GEMINI: &[P] = &[
    P::Temperature,
    P::TopP,
    P::TopK,
    P::MaxTokens,
    P::MaxCompletionTokens,
    P::FrequencyPenalty,
    P::PresencePenalty,
    P::Seed,
    P::Logprobs,
    P::TopLogprobs,
    P::Stop,
    P::ResponseFormat,
    P::StructuredOutputs,
    P::Tools,
    P::ToolChoice,
    P::IncludeReasoning,
    P::Reasoning,
    P::ReasoningEffort,
];

const CONVERSE: &[P] = &[
    P::Temperature,
    P::TopP,
    P::MaxTokens,
    P::MaxCompletionTokens,
    P::Stop,
    P::ResponseFormat,
    P::StructuredOutputs,
    P::Tools,
    P::ToolChoice,
    P::IncludeReasoning,
    P::Reasoning,
    P::ReasoningEffort,
];

const COHERE: &[P] = &[
    P::Temperature,
    P::TopP,
    P::TopK,
    P::MaxTokens,
    P::MaxCompletionTokens,
    P::FrequencyPenalty,
    P::PresencePenalty,
    P::Seed,
    P::Logprobs,
    P::Stop,
    P::ResponseFormat,
    P::StructuredOutputs,
    P::Tools,
    P::ToolChoice,
    P::IncludeReasoning,
    P::Reasoning,
    P::ReasoningEffort,
];
