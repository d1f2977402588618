//! One face for every way an answer reaches a client, so that the gateway drives them alike.
//!
//! A chat answer for a chat client is spliced; every other pair of dialects is read as events and
//! written from them.

mod lost;
mod road;
mod skin;
mod tape;

use std::sync::Arc;

use bytes::Bytes;
use signalbox_core::ApiError;

use crate::anthropic_messages;
use crate::anthropic_messages::relay_unary::{WholeMessage, relay_unary};
use crate::anthropic_messages::stream_relay::MessagesRelay;
use crate::anthropic_messages::write_error::error_event;
use crate::calls::Calls;
use crate::conversation::WireDialect;
use crate::event::Event;
use crate::frame::invoke::InvokeUnwrap;
use crate::identity::{Extras, Facts, Identity, StreamFault, UsageReport};
use crate::loss::Loss;
use crate::openai_chat::echo::echo_chunk;
use crate::openai_chat::error::error_chunk;
use crate::openai_chat::read_stream::read_unary_events;
use crate::openai_chat::stream_relay::StreamRelay;
use crate::openai_chat::unary::{self, UnaryAnswer};
use crate::openai_chat::write_stream;
use crate::openai_completions::{read_answer, write_answer};
use crate::openai_responses::relay_unary::WholeResponse;
use crate::openai_responses::stream_relay::ResponsesRelay;
use crate::openai_responses::write_stream::ResponsesWriter;
use crate::watch::Watch;
use crate::{bedrock_converse, cohere_v2, gemini, openai_responses};
use road::{EventRoad, Reader, Writer};
use tape::Tape;

pub use crate::openai_chat::stream_relay::{DONE, comment};
pub use skin::{AnswerStyle, Skin};

/// A streamed answer on its way from a provider to a client.
#[derive(Debug)]
pub struct AnswerStream {
    skin: Skin,
    identity: Identity,
    road: Road,
    envelope: Option<Box<Envelope>>,
    tape: Option<Box<Tape>>,
}

/// What a transport wraps a stream in, and what was last taken out of it.
#[derive(Debug, Default)]
struct Envelope {
    unwrap: InvokeUnwrap,
    inside: Vec<u8>,
}

#[derive(Debug)]
enum Road {
    Chat(Box<StreamRelay>),
    Messages(Box<MessagesRelay>),
    Responses(Box<ResponsesRelay>),
    Events(Box<EventRoad>),
}

impl Road {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), StreamFault> {
        match self {
            Self::Chat(relay) => relay.push(bytes, out),
            Self::Messages(relay) => relay.push(bytes, out),
            Self::Responses(relay) => relay.push(bytes, out),
            Self::Events(road) => road.push(bytes, out),
        }
    }
}

impl AnswerStream {
    /// A stream of one generation, which the provider sends in this dialect.
    #[must_use]
    pub fn new(skin: Skin, provider: WireDialect, identity: Identity) -> Self {
        Self::watching(skin, provider, identity, None)
    }

    /// As [`Self::new`], but also looks where the provider's row says.
    #[must_use]
    pub fn watching(
        skin: Skin,
        provider: WireDialect,
        identity: Identity,
        watch: Option<Arc<Watch>>,
    ) -> Self {
        let road = match (provider, skin.style) {
            (WireDialect::OpenaiChat, AnswerStyle::Chat) => {
                let relay = StreamRelay::new(&identity, skin.options);
                Road::Chat(Box::new(relay.watching(watch)))
            }
            (WireDialect::AnthropicMessages, AnswerStyle::Messages) => {
                Road::Messages(Box::new(MessagesRelay::new(&identity, skin.options)))
            }
            (WireDialect::OpenaiResponses, AnswerStyle::Responses) => {
                let relay = ResponsesRelay::new(&identity, skin.options, skin.asked());
                Road::Responses(Box::new(relay))
            }
            _ => {
                let (reader, writer) =
                    (Reader::new(provider, watch), Writer::new(&skin, &identity));
                Road::Events(Box::new(EventRoad::new(reader, writer, skin.style)))
            }
        };
        Self { skin, identity, road, envelope: None, tape: None }
    }

    /// The same stream, which also gathers the tool calls of the answer.
    #[must_use]
    pub fn gathering_calls(mut self) -> Self {
        match &mut self.road {
            Road::Chat(relay) => relay.gather_calls(),
            Road::Messages(relay) => relay.gather_calls(),
            Road::Responses(relay) => relay.gather_calls(),
            Road::Events(road) => road.gather_calls(),
        }
        self
    }

    /// The tool calls so far, if they are gathered.
    #[must_use]
    pub fn calls(&self) -> Option<&Calls> {
        match &self.road {
            Road::Chat(relay) => relay.calls(),
            Road::Messages(relay) => relay.calls(),
            Road::Responses(relay) => relay.calls(),
            Road::Events(road) => road.calls(),
        }
    }

    /// The same stream, which arrives in the envelope of `invoke-with-response-stream`.
    #[must_use]
    pub fn in_envelope(mut self) -> Self {
        self.envelope = Some(Box::default());
        self
    }

    /// The same stream, of which up to `most` bytes are kept as the provider sends them.
    #[must_use]
    pub fn recorded(mut self, most: usize) -> Self {
        self.tape = Some(Box::new(Tape::new(most)));
        self
    }

    /// All that the provider sent, when it was to be kept and was no more than could be.
    pub fn recording(&mut self) -> Option<Bytes> {
        self.tape.take()?.take()
    }

    /// Reads bytes of the provider and appends client-ready events to `out`: whole ones only,
    /// without comments, usage and end marker.
    ///
    /// # Errors
    /// When the answer cannot go on. What came before the fault is in `out`; the stream is then of
    /// no more use but for its facts and closing chunks.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), StreamFault> {
        if let Some(tape) = &mut self.tape {
            tape.note(bytes);
        }
        let Some(envelope) = &mut self.envelope else { return self.road.push(bytes, out) };
        let Envelope { unwrap, inside } = &mut **envelope;
        inside.clear();
        let unwrapped = unwrap.push(bytes, inside);
        self.road.push(inside, out)?;
        unwrapped
    }

    /// Shows a body that was sent to a provider (inference spec 3.5): the client asked to see it.
    /// Comes before anything else. The Messages grammar has no place for it.
    pub fn echo(&mut self, body: &[u8], out: &mut Vec<u8>) {
        let Ok(body) = std::str::from_utf8(body) else { return };
        match (self.skin.style, &mut self.road) {
            (AnswerStyle::Chat, _) => out.extend(echo_chunk(body, &self.identity)),
            (AnswerStyle::Completions, _) => {
                out.extend(write_answer::echo_chunk(body, &self.identity));
            }
            (AnswerStyle::Responses, Road::Events(road)) => road.echo(body, out),
            (AnswerStyle::Responses, Road::Responses(relay)) => relay.echo(body, out),
            _ => {}
        }
    }

    /// The provider closed its stream.
    ///
    /// # Errors
    /// `Truncated` when it did so before the answer was complete.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), StreamFault> {
        if let Some(envelope) = &mut self.envelope {
            envelope.unwrap.end()?;
        }
        match &mut self.road {
            Road::Chat(relay) => relay.end(out),
            Road::Messages(relay) => relay.end(out),
            Road::Responses(relay) => relay.end(out),
            Road::Events(road) => road.end(out),
        }
    }

    /// What was seen so far.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        match &self.road {
            Road::Chat(relay) => relay.facts(),
            Road::Messages(relay) => relay.facts(),
            Road::Responses(relay) => relay.facts(),
            Road::Events(road) => road.facts(),
        }
    }

    /// What of the answer so far the client can't be shown, because its dialect has no place for it.
    #[must_use]
    pub fn losses(&self) -> Vec<Loss> {
        match &self.road {
            Road::Events(road) => road.losses(),
            Road::Chat(_) | Road::Messages(_) | Road::Responses(_) => Vec::new(),
        }
    }

    /// What a complete answer ends with, before the end marker: in chat an event without choices
    /// but with usage (inference spec 3.1), in Messages `message_delta` and `message_stop` (C.7).
    #[must_use]
    pub fn usage_chunk(&self, report: &UsageReport, extras: &Extras<'_>) -> Vec<u8> {
        match &self.road {
            Road::Chat(relay) => relay.usage_chunk(report, extras),
            Road::Messages(relay) => relay.closing(report, extras),
            Road::Responses(relay) => relay.closing(report, extras),
            Road::Events(road) => road.closing(report, extras),
        }
    }

    /// What tells of an error inside the stream (inference spec 3.2).
    #[must_use]
    pub fn error_chunk(&self, error: &ApiError) -> Vec<u8> {
        match &self.road {
            Road::Events(road) => road.failing(error, &self.skin, &self.identity),
            Road::Responses(relay) => relay.failing(error, None, &Extras::default()),
            _ => error_chunk_of(&self.skin, error, &self.identity),
        }
    }
}

/// What tells of an error in a stream that began without any content.
#[must_use]
pub fn error_chunk_of(skin: &Skin, error: &ApiError, identity: &Identity) -> Vec<u8> {
    match skin.style {
        AnswerStyle::Chat => error_chunk(error, identity),
        AnswerStyle::Completions => write_answer::error_chunk(error, identity),
        AnswerStyle::Messages => error_event(error),
        AnswerStyle::Responses => ResponsesWriter::new(identity, skin.options, skin.asked())
            .failing(error, None, &Extras::default()),
    }
}

/// A whole Responses answer that has nothing but its error.
#[must_use]
pub fn error_document(skin: &Skin, error: &ApiError, identity: &Identity) -> Bytes {
    openai_responses::write_unary::write_failed_events(
        &[],
        error,
        identity,
        None,
        skin.options,
        &Extras::default(),
        &skin.asked(),
    )
}

/// A provider's whole answer, in whichever dialect it came.
#[derive(Debug, Clone)]
pub struct WholeAnswer {
    /// What was seen of it.
    pub facts: Facts,
    /// What of it could not be read.
    unread: Vec<Loss>,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    /// Ready to be spliced for a chat client.
    Chat(Box<UnaryAnswer>),
    /// Ready to be spliced for a Messages client.
    Messages(Box<WholeMessage>),
    /// Ready to be spliced for a Responses client.
    Responses(Box<WholeResponse>),
    Events(Vec<Event>),
}

impl WholeAnswer {
    fn new(facts: Facts, form: Form) -> Self {
        Self { facts, unread: Vec::new(), form }
    }

    /// What of the answer a client can't be shown, because its dialect has no place for it.
    #[must_use]
    pub fn losses(&self, style: AnswerStyle) -> Vec<Loss> {
        let mut losses = self.unread.clone();
        let mut notice = |events: &[Event]| {
            events.iter().for_each(|event| lost::notice(style, event, &mut losses));
        };
        match (&self.form, style) {
            (Form::Messages(_), AnswerStyle::Messages)
            | (Form::Responses(_), AnswerStyle::Responses)
            | (_, AnswerStyle::Chat) => {}
            (Form::Chat(answer), _) => notice(&read_unary_events(answer)),
            (Form::Messages(answer), _) => notice(answer.events()),
            (Form::Responses(answer), _) => notice(answer.events()),
            (Form::Events(events), _) => notice(events),
        }
        losses
    }

    /// The tool calls of the answer. Reads it once more.
    #[must_use]
    pub fn calls(&self) -> Calls {
        match &self.form {
            Form::Chat(answer) => Calls::of(&read_unary_events(answer)),
            Form::Messages(answer) => Calls::of(answer.events()),
            Form::Responses(answer) => Calls::of(answer.events()),
            Form::Events(events) => Calls::of(events),
        }
    }

    /// The answer as events.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        match &self.form {
            Form::Chat(answer) => read_unary_events(answer),
            Form::Messages(answer) => answer.events().to_vec(),
            Form::Responses(answer) => answer.events().to_vec(),
            Form::Events(events) => events.clone(),
        }
    }
}

/// Reads a whole answer that came with a success status.
///
/// # Errors
/// `InBand` when it is an error after all, `Malformed` when it is no answer in this dialect.
pub fn read_unary(provider: WireDialect, body: Bytes) -> Result<WholeAnswer, StreamFault> {
    read_watching(provider, body, None)
}

/// As [`read_unary`], but also looks where the provider's row says.
///
/// # Errors
/// As [`read_unary`].
pub fn read_watching(
    provider: WireDialect,
    body: Bytes,
    watch: Option<Arc<Watch>>,
) -> Result<WholeAnswer, StreamFault> {
    Ok(match provider {
        WireDialect::OpenaiChat => {
            let answer = unary::read_watching(body, watch)?;
            WholeAnswer::new(answer.facts.clone(), Form::Chat(Box::new(answer)))
        }
        WireDialect::AnthropicMessages => {
            let answer = relay_unary(body)?;
            WholeAnswer::new(answer.facts.clone(), Form::Messages(Box::new(answer)))
        }
        WireDialect::OpenaiResponses => {
            let answer = openai_responses::relay_unary::relay_unary(body)?;
            WholeAnswer::new(answer.facts.clone(), Form::Responses(Box::new(answer)))
        }
        WireDialect::CohereV2 => of_events(cohere_v2::unary::read_unary(&body)?),
        WireDialect::BedrockConverse => of_events(bedrock_converse::unary::read_unary(&body)?),
        WireDialect::OpenaiCompletions => of_events(read_answer::read_unary(&body)?),
        WireDialect::Gemini => {
            let answer = gemini::unary::read_unary(&body)?;
            WholeAnswer { unread: answer.losses, ..of_events((answer.events, answer.facts)) }
        }
    })
}

fn of_events((events, facts): (Vec<Event>, Facts)) -> WholeAnswer {
    WholeAnswer::new(facts, Form::Events(events))
}

/// Writes a whole answer for a client.
#[must_use]
pub fn write_unary(
    skin: &Skin,
    answer: &WholeAnswer,
    identity: &Identity,
    report: &UsageReport,
    extras: &Extras<'_>,
) -> Bytes {
    let options = skin.options;
    match (skin.style, &answer.form) {
        (AnswerStyle::Chat, Form::Chat(answer)) => {
            return unary::write_unary(answer, identity, report, options, extras);
        }
        (AnswerStyle::Messages, Form::Messages(answer)) => {
            return answer.write(identity, report, options, extras);
        }
        (AnswerStyle::Responses, Form::Responses(answer)) => {
            return answer.write(identity, report, options, extras, &skin.asked());
        }
        _ => {}
    }
    let write = match skin.style {
        AnswerStyle::Chat => write_stream::write_unary_events,
        AnswerStyle::Completions => write_answer::write_unary_events,
        AnswerStyle::Messages => anthropic_messages::write_unary::write_unary_events,
        AnswerStyle::Responses => {
            return openai_responses::write_unary::write_unary_events(
                &answer.events(),
                identity,
                report,
                options,
                extras,
                &skin.asked(),
            );
        }
    };
    write(&answer.events(), identity, report, options, extras)
}
