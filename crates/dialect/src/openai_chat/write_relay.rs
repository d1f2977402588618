//! The request body for a provider that speaks the client's own dialect: patched, never re-typed.
//!
//! Members that are for the router alone go, a few are set, the rest is sent byte for byte as it
//! came. Nothing is added that the client left out, sampling parameters least of all.

mod message;
pub(super) mod reasoning;

use signalbox_core::{ApiError, Parameter};

use super::survey::{PromptStyle, Survey, prompt_text};
use crate::document::{Document, Edits, Pieces, Raw, quoted, rewrite_elements, splice};
use crate::outbound::CacheStyle;
pub use crate::outbound::{Outbound, ReasoningStyle};

/// Members that are for the router alone, or that it writes itself.
pub(crate) fn is_own(key: &str) -> bool {
    matches!(
        key,
        "models"
            | "route"
            | "provider"
            | "plugins"
            | "preset"
            | "transforms"
            | "session_id"
            | "trace"
            | "debug"
            | "usage"
            | "metadata"
            | "max_tool_calls"
            | "stop_server_tools_when"
            | "service_tier"
            | "speed"
            | "cache_control"
            | "x_search_filter"
            | "safety_identifier"
            | "user"
            | "include_reasoning"
    )
}

/// Writes the body of a request to an `openai-chat` endpoint. Works for legacy prompts too: a
/// `prompt` becomes one user message.
///
/// # Errors
/// `invalid_request` when the survey says that there is a prompt and there is none that can be used,
/// which a survey of the same document rules out.
pub fn write_relay(
    document: &Document,
    survey: &Survey,
    out: &Outbound<'_>,
) -> Result<Pieces, ApiError> {
    relay(document, survey, out, Edits::default())
}

/// As [`write_relay`], on top of edits that another dialect already decided.
pub(crate) fn relay(
    document: &Document,
    survey: &Survey,
    out: &Outbound<'_>,
    mut edits: Edits,
) -> Result<Pieces, ApiError> {
    for (key, _) in document.members() {
        if is_own(key) {
            edits.remove(key.to_owned());
        }
    }
    if out.cache != CacheStyle::Breakpoints {
        leave_out(document, "prompt_cache_options", &mut edits);
    }
    if matches!(out.cache, CacheStyle::Breakpoints | CacheStyle::Automatic) {
        // There are no marks on tools.
        let tools = document.get("tools").filter(|text| text.contains("cache_control"));
        if let Some(text) = tools.and_then(|text| rewrite_elements(Raw::new(text), unmarked)) {
            edits.set("tools", text);
        }
    }
    for parameter in out.unsupported.iter().filter(|one| !governed_elsewhere(*one)) {
        leave_out(document, parameter.name(), &mut edits);
    }
    edits.set("model", quoted(out.provider_model_id));
    stream(document, out, &mut edits);
    if let Some(user) = out.user {
        edits.set("user", quoted(user));
    }
    if let Some(tier) = out.service_tier {
        edits.set("service_tier", quoted(tier));
    }
    max_output(document, survey, out, &mut edits);
    // What is patched reports no losses: it is the client's own language.
    let mut unsaid = Vec::new();
    reasoning::ask(document, survey.reasoning, survey.max_output, out, &mut edits, &mut unsaid);
    prompt_or_messages(document, survey, out, &mut edits)?;
    out.patches.apply(document, &mut edits);
    Ok(document.patched(&edits))
}

fn unmarked(tool: Raw<'_>) -> Option<String> {
    tool.get("cache_control")?;
    let mut edits = Edits::default();
    edits.remove("cache_control");
    Some(splice(tool.text(), tool.members(), &edits))
}

const fn governed_elsewhere(parameter: Parameter) -> bool {
    matches!(
        parameter,
        Parameter::Reasoning
            | Parameter::ReasoningEffort
            | Parameter::IncludeReasoning
            | Parameter::MaxTokens
            | Parameter::MaxCompletionTokens
    )
}

/// Leaves a member out that is in the document or was put there by another dialect.
fn leave_out(document: &Document, key: &'static str, edits: &mut Edits) {
    if edits.current(document, key).is_some() {
        edits.remove(key);
    }
}

fn stream(document: &Document, out: &Outbound<'_>, edits: &mut Edits) {
    if out.stream {
        edits.set("stream", "true".to_owned());
        edits.set("stream_options", r#"{"include_usage":true}"#.to_owned());
        return;
    }
    leave_out(document, "stream_options", edits);
    if document.get("stream").is_some_and(|sent| sent != "false") {
        edits.set("stream", "false".to_owned());
    }
}

/// Sets the limit in the client's spelling, or in the other one when the endpoint does not support
/// that. With both spellings sent, both say the same: what was reserved for holds, whichever of them
/// the provider reads or a patch leaves.
fn max_output(document: &Document, survey: &Survey, out: &Outbound<'_>, edits: &mut Edits) {
    const SPELLINGS: [(&str, Parameter); 2] = [
        ("max_tokens", Parameter::MaxTokens),
        ("max_completion_tokens", Parameter::MaxCompletionTokens),
    ];
    let sent = |key: &str| document.get(key).filter(|text| *text != "null");
    let [old, new] =
        SPELLINGS.map(|(key, parameter)| (sent(key), out.unsupported.contains(parameter)));
    let (write_old, write_new) = match (old, new) {
        ((None, old_unsupported), (None, new_unsupported)) => {
            let respelled = old_unsupported && !new_unsupported;
            (!respelled, respelled)
        }
        ((Some(_), unsupported), (None, _)) => (!unsupported, unsupported),
        ((None, _), (Some(_), unsupported)) => (unsupported, !unsupported),
        ((Some(_), false), (Some(_), true)) | ((Some(_), true), (Some(_), true)) => (true, false),
        ((Some(_), true), (Some(_), false)) => (false, true),
        ((Some(_), false), (Some(_), false)) => (true, true),
    };
    let limit = out.max_output.or(survey.max_output).map(|limit| limit.to_string());
    for ((key, _), (own, write)) in
        SPELLINGS.into_iter().zip([(old.0, write_old), (new.0, write_new)])
    {
        match limit.as_deref().filter(|_| write) {
            Some(limit) if own == Some(limit) => {}
            Some(limit) => edits.set(key, limit.to_owned()),
            None => leave_out(document, key, edits),
        }
    }
}

fn prompt_or_messages(
    document: &Document,
    survey: &Survey,
    out: &Outbound<'_>,
    edits: &mut Edits,
) -> Result<(), ApiError> {
    let prompt = document.get("prompt");
    leave_out(document, "prompt", edits);
    match survey.prompt_style {
        PromptStyle::Prompt => {
            let prompt = prompt.ok_or_else(|| ApiError::invalid("`prompt` is required."))?;
            let text = prompt_text(Raw::new(prompt))?.text();
            edits.set("messages", format!("[{{\"role\":\"user\",\"content\":{text}}}]"));
        }
        PromptStyle::Messages => {
            let marks = survey.marks;
            let wanted = message::Rewrite {
                name: marks.named && !out.forward_name,
                author: marks.authored,
                detail: marks.original_detail,
                video: marks.legacy_video,
                cache: message::cache_rewrite(out.cache, marks),
            };
            let messages = document.get("messages").filter(|_| wanted.any());
            let rewritten = messages.and_then(|text| {
                rewrite_elements(Raw::new(text), |one| message::rewritten(one, wanted))
            });
            if let Some(text) = rewritten {
                edits.set("messages", text);
            }
        }
    }
    Ok(())
}
