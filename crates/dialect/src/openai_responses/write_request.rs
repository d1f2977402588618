//! A [`Conversation`] as the body of a request to a Responses provider: the hub's road out.
//!
//! Nothing is stored there either, so encrypted reasoning is always asked for: without it the next
//! turn could not go on.

mod items;

use signalbox_core::{ApiError, Parameter};

use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{Conversation, Tool, ToolChoice};
use crate::document::Raw;
use crate::loss::{Loss, Lost, of_member, report};
use crate::openai_chat::write_request::patched;
use crate::outbound::{CacheStyle, Outbound, ReasoningStyle, WrittenRequest};
use crate::reasoning::{Effort, Wish};
pub(super) use items::FORMAT;

/// Sampling parameters that the dialect has.
const SAMPLING: &[Parameter] = &[Parameter::Temperature, Parameter::TopP, Parameter::TopLogprobs];

/// Writes the body.
///
/// # Errors
/// `invalid_request` when raw JSON in the conversation is no JSON, which no reader lets pass.
pub fn write_request(
    conversation: &Conversation,
    out: &Outbound<'_>,
) -> Result<WrittenRequest, ApiError> {
    let mut losses = Vec::new();
    let mut body = ObjectText::new();
    body.text("model", out.provider_model_id);
    let input = items::Input::new(conversation, out);
    body.optional_text("instructions", input.instructions().as_deref());
    body.json("input", &input.finish(&mut losses));
    tools(conversation, out, &mut body, &mut losses);
    body.json("stream", if out.stream { "true" } else { "false" });
    body.json("store", "false");
    let wants_logprobs = |(parameter, json): &(Parameter, String)| {
        *parameter == Parameter::Logprobs && json == "true" && !out.unsupported.contains(*parameter)
    };
    body.json(
        "include",
        match conversation.sampling.iter().any(wants_logprobs) {
            true => r#"["reasoning.encrypted_content","message.output_text.logprobs"]"#,
            false => r#"["reasoning.encrypted_content"]"#,
        },
    );
    shape(conversation, out, &mut body, &mut losses);
    ask_reasoning(conversation, out, &mut body, &mut losses);
    body.optional_text("safety_identifier", out.user);
    body.optional_text("service_tier", out.service_tier);
    rest(conversation, out, &mut body, &mut losses);
    patched(body.finish(), out.patches, losses)
}

/// Members that the chat dialect has under the same name. A mark on the whole prompt says what such an
/// endpoint does anyway.
fn rest(
    conversation: &Conversation,
    out: &Outbound<'_>,
    body: &mut ObjectText,
    losses: &mut Vec<Loss>,
) {
    let marks = out.cache == CacheStyle::Breakpoints;
    if conversation.cache_mark.is_some() && !marks && out.cache != CacheStyle::Automatic {
        report(losses, Lost::CacheMark, "cache_control");
    }
    for extra in &conversation.extra {
        let known = Parameter::from_name(&extra.key);
        if known.is_some_and(|parameter| out.unsupported.contains(parameter)) {
            continue;
        }
        match extra.key.as_str() {
            "prompt_cache_key" | "prompt_cache_retention" => body.json(&extra.key, &extra.json),
            "prompt_cache_options" if marks => body.json(&extra.key, &extra.json),
            key => report(losses, of_member(key), key),
        }
    }
}

fn tools(
    conversation: &Conversation,
    out: &Outbound<'_>,
    body: &mut ObjectText,
    losses: &mut Vec<Loss>,
) {
    let mut list = ArrayText::new();
    for tool in &conversation.tools {
        let function = match tool {
            Tool::Function(function) => function,
            Tool::Native { kind, .. } => {
                report(losses, Lost::Tool, kind);
                continue;
            }
        };
        let mut one = ObjectText::typed("function");
        one.text("name", &function.name);
        one.optional_text("description", function.description.as_deref());
        one.json("parameters", function.parameters.as_deref().unwrap_or("{}"));
        if function.cache_mark.is_some() {
            report(losses, Lost::CacheMark, "cache_control");
        }
        // What is not said means strict here, and not strict elsewhere.
        one.json("strict", if function.strict == Some(true) { "true" } else { "false" });
        list.push(&one.finish());
    }
    if list.is_empty() || out.unsupported.contains(Parameter::Tools) {
        return;
    }
    body.json("tools", &list.finish());
    let supported = |parameter: Parameter| !out.unsupported.contains(parameter);
    match conversation.tool_choice.as_ref().filter(|_| supported(Parameter::ToolChoice)) {
        Some(ToolChoice::Auto) => body.text("tool_choice", "auto"),
        Some(ToolChoice::None) => body.text("tool_choice", "none"),
        Some(ToolChoice::Required) => body.text("tool_choice", "required"),
        Some(ToolChoice::Function(name)) => {
            let mut choice = ObjectText::typed("function");
            choice.text("name", name);
            body.json("tool_choice", &choice.finish());
        }
        Some(ToolChoice::Native(_)) => report(losses, Lost::Tool, "tool_choice"),
        None => {}
    }
    if let Some(parallel) = conversation.parallel_tool_calls
        && supported(Parameter::ParallelToolCalls)
    {
        body.json("parallel_tool_calls", if parallel { "true" } else { "false" });
    }
}

/// What shapes the output: limits, sampling, format.
fn shape(
    conversation: &Conversation,
    out: &Outbound<'_>,
    body: &mut ObjectText,
    losses: &mut Vec<Loss>,
) {
    if let Some(limit) = out.max_output.or(conversation.max_output) {
        body.json("max_output_tokens", &limit.to_string());
    }
    let supported = |parameter: Parameter| !out.unsupported.contains(parameter);
    for (parameter, json) in &conversation.sampling {
        match parameter {
            // It is a word of what to include.
            Parameter::Logprobs => {}
            _ if !supported(*parameter) => {}
            _ if SAMPLING.contains(parameter) => body.json(parameter.name(), json),
            _ => report(losses, Lost::Parameter, parameter.name()),
        }
    }
    if !conversation.stop.is_empty() && supported(Parameter::Stop) {
        report(losses, Lost::Parameter, "stop");
    }
    let mut text = ObjectText::new();
    let format = conversation.response_format.as_deref().map(Raw::new);
    let format = format.filter(|_| supported(Parameter::ResponseFormat));
    if let Some(format) = format.and_then(|format| flat_format(format, losses)) {
        text.json("format", &format);
    }
    let verbosity = conversation.verbosity.as_deref().filter(|_| supported(Parameter::Verbosity));
    text.optional_text("verbosity", verbosity);
    if !text.is_empty() {
        body.json("text", &text.finish());
    }
}

/// `response_format` without its nesting.
fn flat_format(format: Raw<'_>, losses: &mut Vec<Loss>) -> Option<String> {
    let kind = format.get("type").and_then(Raw::string).unwrap_or_default();
    let mut flat = ObjectText::typed(&kind);
    match &*kind {
        "text" | "json_object" => {}
        "json_schema" => {
            for member in format.get("json_schema")?.members() {
                flat.json(&member.key, member.value.text());
            }
        }
        _ => {
            report(losses, Lost::Parameter, "response_format");
            return None;
        }
    }
    Some(flat.finish())
}

/// Whether nothing can be said about how much to reason.
pub(super) const fn is_silent(style: ReasoningStyle) -> bool {
    matches!(style, ReasoningStyle::Fixed | ReasoningStyle::None)
}

/// Asks for reasoning and, unless it is not wanted, for what can be shown of it.
fn ask_reasoning(
    conversation: &Conversation,
    out: &Outbound<'_>,
    body: &mut ObjectText,
    losses: &mut Vec<Loss>,
) {
    let Some(request) = conversation.reasoning else { return };
    let wish = out.asking.wish(Some(request));
    if is_silent(out.reasoning) {
        if wish != Wish::Nothing {
            report(losses, Lost::Parameter, "reasoning");
        }
        return;
    }
    let effort = out.asking.level(wish, out.max_output.or(conversation.max_output));
    let mut reasoning = ObjectText::new();
    reasoning.optional_text("effort", effort.map(Effort::name));
    if !request.exclude && effort != Some(Effort::None) {
        reasoning.text("summary", "auto");
    }
    if !reasoning.is_empty() {
        body.json("reasoning", &reasoning.finish());
    }
}
