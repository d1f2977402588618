//! What the router decided about one attempt, and the body that comes of it in any dialect.

use bytes::Bytes;
use signalbox_core::{ApiError, ParameterSet};

use crate::conversation::{Conversation, WireDialect};
use crate::error::ProviderError;
use crate::gemini::write_request::Traits;
use crate::loss::{Loss, Lost, report};
use crate::openai_completions::template::PromptTemplate;
use crate::patch::Patches;
use crate::reasoning::Asking;
pub use crate::reasoning::ReasoningStyle;
use crate::{
    anthropic_messages, bedrock_converse, cohere_v2, gemini, openai_chat, openai_completions,
    openai_responses,
};

/// What the router decided about one attempt.
#[derive(Debug, Clone, Copy)]
pub struct Outbound<'a> {
    /// The model's name at the provider.
    pub provider_model_id: &'a str,
    /// Whether the provider is to stream.
    pub stream: bool,
    /// Parameters that were sent but that the endpoint does not support: left out. The three ways to
    /// ask for reasoning follow `reasoning` instead, and a limit on output is respelled, not lost;
    /// with `max_tokens` in here, a limit that nobody sent is spelled the other way too.
    pub unsupported: ParameterSet,
    /// The limit on output tokens; `None` leaves what was sent: of two spellings the smaller limit.
    pub max_output: Option<u64>,
    /// The most that the endpoint writes, for dialects that insist on a limit when the client set
    /// none.
    pub endpoint_max_output: Option<u64>,
    /// The tier to ask for: `flex` or `priority`. What the client sent is never passed on, because
    /// the price depends on it.
    pub service_tier: Option<&'a str>,
    /// The hashed id of the end user. `None` sends none.
    pub user: Option<&'a str>,
    /// The endpoint's own patches; they come last.
    pub patches: &'a Patches,
    /// How the endpoint wants to be asked for reasoning.
    pub reasoning: ReasoningStyle,
    /// What more there is to know for that.
    pub asking: Asking<'a>,
    /// Whether the endpoint caches prompts. Some refuse marks when it does not.
    pub caches_prompts: bool,
    /// What a model in the Gemini dialect understands.
    pub traits: Traits,
    /// How a conversation becomes one prompt, for endpoints that take nothing else.
    pub template: PromptTemplate,
    /// Beta features that the request may use (inference spec 5.11), as the header names them.
    pub betas: &'a [&'a str],
    /// Whether the model knows the `name` of messages. Else it goes into the text (inference spec 1.3).
    pub forward_name: bool,
    /// How the endpoint wants cached prefixes marked, in the dialects that have more than one way.
    pub cache: CacheStyle,
}

/// The value of the mark that OpenAI has.
pub(crate) const BREAKPOINT: &str = "{\"mode\":\"explicit\"}";

/// How an endpoint of a chat or Responses dialect wants cached prefixes marked (inference spec 14.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CacheStyle {
    /// Nobody knows: `cache_control` of a chat client stays, nothing else is written.
    #[default]
    AsSent,
    /// Not at all: it caches by itself, and refuses marks.
    Automatic,
    /// With `cache_control`.
    Control,
    /// With `prompt_cache_breakpoint`, which has no lifetime. It caches by itself too.
    Breakpoints,
}

impl Outbound<'_> {
    /// Whether the request may use a beta feature whose name begins so: the rest is a date.
    pub(crate) fn has_beta(&self, start: &str) -> bool {
        self.betas.iter().any(|beta| beta.starts_with(start))
    }
}

/// A body, and what it could not carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRequest {
    /// The JSON body.
    pub body: Bytes,
    /// What was lost on the way. Parameters that the endpoint does not support are no losses: they
    /// are left out in every dialect.
    pub losses: Vec<Loss>,
}

/// Writes the body of a request in the provider's dialect.
///
/// # Errors
/// `invalid_request` when the conversation can't be said in this dialect at all.
pub fn write_request(
    provider: WireDialect,
    conversation: &Conversation,
    out: &Outbound<'_>,
) -> Result<WrittenRequest, ApiError> {
    let mut written = match provider {
        WireDialect::OpenaiChat => openai_chat::write_request::write_request(conversation, out),
        WireDialect::AnthropicMessages => {
            anthropic_messages::write_request::write_request(conversation, out)
        }
        WireDialect::OpenaiResponses => {
            openai_responses::write_request::write_request(conversation, out)
        }
        WireDialect::CohereV2 => cohere_v2::write_request::write_request(conversation, out),
        WireDialect::BedrockConverse => {
            bedrock_converse::write_request::write_request(conversation, out)
        }
        WireDialect::OpenaiCompletions => {
            openai_completions::write_request::write_request(conversation, out, out.template)
        }
        WireDialect::Gemini => {
            let written = gemini::write_request::write_request(conversation, out, out.traits)?;
            let gemini::write_request::WrittenRequest { body, mut losses, cache_until } = written;
            if cache_until.is_some() {
                // Marks are for an explicit cache, which nobody makes here.
                report(&mut losses, Lost::CacheMark, "cache_control");
            }
            Ok(WrittenRequest { body, losses })
        }
    }?;
    conversation.report_unheard(&mut written.losses, |body, key| {
        provider == WireDialect::BedrockConverse
            && bedrock_converse::write_request::takes(body, key)
    });
    Ok(written)
}

/// Reads an answer with an error status.
#[must_use]
pub fn read_error(provider: WireDialect, status: u16, body: &[u8]) -> ProviderError {
    match provider {
        WireDialect::OpenaiChat | WireDialect::OpenaiResponses | WireDialect::OpenaiCompletions => {
            openai_chat::error::read_error(status, body)
        }
        WireDialect::BedrockConverse => bedrock_converse::error::read_error(status, body),
        WireDialect::AnthropicMessages => anthropic_messages::read_error::read_error(status, body),
        WireDialect::CohereV2 => cohere_v2::error::read_error(status, body),
        WireDialect::Gemini => gemini::error::read_error(status, body),
    }
}
