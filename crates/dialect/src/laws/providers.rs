//! What holds for dialects that providers alone speak, whatever their bytes.

use bytes::Bytes;

use super::{cut, lawful, outbound, sent_on};
use crate::cohere_v2;
use crate::cohere_v2::read_stream::CohereReader;
use crate::conversation::Conversation;
use crate::document::Document;
use crate::event::Event;
use crate::identity::{Facts, StreamFault};
use crate::openai_chat::read_request::read_request;
use crate::openai_chat::survey::survey;
use crate::openai_completions::read_answer::{self, CompletionsReader};
use crate::openai_completions::template::PromptTemplate;
use crate::openai_completions::write_request as completions_request;
use crate::patch::Patches;

/// What came of reading a stream: its events, what was seen, and whether it came to its end.
pub type Read = (Vec<Event>, Facts, Result<(), StreamFault>);

/// Reads a `/v2/chat` stream that arrives in pieces.
pub fn read_cohere(pieces: &[&[u8]]) -> Read {
    let (mut reader, mut events) = (CohereReader::default(), Vec::new());
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

/// Any split of a `/v2/chat` stream gives the same lawful events; so does any body; and any bytes
/// with an error status are an error.
///
/// # Errors
/// What was broken.
pub fn cohere_answers_are_lawful(bytes: &[u8], cuts: &[usize]) -> Result<(), String> {
    let whole = read_cohere(&[bytes]);
    same_and_lawful(&whole, &read_cohere(&cut(bytes, cuts)))?;
    let _ = cohere_v2::error::read_error(400, bytes);
    cohere_v2::unary::read_unary(bytes).map_or(Ok(()), |(events, _)| lawful(&events))
}

pub(super) fn same_and_lawful(whole: &Read, pieces: &Read) -> Result<(), String> {
    if whole != pieces {
        return Err(format!("whole {whole:?}\n  in pieces {pieces:?}"));
    }
    lawful(&whole.0)?;
    let ended = matches!(whole.0.last(), Some(Event::Finish { .. }));
    if ended == whole.2.is_ok() {
        Ok(())
    } else {
        Err(format!("{:?} after {:?}", whole.2, whole.0))
    }
}

/// A chat request that can be read is written for `/v2/chat` as one JSON object for the provider's
/// model, without members of the router.
///
/// # Errors
/// What was broken.
pub fn cohere_requests_survive(bytes: &[u8]) -> Result<(), String> {
    let Some(conversation) = conversation(bytes) else { return Ok(()) };
    let patches = Patches::default();
    let out = outbound(&patches);
    let written = cohere_v2::write_request::write_request(&conversation, &out);
    let body = written.map_err(|error| error.to_string())?.body;
    sent_on(
        &body,
        &["models", "provider", "plugins", "route", "prompt", "stop", "user", "metadata"],
    )
}

pub(super) fn conversation(bytes: &[u8]) -> Option<Conversation> {
    let document = Document::parse(Bytes::copy_from_slice(bytes)).ok()?;
    let survey = survey(&document).ok()?;
    read_request(&document, &survey).ok()
}

/// Reads a legacy stream that arrives in pieces.
pub fn read_completions(pieces: &[&[u8]]) -> Read {
    let (mut reader, mut events) = (CompletionsReader::default(), Vec::new());
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

/// Any split of a legacy stream gives the same lawful events; so does any body.
///
/// # Errors
/// What was broken.
pub fn completions_answers_are_lawful(bytes: &[u8], cuts: &[usize]) -> Result<(), String> {
    let whole = read_completions(&[bytes]);
    same_and_lawful(&whole, &read_completions(&cut(bytes, cuts)))?;
    read_answer::read_unary(bytes).map_or(Ok(()), |(events, _)| lawful(&events))
}

/// Every template for prompts.
pub const TEMPLATES: [PromptTemplate; 10] = [
    PromptTemplate::Plain,
    PromptTemplate::Verbatim,
    PromptTemplate::Chatml,
    PromptTemplate::Llama3,
    PromptTemplate::Mistral,
    PromptTemplate::Alpaca,
    PromptTemplate::Vicuna,
    PromptTemplate::Gemma,
    PromptTemplate::DeepseekR1,
    PromptTemplate::DeepseekV31,
];

/// A chat request that can be read is written for legacy endpoints, by any template, as one JSON
/// object for the provider's model with a prompt, and without members of the router.
///
/// # Errors
/// What was broken.
pub fn completions_requests_survive(bytes: &[u8]) -> Result<(), String> {
    let Some(conversation) = conversation(bytes) else { return Ok(()) };
    let patches = Patches::default();
    let out = outbound(&patches);
    for template in TEMPLATES {
        let written = completions_request::write_request(&conversation, &out, template);
        let body = written.map_err(|error| error.to_string())?.body;
        sent_on(&body, &["models", "provider", "plugins", "route", "messages", "tools"])?;
        let document = Document::parse(body).map_err(|error| error.to_string())?;
        if document.get("prompt").is_none_or(|prompt| !prompt.starts_with('"')) {
            return Err(format!("no prompt by {template:?}"));
        }
    }
    Ok(())
}
