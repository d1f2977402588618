//! A chat request as a [`Conversation`]: the hub's road in for requests.
//!
//! It reads what a survey has checked; what a survey lets pass and nobody understands goes to
//! `extra`, so that nothing is lost on the way in but the router's own members.

mod message;
mod part;
mod tool;

use signalbox_core::{ApiError, Parameter};

use super::survey::{PromptStyle, Survey, prompt_text};
use super::write_relay::is_own;
use crate::conversation::{Conversation, Extra, Message, Part, PartBody, Role, WireDialect};
use crate::document::{Document, Kind, Raw};
use crate::loss::{Lost, report};

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
    Parameter::Logprobs,
    Parameter::TopLogprobs,
    Parameter::Seed,
];

/// Members of `reasoning` that a survey reads.
const ASKED_OF_REASONING: &[&str] = &["effort", "max_tokens", "exclude", "enabled"];
/// Members for tools that the router will run; there are none yet.
const UNHEARD: &[&str] = &["max_tool_calls", "stop_server_tools_when", "x_search_filter"];

/// Reads a chat request that was surveyed.
///
/// # Errors
/// `invalid_request` when the survey is of another document: then there may be no prompt.
pub fn read_request(document: &Document, survey: &Survey) -> Result<Conversation, ApiError> {
    let mut conversation = Conversation {
        max_output: survey.max_output,
        reasoning: survey.reasoning,
        user: survey.user.clone(),
        metadata: survey.metadata.clone(),
        stream: survey.stream,
        origin: Some(WireDialect::OpenaiChat),
        ..Conversation::default()
    };
    if let Some(object) = document.get("reasoning").map(Raw::new) {
        for extra in Extra::beside(ASKED_OF_REASONING, object) {
            report(&mut conversation.lost, Lost::Parameter, &format!("reasoning.{}", extra.key));
        }
    }
    for key in UNHEARD {
        if document.get(key).is_some_and(|text| !Raw::new(text).is_null()) {
            report(&mut conversation.lost, Lost::Parameter, key);
        }
    }
    conversation.cache_mark =
        survey.cache_control.as_deref().and_then(|raw| part::cache_control(Raw::new(raw)));
    for (key, text) in document.members() {
        let raw = Raw::new(text);
        if !raw.is_null() && !is_own(key) {
            member(&mut conversation, survey, key, raw);
        }
    }
    if survey.prompt_style == PromptStyle::Prompt {
        let prompt = document.get("prompt");
        let prompt = prompt.ok_or_else(|| ApiError::invalid("`prompt` is required."))?;
        let text = prompt_text(Raw::new(prompt))?.string().unwrap_or_default();
        let message = Message::new(Role::User, vec![Part::text(text)]);
        conversation.messages = vec![message];
    }
    Ok(conversation)
}

fn member(conversation: &mut Conversation, survey: &Survey, key: &str, raw: Raw<'_>) {
    match key {
        "messages" if survey.prompt_style == PromptStyle::Messages => {
            for (_, element) in raw.elements() {
                add(conversation, element);
            }
        }
        "tools" => conversation.tools = raw.elements().map(|(_, one)| tool::read(one)).collect(),
        "tool_choice" => conversation.tool_choice = tool::choice(raw),
        "parallel_tool_calls" => conversation.parallel_tool_calls = raw.bool(),
        "stop" => conversation.stop = texts(raw),
        "response_format" => conversation.response_format = Some(raw.text().to_owned()),
        // Legacy prompts have one number for both.
        "logprobs" if raw.kind() == Kind::Number => {
            conversation.sampling.push((Parameter::Logprobs, "true".to_owned()));
            conversation.sampling.push((Parameter::TopLogprobs, raw.text().to_owned()));
        }
        "verbosity" => conversation.verbosity = raw.string().map(|word| word.into_owned()),
        "messages"
        | "prompt"
        | "model"
        | "stream"
        | "stream_options"
        | "max_tokens"
        | "max_completion_tokens"
        | "reasoning"
        | "reasoning_effort" => {}
        _ => match Parameter::from_name(key).filter(|one| SAMPLING.contains(one)) {
            Some(parameter) => conversation.sampling.push((parameter, raw.text().to_owned())),
            None => conversation.extra.push(extra(key, raw)),
        },
    }
}

/// Adds a message. Instructions before the first message of anyone else are the system's.
fn add(conversation: &mut Conversation, raw: Raw<'_>) {
    let message = message::read(raw);
    if message.role != Role::System || !conversation.messages.is_empty() {
        conversation.messages.push(message);
        return;
    }
    let mut name = message.name;
    for mut part in message.parts {
        if let (PartBody::Text(text), Some(name)) = (&mut part.body, name.take()) {
            *text = format!("{name}: {text}");
        }
        conversation.system.push(part);
    }
}

fn extra(key: &str, raw: Raw<'_>) -> Extra {
    Extra { key: key.to_owned(), json: raw.text().to_owned() }
}

/// One text, or a list of texts.
fn texts(raw: Raw<'_>) -> Vec<String> {
    let one = |raw: Raw<'_>| raw.string().map(|text| text.into_owned());
    match raw.kind() {
        Kind::Array => raw.elements().filter_map(|(_, raw)| one(raw)).collect(),
        _ => one(raw).into_iter().collect(),
    }
}
