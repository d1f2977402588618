//! The request body for a Responses endpoint when the client speaks Responses too: patched, never
//! re-typed.
//!
//! Members that are for the router alone go, a few are set, and everything else is sent byte for
//! byte as it came: phases, compaction, hosted tools without a price of their own and whatever else nobody
//! here knows.

mod input;

use signalbox_core::{ApiError, Parameter};

use super::hosted;
use super::write_request::is_silent;
use crate::document::{Document, Edits, Kind, Pieces, Raw, quoted, splice};
use crate::openai_chat::survey::Survey;
use crate::outbound::{CacheStyle, Outbound};
use crate::reasoning::Effort;

/// Members that are for the router alone, or that it writes itself.
const OWN: &[&str] = &[
    "models",
    "route",
    "provider",
    "plugins",
    "preset",
    "transforms",
    "session_id",
    "trace",
    "debug",
    "usage",
    "stop_server_tools_when",
    "speed",
    "cache_control",
    "x_search_filter",
    "metadata",
    // Of no API's reference: an agent's marks of its installation, which providers refuse.
    "client_metadata",
    "service_tier",
    "safety_identifier",
    "user",
];

/// Without it the next turn could not go on: nothing is stored.
const ENCRYPTED: &str = "reasoning.encrypted_content";

/// Writes the body.
///
/// # Errors
/// None: there is nothing that a survey lets pass and that can not be sent. Other dialects have some.
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
    edits.set("store", "false".to_owned());
    if out.stream {
        edits.set("stream", "true".to_owned());
    } else {
        leave_out(document, "stream_options", &mut edits);
        if document.get("stream").is_some_and(|sent| sent != "false") {
            edits.set("stream", "false".to_owned());
        }
    }
    if let Some(limit) = out.max_output.map(|limit| limit.to_string())
        && document.get("max_output_tokens") != Some(&limit)
    {
        edits.set("max_output_tokens", limit);
    }
    if let Some(user) = out.user {
        edits.set("safety_identifier", quoted(user));
    }
    if let Some(tier) = out.service_tier {
        edits.set("service_tier", quoted(tier));
    }
    for key in out.unsupported.iter().flat_map(names) {
        leave_out(document, key, &mut edits);
    }
    let tools = edits.current(document, "tools").map(Raw::new);
    match tools.and_then(hosted::without_search).as_deref() {
        Some("[]") => {
            for key in ["tools", "tool_choice", "parallel_tool_calls"] {
                leave_out(document, key, &mut edits);
            }
        }
        Some(tools) => edits.set("tools", tools.to_owned()),
        None => {}
    }
    text(document, out, &mut edits);
    reasoning(document, survey, out, &mut edits);
    let marks = out.cache == CacheStyle::Breakpoints;
    if !marks {
        leave_out(document, "prompt_cache_options", &mut edits);
    }
    let input = document.get("input").map(Raw::new);
    if let Some(text) = input.and_then(|input| input::readable(input, marks)) {
        edits.set("input", text);
    }
    out.patches.apply(document, &mut edits);
    Ok(document.patched(&edits))
}

fn leave_out(document: &Document, key: &'static str, edits: &mut Edits) {
    if document.get(key).is_some() {
        edits.remove(key);
    }
}

/// The members that a parameter stands for. Reasoning, text and the limit on output are decided
/// elsewhere.
const fn names(parameter: Parameter) -> &'static [&'static str] {
    match parameter {
        Parameter::Temperature => &["temperature"],
        Parameter::TopP => &["top_p"],
        Parameter::TopK => &["top_k"],
        Parameter::MinP => &["min_p"],
        Parameter::TopA => &["top_a"],
        Parameter::FrequencyPenalty => &["frequency_penalty"],
        Parameter::PresencePenalty => &["presence_penalty"],
        Parameter::RepetitionPenalty => &["repetition_penalty"],
        Parameter::LogitBias => &["logit_bias"],
        Parameter::TopLogprobs => &["top_logprobs"],
        Parameter::Seed => &["seed"],
        Parameter::Tools => &["tools", "tool_choice", "parallel_tool_calls"],
        Parameter::ToolChoice => &["tool_choice"],
        Parameter::ParallelToolCalls => &["parallel_tool_calls"],
        _ => &[],
    }
}

/// An object that was sent, changed; it goes when nothing of it is left.
fn change(document: &Document, key: &'static str, inside: &Edits, edits: &mut Edits) {
    let sent = document.get(key).map(Raw::new).filter(|raw| raw.kind() == Kind::Object);
    let sent = sent.unwrap_or(Raw::new("{}"));
    if inside.is_empty() {
        return;
    }
    let text = splice(sent.text(), sent.members(), inside);
    if Raw::new(&text).members().next().is_some() {
        edits.set(key, text);
    } else {
        leave_out(document, key, edits);
    }
}

/// Format and verbosity, where the endpoint does not support them.
fn text(document: &Document, out: &Outbound<'_>, edits: &mut Edits) {
    let Some(sent) = document.get("text").map(Raw::new) else { return };
    let mut inside = Edits::default();
    for (parameter, key) in
        [(Parameter::ResponseFormat, "format"), (Parameter::Verbosity, "verbosity")]
    {
        if out.unsupported.contains(parameter) && sent.get(key).is_some() {
            inside.remove(key);
        }
    }
    change(document, "text", &inside, edits);
}

/// The object as sent, without the router's ways to ask, which become an effort.
fn reasoning(document: &Document, survey: &Survey, out: &Outbound<'_>, edits: &mut Edits) {
    if is_silent(out.reasoning) {
        return leave_out(document, "reasoning", edits);
    }
    let sent = document.get("reasoning").map(Raw::new).filter(|raw| !raw.is_null());
    let (Some(sent), Some(request)) = (sent, survey.reasoning) else { return };
    let wish = out.asking.wish(Some(request));
    let effort = out.asking.level(wish, out.max_output.or(survey.max_output));
    let mut inside = Edits::default();
    for key in ["max_tokens", "enabled", "exclude"] {
        if sent.get(key).is_some() {
            inside.remove(key);
        }
    }
    let own = sent.get("effort").and_then(Raw::string);
    if let Some(effort) = effort.filter(|effort| own.as_deref() != Some(effort.name())) {
        inside.set("effort", quoted(effort.name()));
    }
    change(document, "reasoning", &inside, edits);
    if effort != Some(Effort::None) {
        include(document, edits);
    }
}

/// Asks for encrypted reasoning, beside what was asked for.
fn include(document: &Document, edits: &mut Edits) {
    let sent = document.get("include").map(Raw::new).filter(|raw| raw.kind() == Kind::Array);
    let mut asked = sent.into_iter().flat_map(Raw::elements);
    if asked.any(|(_, one)| one.string().as_deref() == Some(ENCRYPTED)) {
        return;
    }
    let mut all: Vec<&str> =
        sent.into_iter().flat_map(Raw::elements).map(|(_, one)| one.text()).collect();
    let own = quoted(ENCRYPTED);
    all.push(&own);
    edits.set("include", format!("[{}]", all.join(",")));
}
