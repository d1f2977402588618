//! The request body for a Messages endpoint when the client speaks Messages too: patched, never
//! re-typed.
//!
//! Members that are for the router alone go, a few are set, and everything else is sent byte for
//! byte as it came, betas that nobody knows included. Blocks that only other providers can read go
//! too: reasoning of foreign formats, and results of the router's own tools.

mod history;
mod reasoning;
mod tool;

use signalbox_core::{ApiError, Parameter};

use super::limits;
use super::write_request::{STRICT_BETA, max_tokens};
use crate::document::{Document, Edits, Pieces, Raw, quoted, rewrite_elements};
use crate::openai_chat::survey::Survey;
use crate::outbound::{Outbound, ReasoningStyle};

/// Members that are for the router alone, or that it writes itself.
const OWN: &[&str] = &[
    "models",
    "fallbacks",
    "route",
    "provider",
    "plugins",
    "preset",
    "transforms",
    "session_id",
    "user",
    "trace",
    "debug",
    "usage",
    "stop_server_tools_when",
    "speed",
    "service_tier",
    "metadata",
];

/// Beginning of the beta with which a budget of thinking may exceed the limit on output.
const INTERLEAVED_BETA: &str = "interleaved-thinking-";

/// Writes the body. Without the beta of structured outputs, `strict` is left out of the tools. When nobody set a limit on output it is
/// `out.endpoint_max_output`; without that it is what every model can do.
///
/// # Errors
/// `invalid_request` for more messages than an endpoint takes, and when the survey is of another
/// document.
pub fn write_relay(
    document: &Document,
    survey: &Survey,
    out: &Outbound<'_>,
) -> Result<Pieces, ApiError> {
    let mut edits = Edits::default();
    for (key, _) in document.members().filter(|(key, _)| OWN.contains(key)) {
        edits.remove(key.to_owned());
    }
    edits.set("model", quoted(out.provider_model_id));
    let limit = max_tokens(out, survey.max_output).to_string();
    if document.get("max_tokens") != Some(&limit) {
        edits.set("max_tokens", limit);
    }
    if out.stream {
        edits.set("stream", "true".to_owned());
    } else if document.get("stream").is_some_and(|sent| sent != "false") {
        edits.set("stream", "false".to_owned());
    }
    if let Some(user) = out.user {
        edits.set("metadata", format!("{{\"user_id\":{}}}", quoted(user)));
    }
    if out.service_tier == Some("priority") {
        edits.set("service_tier", "\"auto\"".to_owned());
    }
    for key in out.unsupported.iter().flat_map(names) {
        if document.get(key).is_some() {
            edits.remove(*key);
        }
    }
    if out.reasoning == ReasoningStyle::AdaptiveEffort {
        for parameter in [Parameter::Temperature, Parameter::TopP, Parameter::TopK] {
            if document.get(parameter.name()).is_some() {
                edits.remove(parameter.name());
            }
        }
    }
    reasoning::ask(document, survey, out, out.has_beta(INTERLEAVED_BETA), &mut edits)?;
    if let Some(tools) = edits.current(document, "tools").map(Raw::new) {
        let wanted = tool::Wanted { strict: out.has_beta(STRICT_BETA), eager: out.stream };
        if let Some(text) = rewrite_elements(tools, |one| tool::rewritten(one, wanted)) {
            edits.set("tools", text);
        }
    }
    if let Some(text) = document.get("messages").and_then(|text| history::readable(Raw::new(text)))
    {
        edits.set("messages", text);
    }
    for (key, text) in limits::keep(|key| edits.current(document, key).map(Raw::new))? {
        edits.set(key, text);
    }
    out.patches.apply(document, &mut edits);
    Ok(document.patched(&edits))
}

/// The members that a parameter stands for. Reasoning, the format of the output and the limit on it
/// are decided elsewhere.
const fn names(parameter: Parameter) -> &'static [&'static str] {
    match parameter {
        Parameter::Temperature => &["temperature"],
        Parameter::TopP => &["top_p"],
        Parameter::TopK => &["top_k"],
        Parameter::Stop => &["stop_sequences"],
        Parameter::Tools => &["tools", "tool_choice"],
        Parameter::ToolChoice => &["tool_choice"],
        _ => &[],
    }
}
