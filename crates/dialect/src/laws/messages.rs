//! The laws of the Messages dialect: the grammar of its streams (inference spec C.7) and what holds
//! for every request.

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::Value;
use signalbox_core::{ErrorKind, Usage};

use crate::anthropic_messages::read_request::read_request;
use crate::anthropic_messages::read_stream::MessagesReader;
use crate::anthropic_messages::survey::survey;
use crate::anthropic_messages::write_relay::write_relay;
use crate::anthropic_messages::write_request::write_request as write_messages;
use crate::anthropic_messages::write_stream::MessagesWriter;
use crate::document::Document;
use crate::event::{Block, Event, Folded};
use crate::identity::{Extras, RelayOptions};
use crate::openai_chat::write_relay::{Outbound, ReasoningStyle};
use crate::openai_chat::write_request::write_request as write_chat;
use crate::patch::Patches;

/// Checks what was written before the closing events: whole events of one line of JSON each, our id
/// first, one block after the other, each delta of its block's kind. When the answer came to its
/// end, so did every block.
///
/// # Errors
/// What was broken.
pub fn messages_ready(out: &[u8], ended: bool) -> Result<(), String> {
    let text = std::str::from_utf8(out).map_err(|error| error.to_string())?;
    if !text.is_empty() && !text.ends_with("\n\n") {
        return Err(format!("the last event is not whole: {text}"));
    }
    let mut open: Option<String> = None;
    let mut next = 0_u64;
    for (position, event) in text.split_terminator("\n\n").enumerate() {
        let value = data_of(event)?;
        let wrong = || Err(format!("event {position} is out of place: {text}"));
        let text_at = |path: &str| value.pointer(path).and_then(Value::as_str);
        let kind = text_at("/type").unwrap_or_default();
        if (position == 0) != (kind == "message_start") {
            return wrong();
        }
        let index = value.get("index").and_then(Value::as_u64);
        match kind {
            "message_start" => {
                let (id, provider) = (text_at("/message/id"), text_at("/message/provider"));
                if id != Some("gen-1700000000-abc") || provider != Some("Acme \"Labs\"") {
                    return Err(format!("not ours: {event}"));
                }
            }
            "content_block_start" => {
                if open.is_some() || index != Some(next) {
                    return wrong();
                }
                open = text_at("/content_block/type").map(str::to_owned);
            }
            "content_block_delta" => {
                let delta = text_at("/delta/type").unwrap_or_default();
                let fits = matches!(
                    (open.as_deref(), delta),
                    (Some("text"), "text_delta" | "citations_delta")
                        | (Some("thinking"), "thinking_delta" | "signature_delta")
                        | (Some("tool_use"), "input_json_delta")
                );
                if !fits || index != Some(next) {
                    return wrong();
                }
            }
            "content_block_stop" => {
                if open.take().is_none() || index != Some(next) {
                    return wrong();
                }
                next += 1;
            }
            _ => return wrong(),
        }
    }
    if ended && open.is_some() {
        return Err(format!("a block is open at the end: {text}"));
    }
    Ok(())
}

/// The JSON of an event whose name says the same as its type.
fn data_of(event: &str) -> Result<Value, String> {
    let lines = event.strip_prefix("event: ").and_then(|rest| rest.split_once("\ndata: "));
    let (name, json) = lines.ok_or_else(|| format!("no event: {event}"))?;
    if json.contains('\n') || json.contains('\r') {
        return Err(format!("more than one line: {json}"));
    }
    let value: Value = serde_json::from_str(json).map_err(|error| format!("{error}: {json}"))?;
    if value.get("type").and_then(Value::as_str) != Some(name) {
        return Err(format!("its name is another than its type: {event}"));
    }
    Ok(value)
}

/// Some of the members that are for the router alone.
const ROUTERS: &[&str] = &["models", "fallbacks", "provider", "session_id", "trace"];

/// Any Messages request is refused, or becomes a JSON object for providers of both dialects that
/// names the provider's model and none of the router's members.
///
/// # Errors
/// What was broken.
pub fn messages_requests_survive(bytes: &[u8]) -> Result<(), String> {
    let Ok(document) = Document::parse(Bytes::copy_from_slice(bytes)) else { return Ok(()) };
    let Ok(survey) = survey(&document) else { return Ok(()) };
    let conversation = read_request(&document, &survey).map_err(|error| error.to_string())?;
    let patches = Patches::default();
    for reasoning in
        [ReasoningStyle::Effort, ReasoningStyle::Budget, ReasoningStyle::AdaptiveEffort]
    {
        let outbound = Outbound { reasoning, ..super::outbound(&patches) };
        let written =
            [write_chat(&conversation, &outbound), write_messages(&conversation, &outbound)];
        for written in written {
            let body = written.map_err(|error| error.to_string())?.body;
            super::sent_on(&body, ROUTERS)?;
        }
        match write_relay(&document, &survey, &outbound) {
            Ok(body) => super::sent_on(&body.whole(), ROUTERS)?,
            Err(error) if error.kind == ErrorKind::InvalidRequest => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

/// A chat stream that comes to its end reads as the same answer after it was written as a Messages
/// stream: text, reasoning, calls and the reason to stop of the first choice.
///
/// # Errors
/// What was broken.
pub fn messages_survive_writing(bytes: &[u8]) -> Result<(), String> {
    let (events, result) = super::events_of(bytes);
    if result.is_err() {
        return Ok(());
    }
    let mut writer = MessagesWriter::new(&super::identity(), RelayOptions::default());
    let mut out = Vec::new();
    for event in &events {
        writer.write(event, &mut out);
    }
    messages_ready(&out, true)?;
    let report = super::report(Usage::default());
    out.extend(writer.closing(&report, &Extras::default()));
    let shown = || String::from_utf8_lossy(&out).into_owned();
    let mut reader = MessagesReader::default();
    let mut again = Vec::new();
    let result = reader.push(&out, &mut again).and_then(|()| reader.end(&mut again));
    result.map_err(|fault| format!("{fault}: {}", shown()))?;
    super::lawful(&again)?;
    let (first, second) = (essence(&events), essence(&again));
    if first != second {
        return Err(format!("{first:?}\n  became {second:?}\n  by {}", shown()));
    }
    Ok(())
}

/// What an answer says in any dialect: text, reasoning, and calls with their arguments.
fn essence(events: &[Event]) -> (String, String, Vec<(String, String, String)>) {
    let folded = Folded::of(events);
    let mut essence = (String::new(), String::new(), Vec::new());
    for block in folded.choices.iter().filter(|one| one.index == 0).flat_map(|one| &one.blocks) {
        match &block.block {
            Block::Text | Block::Refusal => essence.0.push_str(&block.text),
            Block::Reasoning { .. } => essence.1.push_str(&block.text),
            Block::ToolCall { id, name } => {
                let arguments = if block.text.is_empty() { "{}" } else { whole(&block.text) };
                essence.2.push((id.clone(), name.clone(), arguments.to_owned()));
            }
            _ => {}
        }
    }
    essence
}

/// Arguments up to where they are whole: a call ends there when another one begins, and what comes
/// after is no part of any JSON.
fn whole(arguments: &str) -> &str {
    let mut values = serde_json::Deserializer::from_str(arguments).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => arguments.get(..values.byte_offset()).unwrap_or(arguments),
        _ => arguments,
    }
}
