//! A Responses request as a [`Conversation`].
//!
//! It reads what a survey has checked. What only this dialect knows has no word in the hub and is
//! noted as lost: a provider of this dialect gets the client's own body instead.

mod item;
mod tool;

use signalbox_core::Parameter;

use super::survey::{Survey, response_format};
use crate::conversation::{CacheMark, Conversation, Extra, Message, Part, Role, WireDialect};
use crate::document::{Document, Kind, Raw};
use crate::loss::{Loss, Lost, report};
use crate::openai_chat::survey::field::Path;

/// Parameters whose value is passed on as it stands.
const SAMPLING: &[Parameter] = &[
    Parameter::Temperature,
    Parameter::TopP,
    Parameter::TopK,
    Parameter::MinP,
    Parameter::TopA,
    Parameter::FrequencyPenalty,
    Parameter::PresencePenalty,
    Parameter::RepetitionPenalty,
    Parameter::LogitBias,
    Parameter::Seed,
];

/// Members that are read by name, that the survey holds, or that are for the router alone. Nothing is
/// stored and nothing runs later, so that saying so again says nothing.
const READ_ELSEWHERE: &[&str] = &[
    "model",
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
    "speed",
    "service_tier",
    "metadata",
    "user",
    "safety_identifier",
    "stream",
    "stream_options",
    "store",
    "background",
    "previous_response_id",
    "conversation",
    "prompt",
    "input",
    "instructions",
    "max_output_tokens",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "text",
    "reasoning",
    "include",
    "cache_control",
    "top_logprobs",
    "truncation",
];

/// Members that the chat dialect has under the same name.
const OF_CHAT: &[&str] = &[
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "modalities",
    "image_config",
    "prediction",
];

/// Reads a request that was surveyed. What no other dialect has is among its losses.
#[must_use]
pub fn read_request(document: &Document, survey: &Survey) -> Conversation {
    let mut losses = Vec::new();
    let mut conversation = Conversation {
        max_output: survey.max_output,
        reasoning: survey.reasoning,
        user: survey.user.clone(),
        metadata: survey.metadata.clone(),
        stream: survey.stream,
        origin: Some(WireDialect::OpenaiResponses),
        ..Conversation::default()
    };
    let sent = |key: &str| document.get(key).map(Raw::new).filter(|raw| !raw.is_null());
    if let Some(text) = sent("instructions").and_then(Raw::string).filter(|text| !text.is_empty()) {
        conversation.system.push(Part::text(text));
    }
    match sent("input") {
        Some(raw) if raw.kind() == Kind::String => {
            let parts = vec![Part::text(raw.string().unwrap_or_default())];
            conversation.messages.push(Message::new(Role::User, parts));
        }
        Some(raw) => {
            for (_, element) in raw.elements() {
                item::add(&mut conversation, element, &mut losses);
            }
        }
        None => {}
    }
    if let Some(raw) = sent("tools") {
        let tools = raw.elements().filter_map(|(_, one)| tool::read(one, &mut losses));
        conversation.tools = tools.collect();
    }
    conversation.tool_choice = sent("tool_choice").and_then(|raw| tool::choice(raw, &mut losses));
    conversation.parallel_tool_calls = sent("parallel_tool_calls").and_then(Raw::bool);
    if let Some(text) = sent("text") {
        let path = Path::key("text");
        let format = text.get("format").filter(|raw| !raw.is_null());
        conversation.response_format =
            format.and_then(|raw| response_format(&path, raw).ok()).flatten();
        conversation.verbosity =
            text.get("verbosity").and_then(Raw::string).map(|word| word.into_owned());
        for extra in Extra::beside(&["format", "verbosity"], text) {
            report(&mut losses, Lost::Parameter, &format!("text.{}", extra.key));
        }
    }
    let mark = sent("cache_control").filter(|raw| raw.kind() == Kind::Object);
    conversation.cache_mark = mark.map(CacheMark::of_control);
    for parameter in SAMPLING {
        if let Some(raw) = sent(parameter.name()) {
            conversation.sampling.push((*parameter, raw.text().to_owned()));
        }
    }
    if sent("truncation").and_then(Raw::string).as_deref() == Some("auto") {
        report(&mut losses, Lost::Parameter, "truncation");
    }
    if let Some(reasoning) = sent("reasoning") {
        for key in ["summary", "context", "mode"] {
            if reasoning.get(key).is_some_and(|value| !value.is_null()) {
                report(&mut losses, Lost::Parameter, &format!("reasoning.{key}"));
            }
        }
    }
    logprobs(&mut conversation, sent("include"), sent("top_logprobs"), &mut losses);
    rest(&mut conversation, document, &mut losses);
    conversation.lost = losses;
    conversation
}

/// What is left: the members that the chat dialect has too, and those that nobody else has.
fn rest(conversation: &mut Conversation, document: &Document, losses: &mut Vec<Loss>) {
    for (key, text) in document.members() {
        let known = READ_ELSEWHERE.contains(&key)
            || SAMPLING.iter().any(|parameter| parameter.name() == key);
        if known || Raw::new(text).is_null() {
            continue;
        }
        if OF_CHAT.contains(&key) {
            conversation.extra.push(Extra { key: key.to_owned(), json: text.to_owned() });
        } else {
            report(losses, Lost::Parameter, key);
        }
    }
}

/// Probabilities are asked for by what to include, and by how many alternatives there are to be. All
/// else that can be included comes of tools that only this dialect has.
fn logprobs(
    conversation: &mut Conversation,
    include: Option<Raw<'_>>,
    top: Option<Raw<'_>>,
    losses: &mut Vec<Loss>,
) {
    let mut is_wanted = top.is_some();
    for (_, one) in include.into_iter().flat_map(Raw::elements) {
        match one.string().as_deref() {
            Some("message.output_text.logprobs") => is_wanted = true,
            Some("reasoning.encrypted_content") => {}
            _ => report(losses, Lost::Parameter, "include"),
        }
    }
    if is_wanted {
        conversation.sampling.push((Parameter::Logprobs, "true".to_owned()));
    }
    let top = top.map(|top| (Parameter::TopLogprobs, top.text().to_owned()));
    conversation.sampling.extend(top);
}
