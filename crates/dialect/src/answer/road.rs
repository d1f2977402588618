//! The road through events: any reader, then any writer.

use std::sync::Arc;

use signalbox_core::ApiError;

use super::lost::notice;
use super::{AnswerStyle, Skin, error_chunk_of};
use crate::anthropic_messages::read_stream::MessagesReader;
use crate::anthropic_messages::write_stream::MessagesWriter;
use crate::bedrock_converse::read_stream::ConverseReader;
use crate::calls::Calls;
use crate::cohere_v2::read_stream::CohereReader;
use crate::conversation::WireDialect;
use crate::event::Event;
use crate::gemini::read_stream::GeminiReader;
use crate::identity::{Extras, Facts, Identity, StreamFault, UsageReport};
use crate::loss::{Loss, report};
use crate::openai_chat::read_stream::ChatReader;
use crate::openai_chat::write_stream::ChatWriter;
use crate::openai_completions::read_answer::CompletionsReader;
use crate::openai_completions::write_answer::CompletionsWriter;
use crate::openai_responses::read_stream::ResponsesReader;
use crate::openai_responses::write_stream::ResponsesWriter;
use crate::watch::Watch;

/// Turns a provider's stream into a client's.
#[derive(Debug)]
pub(super) struct EventRoad {
    reader: Reader,
    writer: Writer,
    style: AnswerStyle,
    events: Vec<Event>,
    losses: Vec<Loss>,
    /// The tool calls, when somebody wants them.
    calls: Option<Box<Calls>>,
}

/// What understands the provider.
#[derive(Debug)]
pub(super) enum Reader {
    Chat(ChatReader),
    Messages(MessagesReader),
    Responses(ResponsesReader),
    Gemini(GeminiReader),
    Cohere(CohereReader),
    Converse(ConverseReader),
    Completions(CompletionsReader),
}

/// What the client understands.
#[derive(Debug)]
pub(super) enum Writer {
    Chat(ChatWriter),
    Completions(CompletionsWriter),
    Messages(MessagesWriter),
    Responses(ResponsesWriter),
}

impl Reader {
    pub(super) fn new(provider: WireDialect, watch: Option<Arc<Watch>>) -> Self {
        match provider {
            WireDialect::OpenaiChat => Self::Chat(ChatReader::default().watching(watch)),
            WireDialect::AnthropicMessages => Self::Messages(MessagesReader::default()),
            WireDialect::OpenaiResponses => Self::Responses(ResponsesReader::default()),
            WireDialect::Gemini => Self::Gemini(GeminiReader::default()),
            WireDialect::CohereV2 => Self::Cohere(CohereReader::default()),
            WireDialect::BedrockConverse => Self::Converse(ConverseReader::default()),
            WireDialect::OpenaiCompletions => Self::Completions(CompletionsReader::default()),
        }
    }

    fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        match self {
            Self::Chat(reader) => reader.push(bytes, events),
            Self::Messages(reader) => reader.push(bytes, events),
            Self::Responses(reader) => reader.push(bytes, events),
            Self::Gemini(reader) => reader.push(bytes, events),
            Self::Cohere(reader) => reader.push(bytes, events),
            Self::Converse(reader) => reader.push(bytes, events),
            Self::Completions(reader) => reader.push(bytes, events),
        }
    }

    fn end(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        match self {
            Self::Chat(reader) => reader.end(events),
            Self::Messages(reader) => reader.end(events),
            Self::Responses(reader) => reader.end(events),
            Self::Gemini(reader) => reader.end(events),
            Self::Cohere(reader) => reader.end(events),
            Self::Converse(reader) => reader.end(events),
            Self::Completions(reader) => reader.end(events),
        }
    }

    fn facts(&self) -> &Facts {
        match self {
            Self::Chat(reader) => reader.facts(),
            Self::Messages(reader) => reader.facts(),
            Self::Responses(reader) => reader.facts(),
            Self::Gemini(reader) => reader.facts(),
            Self::Cohere(reader) => reader.facts(),
            Self::Converse(reader) => reader.facts(),
            Self::Completions(reader) => reader.facts(),
        }
    }
}

impl Writer {
    pub(super) fn new(skin: &Skin, identity: &Identity) -> Self {
        let options = skin.options;
        match skin.style {
            AnswerStyle::Chat => Self::Chat(ChatWriter::new(identity, options)),
            AnswerStyle::Completions => {
                Self::Completions(CompletionsWriter::new(identity, options))
            }
            AnswerStyle::Messages => Self::Messages(MessagesWriter::new(identity, options)),
            AnswerStyle::Responses => {
                Self::Responses(ResponsesWriter::new(identity, options, skin.asked()))
            }
        }
    }

    fn write(&mut self, event: &Event, out: &mut Vec<u8>) {
        match self {
            Self::Chat(writer) => writer.write(event, out),
            Self::Completions(writer) => writer.write(event, out),
            Self::Messages(writer) => writer.write(event, out),
            Self::Responses(writer) => writer.write(event, out),
        }
    }
}

impl EventRoad {
    pub(super) const fn new(reader: Reader, writer: Writer, style: AnswerStyle) -> Self {
        Self { reader, writer, style, events: Vec::new(), losses: Vec::new(), calls: None }
    }

    /// What was read and could not be shown, and what could not be read.
    pub(super) fn losses(&self) -> Vec<Loss> {
        let mut losses = self.losses.clone();
        let unread = match &self.reader {
            Reader::Gemini(reader) => reader.losses(),
            Reader::Converse(reader) => reader.losses(),
            _ => &[],
        };
        for loss in unread {
            report(&mut losses, loss.what, &loss.detail);
        }
        losses
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), StreamFault> {
        let result = self.reader.push(bytes, &mut self.events);
        self.write(out);
        result
    }

    /// Shows a body that was sent, where the grammar counts its events.
    pub(super) fn echo(&mut self, body: &str, out: &mut Vec<u8>) {
        if let Writer::Responses(writer) = &mut self.writer {
            writer.echo(body, out);
        }
    }

    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<(), StreamFault> {
        let result = self.reader.end(&mut self.events);
        self.write(out);
        result
    }

    fn write(&mut self, out: &mut Vec<u8>) {
        for event in self.events.drain(..) {
            notice(self.style, &event, &mut self.losses);
            if let Some(calls) = &mut self.calls {
                calls.event(&event);
            }
            self.writer.write(&event, out);
        }
    }

    pub(super) fn gather_calls(&mut self) {
        self.calls = Some(Box::default());
    }

    pub(super) fn calls(&self) -> Option<&Calls> {
        self.calls.as_deref()
    }

    pub(super) fn facts(&self) -> &Facts {
        self.reader.facts()
    }

    pub(super) fn closing(&self, report: &UsageReport, extras: &Extras<'_>) -> Vec<u8> {
        match &self.writer {
            Writer::Chat(writer) => writer.usage_chunk(report, extras),
            Writer::Completions(writer) => writer.usage_chunk(report, extras),
            Writer::Messages(writer) => writer.closing(report, extras),
            Writer::Responses(writer) => writer.closing(report, extras),
        }
    }

    /// What tells of an error after what was already written.
    pub(super) fn failing(&self, error: &ApiError, skin: &Skin, identity: &Identity) -> Vec<u8> {
        match &self.writer {
            Writer::Responses(writer) => writer.failing(error, None, &Extras::default()),
            _ => error_chunk_of(skin, error, identity),
        }
    }
}
