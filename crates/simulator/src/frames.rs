//! What a dialect's writer hands out, and what every writer can do.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::answer::{Answer, Token};
use crate::behaviour::Halt;

const COMMENT: &[u8] = b": simulated keep-alive\n\n";

/// One step of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Beat {
    /// Bytes for the client, the tokens in them and the usage in them.
    Send { bytes: Bytes, tokens: u64, usage: Option<Value> },
    /// A pause.
    Wait(Duration),
    /// A pause until the model's answers are let on.
    Halt,
    /// Silence until the client leaves.
    Hang,
    /// The connection closes.
    Cut,
}

/// Steps that wait to be taken.
#[derive(Default)]
pub(crate) struct Frames {
    pub queue: VecDeque<Beat>,
    /// Whether a comment comes before every event, in dialects that have comments.
    pub comments: bool,
}

impl Frames {
    /// Puts a halt before what has usage in it, or behind it when it has something behind it.
    pub(crate) fn close(&mut self, halt: Option<Halt>) {
        let after = match halt {
            Some(Halt::BeforeUsage) => 0,
            Some(Halt::BeforeDone) => 1,
            _ => return,
        };
        let has_usage = |beat: &Beat| matches!(beat, Beat::Send { usage: Some(_), .. });
        let at = self.queue.iter().rposition(has_usage).unwrap_or_default();
        self.queue.insert(at.saturating_add(after).min(self.queue.len()), Beat::Halt);
    }

    /// An empty event, with the comment before it.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        if self.comments { COMMENT.to_vec() } else { Vec::new() }
    }

    /// Bytes that hold some tokens.
    pub(crate) fn push(&mut self, bytes: impl Into<Bytes>, tokens: u64) {
        self.queue.push_back(Beat::Send { bytes: bytes.into(), tokens, usage: None });
    }

    /// Bytes that hold some tokens and usage.
    pub(crate) fn push_usage(
        &mut self,
        bytes: impl Into<Bytes>,
        tokens: u64,
        usage: Option<Value>,
    ) {
        self.queue.push_back(Beat::Send { bytes: bytes.into(), tokens, usage });
    }

    /// A server-sent event, named or not.
    pub(crate) fn sse(&self, name: Option<&str>, data: &Value) -> Vec<u8> {
        let mut out = self.buffer();
        if let Some(name) = name {
            out.extend_from_slice(b"event: ");
            out.extend_from_slice(name.as_bytes());
            out.push(b'\n');
        }
        out.extend_from_slice(b"data: ");
        // Writing to a vector does not fail.
        let _ = serde_json::to_writer(&mut out, data);
        out.extend_from_slice(b"\n\n");
        out
    }
}

/// Writes one answer as the stream of a dialect.
pub(crate) trait Writer: Send + Sync {
    /// What comes before the first token.
    fn begin(&mut self, answer: &Answer, frames: &mut Frames);
    /// One token. A writer may hold it back until it can be written.
    fn token(&mut self, token: &Token, answer: &Answer, frames: &mut Frames);
    /// What comes after the last token; without `done` the terminal event is left out.
    fn finish(&mut self, answer: &Answer, done: bool, frames: &mut Frames);
    /// The dialect's error inside a stream.
    fn error(&mut self, status: u16, frames: &mut Frames);
    /// Half an event.
    fn half(&mut self, frames: &mut Frames);
    /// An event whose members have the wrong types.
    fn wrong(&mut self, frames: &mut Frames);
}
