//! Chunks of an `openai-chat` stream, written by hand because a benchmark waits for them.

use serde_json::Value;

use super::unary::{annotations, early_usage, reason, sealed, usage};
use crate::answer::{Answer, PIXEL_KIND, Token};
use crate::dialect::{Failure, Recipient};
use crate::frames::{Frames, Writer};

/// What all chunks of one answer begin with.
pub(crate) struct ChunkWriter {
    head: Vec<u8>,
    wants_usage: bool,
}

/// Seconds since 1970 that all answers carry: answers do not depend on the clock.
pub(crate) const CREATED: i64 = 1_750_000_000;

/// Appends a text as a JSON string.
fn quote(text: &str, out: &mut Vec<u8>) {
    // Writing to a vector does not fail.
    let _ = serde_json::to_writer(out, text);
}

impl ChunkWriter {
    pub(crate) fn new(to: &Recipient<'_>) -> Self {
        let mut head = Vec::with_capacity(160);
        head.extend_from_slice(b"data: {\"id\":");
        quote(to.id, &mut head);
        head.extend_from_slice(b",\"object\":\"chat.completion.chunk\",\"created\":");
        head.extend_from_slice(CREATED.to_string().as_bytes());
        head.extend_from_slice(b",\"model\":");
        quote(to.model, &mut head);
        Self { head, wants_usage: to.wants_usage }
    }

    fn choice(&self, index: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":[{\"index\":");
        out.extend_from_slice(index.to_string().as_bytes());
        out.extend_from_slice(b",\"delta\":");
    }

    fn write_role(&self, index: u64, out: &mut Vec<u8>) {
        self.choice(index, out);
        out.extend_from_slice(
            b"{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n",
        );
    }

    fn write_token(&self, index: u64, token: &Token, out: &mut Vec<u8>) {
        out.reserve(self.head.len().saturating_add(128));
        self.choice(index, out);
        match token {
            Token::Text(text) => member("{\"content\":", text, "}", out),
            Token::Reasoning(text) => member("{\"reasoning_content\":", text, "}", out),
            Token::Refusal(text) => member("{\"refusal\":", text, "}", out),
            Token::Redacted => {
                out.extend_from_slice(b"{\"reasoning_details\":");
                let _ = serde_json::to_writer(&mut *out, &sealed());
                out.push(b'}');
            }
            Token::Image(data) => member(
                "{\"images\":[{\"type\":\"image_url\",\"image_url\":{\"url\":",
                &format!("data:{PIXEL_KIND};base64,{data}"),
                "}}]}",
                out,
            ),
            Token::Call { index, id, name } => {
                let start = format!("{{\"tool_calls\":[{{\"index\":{index},\"id\":");
                member(&start, id, ",\"type\":\"function\",\"function\":{\"name\":", out);
                member("", name, ",\"arguments\":\"\"}}]}", out);
            }
            Token::Arguments { index, piece } => {
                let start =
                    format!("{{\"tool_calls\":[{{\"index\":{index},\"function\":{{\"arguments\":");
                member(&start, piece, "}}]}", out);
            }
        }
        out.extend_from_slice(b",\"finish_reason\":null}]}\n\n");
    }

    fn write_finish(&self, index: u64, reason: &str, out: &mut Vec<u8>) {
        self.choice(index, out);
        member("{},\"finish_reason\":", reason, "}]}\n\n", out);
    }

    fn write_citation(&self, index: u64, out: &mut Vec<u8>) {
        self.choice(index, out);
        out.extend_from_slice(b"{\"annotations\":");
        let _ = serde_json::to_writer(&mut *out, &annotations());
        out.extend_from_slice(b"},\"finish_reason\":null}]}\n\n");
    }

    fn write_usage(&self, usage: &Value, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":[],\"usage\":");
        let _ = serde_json::to_writer(&mut *out, usage);
        out.extend_from_slice(b"}\n\n");
    }

    /// Half of a chunk, ended by the blank line of a whole one.
    fn write_half(&self, out: &mut Vec<u8>) {
        self.choice(0, out);
        out.extend_from_slice(b"{\"content\":\"lo\n\n");
    }

    /// A chunk whose members have the wrong types.
    fn write_wrong(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":\"none\",\"usage\":[1]}\n\n");
    }
}

impl ChunkWriter {
    /// One chunk for each choice, each with so many tokens.
    fn push(
        &self,
        answer: &Answer,
        tokens: u64,
        frames: &mut Frames,
        write: impl Fn(u64, &mut Vec<u8>),
    ) {
        for choice in 0..answer.choices {
            let mut out = frames.buffer();
            write(choice, &mut out);
            frames.push(out, tokens);
        }
    }
}

impl Writer for ChunkWriter {
    fn begin(&mut self, answer: &Answer, frames: &mut Frames) {
        self.push(answer, 0, frames, |choice, out| self.write_role(choice, out));
    }

    fn token(&mut self, token: &Token, answer: &Answer, frames: &mut Frames) {
        self.push(answer, 1, frames, |choice, out| self.write_token(choice, token, out));
    }

    fn finish(&mut self, answer: &Answer, done: bool, frames: &mut Frames) {
        if answer.cite {
            self.push(answer, 0, frames, |choice, out| self.write_citation(choice, out));
        }
        if let Some(finish) = answer.finish {
            let reason = reason(finish);
            self.push(answer, 0, frames, |choice, out| self.write_finish(choice, reason, out));
        }
        if self.wants_usage {
            let last = answer.counts().map(|counts| usage(&counts));
            for usage in [early_usage(answer), last].into_iter().flatten() {
                let mut out = Vec::new();
                self.write_usage(&usage, &mut out);
                frames.push_usage(out, 0, Some(usage));
            }
        }
        if done {
            frames.push(&b"data: [DONE]\n\n"[..], 0);
        }
    }

    fn error(&mut self, status: u16, frames: &mut Frames) {
        frames.push(format!("data: {}\n\n", super::error(&Failure::simulated(status))), 0);
    }

    fn half(&mut self, frames: &mut Frames) {
        let mut out = frames.buffer();
        self.write_half(&mut out);
        frames.push(out, 0);
    }

    fn wrong(&mut self, frames: &mut Frames) {
        let mut out = frames.buffer();
        self.write_wrong(&mut out);
        frames.push(out, 0);
    }
}

fn member(before: &str, text: &str, after: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(before.as_bytes());
    quote(text, out);
    out.extend_from_slice(after.as_bytes());
}
