//! Who answered and what was seen of the answer: the values that all answer writers share.

use signalbox_core::id::GenerationId;
use signalbox_core::{Usage, Usd};

use crate::ProviderError;
use crate::openai_chat::finish::FinishReason;

/// What an answer says about itself. It replaces whatever the provider wrote there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Our generation id.
    pub id: GenerationId,
    /// The public slug of the model that answered, variant included.
    pub model: String,
    /// The provider's display name.
    pub provider: String,
    /// When the generation began, in seconds since the epoch.
    pub created: i64,
}

/// What was consumed and what it costs, as the client is told (inference spec 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageReport {
    /// The quantities.
    pub usage: Usage,
    /// Charged to the account.
    pub cost: Usd,
    /// Whether the client's own provider key paid for the inference.
    pub is_byok: bool,
    /// The provider's price, told for own keys only.
    pub upstream_cost: Option<Usd>,
    /// The provider's price of the prompt.
    pub prompt_cost: Usd,
    /// The provider's price of the output.
    pub completion_cost: Usd,
}

/// Members of the last chunk, or of a whole answer, that only the gateway knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extras<'a> {
    /// The tier that served the request; `None` leaves out the member.
    pub service_tier: Option<&'a str>,
    /// The `openrouter_metadata` object as raw JSON (inference spec 2.5), when asked for.
    pub router_metadata: Option<&'a str>,
    /// When the answer was complete, in seconds since the epoch.
    pub completed_at: i64,
}

/// Choices of one request about how its answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RelayOptions {
    /// Leave out reasoning (`reasoning.exclude`). It is still counted.
    pub exclude_reasoning: bool,
    /// The answer was kept and is given again: nothing was consumed, so that none of the provider's
    /// counts is shown (inference spec 14.3).
    pub replayed: bool,
}

/// What was seen of an answer so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whether anything content-bearing was seen: text, reasoning, a tool call, a refusal, audio
    /// or an image. A role or an empty text is nothing.
    pub content_seen: bool,
    /// The provider's own counts, once it sent them.
    pub usage: Option<Usage>,
    /// Whether every usage object made sense. `false` is the provider's fault.
    pub usage_plausible: bool,
    /// How the first choice ended.
    pub finish: Option<FinishReason>,
    /// The provider's word for it.
    pub native_finish: Option<String>,
    /// The provider's own id of the answer.
    pub upstream_id: Option<String>,
    /// Bytes of text, reasoning and tool arguments, for estimates.
    pub output_bytes: u64,
    /// Messages read from the provider, the end marker and comments not counted.
    pub chunks: u64,
    /// Tool calls begun.
    pub tool_calls: u32,
    /// Whether the provider marked the end (`[DONE]`, or a whole body).
    pub done: bool,
    /// The tier the provider says it used.
    pub service_tier: Option<String>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            content_seen: false,
            usage: None,
            usage_plausible: true,
            finish: None,
            native_finish: None,
            upstream_id: None,
            output_bytes: 0,
            chunks: 0,
            tool_calls: 0,
            done: false,
            service_tier: None,
        }
    }
}

/// Why an answer cannot go on. What came before it is already in the output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamFault {
    /// One message is larger than `limits::MAX_FRAME_BYTES`.
    #[error("a message of the provider's stream is too long")]
    FrameTooLong,
    /// The provider sent something that is not its dialect. The text is for the log.
    #[error("the provider's answer is malformed: {0}")]
    Malformed(String),
    /// The provider reported an error inside the answer.
    #[error("the provider reported an error: {}", .0.message)]
    InBand(ProviderError),
    /// The stream ended without a finish and without an end marker.
    #[error("the provider's stream ended early")]
    Truncated,
}
