//! The beats of an answer: what is sent, in what order, with which pauses. No socket, no timer.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::behaviour::{Behaviour, Fault};
use crate::chunk::ChunkWriter;
use crate::unary;

/// Block that long lines are made of.
static FILL: [u8; 64 * 1024] = [b'x'; 64 * 1024];
const COMMENT: &[u8] = b": simulated keep-alive\n\n";
const LINE_HEAD: &[u8] = b"{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"";
const LINE_TAIL: &[u8] = b"\"}}]}";
const GARBAGE: &[u8] = b"data: \xff\xfe\x00{{]\n\n\x1b[31mdata:nope\r\n\r\ndata: \xc3\x28\n\n";
const HTML: &[u8] =
    b"<!doctype html><html><head><title>502</title></head><body>Bad gateway</body></html>\n";

/// One step of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Beat {
    /// Bytes for the client, the tokens in them and the usage in them.
    Send { bytes: Bytes, tokens: u64, usage: Option<Value> },
    /// A pause.
    Wait(Duration),
    /// Silence until the client leaves.
    Hang,
    /// The connection closes.
    Cut,
}

fn send(bytes: impl Into<Bytes>, tokens: u64) -> Beat {
    Beat::Send { bytes: bytes.into(), tokens, usage: None }
}

/// The body of an error answer in OpenAI's shape.
pub(crate) fn error_json(status: u16, code: Option<&str>) -> Value {
    let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
    let message = match code {
        Some("context_length_exceeded") => {
            "This model's maximum context length is 4096 tokens. Your messages are longer."
        }
        Some("content_policy_violation") => "The request was refused by the content policy.",
        _ => "A simulated failure.",
    };
    json!({"error": {"message": message, "type": kind, "param": null,
        "code": code.map_or_else(|| json!(status), |code| json!(code))}})
}

/// The beats of one answer.
pub(crate) enum Script {
    Stream(Box<Stream>),
    List(VecDeque<Beat>),
    Line { queue: VecDeque<Beat>, left: u64 },
}

impl Script {
    /// The beats of a streamed answer.
    pub(crate) fn streamed(answer: Answer, behaviour: Behaviour, to: Recipient<'_>) -> Self {
        match &behaviour.fault {
            Some(Fault::Garbage) => Self::list([send(GARBAGE, 0)]),
            Some(Fault::Html) => Self::list([send(HTML, 0)]),
            Some(Fault::Line(bytes)) => Self::line(b"data: ", *bytes),
            _ => Self::Stream(Box::new(Stream::new(answer, behaviour, to))),
        }
    }

    /// The beats of an answer in one piece, and its length where it is declared.
    pub(crate) fn whole(
        answer: &Answer,
        behaviour: &Behaviour,
        to: Recipient<'_>,
    ) -> (Self, Option<usize>) {
        let mut document = unary::document(answer, to.id, to.model);
        match &behaviour.fault {
            Some(Fault::Inband(_) | Fault::RoleThenError) => document = error_json(502, None),
            Some(Fault::WrongType) => document = json!({"id": to.id, "choices": "none"}),
            Some(Fault::Line(bytes)) => return (Self::line(b"", *bytes), None),
            _ => {}
        }
        let text = match &behaviour.fault {
            Some(Fault::Garbage) => Bytes::from_static(GARBAGE),
            Some(Fault::Html) => Bytes::from_static(HTML),
            _ => Bytes::from(document.to_string()),
        };
        let half = text.slice(..text.len() / 2);
        let tokens = document.get("choices").is_some_and(Value::is_array);
        let tokens = if tokens { answer.len().saturating_mul(answer.choices) } else { 0 };
        let length = Some(text.len());
        match &behaviour.fault {
            Some(Fault::CutAfter(_)) => (Self::list([send(half, 0), Beat::Cut]), length),
            Some(Fault::HangAfter(_)) => (Self::list([send(half, 0), Beat::Hang]), length),
            Some(Fault::TruncatedJson) => {
                let length = Some(half.len());
                (Self::list([send(half, 0)]), length)
            }
            _ => {
                let usage = document.get("usage").cloned();
                (Self::list([Beat::Send { bytes: text, tokens, usage }]), length)
            }
        }
    }

    /// One piece without tokens.
    pub(crate) fn once(bytes: Bytes) -> Self {
        Self::list([send(bytes, 0)])
    }

    fn list<const N: usize>(beats: [Beat; N]) -> Self {
        Self::List(VecDeque::from(beats))
    }

    fn line(prefix: &[u8], bytes: u64) -> Self {
        let head = [prefix, LINE_HEAD].concat();
        Self::Line { queue: VecDeque::from([send(head, 0)]), left: bytes }
    }

    /// Whether every beat was taken.
    pub(crate) fn is_over(&self) -> bool {
        match self {
            Self::Stream(stream) => stream.queue.is_empty() && stream.phase == Phase::Over,
            Self::List(list) => list.is_empty(),
            Self::Line { queue, left } => queue.is_empty() && *left == 0,
        }
    }
}

impl Iterator for Script {
    type Item = Beat;

    fn next(&mut self) -> Option<Beat> {
        match self {
            Self::Stream(stream) => stream.next(),
            Self::List(list) => list.pop_front(),
            Self::Line { queue, left } => queue.pop_front().or_else(|| {
                let block = FILL.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left = left.saturating_sub(block as u64);
                if *left == 0 && block > 0 {
                    queue.push_back(send(LINE_TAIL, 0));
                }
                FILL.get(..block).filter(|b| !b.is_empty()).map(|b| send(b, 0))
            }),
        }
    }
}

/// Whom an answer is written for.
#[derive(Clone, Copy)]
pub(crate) struct Recipient<'a> {
    pub id: &'a str,
    pub model: &'a str,
    /// Whether the request asked for usage in the stream.
    pub wants_usage: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Role,
    Token(u64),
    Finish,
    Over,
}

/// A stream in progress.
pub(crate) struct Stream {
    answer: Answer,
    behaviour: Behaviour,
    writer: ChunkWriter,
    wants_usage: bool,
    phase: Phase,
    queue: VecDeque<Beat>,
}

impl Stream {
    fn new(answer: Answer, behaviour: Behaviour, to: Recipient<'_>) -> Self {
        let writer = ChunkWriter::new(to.id, to.model);
        let mut queue = VecDeque::new();
        if !behaviour.first.is_zero() {
            queue.push_back(Beat::Wait(behaviour.first));
        }
        let wants_usage = to.wants_usage;
        Self { answer, behaviour, writer, wants_usage, phase: Phase::Role, queue }
    }

    fn next(&mut self) -> Option<Beat> {
        while self.queue.is_empty() && self.phase != Phase::Over {
            self.advance();
        }
        self.queue.pop_front()
    }

    fn advance(&mut self) {
        match self.phase {
            Phase::Role => {
                self.phase = Phase::Token(0);
                if self.behaviour.fault == Some(Fault::Inband(0)) {
                    return;
                }
                self.push(0, |w, choice, out| w.role(choice, out));
                match self.behaviour.fault {
                    Some(Fault::RoleThenError) => self.fail(503),
                    Some(Fault::WrongType) => {
                        self.push_one(0, |w, out| w.wrong(out));
                        self.phase = Phase::Finish;
                    }
                    _ => {}
                }
            }
            Phase::Token(at) => self.token(at),
            Phase::Finish => self.finish(),
            Phase::Over => {}
        }
    }

    fn token(&mut self, at: u64) {
        let reached = |n: u64| at >= n.min(self.answer.len());
        match self.behaviour.fault {
            Some(Fault::CutAfter(n)) if reached(n) => return self.stop(Beat::Cut),
            Some(Fault::HangAfter(n)) if reached(n) => return self.stop(Beat::Hang),
            Some(Fault::Inband(n)) if reached(n) => return self.fail(502),
            Some(Fault::TruncatedJson) if reached(1) => {
                self.push_one(0, |w, out| w.half(out));
                self.phase = Phase::Over;
                return;
            }
            _ => {}
        }
        let Some(token) = self.answer.token(at) else {
            self.phase = Phase::Finish;
            return;
        };
        if !self.behaviour.gap.is_zero() {
            self.queue.push_back(Beat::Wait(self.behaviour.gap));
        }
        self.push(1, |w, choice, out| w.token(choice, &token, out));
        self.phase = Phase::Token(at.saturating_add(1));
    }

    fn finish(&mut self) {
        self.phase = Phase::Over;
        if let Some(reason) = self.answer.finish {
            self.push(0, |w, choice, out| w.finish(choice, reason, out));
        }
        if self.wants_usage {
            for usage in [self.answer.early_usage(), self.answer.usage()].into_iter().flatten() {
                let mut out = Vec::new();
                self.writer.usage(&usage, &mut out);
                let beat = Beat::Send { bytes: out.into(), tokens: 0, usage: Some(usage) };
                self.queue.push_back(beat);
            }
        }
        if self.behaviour.done {
            self.queue.push_back(send(&b"data: [DONE]\n\n"[..], 0));
        }
    }

    fn stop(&mut self, beat: Beat) {
        self.queue.push_back(beat);
        self.phase = Phase::Over;
    }

    fn fail(&mut self, status: u16) {
        let frame = format!("data: {}\n\n", error_json(status, None));
        self.stop(send(frame, 0));
    }

    /// One chunk for each choice, each with so many tokens.
    fn push(&mut self, tokens: u64, write: impl Fn(&ChunkWriter, u64, &mut Vec<u8>)) {
        for choice in 0..self.answer.choices {
            self.push_one(tokens, |writer, out| write(writer, choice, out));
        }
    }

    fn push_one(&mut self, tokens: u64, write: impl Fn(&ChunkWriter, &mut Vec<u8>)) {
        let mut out = Vec::new();
        if self.behaviour.comments {
            out.extend_from_slice(COMMENT);
        }
        write(&self.writer, &mut out);
        self.queue.push_back(send(out, tokens));
    }
}

#[cfg(test)]
mod tests;
