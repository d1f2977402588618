//! The events of a stream.

use serde_json::{Value, json};

use super::{citation, reason, usage};
use crate::answer::{Answer, Token};
use crate::dialect::{Failure, Recipient};
use crate::frames::{Frames, Writer};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Thinking,
    Text,
    Call(usize),
}

/// Writes the events.
pub(crate) struct EventWriter {
    id: String,
    /// Index of the content block that is open or comes next.
    index: u64,
    open: Option<Kind>,
    text: String,
}

fn event(data: &Value, tokens: u64, frames: &mut Frames) {
    let name = data.get("type").and_then(Value::as_str);
    frames.push(frames.sse(name, data), tokens);
}

impl EventWriter {
    pub(crate) fn new(to: &Recipient<'_>) -> Self {
        Self { id: to.id.to_owned(), index: 0, open: None, text: String::new() }
    }

    fn close(&mut self, answer: &Answer, frames: &mut Frames) {
        match self.open.take() {
            None => {}
            Some(Kind::Call(index)) => {
                event(&json!({"type": "tool-call-end", "index": index}), 0, frames);
            }
            Some(kind) => {
                event(&json!({"type": "content-end", "index": self.index}), 0, frames);
                self.index = self.index.saturating_add(1);
                if answer.cite && kind == Kind::Text {
                    let delta = json!({"message": {"citations": citation(&self.text)}});
                    let start = json!({"type": "citation-start", "index": 0, "delta": delta});
                    event(&start, 0, frames);
                    event(&json!({"type": "citation-end", "index": 0}), 0, frames);
                }
            }
        }
        self.text.clear();
    }

    fn content(&mut self, kind: Kind, piece: &str, answer: &Answer, frames: &mut Frames) {
        let name = if kind == Kind::Thinking { "thinking" } else { "text" };
        if self.open != Some(kind) {
            self.close(answer, frames);
            let content = json!({"type": name, name: ""});
            let delta = json!({"message": {"content": content}});
            let start = json!({"type": "content-start", "index": self.index, "delta": delta});
            event(&start, 0, frames);
            self.open = Some(kind);
        }
        self.text.push_str(piece);
        let delta = json!({"message": {"content": {name: piece}}});
        event(&json!({"type": "content-delta", "index": self.index, "delta": delta}), 1, frames);
    }

    fn end(&self, delta: &Value, usage: Option<Value>, frames: &mut Frames) {
        let data = json!({"type": "message-end", "id": self.id, "delta": delta});
        frames.push_usage(frames.sse(Some("message-end"), &data), 0, usage);
    }
}

impl Writer for EventWriter {
    fn begin(&mut self, _answer: &Answer, frames: &mut Frames) {
        let message = json!({"role": "assistant", "content": [], "tool_plan": "",
            "tool_calls": [], "citations": []});
        let delta = json!({ "message": message });
        event(&json!({"type": "message-start", "id": self.id, "delta": delta}), 0, frames);
    }

    fn token(&mut self, token: &Token, answer: &Answer, frames: &mut Frames) {
        match token {
            Token::Reasoning(piece) if answer.plan => {
                let delta = json!({"message": {"tool_plan": piece}});
                event(&json!({"type": "tool-plan-delta", "delta": delta}), 1, frames);
            }
            Token::Reasoning(piece) => self.content(Kind::Thinking, piece, answer, frames),
            Token::Text(piece) | Token::Refusal(piece) => {
                self.content(Kind::Text, piece, answer, frames);
            }
            Token::Call { index, id, name } => {
                self.close(answer, frames);
                let function = json!({"name": name, "arguments": ""});
                let call = json!({"id": id, "type": "function", "function": function});
                let delta = json!({"message": {"tool_calls": call}});
                let start = json!({"type": "tool-call-start", "index": index, "delta": delta});
                event(&start, 1, frames);
                self.open = Some(Kind::Call(*index));
            }
            Token::Arguments { index, piece } => {
                let function = json!({ "arguments": piece });
                let delta = json!({"message": {"tool_calls": {"function": function}}});
                event(
                    &json!({"type": "tool-call-delta", "index": index, "delta": delta}),
                    1,
                    frames,
                );
            }
            Token::Redacted | Token::Image(_) => {}
        }
    }

    fn finish(&mut self, answer: &Answer, done: bool, frames: &mut Frames) {
        self.close(answer, frames);
        if !done {
            return;
        }
        let usage = answer.counts().map(|counts| usage(&counts));
        let mut delta = json!({});
        let Some(members) = delta.as_object_mut() else { return };
        if let Some(finish) = answer.finish {
            members.insert("finish_reason".to_owned(), json!(reason(finish)));
        }
        if let Some(usage) = &usage {
            members.insert("usage".to_owned(), usage.clone());
        }
        self.end(&delta, usage, frames);
    }

    fn error(&mut self, _status: u16, frames: &mut Frames) {
        let message = Failure::simulated(500).message("", "");
        self.end(&json!({"finish_reason": "ERROR", "error": message}), None, frames);
    }

    fn half(&mut self, frames: &mut Frames) {
        frames.push(&b"event: content-delta\ndata: {\"type\":\"content-delta\",\"del\n\n"[..], 0);
    }

    fn wrong(&mut self, frames: &mut Frames) {
        event(&json!({"type": "content-delta", "index": "none", "delta": [1]}), 0, frames);
    }
}
