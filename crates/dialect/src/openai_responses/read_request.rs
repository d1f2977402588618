//! A Responses request as a [`Conversation`].
//!
//! It reads what a survey has checked. What only this dialect knows has no word in the hub and is
//! reported as lost: a provider of this dialect gets the client's own body instead.

mod item;
mod tool;

use signalbox_core::Parameter;

use super::survey::{Survey, response_format};
use crate::conversation::{Conversation, Message, Part, Role};
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
    Parameter::TopLogprobs,
    Parameter::Seed,
];

/// Reads a request that was surveyed, and says what of it no other dialect has.
#[must_use]
pub fn read_request(document: &Document, survey: &Survey) -> (Conversation, Vec<Loss>) {
    let mut losses = Vec::new();
    let mut conversation = Conversation {
        max_output: survey.max_output,
        reasoning: survey.reasoning,
        user: survey.user.clone(),
        metadata: survey.metadata.clone(),
        stream: survey.stream,
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
    }
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
    (conversation, losses)
}
