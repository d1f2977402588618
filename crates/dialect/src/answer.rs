//! One face for every way an answer reaches a client, so that the gateway drives them alike.

use bytes::Bytes;
use signalbox_core::ApiError;

use crate::identity::{Extras, Facts, Identity, RelayOptions, StreamFault, UsageReport};
use crate::openai_chat::error::error_chunk;
use crate::openai_chat::stream_relay::StreamRelay;
use crate::openai_chat::unary::{self, UnaryAnswer};
use crate::openai_completions::write_answer::{self, CompletionsStream};

pub use crate::openai_chat::stream_relay::{DONE, comment};
pub use crate::openai_chat::unary::read_unary;

/// The shape of answer that a client asked for. The provider always answers in `openai-chat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerStyle {
    /// `POST /chat/completions`.
    Chat,
    /// `POST /completions`.
    Completions,
}

/// A streamed answer on its way from a provider to a client.
#[derive(Debug)]
pub struct AnswerStream {
    identity: Identity,
    writer: Writer,
}

#[derive(Debug)]
enum Writer {
    Chat(StreamRelay),
    Completions(CompletionsStream),
}

impl AnswerStream {
    /// A stream of one generation.
    #[must_use]
    pub fn new(style: AnswerStyle, identity: Identity, options: RelayOptions) -> Self {
        let writer = match style {
            AnswerStyle::Chat => Writer::Chat(StreamRelay::new(&identity, options)),
            AnswerStyle::Completions => {
                Writer::Completions(CompletionsStream::new(&identity, options))
            }
        };
        Self { identity, writer }
    }

    /// Reads bytes of the provider and appends client-ready events to `out`: whole ones only,
    /// without comments, usage and end marker.
    ///
    /// # Errors
    /// When the answer cannot go on. What came before the fault is in `out`; the stream is then of
    /// no more use but for its facts and closing chunks.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), StreamFault> {
        match &mut self.writer {
            Writer::Chat(relay) => relay.push(bytes, out),
            Writer::Completions(stream) => stream.push(bytes, out),
        }
    }

    /// The provider closed its stream.
    ///
    /// # Errors
    /// `Truncated` when it did so before the answer was complete.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), StreamFault> {
        match &mut self.writer {
            Writer::Chat(relay) => relay.end(out),
            Writer::Completions(stream) => stream.end(out),
        }
    }

    /// What was seen so far.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        match &self.writer {
            Writer::Chat(relay) => relay.facts(),
            Writer::Completions(stream) => stream.facts(),
        }
    }

    /// The last event before [`DONE`]: no choices, but usage (inference spec 3.1).
    #[must_use]
    pub fn usage_chunk(&self, report: &UsageReport, extras: &Extras<'_>) -> Vec<u8> {
        match &self.writer {
            Writer::Chat(relay) => relay.usage_chunk(report, extras),
            Writer::Completions(stream) => stream.usage_chunk(report, extras),
        }
    }

    /// The event that tells of an error inside the stream (inference spec 3.2).
    #[must_use]
    pub fn error_chunk(&self, error: &ApiError) -> Vec<u8> {
        let style = match &self.writer {
            Writer::Chat(_) => AnswerStyle::Chat,
            Writer::Completions(_) => AnswerStyle::Completions,
        };
        error_chunk_of(style, error, &self.identity)
    }
}

/// The event that tells of an error in a stream that began without any content.
#[must_use]
pub fn error_chunk_of(style: AnswerStyle, error: &ApiError, identity: &Identity) -> Vec<u8> {
    match style {
        AnswerStyle::Chat => error_chunk(error, identity),
        AnswerStyle::Completions => write_answer::error_chunk(error, identity),
    }
}

/// Writes a whole answer for a client.
#[must_use]
pub fn write_unary(
    style: AnswerStyle,
    answer: &UnaryAnswer,
    identity: &Identity,
    report: &UsageReport,
    options: RelayOptions,
    extras: &Extras<'_>,
) -> Bytes {
    match style {
        AnswerStyle::Chat => unary::write_unary(answer, identity, report, options, extras),
        AnswerStyle::Completions => {
            write_answer::write_unary(answer, identity, report, options, extras)
        }
    }
}
