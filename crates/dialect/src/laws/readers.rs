//! What holds for what the readers of the other dialects make of any bytes: answers of Gemini and
//! Responses providers, and requests of Responses clients. Answers of Messages providers are in `hub`.

use bytes::Bytes;

use super::providers::{Read, conversation, same_and_lawful};
use super::{cut, lawful, outbound, sent_on};
use crate::document::{Document, Raw};
use crate::event::Event;
use crate::gemini::read_stream::GeminiReader;
use crate::identity::{Facts, StreamFault};
use crate::openai_responses::read_stream::ResponsesReader;
use crate::outbound::{Outbound, ReasoningStyle};
use crate::patch::Patches;
use crate::{anthropic_messages, bedrock_converse, gemini, openai_chat, openai_responses};

type Push<R> = fn(&mut R, &[u8], &mut Vec<Event>) -> Result<(), StreamFault>;
type End<R> = fn(&mut R, &mut Vec<Event>) -> Result<(), StreamFault>;

fn read<R: Default>(pieces: &[&[u8]], push: Push<R>, end: End<R>, facts: fn(&R) -> &Facts) -> Read {
    let (mut reader, mut events) = (R::default(), Vec::new());
    let pushed = pieces.iter().try_for_each(|piece| push(&mut reader, piece, &mut events));
    let result = pushed.and_then(|()| end(&mut reader, &mut events));
    (events, facts(&reader).clone(), result)
}

/// Any split of a stream of a Gemini provider gives the same lawful events; so does any body; and
/// any bytes with an error status are an error.
///
/// # Errors
/// What was broken.
pub fn gemini_answers_are_lawful(bytes: &[u8], cuts: &[usize]) -> Result<(), String> {
    let read =
        |pieces: &[&[u8]]| read(pieces, GeminiReader::push, GeminiReader::end, GeminiReader::facts);
    same_and_lawful(&read(&[bytes]), &read(&cut(bytes, cuts)))?;
    let _ = gemini::error::read_error(400, bytes);
    gemini::unary::read_unary(bytes).map_or(Ok(()), |answer| lawful(&answer.events))
}

/// Any split of a stream of a Responses provider gives the same lawful events; and so does any body.
///
/// # Errors
/// What was broken.
pub fn responses_answers_are_lawful(bytes: &[u8], cuts: &[usize]) -> Result<(), String> {
    let read = |pieces: &[&[u8]]| {
        read(pieces, ResponsesReader::push, ResponsesReader::end, ResponsesReader::facts)
    };
    same_and_lawful(&read(&[bytes]), &read(&cut(bytes, cuts)))?;
    openai_responses::read_stream::read_unary(bytes).map_or(Ok(()), |(events, _)| lawful(&events))
}

/// A Responses request that can be surveyed is read, and written for providers of every dialect as
/// one JSON object, with the provider's model where the dialect names one.
///
/// # Errors
/// What was broken.
pub fn responses_requests_survive(bytes: &[u8]) -> Result<(), String> {
    let Ok(document) = Document::parse(Bytes::copy_from_slice(bytes)) else { return Ok(()) };
    let Ok(survey) = openai_responses::survey::survey(&document) else { return Ok(()) };
    let conversation = openai_responses::read_request::read_request(&document, &survey);
    let patches = Patches::default();
    let out = outbound(&patches);
    for written in [
        openai_chat::write_request::write_request(&conversation, &out),
        anthropic_messages::write_request::write_request(&conversation, &out),
        openai_responses::write_request::write_request(&conversation, &out),
    ] {
        let body = written.map_err(|error| error.to_string())?.body;
        sent_on(&body, &["models", "provider", "session_id"])?;
    }
    let gemini = gemini::write_request::write_request(&conversation, &out, out.traits);
    gemini.map_err(|error| error.to_string())?;
    converse_body(&conversation, &out)
}

/// A chat request that can be read is written for Converse so that sides alternate, nothing is
/// empty, and documents have names that differ.
///
/// # Errors
/// What was broken.
pub fn converse_requests_survive(bytes: &[u8]) -> Result<(), String> {
    let Some(conversation) = conversation(bytes) else { return Ok(()) };
    let patches = Patches::default();
    for reasoning in
        [ReasoningStyle::Effort, ReasoningStyle::Budget, ReasoningStyle::AdaptiveEffort]
    {
        converse_body(&conversation, &Outbound { reasoning, ..outbound(&patches) })?;
    }
    Ok(())
}

fn converse_body(
    conversation: &crate::conversation::Conversation,
    out: &Outbound<'_>,
) -> Result<(), String> {
    let written = bedrock_converse::write_request::write_request(conversation, out);
    let body = written.map_err(|error| error.to_string())?.body;
    let shown = || String::from_utf8_lossy(&body).into_owned();
    let document = Document::parse(body.clone()).map_err(|e| format!("{e}: {}", shown()))?;
    let (mut last, mut names) = (None, Vec::new());
    for (_, message) in Raw::new(document.get("messages").unwrap_or_default()).elements() {
        let role = message.get("role").and_then(Raw::string);
        let blocks: Vec<_> = message
            .get("content")
            .into_iter()
            .flat_map(Raw::elements)
            .map(|(_, one)| one)
            .collect();
        let is_blank = |block: &Raw<'_>| {
            block.get("text").and_then(Raw::string).is_some_and(|text| text.trim().is_empty())
        };
        if role == last || blocks.is_empty() || blocks.iter().any(is_blank) {
            return Err(format!("not in turn: {}", shown()));
        }
        for name in blocks.iter().filter_map(|block| block.get("document")?.get("name")) {
            if names.contains(&name) {
                return Err(format!("two documents of one name: {}", shown()));
            }
            names.push(name);
        }
        last = role;
    }
    Ok(())
}
