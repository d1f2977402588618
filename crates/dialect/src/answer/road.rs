//! The road through events: any reader, then any writer.

use super::AnswerStyle;
use crate::anthropic_messages::read_stream::MessagesReader;
use crate::anthropic_messages::write_stream::MessagesWriter;
use crate::conversation::WireDialect;
use crate::event::Event;
use crate::identity::{Extras, Facts, Identity, RelayOptions, StreamFault, UsageReport};
use crate::openai_chat::read_stream::ChatReader;
use crate::openai_chat::write_stream::ChatWriter;
use crate::openai_completions::write_answer::CompletionsWriter;

/// Turns a provider's stream into a client's.
#[derive(Debug)]
pub(super) struct EventRoad {
    reader: Reader,
    writer: Writer,
    events: Vec<Event>,
}

/// What understands the provider.
#[derive(Debug)]
pub(super) enum Reader {
    Chat(ChatReader),
    Messages(MessagesReader),
}

/// What the client understands.
#[derive(Debug)]
pub(super) enum Writer {
    Chat(ChatWriter),
    Completions(CompletionsWriter),
    Messages(MessagesWriter),
}

impl Reader {
    pub(super) fn new(provider: WireDialect) -> Self {
        match provider {
            WireDialect::OpenaiChat => Self::Chat(ChatReader::default()),
            WireDialect::AnthropicMessages => Self::Messages(MessagesReader::default()),
        }
    }
}

impl Writer {
    pub(super) fn new(style: AnswerStyle, identity: &Identity, options: RelayOptions) -> Self {
        match style {
            AnswerStyle::Chat => Self::Chat(ChatWriter::new(identity, options)),
            AnswerStyle::Completions => {
                Self::Completions(CompletionsWriter::new(identity, options))
            }
            AnswerStyle::Messages => Self::Messages(MessagesWriter::new(identity, options)),
        }
    }

    fn write(&mut self, event: &Event, out: &mut Vec<u8>) {
        match self {
            Self::Chat(writer) => writer.write(event, out),
            Self::Completions(writer) => writer.write(event, out),
            Self::Messages(writer) => writer.write(event, out),
        }
    }
}

impl EventRoad {
    pub(super) const fn new(reader: Reader, writer: Writer) -> Self {
        Self { reader, writer, events: Vec::new() }
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), StreamFault> {
        let result = match &mut self.reader {
            Reader::Chat(reader) => reader.push(bytes, &mut self.events),
            Reader::Messages(reader) => reader.push(bytes, &mut self.events),
        };
        self.write(out);
        result
    }

    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<(), StreamFault> {
        let result = match &mut self.reader {
            Reader::Chat(reader) => reader.end(&mut self.events),
            Reader::Messages(reader) => reader.end(&mut self.events),
        };
        self.write(out);
        result
    }

    fn write(&mut self, out: &mut Vec<u8>) {
        for event in self.events.drain(..) {
            self.writer.write(&event, out);
        }
    }

    pub(super) fn facts(&self) -> &Facts {
        match &self.reader {
            Reader::Chat(reader) => reader.facts(),
            Reader::Messages(reader) => reader.facts(),
        }
    }

    pub(super) fn closing(&self, report: &UsageReport, extras: &Extras<'_>) -> Vec<u8> {
        match &self.writer {
            Writer::Chat(writer) => writer.usage_chunk(report, extras),
            Writer::Completions(writer) => writer.usage_chunk(report, extras),
            Writer::Messages(writer) => writer.closing(report, extras),
        }
    }
}
