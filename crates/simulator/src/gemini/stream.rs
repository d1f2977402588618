//! The chunks of a stream.

use serde_json::{Value, json};

use super::parts::PartWriter;
use super::{ending, error, feedback, usage};
use crate::answer::{Answer, Block, Token};
use crate::dialect::{Failure, Recipient};
use crate::frames::{Frames, Writer};

/// Writes the chunks. A function call leaves in one piece, once all of it is there.
pub(crate) struct ChunkWriter {
    id: String,
    model: String,
    array: bool,
    begun: bool,
    parts: PartWriter,
    held: Option<Block>,
    held_tokens: u64,
    sent: u64,
}

impl ChunkWriter {
    pub(crate) fn new(to: &Recipient<'_>) -> Self {
        Self {
            id: to.id.to_owned(),
            model: to.model.to_owned(),
            array: to.array,
            begun: false,
            parts: PartWriter::new(to.signs),
            held: None,
            held_tokens: 0,
            sent: 0,
        }
    }

    /// A chunk in the frame of the stream.
    fn frame(&mut self, chunk: &Value, frames: &Frames) -> Vec<u8> {
        if !self.array {
            return frames.sse(None, chunk);
        }
        let before = if self.begun { ",\r\n" } else { "[" };
        self.begun = true;
        format!("{before}{chunk}").into_bytes()
    }

    fn push(&mut self, members: Value, tokens: u64, answer: &Answer, frames: &mut Frames) {
        self.sent = self.sent.saturating_add(tokens);
        let usage = answer.counts().map(|_| usage(&answer.after(self.sent)));
        let mut chunk = members;
        if let Some(members) = chunk.as_object_mut() {
            members.insert("modelVersion".to_owned(), json!(self.model));
            members.insert("responseId".to_owned(), json!(self.id));
            if let Some(usage) = &usage {
                members.insert("usageMetadata".to_owned(), usage.clone());
            }
        }
        let bytes = self.frame(&chunk, frames);
        frames.push_usage(bytes, tokens, usage);
    }

    fn part(&mut self, block: Block, tokens: u64, answer: &Answer, frames: &mut Frames) {
        if let Some(part) = self.parts.part(block, answer) {
            let content = json!({"role": "model", "parts": [part]});
            let chunk = json!({"candidates": [{"content": content, "index": 0}]});
            self.push(chunk, tokens, answer, frames);
        }
    }

    fn release(&mut self, answer: &Answer, frames: &mut Frames) {
        if let Some(call) = self.held.take() {
            let tokens = std::mem::take(&mut self.held_tokens);
            self.part(call, tokens, answer, frames);
        }
    }
}

impl Writer for ChunkWriter {
    fn begin(&mut self, _answer: &Answer, _frames: &mut Frames) {}

    fn token(&mut self, token: &Token, answer: &Answer, frames: &mut Frames) {
        let block = match token {
            Token::Arguments { piece, .. } => {
                if let Some(Block::Call { arguments, .. }) = &mut self.held {
                    arguments.push_str(piece);
                    self.held_tokens = self.held_tokens.saturating_add(1);
                }
                return;
            }
            Token::Call { id, name, .. } => {
                self.release(answer, frames);
                let (id, name) = (id.clone(), name.clone());
                self.held = Some(Block::Call { id, name, arguments: String::new() });
                self.held_tokens = 1;
                return;
            }
            Token::Reasoning(piece) => Block::Reasoning(piece.clone()),
            Token::Text(piece) => Block::Text(piece.clone()),
            Token::Image(data) => Block::Image(data),
            Token::Redacted | Token::Refusal(_) => return,
        };
        self.release(answer, frames);
        self.part(block, 1, answer, frames);
    }

    fn finish(&mut self, answer: &Answer, done: bool, frames: &mut Frames) {
        self.release(answer, frames);
        if !done {
            return;
        }
        if answer.blocked {
            self.push(json!({"promptFeedback": feedback()}), 0, answer, frames);
        } else {
            let mut content = json!({"role": "model"});
            let signature = self.parts.last_signature(answer);
            if let (Some(signature), Some(members)) = (signature, content.as_object_mut()) {
                let parts = json!([{"text": "", "thoughtSignature": signature}]);
                members.insert("parts".to_owned(), parts);
            }
            let mut candidate = json!({"content": content, "index": 0});
            ending(answer, &mut candidate);
            self.push(json!({"candidates": [candidate]}), 0, answer, frames);
        }
        if self.array {
            frames.push(&b"]"[..], 0);
        }
    }

    fn error(&mut self, status: u16, frames: &mut Frames) {
        let bytes = self.frame(&error(&Failure::simulated(status)), frames);
        frames.push(bytes, 0);
        if self.array {
            frames.push(&b"]"[..], 0);
        }
    }

    fn half(&mut self, frames: &mut Frames) {
        frames.push(&b"data: {\"candidates\": [{\"content\": {\"parts\": [{\"te\r\n\r\n"[..], 0);
    }

    fn wrong(&mut self, frames: &mut Frames) {
        let chunk = json!({"candidates": "none", "usageMetadata": [1]});
        let bytes = self.frame(&chunk, frames);
        frames.push(bytes, 0);
    }
}
