//! Whether prompt and output fit.

use signalbox_catalog::Endpoint;

use super::{Ctx, Detail, Reason};

pub(super) fn too_long(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let least = ctx.request.content.prompt_tokens_at_least;
    let room = endpoint.max_prompt.unwrap_or(endpoint.context_length).min(endpoint.context_length);
    if least <= room {
        return None;
    }
    Some(Reason::new("context_length", "messages", Detail::TooLong { least, room }))
}

pub(super) fn too_much_output(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let wanted = ctx.request.content.max_output?;
    let most = endpoint.max_output.unwrap_or(endpoint.context_length);
    if wanted <= most {
        return None;
    }
    Some(Reason::new("context_length", "max_tokens", Detail::TooMuchOutput { wanted, most }))
}
