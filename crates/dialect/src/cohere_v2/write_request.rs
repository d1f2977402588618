//! A [`Conversation`] as the body of a request to `/v2/chat`.

mod config;
mod message;
mod thinking;
mod tool;

use signalbox_core::{ApiError, Parameter};

use crate::compose::ObjectText;
use crate::conversation::Conversation;
use crate::loss::{Loss, Lost, report};
use crate::openai_chat::write_request::patched;
use crate::outbound::{Outbound, ReasoningStyle, WrittenRequest};

/// What the parts of a body need to know of the whole.
struct Target<'a> {
    conversation: &'a Conversation,
    out: &'a Outbound<'a>,
    losses: Vec<Loss>,
}

impl Target<'_> {
    fn lose(&mut self, what: Lost, detail: &str) {
        report(&mut self.losses, what, detail);
    }

    fn supports(&self, parameter: Parameter) -> bool {
        !self.out.unsupported.contains(parameter)
    }

    /// Whether the model thinks, and takes its thoughts back.
    fn thinks(&self) -> bool {
        !matches!(self.out.reasoning, ReasoningStyle::Fixed | ReasoningStyle::None)
    }

    /// The limit on output tokens, of which thinking is a part.
    fn limit(&self) -> Option<u64> {
        self.out.max_output.or(self.conversation.max_output)
    }
}

/// Writes the body. Of `out`, `user` and `forward_name` mean nothing here; any `reasoning` but `None`
/// says that the model thinks, which is asked for as a budget in tokens.
///
/// # Errors
/// `invalid_request` when raw JSON in the conversation is no JSON, which no reader lets pass.
pub fn write_request(
    conversation: &Conversation,
    out: &Outbound<'_>,
) -> Result<WrittenRequest, ApiError> {
    let mut target = Target { conversation, out, losses: Vec::new() };
    let mut body = ObjectText::new();
    body.text("model", out.provider_model_id);
    body.json("messages", &message::messages(&mut target));
    let has_tools = tool::write(&mut target, &mut body);
    body.json("stream", if out.stream { "true" } else { "false" });
    config::write(&mut target, has_tools, &mut body);
    let thinking = thinking::config(&mut target);
    body.optional_json("thinking", thinking.as_deref());
    if out.service_tier.is_some() {
        target.lose(Lost::Parameter, "service_tier");
    }
    patched(body.finish(), out.patches, target.losses)
}
