//! The events of a stream.

use serde_json::{Value, json};

use super::{call_id, citation, error_type, stop_details, stop_reason, usage};
use crate::answer::{Answer, HIDDEN, Token};
use crate::dialect::{Carrier, Failure, Recipient};
use crate::frames::{Frames, Writer};
use crate::{base64, bedrock_converse, event_stream, mint};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Thinking,
    Text,
    Call,
}

/// Writes the events, each in the carrier's frame.
pub(crate) struct EventWriter {
    carrier: Carrier,
    id: String,
    model: String,
    /// Index of the block that is open or comes next.
    index: u64,
    open: Option<Kind>,
    /// Text of the open block.
    text: String,
    sent: u64,
}

impl EventWriter {
    pub(crate) fn new(to: &Recipient<'_>) -> Self {
        Self {
            carrier: to.carrier,
            id: to.id.to_owned(),
            model: to.model.to_owned(),
            index: 0,
            open: None,
            text: String::new(),
            sent: 0,
        }
    }

    fn frame(&self, name: &str, data: &Value, frames: &Frames) -> Vec<u8> {
        if self.carrier != Carrier::Invoke {
            return frames.sse(Some(name), data);
        }
        let bytes = base64::encode(data.to_string().as_bytes());
        event_stream::event("chunk", &json!({"bytes": bytes, "p": "abcdefgh"}))
    }

    fn event(&self, name: &str, data: &Value, tokens: u64, frames: &mut Frames) {
        let bytes = self.frame(name, data, frames);
        frames.push(bytes, tokens);
    }

    fn start(&mut self, kind: Kind, block: &Value, tokens: u64, frames: &mut Frames) {
        let data =
            json!({"type": "content_block_start", "index": self.index, "content_block": block});
        self.event("content_block_start", &data, tokens, frames);
        self.open = Some(kind);
        self.text.clear();
    }

    fn delta(&self, delta: &Value, tokens: u64, frames: &mut Frames) {
        let data = json!({"type": "content_block_delta", "index": self.index, "delta": delta});
        self.event("content_block_delta", &data, tokens, frames);
    }

    fn close(&mut self, answer: &Answer, frames: &mut Frames) {
        match self.open.take() {
            None => return,
            Some(Kind::Thinking) => {
                let signature = mint::signature(&self.text);
                let delta = json!({"type": "signature_delta", "signature": signature});
                self.delta(&delta, 0, frames);
            }
            Some(Kind::Text) if answer.cite => {
                let citation = citation(answer, &self.text);
                let delta = json!({"type": "citations_delta", "citation": citation});
                self.delta(&delta, 0, frames);
            }
            Some(Kind::Text | Kind::Call) => {}
        }
        let data = json!({"type": "content_block_stop", "index": self.index});
        self.event("content_block_stop", &data, 0, frames);
        self.index = self.index.saturating_add(1);
    }

    /// Opens a block of a kind unless one is open.
    fn ensure(&mut self, kind: Kind, block: &Value, answer: &Answer, frames: &mut Frames) {
        if self.open != Some(kind) {
            self.close(answer, frames);
            self.start(kind, block, 0, frames);
        }
    }

    fn message_delta(&self, answer: &Answer, tokens: Option<u64>, frames: &mut Frames) {
        let mut delta = json!({"stop_reason": null, "stop_sequence": null});
        let last = tokens.is_none();
        if let (true, Some(members)) = (last, delta.as_object_mut()) {
            members.insert("stop_reason".to_owned(), json!(answer.finish.map(stop_reason)));
            members.insert("stop_details".to_owned(), stop_details(answer));
        }
        let counts = answer.counts().map(|counts| tokens.map_or(counts, |n| answer.after(n)));
        let usage = counts.map(|counts| usage(&counts));
        let mut data = json!({"type": "message_delta", "delta": delta});
        if let (Some(usage), Some(members)) = (&usage, data.as_object_mut()) {
            members.insert("usage".to_owned(), usage.clone());
        }
        let bytes = self.frame("message_delta", &data, frames);
        frames.push_usage(bytes, 0, usage);
    }
}

impl Writer for EventWriter {
    fn begin(&mut self, answer: &Answer, frames: &mut Frames) {
        let mut message = json!({"id": self.id, "type": "message", "role": "assistant",
            "model": self.model, "content": [], "stop_reason": null, "stop_sequence": null});
        // One output token is a placeholder: the truth comes in `message_delta`.
        let usage = answer.counts().map(|_| {
            let mut usage = usage(&answer.after(0));
            if let Some(members) = usage.as_object_mut() {
                let first = u64::from(!answer.says_zero());
                members.insert("output_tokens".to_owned(), json!(first));
            }
            usage
        });
        if let (Some(usage), Some(members)) = (&usage, message.as_object_mut()) {
            members.insert("usage".to_owned(), usage.clone());
        }
        let data = json!({"type": "message_start", "message": message});
        let bytes = self.frame("message_start", &data, frames);
        frames.push_usage(bytes, 0, usage);
        if self.carrier == Carrier::Own {
            self.event("ping", &json!({"type": "ping"}), 0, frames);
        }
    }

    fn token(&mut self, token: &Token, answer: &Answer, frames: &mut Frames) {
        self.sent = self.sent.saturating_add(1);
        match token {
            Token::Reasoning(piece) => {
                let block = json!({"type": "thinking", "thinking": "", "signature": ""});
                self.ensure(Kind::Thinking, &block, answer, frames);
                self.text.push_str(piece);
                self.delta(&json!({"type": "thinking_delta", "thinking": piece}), 1, frames);
            }
            Token::Text(piece) => {
                let mut block = json!({"type": "text", "text": ""});
                if let (true, Some(members)) = (answer.cite, block.as_object_mut()) {
                    members.insert("citations".to_owned(), json!([]));
                }
                self.ensure(Kind::Text, &block, answer, frames);
                self.text.push_str(piece);
                self.delta(&json!({"type": "text_delta", "text": piece}), 1, frames);
            }
            Token::Redacted => {
                self.close(answer, frames);
                let block = json!({"type": "redacted_thinking", "data": mint::seal(HIDDEN)});
                self.start(Kind::Call, &block, 1, frames);
                self.close(answer, frames);
            }
            Token::Call { id, name, .. } => {
                self.close(answer, frames);
                let block =
                    json!({"type": "tool_use", "id": call_id(id), "name": name, "input": {}});
                self.start(Kind::Call, &block, 1, frames);
            }
            Token::Arguments { piece, .. } => {
                let delta = json!({"type": "input_json_delta", "partial_json": piece});
                self.delta(&delta, 1, frames);
            }
            Token::Refusal(_) | Token::Image(_) => {}
        }
    }

    fn finish(&mut self, answer: &Answer, done: bool, frames: &mut Frames) {
        self.close(answer, frames);
        if answer.reports_twice() {
            self.message_delta(answer, Some(1), frames);
        }
        self.message_delta(answer, None, frames);
        if done {
            let mut data = json!({"type": "message_stop"});
            if let (Carrier::Invoke, Some(members)) = (self.carrier, data.as_object_mut()) {
                let counts = answer.after(answer.len());
                let metrics = json!({"inputTokenCount": counts.fresh(),
                    "outputTokenCount": counts.output, "invocationLatency": 1,
                    "firstByteLatency": 1});
                members.insert("amazon-bedrock-invocationMetrics".to_owned(), metrics);
            }
            self.event("message_stop", &data, 0, frames);
        }
    }

    fn error(&mut self, status: u16, frames: &mut Frames) {
        if self.carrier == Carrier::Invoke {
            frames.push(bedrock_converse::exception(status), 0);
            return;
        }
        let message = Failure::simulated(status).message("", "");
        let error = json!({"type": error_type(status), "message": message});
        frames.push(frames.sse(Some("error"), &json!({"type": "error", "error": error})), 0);
    }

    fn half(&mut self, frames: &mut Frames) {
        let data = json!({"type": "content_block_delta", "index": self.index,
            "delta": {"type": "text_delta", "text": "lost"}});
        let whole = self.frame("content_block_delta", &data, frames);
        let mut half = whole.get(..whole.len() / 2).unwrap_or_default().to_vec();
        if self.carrier != Carrier::Invoke {
            half.extend_from_slice(b"\n\n");
        }
        frames.push(half, 0);
    }

    fn wrong(&mut self, frames: &mut Frames) {
        let data = json!({"type": "content_block_delta", "index": "none", "delta": [1]});
        self.event("content_block_delta", &data, 0, frames);
    }
}
