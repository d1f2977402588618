//! What holds for requests through the hub and for answers of Messages endpoints.

use bytes::Bytes;
use signalbox_core::ParameterSet;

use super::{cut, lawful};
use crate::anthropic_messages::read_stream::{MessagesReader, read_unary_events};
use crate::anthropic_messages::write_request as messages_request;
use crate::conversation::Conversation;
use crate::document::{Document, Kind, Raw};
use crate::event::Event;
use crate::identity::{Facts, StreamFault};
use crate::openai_chat::read_request::read_request;
use crate::openai_chat::survey::survey;
use crate::openai_chat::write_relay::{Outbound, ReasoningStyle};
use crate::openai_chat::write_request as chat_request;
use crate::patch::Patches;

/// What came of reading a Messages stream: its events, what was seen, and whether it came to its end.
pub type Read = (Vec<Event>, Facts, Result<(), StreamFault>);

/// Reads a Messages stream that arrives in pieces.
pub fn read_messages(pieces: &[&[u8]]) -> Read {
    let mut reader = MessagesReader::default();
    let mut events = Vec::new();
    let mut result = Ok(());
    for piece in pieces {
        result = reader.push(piece, &mut events);
        if result.is_err() {
            break;
        }
    }
    if result.is_ok() {
        result = reader.end(&mut events);
    }
    (events, reader.facts().clone(), result)
}

/// Any split of a Messages stream gives the same lawful events; and so does any body.
///
/// # Errors
/// What was broken.
pub fn messages_answers_are_lawful(bytes: &[u8], cuts: &[usize]) -> Result<(), String> {
    let whole = read_messages(&[bytes]);
    let pieces = read_messages(&cut(bytes, cuts));
    if whole != pieces {
        return Err(format!("whole {whole:?}\n  in pieces {pieces:?}"));
    }
    lawful(&whole.0)?;
    let ended = matches!(whole.0.last(), Some(Event::Finish { .. }));
    if ended != whole.2.is_ok() {
        return Err(format!("{:?} after {:?}", whole.2, whole.0));
    }
    read_unary_events(bytes).map_or(Ok(()), |(events, _)| lawful(&events))
}

const STYLES: [ReasoningStyle; 5] = [
    ReasoningStyle::Effort,
    ReasoningStyle::Object,
    ReasoningStyle::Budget,
    ReasoningStyle::AdaptiveOrBudget,
    ReasoningStyle::AdaptiveEffort,
];

/// A chat request that can be surveyed is written for chat so that it reads and writes the same
/// again, and for Messages so that sides alternate and a limit is set.
///
/// # Errors
/// What was broken.
pub fn conversations_survive(bytes: &[u8]) -> Result<(), String> {
    let Ok(document) = Document::parse(Bytes::copy_from_slice(bytes)) else { return Ok(()) };
    let Ok(conversation) = read(&document) else { return Ok(()) };
    let patches = Patches::default();
    for style in STYLES {
        let out = Outbound {
            provider_model_id: "m-1",
            stream: true,
            unsupported: ParameterSet::EMPTY,
            max_output: None,
            endpoint_max_output: None,
            service_tier: None,
            user: None,
            patches: &patches,
            reasoning: style,
            asking: Default::default(),
            caches_prompts: true,
            traits: Default::default(),
            template: Default::default(),
            betas: &[],
            forward_name: false,
            cache: Default::default(),
        };
        let chat = chat_request::write_request(&conversation, &out).map_err(|e| e.to_string())?;
        let shown = String::from_utf8_lossy(&chat.body).into_owned();
        let again = Document::parse(chat.body.clone()).map_err(|e| format!("{e}: {shown}"))?;
        let again = read(&again).map_err(|e| format!("{e}: {shown}"))?;
        let twice = chat_request::write_request(&again, &out).map_err(|e| e.to_string())?;
        if twice.body != chat.body {
            return Err(format!("{shown}\n  became {}", String::from_utf8_lossy(&twice.body)));
        }
        let written = messages_request::write_request(&conversation, &out);
        messages_body(&written.map_err(|e| e.to_string())?.body)?;
    }
    Ok(())
}

fn read(document: &Document) -> Result<Conversation, signalbox_core::ApiError> {
    survey(document).and_then(|survey| read_request(document, &survey))
}

fn messages_body(body: &Bytes) -> Result<(), String> {
    let shown = || String::from_utf8_lossy(body).into_owned();
    let document = Document::parse(body.clone()).map_err(|e| format!("{e}: {}", shown()))?;
    let limit = document.get("max_tokens").and_then(|text| Raw::new(text).integer());
    let budget = document.get("thinking").and_then(|text| Raw::new(text).get("budget_tokens"));
    let budget = budget.and_then(Raw::integer).unwrap_or(0);
    if limit.is_none_or(|limit| limit < 1 || limit <= budget) {
        return Err(format!("no room: {}", shown()));
    }
    let mut last = None;
    for (_, message) in Raw::new(document.get("messages").unwrap_or_default()).elements() {
        let role = message.get("role").and_then(Raw::string);
        let content = message.get("content").unwrap_or(message);
        let is_empty = match content.kind() {
            Kind::Array => content.elements().next().is_none(),
            kind => kind != Kind::String,
        };
        if role == last || is_empty {
            return Err(format!("not in turn: {}", shown()));
        }
        last = role;
    }
    Ok(())
}
