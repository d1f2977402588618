//! The beats of an answer: what is sent, in what order, with which pauses. No socket, no timer.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::answer::Answer;
use crate::behaviour::{Behaviour, Fault, Halt};
use crate::dialect::Recipient;
use crate::frames::{Beat, Frames, Writer};

/// Where in a document a halt stands; `None` where it has none. A document has no order of its
/// members, so that the last two halts are places near its end.
fn halt_at(halt: Option<Halt>, text: &Bytes) -> Option<usize> {
    match halt? {
        Halt::BeforeHeaders => None,
        Halt::BeforeBody => Some(0),
        Halt::AfterTokens(tokens) if tokens < 2 => Some(text.len() / 4),
        Halt::AfterTokens(_) => Some(text.len() / 2),
        Halt::BeforeUsage => Some(text.len() / 4 * 3),
        Halt::BeforeDone => Some(text.len().saturating_sub(1)),
    }
}

/// Block that long lines are made of.
static FILL: [u8; 64 * 1024] = [b'x'; 64 * 1024];
const LINE_HEAD: &[u8] = b"{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"";
const LINE_TAIL: &[u8] = b"\"}}]}";
const GARBAGE: &[u8] = b"data: \xff\xfe\x00{{]\n\n\x1b[31mdata:nope\r\n\r\ndata: \xc3\x28\n\n";
const HTML: &[u8] =
    b"<!doctype html><html><head><title>502</title></head><body>Bad gateway</body></html>\n";

fn send(bytes: impl Into<Bytes>, tokens: u64) -> Beat {
    Beat::Send { bytes: bytes.into(), tokens, usage: None }
}

/// The beats of one answer.
pub(crate) enum Script {
    Stream(Box<Stream>),
    List(VecDeque<Beat>),
    Line { queue: VecDeque<Beat>, left: u64 },
}

impl Script {
    /// The beats of a streamed answer.
    pub(crate) fn streamed(answer: Answer, behaviour: Behaviour, to: &Recipient<'_>) -> Self {
        match &behaviour.fault {
            Some(Fault::Garbage) => Self::list([send(GARBAGE, 0)]),
            Some(Fault::Html) => Self::list([send(HTML, 0)]),
            Some(Fault::Line(bytes)) => Self::line(b"data: ", *bytes),
            _ => Self::Stream(Box::new(Stream::new(answer, behaviour, to.dialect.writer(to)))),
        }
    }

    /// The beats of an answer in one piece, and its length where it is declared.
    pub(crate) fn whole(
        answer: &Answer,
        behaviour: &Behaviour,
        to: &Recipient<'_>,
    ) -> (Self, Option<usize>) {
        let (document, is_answer) = match &behaviour.fault {
            Some(Fault::Inband(_) | Fault::RoleThenError) => {
                (to.dialect.failed_document(to), false)
            }
            Some(Fault::WrongType) => (to.dialect.wrong_document(to), false),
            Some(Fault::Line(bytes)) => return (Self::line(b"", *bytes), None),
            _ => (to.dialect.document(answer, to), true),
        };
        let (text, is_answer) = match &behaviour.fault {
            Some(Fault::Garbage) => (Bytes::from_static(GARBAGE), false),
            Some(Fault::Html) => (Bytes::from_static(HTML), false),
            _ => (Bytes::from(document.to_string()), is_answer),
        };
        let half = text.slice(..text.len() / 2);
        let tokens = if is_answer { answer.len().saturating_mul(answer.choices) } else { 0 };
        let length = Some(text.len());
        match &behaviour.fault {
            Some(Fault::CutAfter(_)) => (Self::list([send(half, 0), Beat::Cut]), length),
            Some(Fault::HangAfter(_)) => (Self::list([send(half, 0), Beat::Hang]), length),
            Some(Fault::TruncatedJson) => {
                let length = Some(half.len());
                (Self::list([send(half, 0)]), length)
            }
            _ => {
                let usage = document.get(to.dialect.usage_member()).filter(|u| !u.is_null());
                let usage = usage.filter(|_| is_answer).cloned();
                let Some(cut) = halt_at(behaviour.halt, &text) else {
                    return (Self::list([Beat::Send { bytes: text, tokens, usage }]), length);
                };
                let (head, tail) = (text.slice(..cut), text.slice(cut..));
                let last = Beat::Send { bytes: tail, tokens, usage };
                (Self::list([send(head, 0), Beat::Halt, last]), length)
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
            Self::Stream(stream) => stream.frames.queue.is_empty() && stream.phase == Phase::Over,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Begin,
    Token(u64),
    Finish,
    Over,
}

/// A stream in progress.
pub(crate) struct Stream {
    answer: Answer,
    behaviour: Behaviour,
    writer: Box<dyn Writer>,
    phase: Phase,
    frames: Frames,
    /// Whether the halt between tokens is over.
    has_halted: bool,
}

impl Stream {
    fn new(answer: Answer, behaviour: Behaviour, writer: Box<dyn Writer>) -> Self {
        let mut frames = Frames { comments: behaviour.comments, ..Frames::default() };
        if !behaviour.first.is_zero() {
            frames.queue.push_back(Beat::Wait(behaviour.first));
        }
        if behaviour.halt == Some(Halt::BeforeBody) {
            frames.queue.push_back(Beat::Halt);
        }
        Self { answer, behaviour, writer, phase: Phase::Begin, frames, has_halted: false }
    }

    fn next(&mut self) -> Option<Beat> {
        while self.frames.queue.is_empty() && self.phase != Phase::Over {
            self.advance();
        }
        self.frames.queue.pop_front()
    }

    fn advance(&mut self) {
        match self.phase {
            Phase::Begin => {
                self.phase = Phase::Token(0);
                if self.behaviour.fault == Some(Fault::Inband(0)) {
                    return;
                }
                self.writer.begin(&self.answer, &mut self.frames);
                match self.behaviour.fault {
                    Some(Fault::RoleThenError) => self.fail(503),
                    Some(Fault::WrongType) => {
                        self.writer.wrong(&mut self.frames);
                        self.phase = Phase::Finish;
                    }
                    _ => {}
                }
            }
            Phase::Token(at) => self.token(at),
            Phase::Finish => {
                self.phase = Phase::Over;
                self.writer.finish(&self.answer, self.behaviour.done, &mut self.frames);
                self.frames.close(self.behaviour.halt);
            }
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
                self.writer.half(&mut self.frames);
                self.phase = Phase::Over;
                return;
            }
            _ => {}
        }
        if self.behaviour.halt == Some(Halt::AfterTokens(at)) && !self.has_halted {
            self.has_halted = true;
            self.frames.queue.push_back(Beat::Halt);
            return;
        }
        let Some(token) = self.answer.token(at) else {
            self.phase = Phase::Finish;
            return;
        };
        if !self.behaviour.gap.is_zero() {
            self.frames.queue.push_back(Beat::Wait(self.behaviour.gap));
        }
        self.writer.token(&token, &self.answer, &mut self.frames);
        self.phase = Phase::Token(at.saturating_add(1));
    }

    fn stop(&mut self, beat: Beat) {
        self.frames.queue.push_back(beat);
        self.phase = Phase::Over;
    }

    fn fail(&mut self, status: u16) {
        self.writer.error(status, &mut self.frames);
        self.phase = Phase::Over;
    }
}

#[cfg(test)]
mod tests;
