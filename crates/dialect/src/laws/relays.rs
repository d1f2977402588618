//! What holds where an answer stays in its dialect: it is spliced, and says what it said.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::anthropic_messages::read_stream::MessagesReader;
use crate::anthropic_messages::relay_unary::relay_unary;
use crate::anthropic_messages::stream_relay::MessagesRelay;
use crate::document::Document;
use crate::event::{Block, Event, Folded, FoldedBlock};
use crate::frame::sse::{Frame, FrameTooLong, SseDecoder};
use crate::identity::{Extras, Facts, RelayOptions, StreamFault};
use crate::openai_chat::stream_relay::line_of;
use crate::openai_responses::read_stream::ResponsesReader;
use crate::openai_responses::relay_unary::relay_unary as relay_response;
use crate::openai_responses::response::Asked;
use crate::openai_responses::stream_relay::ResponsesRelay;
use crate::openai_responses::survey::survey;
use crate::openai_responses::write_relay::write_relay;
use crate::patch::Patches;

use super::{Outcome, cut, identity, report};

/// What was read of a stream.
struct Reading {
    events: Vec<Event>,
    facts: Facts,
    result: Result<(), StreamFault>,
}

/// Relays a Messages stream in pieces; also gives its closing events.
#[must_use]
pub fn relay_messages(options: RelayOptions, pieces: &[&[u8]]) -> (Outcome, Vec<u8>) {
    let mut relay = MessagesRelay::new(&identity(), options);
    let mut out = Vec::new();
    let mut result = Ok(());
    for piece in pieces {
        result = result.and_then(|()| relay.push(piece, &mut out));
    }
    let result = result.and_then(|()| relay.end(&mut out));
    let facts = relay.facts().clone();
    let closing = relay.closing(&report(facts.usage.unwrap_or_default()), &Extras::default());
    (Outcome { out, facts, result }, closing)
}

fn read_messages(bytes: &[u8]) -> Reading {
    let mut reader = MessagesReader::default();
    let mut events = Vec::new();
    let result = reader.push(bytes, &mut events).and_then(|()| reader.end(&mut events));
    Reading { events, facts: reader.facts().clone(), result }
}

/// A relayed Messages stream is the same however its bytes arrive; it has the facts and the fault
/// that reading has; it is whole events that begin with our message; what is added to blocks is the
/// provider's own text; and it reads as the same answer, but for reasoning that is left out.
///
/// # Errors
/// What was broken.
pub fn messages_relay_keeps_all(bytes: &[u8], cuts: &[usize]) -> Result<(), String> {
    let read = read_messages(bytes);
    let sent = data_of(bytes);
    for exclude_reasoning in [false, true] {
        let options = RelayOptions { exclude_reasoning, ..RelayOptions::default() };
        let whole = relay_messages(options, &[bytes]);
        let pieces = relay_messages(options, &cut(bytes, cuts));
        if whole != pieces {
            return Err(format!("whole {whole:?}\n  in pieces {pieces:?}"));
        }
        let (Outcome { out, facts, result }, closing) = whole;
        if (&facts, &result) != (&read.facts, &read.result) {
            return Err(format!("{facts:?} {result:?}\n  but {:?} {:?}", read.facts, read.result));
        }
        let shown = String::from_utf8_lossy(&out).into_owned();
        for (position, (name, json)) in events_in(&out)?.into_iter().enumerate() {
            let value: Value =
                serde_json::from_str(json).map_err(|error| format!("{error}: {json}"))?;
            let id = value.pointer("/message/id").and_then(Value::as_str);
            if position == 0 && id != Some("gen-1700000000-abc") {
                return Err(format!("not ours: {shown}"));
            }
            if (position == 0) != (name == "message_start") {
                return Err(format!("event {position} is out of place: {shown}"));
            }
            if name == "content_block_delta"
                && !exclude_reasoning
                && !sent.iter().any(|one| one == json)
            {
                return Err(format!("re-typed: {json}"));
            }
        }
        if result.is_ok() {
            let again = read_messages(&[out, closing].concat());
            again.result.map_err(|fault| format!("{fault}: {shown}"))?;
            same_answer(&read.events, &again.events, exclude_reasoning)?;
            // Where the provider told nothing, we tell what was estimated.
            if facts.usage_plausible
                && facts.usage.is_some_and(|one| again.facts.usage != Some(one))
            {
                return Err(format!("{:?} became {:?}", facts.usage, again.facts.usage));
            }
        }
    }
    Ok(())
}

/// A whole Messages answer that can be read reads as the same answer after it was relayed.
///
/// # Errors
/// What was broken.
pub fn whole_messages_keep_all(bytes: &[u8]) -> Result<(), String> {
    let Ok(answer) = relay_unary(bytes.to_vec().into()) else { return Ok(()) };
    for exclude_reasoning in [false, true] {
        let options = RelayOptions { exclude_reasoning, ..RelayOptions::default() };
        let report = report(answer.facts.usage.unwrap_or_default());
        let body = answer.write(&identity(), &report, options, &Extras::default());
        let again = relay_unary(body.clone())
            .map_err(|fault| format!("{fault}: {}", String::from_utf8_lossy(&body)))?;
        same_answer(answer.events(), again.events(), exclude_reasoning)?;
        if again.facts.upstream_id.as_deref() != Some("gen-1700000000-abc") {
            return Err(format!("not ours: {}", String::from_utf8_lossy(&body)));
        }
    }
    Ok(())
}

/// Relays a Responses stream in pieces; also gives its closing event.
#[must_use]
pub fn relay_responses(options: RelayOptions, pieces: &[&[u8]]) -> (Outcome, Vec<u8>) {
    let mut relay = ResponsesRelay::new(&identity(), options, Arc::default());
    let mut out = Vec::new();
    let mut result = Ok(());
    for piece in pieces {
        result = result.and_then(|()| relay.push(piece, &mut out));
    }
    let result = result.and_then(|()| relay.end(&mut out));
    let facts = relay.facts().clone();
    let closing = relay.closing(&report(facts.usage.unwrap_or_default()), &Extras::default());
    (Outcome { out, facts, result }, closing)
}

fn read_responses(bytes: &[u8]) -> Reading {
    let mut reader = ResponsesReader::default();
    let mut events = Vec::new();
    let result = reader.push(bytes, &mut events).and_then(|()| reader.end(&mut events));
    Reading { events, facts: reader.facts().clone(), result }
}

/// A relayed Responses stream is the same however its bytes arrive; it has the facts and the fault
/// that reading has; it is whole events that begin with our response, with numbers that rise; where
/// the provider's do, everything but responses is its own text; and it reads as the same answer.
/// Where reasoning is left out there is none.
///
/// # Errors
/// What was broken.
pub fn responses_relay_keeps_all(bytes: &[u8], cuts: &[usize]) -> Result<(), String> {
    let read = read_responses(bytes);
    let sent = data_of(bytes);
    for exclude_reasoning in [false, true] {
        let options = RelayOptions { exclude_reasoning, ..RelayOptions::default() };
        let whole = relay_responses(options, &[bytes]);
        let pieces = relay_responses(options, &cut(bytes, cuts));
        if whole != pieces {
            return Err(format!("whole {whole:?}\n  in pieces {pieces:?}"));
        }
        let (Outcome { out, facts, result }, closing) = whole;
        if (&facts, &result) != (&read.facts, &read.result) {
            return Err(format!("{facts:?} {result:?}\n  but {:?} {:?}", read.facts, read.result));
        }
        let is_ok = result.is_ok();
        let out = if is_ok { [out, closing].concat() } else { out };
        numbered(&out, &sent, !exclude_reasoning)?;
        let again = read_responses(&out);
        if is_ok && again.result != Ok(()) {
            return Err(format!("{:?}: {}", again.result, String::from_utf8_lossy(&out)));
        }
        if is_ok && !exclude_reasoning {
            same_answer(&read.events, &again.events, false)?;
            if facts.usage_plausible
                && facts.usage.is_some_and(|one| again.facts.usage != Some(one))
            {
                return Err(format!("{:?} became {:?}", facts.usage, again.facts.usage));
            }
        }
        let thinks =
            |one: &Event| matches!(one, Event::Open { block: Block::Reasoning { .. }, .. });
        if exclude_reasoning && again.events.iter().any(thinks) {
            return Err(format!("reasoning is left: {}", String::from_utf8_lossy(&out)));
        }
    }
    Ok(())
}

/// Checks the numbers of events. Where the provider's begin at 0 and rise, every event without a
/// response is its own text, if `all` are sent on.
fn numbered(out: &[u8], sent: &[String], all: bool) -> Result<(), String> {
    let number = |value: &Value| value.get("sequence_number").and_then(Value::as_u64);
    let values: Vec<Value> =
        sent.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
    let begins = values.first().is_some_and(|one| {
        one.get("type").and_then(Value::as_str) == Some("response.created")
            && one.get("response").is_some_and(Value::is_object)
    });
    let numbers: Vec<_> = values.iter().map(number).collect();
    let rise = numbers.first() == Some(&Some(0)) && numbers.is_sorted_by(|one, next| one < next);
    let orderly = all && begins && rise && values.len() == sent.len();
    let mut least = 0;
    for (position, (_, json)) in events_in(out)?.into_iter().enumerate() {
        let value: Value =
            serde_json::from_str(json).map_err(|error| format!("{error}: {json}"))?;
        let this = number(&value).filter(|one| *one >= least);
        least = this.ok_or_else(|| format!("not in order: {json}"))?.saturating_add(1);
        let id = value.pointer("/response/id").and_then(Value::as_str);
        if (position == 0 || id.is_some()) && id != Some("gen-1700000000-abc") {
            return Err(format!("not ours: {json}"));
        }
        if orderly && value.get("response").is_none() && !sent.iter().any(|one| one == json) {
            return Err(format!("re-typed: {json}"));
        }
    }
    Ok(())
}

/// A whole Responses answer that can be read reads as the same answer after it was relayed.
///
/// # Errors
/// What was broken.
pub fn whole_responses_keep_all(bytes: &[u8]) -> Result<(), String> {
    let Ok(answer) = relay_response(bytes.to_vec().into()) else { return Ok(()) };
    for exclude_reasoning in [false, true] {
        let options = RelayOptions { exclude_reasoning, ..RelayOptions::default() };
        let report = report(answer.facts.usage.unwrap_or_default());
        let body =
            answer.write(&identity(), &report, options, &Extras::default(), &Asked::default());
        let again = relay_response(body.clone())
            .map_err(|fault| format!("{fault}: {}", String::from_utf8_lossy(&body)))?;
        same_answer(answer.events(), again.events(), exclude_reasoning)?;
        if again.facts.upstream_id.as_deref() != Some("gen-1700000000-abc") {
            return Err(format!("not ours: {}", String::from_utf8_lossy(&body)));
        }
    }
    Ok(())
}

/// Any Responses request is refused, or becomes a JSON object for providers of the dialect that
/// names the provider's model, stores nothing and has none of the router's members.
///
/// # Errors
/// What was broken.
pub fn responses_requests_survive(bytes: &[u8]) -> Result<(), String> {
    let Ok(document) = Document::parse(Bytes::copy_from_slice(bytes)) else { return Ok(()) };
    let Ok(survey) = survey(&document) else { return Ok(()) };
    let patches = Patches::default();
    let body = write_relay(&document, &survey, &super::outbound(&patches));
    let body = body.map_err(|error| error.to_string())?.whole();
    super::sent_on(&body, &["models", "provider", "session_id", "trace", "user", "metadata"])?;
    let again = Document::parse(body).map_err(|error| error.to_string())?;
    if again.get("store") == Some("false") { Ok(()) } else { Err("it is stored".to_owned()) }
}

/// Whether two readings are one answer. How it ended may be told where the provider did not.
pub(super) fn same_answer(
    first: &[Event],
    second: &[Event],
    exclude_reasoning: bool,
) -> Result<(), String> {
    let essence = |events: &[Event]| {
        let choices = Folded::of(events).choices;
        // Citations may be told of a block that is left out, wherever that makes sense.
        let goes = |block: &FoldedBlock| {
            block.is_reasoning()
                || matches!(&block.block, Block::Opaque { name } if matches!(name.as_str(), "citations" | "annotations"))
        };
        let kept = |block: &FoldedBlock| !(exclude_reasoning && goes(block));
        let blocks = choices.iter().flat_map(|choice| choice.blocks.iter().cloned()).filter(kept);
        let ends = choices.iter().filter_map(|choice| choice.end.clone());
        (blocks.collect::<Vec<_>>(), ends.map(|(reason, _)| reason).collect::<Vec<_>>())
    };
    let (before, after) = (essence(first), essence(second));
    if before == after { Ok(()) } else { Err(format!("{before:?}\n  became {after:?}")) }
}

/// The names and the data of events, each of which is two lines.
pub(super) fn events_in(out: &[u8]) -> Result<Vec<(&str, &str)>, String> {
    let text = std::str::from_utf8(out).map_err(|error| error.to_string())?;
    if !text.is_empty() && !text.ends_with("\n\n") {
        return Err(format!("the last event is not whole: {text}"));
    }
    text.split_terminator("\n\n")
        .map(|event| {
            let lines = event.strip_prefix("event: ").and_then(|rest| rest.split_once("\ndata: "));
            let whole = lines.filter(|(_, json)| !json.contains(['\n', '\r']));
            whole.ok_or_else(|| format!("no event: {event}"))
        })
        .collect()
}

/// The data of all events of a provider.
pub(super) fn data_of(bytes: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    let mut keep = |frame: Frame<'_>| {
        if let Frame::Data { data, .. } = frame {
            all.push(line_of(data.trim_ascii()).trim().to_owned());
        }
        Ok::<(), FrameTooLong>(())
    };
    let mut decoder = SseDecoder::default();
    let _ = decoder.push(bytes, &mut keep).and_then(|()| decoder.end(&mut keep));
    all
}
