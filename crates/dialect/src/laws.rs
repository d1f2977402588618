//! What holds for every answer, whatever bytes a provider sends.
//!
//! Each law is a plain function over bytes: property tests call it always, fuzz targets for longer.
//! It returns what was broken as text.

pub mod bedrock;
pub mod hub;
mod messages;
pub mod providers;
pub mod readers;
mod relays;
mod retrieval;
mod texts;
pub mod usage;

use std::sync::Arc;

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::Value;
use signalbox_core::id::GenerationId;
use signalbox_core::{ParameterSet, Usage, Usd};

use crate::document::Document;
use crate::openai_chat::write_relay::{Outbound, ReasoningStyle};
use crate::patch::Patches;
use crate::{openai_chat, openai_completions};

pub use messages::{messages_ready, messages_requests_survive, messages_survive_writing};
pub use relays::{
    messages_relay_keeps_all, relay_messages, relay_responses, responses_relay_keeps_all,
    responses_requests_survive, whole_messages_keep_all, whole_responses_keep_all,
};
pub use retrieval::{
    embeddings_answers_survive, embeddings_requests_survive, rerank_answers_survive,
    rerank_requests_survive,
};
pub use texts::texts_stay_in_place;

use crate::answer::{AnswerStream, AnswerStyle, Skin, read_unary, write_unary};
use crate::conversation::WireDialect;
use crate::event::{Event, Folded};
use crate::identity::{Extras, Facts, Identity, RelayOptions, StreamFault, UsageReport};
use crate::openai_chat::read_stream::ChatReader;
use crate::openai_chat::stream_relay::DONE;
use crate::openai_chat::write_stream::ChatWriter;
use crate::watch::Watch;

/// The identity that the laws' answers have.
#[must_use]
pub fn identity() -> Identity {
    Identity {
        id: GenerationId::new("gen-1700000000-abc"),
        model: "acme/m1".to_owned(),
        provider: "Acme \"Labs\"".to_owned(),
        created: 1_700_000_000,
    }
}

/// A provider that has counts, errors and reasoning in places of its own.
#[must_use]
pub fn watch() -> Option<Arc<Watch>> {
    let row = r#"{"usage":["/x_own/usage"],"error":["/x_own/error","/base/code"],
        "reasoning":["/mind"],"sources":["/found","/pages"]}"#;
    serde_json::from_str(row).ok().map(Arc::new)
}

/// A usage report of some counts that costs something.
#[must_use]
pub fn report(usage: Usage) -> UsageReport {
    UsageReport {
        usage,
        cost: Usd::from_nanos(10_000),
        is_byok: false,
        upstream_cost: None,
        prompt_cost: Usd::from_nanos(4_000),
        completion_cost: Usd::from_nanos(6_000),
    }
}

/// What came of a stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the client would get.
    pub out: Vec<u8>,
    /// What was seen.
    pub facts: Facts,
    /// Whether it came to its end.
    pub result: Result<(), StreamFault>,
}

/// Relays a chat stream that arrives in pieces.
#[must_use]
pub fn relay(style: AnswerStyle, options: RelayOptions, pieces: &[&[u8]]) -> Outcome {
    relay_from(WireDialect::OpenaiChat, style, options, pieces)
}

/// Relays a stream of any dialect that arrives in pieces.
#[must_use]
pub fn relay_from(
    provider: WireDialect,
    style: AnswerStyle,
    options: RelayOptions,
    pieces: &[&[u8]],
) -> Outcome {
    let mut stream =
        AnswerStream::watching(Skin::new(style, options), provider, identity(), watch());
    let mut out = Vec::new();
    let mut result = Ok(());
    for piece in pieces {
        result = stream.push(piece, &mut out);
        if result.is_err() {
            break;
        }
    }
    if result.is_ok() {
        result = stream.end(&mut out);
    }
    Outcome { out, facts: stream.facts().clone(), result }
}

/// Cuts bytes at the given places, taken modulo what is left.
#[must_use]
pub fn cut<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    for cut in cuts {
        let (piece, tail) = rest.split_at(cut.checked_rem(rest.len() + 1).unwrap_or(0));
        pieces.push(piece);
        rest = tail;
    }
    pieces.push(rest);
    pieces
}

const WAYS: [(AnswerStyle, bool); 8] = [
    (AnswerStyle::Chat, false),
    (AnswerStyle::Chat, true),
    (AnswerStyle::Completions, false),
    (AnswerStyle::Completions, true),
    (AnswerStyle::Messages, false),
    (AnswerStyle::Messages, true),
    (AnswerStyle::Responses, false),
    (AnswerStyle::Responses, true),
];

/// Any split of the bytes gives the same output, facts and fault; and all output is whole events of
/// valid JSON that carry our id and no usage. Holds for every dialect that the bytes may be in; each
/// input is tried as chat and, to keep many inputs cheap, as one other that its cuts decide.
///
/// # Errors
/// What was broken.
pub fn splits_do_not_matter(bytes: &[u8], cuts: &[usize]) -> Result<(), String> {
    let sum = cuts.iter().fold(bytes.len(), |sum, cut| sum.wrapping_add(*cut));
    let at = sum.checked_rem(WireDialect::ALL.len()).unwrap_or(0);
    let other = WireDialect::ALL.get(at).copied().unwrap_or(WireDialect::OpenaiChat);
    splits_of(WireDialect::OpenaiChat, bytes, cuts)?;
    if other == WireDialect::OpenaiChat { Ok(()) } else { splits_of(other, bytes, cuts) }
}

/// The same for one provider's dialect.
///
/// # Errors
/// What was broken.
pub fn splits_of(provider: WireDialect, bytes: &[u8], cuts: &[usize]) -> Result<(), String> {
    for (style, exclude_reasoning) in WAYS {
        let options = RelayOptions { exclude_reasoning, ..RelayOptions::default() };
        let whole = relay_from(provider, style, options, &[bytes]);
        let pieces = relay_from(provider, style, options, &cut(bytes, cuts));
        if whole != pieces {
            return Err(format!("{style:?}: whole {whole:?}\n  in pieces {pieces:?}"));
        }
        match style {
            // Passed on as it came: what holds then is said by the laws of relays.
            _ if style.relayed() == Some(provider) && style != AnswerStyle::Chat => {}
            AnswerStyle::Chat | AnswerStyle::Completions => client_ready(&whole.out)?,
            AnswerStyle::Messages => messages_ready(&whole.out, whole.result.is_ok())?,
            AnswerStyle::Responses => responses_ready(&whole.out)?,
        }
    }
    Ok(())
}

/// Every event is one line of JSON with our id first, and a client finds no usage in it.
fn client_ready(out: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(out).map_err(|error| error.to_string())?;
    if !text.is_empty() && !text.ends_with("\n\n") {
        return Err(format!("the last event is not whole: {text}"));
    }
    for event in text.split_terminator("\n\n") {
        let json = event.strip_prefix("data: ").ok_or_else(|| format!("no data: {event}"))?;
        if json.contains('\n') || json.contains('\r') {
            return Err(format!("more than one line: {json}"));
        }
        serde_json::from_str::<IgnoredAny>(json).map_err(|error| format!("{error}: {json}"))?;
        if !json.starts_with(r#"{"id":"gen-1700000000-abc","provider":"Acme \"Labs\"","#) {
            return Err(format!("not ours: {json}"));
        }
        if crate::scan::members(json).iter().any(|(name, _)| name == "usage") {
            return Err(format!("the provider's usage: {json}"));
        }
    }
    Ok(())
}

/// Every event is one line of JSON under its own name, numbered from 0 on.
fn responses_ready(out: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(out).map_err(|error| error.to_string())?;
    if !text.is_empty() && !text.ends_with("\n\n") {
        return Err(format!("the last event is not whole: {text}"));
    }
    for (position, event) in text.split_terminator("\n\n").enumerate() {
        let (name, json) = event
            .strip_prefix("event: ")
            .and_then(|rest| rest.split_once("\ndata: "))
            .ok_or_else(|| format!("no event: {event}"))?;
        let value: Value =
            serde_json::from_str(json).map_err(|error| format!("{error}: {json}"))?;
        let is = |key: &str, wanted: Value| value.get(key) == Some(&wanted);
        if json.contains(['\n', '\r'])
            || !is("type", name.into())
            || !is("sequence_number", position.into())
        {
            return Err(format!("event {position} is not lawful: {event}"));
        }
    }
    Ok(())
}

/// The events of a stream.
pub fn events_of(bytes: &[u8]) -> (Vec<Event>, Result<(), StreamFault>) {
    let mut reader = ChatReader::default().watching(watch());
    let mut events = Vec::new();
    let mut result = reader.push(bytes, &mut events);
    if result.is_ok() {
        result = reader.end(&mut events);
    }
    (events, result)
}

/// One `Begin`, first; every block opened in order, then closed once; exactly one `Finish` or
/// `Error`, last.
///
/// # Errors
/// What was broken.
pub fn lawful(events: &[Event]) -> Result<(), String> {
    let mut open: Vec<u32> = Vec::new();
    let mut next = 0;
    for (position, event) in events.iter().enumerate() {
        let is_last = position + 1 == events.len();
        let fine = match event {
            Event::Begin { .. } => position == 0,
            Event::Open { index, .. } => {
                open.push(*index);
                next += 1;
                *index + 1 == next
            }
            Event::Delta { index, .. } => open.contains(index),
            Event::Close { index } => {
                let before = open.len();
                open.retain(|other| other != index);
                open.len() + 1 == before
            }
            Event::ChoiceEnd { .. } | Event::Usage(_) => true,
            Event::Finish { .. } | Event::Error(_) => is_last && open.is_empty(),
        };
        if !fine || (position == 0) != matches!(event, Event::Begin { .. }) {
            return Err(format!("event {position} is not lawful: {events:?}"));
        }
    }
    match events.last() {
        Some(Event::Finish { .. } | Event::Error(_)) => Ok(()),
        _ => Err(format!("no end: {events:?}")),
    }
}

/// Events of any stream are lawful; and a stream written from them reads as the same answer.
///
/// # Errors
/// What was broken.
pub fn events_survive_writing(bytes: &[u8]) -> Result<(), String> {
    let (events, result) = events_of(bytes);
    lawful(&events)?;
    if result.is_err() {
        return Ok(());
    }
    let mut writer = ChatWriter::new(&identity(), RelayOptions::default());
    let mut out = Vec::new();
    for event in &events {
        writer.write(event, &mut out);
    }
    client_ready(&out)?;
    out.extend_from_slice(DONE);
    let (again, result) = events_of(&out);
    result.map_err(|fault| format!("{fault}: {}", String::from_utf8_lossy(&out)))?;
    let (first, second) = (answer_of(&events), answer_of(&again));
    if first.choices != second.choices {
        return Err(format!("{first:?}\n  became {second:?}"));
    }
    Ok(())
}

/// The folded answer, with the finish word that stands for a missing native one.
#[must_use]
pub fn answer_of(events: &[Event]) -> Folded {
    let mut folded = Folded::of(events);
    folded.upstream_id = None;
    for choice in &mut folded.choices {
        if let Some((reason, native)) = &mut choice.end {
            native.get_or_insert_with(|| reason.name().to_owned());
        }
    }
    folded
}

/// A whole answer that can be read can be written in every style, as JSON that is ours; what is
/// written reads back with the same facts; and its events are lawful.
///
/// # Errors
/// What was broken.
pub fn whole_answers_survive(bytes: &[u8]) -> Result<(), String> {
    let read = |body| read_unary(WireDialect::OpenaiChat, body);
    let Ok(answer) = read(Bytes::copy_from_slice(bytes)) else { return Ok(()) };
    lawful(&answer.events())?;
    let report = report(answer.facts.usage.unwrap_or_default());
    let extras =
        Extras { service_tier: Some("default"), router_metadata: Some("{}"), completed_at: 0 };
    for (style, exclude_reasoning) in WAYS {
        let options = RelayOptions { exclude_reasoning, ..RelayOptions::default() };
        let body = write_unary(&Skin::new(style, options), &answer, &identity(), &report, &extras);
        serde_json::from_slice::<IgnoredAny>(&body)
            .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&body)))?;
        if style == AnswerStyle::Chat && !exclude_reasoning {
            let again = read(body).map_err(|fault| fault.to_string())?;
            let seen = |facts: &Facts| {
                (facts.content_seen, facts.tool_calls, facts.finish, facts.native_finish.clone())
            };
            if seen(&again.facts) != seen(&answer.facts) {
                return Err(format!("{:?} became {:?}", answer.facts, again.facts));
            }
        }
    }
    Ok(())
}

/// Any body is refused, or becomes a JSON object for the provider that names the provider's model
/// and none of the router's members.
///
/// # Errors
/// What was broken.
pub fn requests_survive(bytes: &[u8]) -> Result<(), String> {
    let Ok(document) = Document::parse(Bytes::copy_from_slice(bytes)) else { return Ok(()) };
    let patches = Patches::default();
    let outbound = outbound(&patches);
    let written = [
        openai_chat::survey::survey(&document).and_then(|survey| {
            openai_chat::write_relay::write_relay(&document, &survey, &outbound)
        }),
        openai_completions::survey::survey(&document).and_then(|survey| {
            openai_completions::write_relay::write_relay(&document, &survey, &outbound)
        }),
    ];
    for body in written.into_iter().flatten() {
        let own = ["models", "provider", "plugins", "route", "session_id", "preset", "prompt"];
        sent_on(&body.whole(), &own)?;
    }
    Ok(())
}

/// What the laws' requests are written with.
#[must_use]
pub fn outbound(patches: &Patches) -> Outbound<'_> {
    Outbound {
        provider_model_id: "m-1",
        stream: true,
        unsupported: ParameterSet::EMPTY,
        max_output: Some(16),
        endpoint_max_output: None,
        service_tier: None,
        user: Some("0123"),
        patches,
        reasoning: ReasoningStyle::Effort,
        asking: Default::default(),
        caches_prompts: true,
        traits: Default::default(),
        template: Default::default(),
        betas: &[],
        forward_name: false,
        cache: Default::default(),
    }
}

/// A body for a provider is JSON, names the provider's model and has none of these members.
fn sent_on(body: &Bytes, none_of: &[&str]) -> Result<(), String> {
    let shown = || String::from_utf8_lossy(body).into_owned();
    let again = Document::parse(body.clone()).map_err(|e| format!("{e}: {}", shown()))?;
    if again.get("model") != Some("\"m-1\"") {
        return Err(format!("another model: {}", shown()));
    }
    match none_of.iter().find(|own| again.get(own).is_some()) {
        Some(own) => Err(format!("{own} was sent on: {}", shown())),
        None => Ok(()),
    }
}
