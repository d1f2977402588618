//! Whether prompt and output fit.

use signalbox_catalog::Endpoint;

use super::{Ctx, Reason};

pub(super) fn too_long(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let least = ctx.request.content.prompt_tokens_at_least;
    let room = endpoint.max_prompt.unwrap_or(endpoint.context_length).min(endpoint.context_length);
    if least <= room {
        return None;
    }
    let detail = format!("the prompt has at least {least} tokens, its limit is {room}");
    Some(Reason::new("context_length", "messages", detail))
}

pub(super) fn too_much_output(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let wanted = ctx.request.content.max_output?;
    let most = endpoint.max_output.unwrap_or(endpoint.context_length);
    if wanted <= most {
        return None;
    }
    let detail = format!("max_tokens is {wanted}, its limit is {most}");
    Some(Reason::new("context_length", "max_tokens", detail))
}
