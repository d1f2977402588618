//! The frames of a stream.

use serde_json::{Value, json};

use super::{call_id, citation, exception, stop_reason, usage};
use crate::answer::{Answer, HIDDEN, Token};
use crate::dialect::Recipient;
use crate::frames::{Frames, Writer};
use crate::{event_stream, mint};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Reasoning,
    Text,
    Other,
}

/// Writes the events.
pub(crate) struct EventWriter {
    /// Index of the block that is open or comes next.
    index: u64,
    open: Option<Kind>,
    /// Text of the open block.
    text: String,
}

fn event(kind: &str, mut payload: Value, tokens: u64, frames: &mut Frames) {
    // Padding that hides the lengths of the tokens.
    if let Some(members) = payload.as_object_mut() {
        members.insert("p".to_owned(), json!("abcdefghijk"));
    }
    frames.push(event_stream::event(kind, &payload), tokens);
}

impl EventWriter {
    pub(crate) fn new(_to: &Recipient<'_>) -> Self {
        Self { index: 0, open: None, text: String::new() }
    }

    fn start(&mut self, start: &Value, tokens: u64, frames: &mut Frames) {
        let payload = json!({"contentBlockIndex": self.index, "start": start});
        event("contentBlockStart", payload, tokens, frames);
        self.open = Some(Kind::Other);
    }

    fn delta(&self, delta: &Value, tokens: u64, frames: &mut Frames) {
        let payload = json!({"contentBlockIndex": self.index, "delta": delta});
        event("contentBlockDelta", payload, tokens, frames);
    }

    fn close(&mut self, answer: &Answer, frames: &mut Frames) {
        match self.open.take() {
            None => return,
            Some(Kind::Reasoning) => {
                let signature = mint::signature(&self.text);
                self.delta(&json!({"reasoningContent": {"signature": signature}}), 0, frames);
            }
            Some(Kind::Text) if answer.cite => {
                self.delta(&json!({"citation": citation(answer, &self.text)}), 0, frames);
            }
            Some(Kind::Text | Kind::Other) => {}
        }
        self.text.clear();
        event("contentBlockStop", json!({"contentBlockIndex": self.index}), 0, frames);
        self.index = self.index.saturating_add(1);
    }

    /// Goes on with a block of a kind; text and reasoning have no start event.
    fn ensure(&mut self, kind: Kind, answer: &Answer, frames: &mut Frames) {
        if self.open != Some(kind) {
            self.close(answer, frames);
            self.open = Some(kind);
        }
    }

    fn metadata(counts: Option<Value>, frames: &mut Frames) {
        let mut payload = json!({"metrics": {"latencyMs": 1}, "p": "abcdefgh"});
        if let (Some(usage), Some(members)) = (&counts, payload.as_object_mut()) {
            members.insert("usage".to_owned(), usage.clone());
        }
        frames.push_usage(event_stream::event("metadata", &payload), 0, counts);
    }
}

impl Writer for EventWriter {
    fn begin(&mut self, _answer: &Answer, frames: &mut Frames) {
        event("messageStart", json!({"role": "assistant"}), 0, frames);
    }

    fn token(&mut self, token: &Token, answer: &Answer, frames: &mut Frames) {
        match token {
            Token::Reasoning(piece) => {
                self.ensure(Kind::Reasoning, answer, frames);
                self.text.push_str(piece);
                self.delta(&json!({"reasoningContent": {"text": piece}}), 1, frames);
            }
            Token::Text(piece) => {
                self.ensure(Kind::Text, answer, frames);
                self.text.push_str(piece);
                self.delta(&json!({"text": piece}), 1, frames);
            }
            Token::Redacted => {
                self.ensure(Kind::Other, answer, frames);
                let sealed = mint::seal(HIDDEN);
                self.delta(&json!({"reasoningContent": {"redactedContent": sealed}}), 1, frames);
                self.close(answer, frames);
            }
            Token::Call { id, name, .. } => {
                self.close(answer, frames);
                let start = json!({"toolUse": {"toolUseId": call_id(id), "name": name}});
                self.start(&start, 1, frames);
            }
            Token::Arguments { piece, .. } => {
                self.delta(&json!({"toolUse": {"input": piece}}), 1, frames);
            }
            Token::Image(data) => {
                self.close(answer, frames);
                self.start(&json!({"image": {"format": "png"}}), 0, frames);
                self.delta(&json!({"image": {"source": {"bytes": data}}}), 1, frames);
            }
            Token::Refusal(_) => {}
        }
    }

    fn finish(&mut self, answer: &Answer, done: bool, frames: &mut Frames) {
        self.close(answer, frames);
        if !done {
            return;
        }
        if let Some(finish) = answer.finish {
            event("messageStop", json!({"stopReason": stop_reason(finish)}), 0, frames);
        }
        if answer.reports_twice() {
            Self::metadata(Some(usage(&answer.after(1))), frames);
        }
        Self::metadata(answer.counts().map(|counts| usage(&counts)), frames);
    }

    fn error(&mut self, status: u16, frames: &mut Frames) {
        frames.push(exception(status), 0);
    }

    fn half(&mut self, frames: &mut Frames) {
        let payload = json!({"contentBlockIndex": self.index, "delta": {"text": "lost"}});
        let whole = event_stream::event("contentBlockDelta", &payload);
        frames.push(whole.get(..whole.len() / 2).unwrap_or_default().to_vec(), 0);
    }

    fn wrong(&mut self, frames: &mut Frames) {
        let payload = json!({"contentBlockIndex": "none", "delta": [1]});
        event("contentBlockDelta", payload, 0, frames);
    }
}
