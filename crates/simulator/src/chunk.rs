//! Chunks of an `openai-chat` stream, written by hand because a benchmark waits for them.

use serde_json::Value;

use crate::answer::Token;

/// What all chunks of one answer begin with.
pub(crate) struct ChunkWriter {
    head: Vec<u8>,
}

/// Seconds since 1970 that all answers carry: answers do not depend on the clock.
pub(crate) const CREATED: i64 = 1_750_000_000;

/// Appends a text as a JSON string.
fn quote(text: &str, out: &mut Vec<u8>) {
    // Writing to a vector does not fail.
    let _ = serde_json::to_writer(out, text);
}

impl ChunkWriter {
    pub(crate) fn new(id: &str, model: &str) -> Self {
        let mut head = Vec::with_capacity(160);
        head.extend_from_slice(b"data: {\"id\":");
        quote(id, &mut head);
        head.extend_from_slice(b",\"object\":\"chat.completion.chunk\",\"created\":");
        head.extend_from_slice(CREATED.to_string().as_bytes());
        head.extend_from_slice(b",\"model\":");
        quote(model, &mut head);
        Self { head }
    }

    fn choice(&self, index: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":[{\"index\":");
        out.extend_from_slice(index.to_string().as_bytes());
        out.extend_from_slice(b",\"delta\":");
    }

    pub(crate) fn role(&self, index: u64, out: &mut Vec<u8>) {
        self.choice(index, out);
        out.extend_from_slice(
            b"{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n",
        );
    }

    pub(crate) fn token(&self, index: u64, token: &Token, out: &mut Vec<u8>) {
        out.reserve(self.head.len().saturating_add(128));
        self.choice(index, out);
        match token {
            Token::Text(text) => member("{\"content\":", text, "}", out),
            Token::Reasoning(text) => member("{\"reasoning_content\":", text, "}", out),
            Token::Image(url) => member(
                "{\"images\":[{\"type\":\"image_url\",\"image_url\":{\"url\":",
                url,
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

    pub(crate) fn finish(&self, index: u64, reason: &str, out: &mut Vec<u8>) {
        self.choice(index, out);
        member("{},\"finish_reason\":", reason, "}]}\n\n", out);
    }

    pub(crate) fn usage(&self, usage: &Value, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":[],\"usage\":");
        let _ = serde_json::to_writer(&mut *out, usage);
        out.extend_from_slice(b"}\n\n");
    }

    /// Half of a chunk, ended by the blank line of a whole one.
    pub(crate) fn half(&self, out: &mut Vec<u8>) {
        self.choice(0, out);
        out.extend_from_slice(b"{\"content\":\"lo\n\n");
    }

    /// A chunk whose members have the wrong types.
    pub(crate) fn wrong(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":\"none\",\"usage\":[1]}\n\n");
    }
}

fn member(before: &str, text: &str, after: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(before.as_bytes());
    quote(text, out);
    out.extend_from_slice(after.as_bytes());
}
