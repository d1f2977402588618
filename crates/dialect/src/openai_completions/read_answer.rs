//! Legacy answers as events. A choice is brought to the shape of a chat choice and read as such: so
//! usage, errors, finish reasons and the end marker are the chat dialect's.

use bytes::Bytes;

use super::logprobs;
use crate::compose::{ArrayText, ObjectText};
use crate::document::{Kind, Raw};
use crate::event::Event;
use crate::frame::sse::{Frame, SseDecoder};
use crate::identity::{Facts, StreamFault};
pub use crate::openai_chat::error::read_error;
use crate::openai_chat::read_stream::{ChatReader, read_unary_events};
use crate::openai_chat::stream_relay::line_of;
use crate::openai_chat::unary;
use crate::scan::is_json;

/// Reads a provider's legacy stream.
#[derive(Debug, Default)]
pub struct CompletionsReader {
    decoder: SseDecoder,
    chat: ChatReader,
    /// The same stream in the chat dialect.
    lines: Vec<u8>,
    over: bool,
}

impl CompletionsReader {
    /// Reads bytes and appends their events.
    ///
    /// # Errors
    /// When the answer cannot go on; then the last event is an `Error` that says the same.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if self.over {
            return Ok(());
        }
        let lines = &mut self.lines;
        let result = self.decoder.push(bytes, |frame| {
            push_frame(frame, lines);
            Ok::<(), StreamFault>(())
        });
        self.read(result, events)
    }

    /// The provider closed the stream: the rest, usage and the finish.
    ///
    /// # Errors
    /// As [`Self::push`], and `Truncated` when the answer was not complete.
    pub fn end(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if self.over {
            return Ok(());
        }
        let lines = &mut self.lines;
        let result = self.decoder.end(|frame| {
            push_frame(frame, lines);
            Ok::<(), StreamFault>(())
        });
        self.read(result, events)?;
        self.over = true;
        self.chat.end(events)
    }

    /// What was seen so far.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        self.chat.facts()
    }

    fn read(
        &mut self,
        result: Result<(), StreamFault>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        let read = self.chat.push(&self.lines, events);
        self.lines.clear();
        let result = match (read, result) {
            (Ok(()), Err(fault)) => self.chat.fail(fault, events),
            (read, _) => read,
        };
        self.over |= result.is_err();
        result
    }
}

/// Reads a whole answer that came with a success status.
///
/// # Errors
/// `InBand` when it is an error after all, `Malformed` when it is no answer.
pub fn read_unary(body: &[u8]) -> Result<(Vec<Event>, Facts), StreamFault> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text =
        std::str::from_utf8(body).map_err(|error| StreamFault::Malformed(error.to_string()))?;
    let answer = unary::read_unary(Bytes::from(as_chat(text, "message")))?;
    Ok((read_unary_events(&answer), answer.facts))
}

fn push_frame(frame: Frame<'_>, lines: &mut Vec<u8>) {
    match frame {
        Frame::Comment(_) => {}
        Frame::Stray(line) => {
            lines.extend_from_slice(line);
            lines.push(b'\n');
        }
        Frame::Data { event, data } => {
            if !event.is_empty() {
                lines.extend_from_slice(b"event: ");
                lines.extend_from_slice(event);
                lines.push(b'\n');
            }
            lines.extend_from_slice(b"data: ");
            lines.extend_from_slice(as_chat(&line_of(data), "delta").as_bytes());
            lines.extend_from_slice(b"\n\n");
        }
    }
}

/// An answer with its choices in the chat dialect's shape. What is no answer stays as it is.
fn as_chat(text: &str, body: &str) -> String {
    let root = Raw::new(text);
    if !is_json(text) || root.kind() != Kind::Object {
        return text.to_owned();
    }
    let mut answer = ObjectText::new();
    for entry in root.members() {
        if entry.key != "choices" || entry.value.kind() != Kind::Array {
            answer.json(&entry.key, entry.value.text());
            continue;
        }
        let mut choices = ArrayText::new();
        for (_, choice) in entry.value.elements() {
            match choice.get("text") {
                Some(text) => choices.push(&chat_choice(choice, text, body)),
                None => choices.push(choice.text()),
            }
        }
        answer.json("choices", &choices.finish());
    }
    answer.finish()
}

fn chat_choice(choice: Raw<'_>, text: Raw<'_>, body: &str) -> String {
    let mut message = ObjectText::new();
    if body == "message" {
        message.text("role", "assistant");
    }
    if text.kind() == Kind::String {
        message.json("content", text.text());
    }
    let mut whole = ObjectText::new();
    for name in ["index", "finish_reason", "native_finish_reason", "error", "usage"] {
        whole.optional_json(name, choice.get(name).map(Raw::text));
    }
    for name in ["reasoning", "reasoning_content"] {
        message.optional_json(name, choice.get(name).map(Raw::text));
    }
    whole.json(body, &message.finish());
    whole.optional_json("logprobs", choice.get("logprobs").and_then(logprobs::member).as_deref());
    whole.finish()
}
