//! A [`Conversation`] as the body of a `generateContent` request. The model and whether to stream are
//! in the address, not in the body. Nothing is said about safety: the project's settings hold.

mod config;
mod contents;
pub(crate) mod media;
mod model_turn;
mod thinking;
mod tool;

pub(crate) use contents::with_name;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use signalbox_core::{ApiError, Parameter};

use crate::compose::ObjectText;
use crate::conversation::{Conversation, Tool};
use crate::document::Document;
use crate::loss::{Loss, Lost, report};
use crate::openai_chat::write_relay::Outbound;
use crate::openai_chat::write_request::patched;

/// How a model is asked for thinking (inference spec 9.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThinkingStyle {
    /// Not at all.
    #[default]
    None,
    /// By a budget in tokens, as the 2.5 family has it. Budgets are brought between the bounds.
    Budget {
        /// The least budget but none.
        least: u64,
        /// The largest budget.
        most: u64,
        /// Whether a budget of none is understood.
        can_disable: bool,
    },
    /// By a level, as from the 3 family on. These models refuse calls of functions that nobody signed.
    Level,
}

/// What one model understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Traits {
    /// How it is asked for thinking.
    pub thinking: ThinkingStyle,
    /// Whether calls and results may have ids. Not all versions of Vertex know them.
    pub function_ids: bool,
    /// Whether media may stand inside a function's result. Else they follow it.
    pub media_in_results: bool,
    /// Whether JSON can be asked for while there are functions. Before the 3 family it is an error.
    pub json_with_functions: bool,
}

/// A body, and what it could not carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRequest {
    /// The JSON body.
    pub body: Bytes,
    /// What was lost on the way. Parameters that the endpoint does not support are no losses.
    pub losses: Vec<Loss>,
    /// How many of the whole `contents` lie before the last cache mark, the system's instructions and
    /// the tools being before all of them; `None` without a mark. Bodies have no marks: this is for
    /// an explicit cache, of which earlier marks are a part.
    pub cache_until: Option<usize>,
}

/// What the parts of a body need to know of the whole.
struct Target<'a> {
    conversation: &'a Conversation,
    out: &'a Outbound<'a>,
    traits: Traits,
    losses: Vec<Loss>,
}

impl Target<'_> {
    fn lose(&mut self, what: Lost, detail: &str) {
        report(&mut self.losses, what, detail);
    }

    fn supports(&self, parameter: Parameter) -> bool {
        !self.out.unsupported.contains(parameter)
    }

    /// The limit on output tokens, of which thinking is a part.
    fn limit(&self) -> Option<u64> {
        self.out.max_output.or(self.conversation.max_output)
    }

    fn has_functions(&self) -> bool {
        let mut tools = self.conversation.tools.iter();
        self.supports(Parameter::Tools) && tools.any(|tool| matches!(tool, Tool::Function(_)))
    }
}

/// Writes the body. Of `out`, the model, `stream`, `user`, `reasoning` and `forward_name` mean nothing
/// here: `traits.thinking` says how thinking is asked for.
///
/// # Errors
/// `invalid_request` when raw JSON in the conversation is no JSON, which no reader lets pass.
pub fn write_request(
    conversation: &Conversation,
    out: &Outbound<'_>,
    traits: Traits,
) -> Result<WrittenRequest, ApiError> {
    let mut target = Target { conversation, out, traits, losses: Vec::new() };
    let mut body = ObjectText::new();
    let cache_until = contents::write(&mut target, &mut body);
    tool::write(&mut target, &mut body);
    let config = config::write(&mut target);
    if !config.is_empty() {
        body.json("generationConfig", &config.finish());
    }
    body.optional_text("serviceTier", out.service_tier);
    let written = patched(body.finish(), out.patches, target.losses)?;
    Ok(WrittenRequest { body: written.body, losses: written.losses, cache_until })
}

/// Whether a text is one JSON object.
fn is_object(text: &str) -> bool {
    Document::parse(Bytes::copy_from_slice(text.as_bytes())).is_ok()
}
