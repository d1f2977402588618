//! One face for every way an answer reaches a client, so that the gateway drives them alike.
//!
//! A chat answer for a chat client is spliced; every other pair of dialects is read as events and
//! written from them.

mod road;

use bytes::Bytes;
use signalbox_core::ApiError;

use crate::anthropic_messages;
use crate::anthropic_messages::write_error::error_event;
use crate::anthropic_messages::write_stream::PING;
use crate::conversation::WireDialect;
use crate::event::Event;
use crate::identity::{Extras, Facts, Identity, RelayOptions, StreamFault, UsageReport};
use crate::openai_chat::error::error_chunk;
use crate::openai_chat::read_stream::read_unary_events;
use crate::openai_chat::stream_relay::StreamRelay;
use crate::openai_chat::unary::{self, UnaryAnswer};
use crate::openai_chat::write_stream;
use crate::openai_completions::write_answer;
use road::{EventRoad, Reader, Writer};

pub use crate::openai_chat::stream_relay::{DONE, comment};

/// The shape of answer that a client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerStyle {
    /// `POST /chat/completions`.
    Chat,
    /// `POST /completions`.
    Completions,
    /// `POST /messages`.
    Messages,
}

impl AnswerStyle {
    /// What ends a stream, after its last event or its error.
    #[must_use]
    pub const fn end_marker(self) -> &'static [u8] {
        match self {
            Self::Chat | Self::Completions => DONE,
            Self::Messages => b"",
        }
    }

    /// What keeps a quiet stream alive: a comment with this text, or the dialect's own event.
    #[must_use]
    pub fn keep_alive(self, text: &str) -> Vec<u8> {
        match self {
            Self::Chat | Self::Completions => comment(text),
            Self::Messages => PING.to_vec(),
        }
    }
}

/// A streamed answer on its way from a provider to a client.
#[derive(Debug)]
pub struct AnswerStream {
    style: AnswerStyle,
    identity: Identity,
    road: Road,
}

#[derive(Debug)]
enum Road {
    Relay(Box<StreamRelay>),
    Events(Box<EventRoad>),
}

impl AnswerStream {
    /// A stream of one generation, which the provider sends in this dialect.
    #[must_use]
    pub fn new(
        style: AnswerStyle,
        provider: WireDialect,
        identity: Identity,
        options: RelayOptions,
    ) -> Self {
        let road = match (provider, style) {
            (WireDialect::OpenaiChat, AnswerStyle::Chat) => {
                Road::Relay(Box::new(StreamRelay::new(&identity, options)))
            }
            _ => {
                let (reader, writer) =
                    (Reader::new(provider), Writer::new(style, &identity, options));
                Road::Events(Box::new(EventRoad::new(reader, writer)))
            }
        };
        Self { style, identity, road }
    }

    /// Reads bytes of the provider and appends client-ready events to `out`: whole ones only,
    /// without comments, usage and end marker.
    ///
    /// # Errors
    /// When the answer cannot go on. What came before the fault is in `out`; the stream is then of
    /// no more use but for its facts and closing chunks.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), StreamFault> {
        match &mut self.road {
            Road::Relay(relay) => relay.push(bytes, out),
            Road::Events(road) => road.push(bytes, out),
        }
    }

    /// The provider closed its stream.
    ///
    /// # Errors
    /// `Truncated` when it did so before the answer was complete.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), StreamFault> {
        match &mut self.road {
            Road::Relay(relay) => relay.end(out),
            Road::Events(road) => road.end(out),
        }
    }

    /// What was seen so far.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        match &self.road {
            Road::Relay(relay) => relay.facts(),
            Road::Events(road) => road.facts(),
        }
    }

    /// What a complete answer ends with, before the end marker: in chat an event without choices
    /// but with usage (inference spec 3.1), in Messages `message_delta` and `message_stop` (C.7).
    #[must_use]
    pub fn usage_chunk(&self, report: &UsageReport, extras: &Extras<'_>) -> Vec<u8> {
        match &self.road {
            Road::Relay(relay) => relay.usage_chunk(report, extras),
            Road::Events(road) => road.closing(report, extras),
        }
    }

    /// The event that tells of an error inside the stream (inference spec 3.2).
    #[must_use]
    pub fn error_chunk(&self, error: &ApiError) -> Vec<u8> {
        error_chunk_of(self.style, error, &self.identity)
    }
}

/// The event that tells of an error in a stream that began without any content.
#[must_use]
pub fn error_chunk_of(style: AnswerStyle, error: &ApiError, identity: &Identity) -> Vec<u8> {
    match style {
        AnswerStyle::Chat => error_chunk(error, identity),
        AnswerStyle::Completions => write_answer::error_chunk(error, identity),
        AnswerStyle::Messages => error_event(error),
    }
}

/// A provider's whole answer, in whichever dialect it came.
#[derive(Debug, Clone)]
pub struct WholeAnswer {
    /// What was seen of it.
    pub facts: Facts,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    /// Ready to be spliced for a chat client.
    Chat(Box<UnaryAnswer>),
    Events(Vec<Event>),
}

impl WholeAnswer {
    /// The answer as events.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        match &self.form {
            Form::Chat(answer) => read_unary_events(answer),
            Form::Events(events) => events.clone(),
        }
    }
}

/// Reads a whole answer that came with a success status.
///
/// # Errors
/// `InBand` when it is an error after all, `Malformed` when it is no answer in this dialect.
pub fn read_unary(provider: WireDialect, body: Bytes) -> Result<WholeAnswer, StreamFault> {
    match provider {
        WireDialect::OpenaiChat => {
            let answer = unary::read_unary(body)?;
            Ok(WholeAnswer { facts: answer.facts.clone(), form: Form::Chat(Box::new(answer)) })
        }
        WireDialect::AnthropicMessages => {
            let (events, facts) = anthropic_messages::read_stream::read_unary_events(&body)?;
            Ok(WholeAnswer { facts, form: Form::Events(events) })
        }
    }
}

/// Writes a whole answer for a client.
#[must_use]
pub fn write_unary(
    style: AnswerStyle,
    answer: &WholeAnswer,
    identity: &Identity,
    report: &UsageReport,
    options: RelayOptions,
    extras: &Extras<'_>,
) -> Bytes {
    if let (AnswerStyle::Chat, Form::Chat(answer)) = (style, &answer.form) {
        return unary::write_unary(answer, identity, report, options, extras);
    }
    let write = match style {
        AnswerStyle::Chat => write_stream::write_unary_events,
        AnswerStyle::Completions => write_answer::write_unary_events,
        AnswerStyle::Messages => anthropic_messages::write_unary::write_unary_events,
    };
    write(&answer.events(), identity, report, options, extras)
}
