//! Events as a Messages stream (inference spec 3.4 and C.7).
//!
//! In this dialect one block follows another, while events may have several open at once. A block
//! that opens while another is being written waits, and so does what is added to it. A tool call
//! whose arguments are whole makes way before it is closed: chat streams close calls at the end.
//!
//! An answer of this dialect never ends in thinking, and there are clients that show nothing of one
//! that does. So sealed reasoning of another format that comes after text is kept until something
//! follows it, and is left out when nothing does: only sealed calls have to come back.

mod slot;

use std::collections::VecDeque;

use super::stop_reason::{Seen, stop_reason};
use super::write_usage::{push_placeholder, push_usage};
use crate::event::{Block, Event, FinishReason, Piece};
use crate::identity::{Extras, Identity, RelayOptions, UsageReport};
use crate::scan::{push_string, text};
use slot::{Slot, State};

/// The event that keeps a quiet stream alive.
pub const PING: &[u8] = b"event: ping\ndata: {\"type\":\"ping\"}\n\n";

/// More annotations do not wait for their text.
const MOST_WAITING: usize = 16;

/// Writes a Messages stream from events. The first choice alone is written; generated images, audio
/// and asides have no place here. The end is the gateway's, and so is the event for an error.
#[derive(Debug, Clone)]
pub struct MessagesWriter {
    /// The first event, ready to be sent.
    start: Vec<u8>,
    exclude_reasoning: bool,
    begun: bool,
    /// By block number.
    slots: Vec<Slot>,
    /// Number of the block that is being written.
    current: Option<usize>,
    waiting: VecDeque<usize>,
    /// Sealed reasoning that is written once something follows.
    parked: Vec<usize>,
    /// Whether the last block on the wire is text.
    after_text: bool,
    /// Index of the next block on the wire.
    next: u32,
    /// Annotations that came before their text.
    sources: Vec<String>,
    end: End,
}

/// How the answer ended, as far as it is known.
#[derive(Debug, Clone, Default)]
pub(super) struct End {
    pub(super) reason: Option<FinishReason>,
    pub(super) native: Option<String>,
    pub(super) seen: Seen,
    /// The sequence that ended the answer, as raw JSON.
    pub(super) stop_sequence: Option<String>,
    /// More about a refusal, as raw JSON.
    pub(super) stop_details: Option<String>,
}

impl End {
    /// Notices what a block says about the end.
    pub(super) fn notice(&mut self, block: &Block, raw: Option<&str>) {
        match block {
            Block::Refusal => self.seen.refused = true,
            Block::ToolCall { .. } => self.seen.called = true,
            Block::Opaque { name } => match (name.as_str(), raw) {
                ("stop_sequence", Some(raw)) if text(raw).is_some() => {
                    self.stop_sequence = Some(raw.to_owned());
                }
                ("stop_details", Some(raw)) if raw.starts_with('{') => {
                    // Line ends can only stand between tokens, and would end the event.
                    self.stop_details = Some(raw.replace(['\n', '\r'], " "));
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// Appends the members that tell how the answer ended.
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        let native = self.native.as_deref();
        let reason = self.reason.and_then(|reason| stop_reason(reason, native, self.seen));
        out.extend_from_slice(b"\"stop_reason\":");
        match reason {
            Some(reason) => push_string(out, reason),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"stop_sequence\":");
        out.extend_from_slice(self.stop_sequence.as_deref().unwrap_or("null").as_bytes());
        out.extend_from_slice(b",\"stop_details\":");
        out.extend_from_slice(self.stop_details.as_deref().unwrap_or("null").as_bytes());
        out.extend_from_slice(b",\"container\":null");
    }
}

/// The members of a message before its content.
pub(super) fn push_head(out: &mut Vec<u8>, identity: &Identity) {
    out.extend_from_slice(b"{\"id\":");
    push_string(out, identity.id.as_str());
    out.extend_from_slice(b",\"type\":\"message\",\"role\":\"assistant\",\"model\":");
    push_string(out, &identity.model);
    out.extend_from_slice(b",\"provider\":");
    push_string(out, &identity.provider);
}

/// Begins an event: its name, and its data up to and including the type.
pub(super) fn push_event(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: {\"type\":\"");
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
}

/// The first event of an answer of which nothing is known yet.
pub(super) fn start_event(identity: &Identity) -> Vec<u8> {
    let mut start = Vec::with_capacity(512);
    push_event(&mut start, "message_start");
    start.extend_from_slice(b",\"message\":");
    push_head(&mut start, identity);
    start.extend_from_slice(b",\"content\":[],");
    End::default().push(&mut start);
    start.extend_from_slice(b",\"usage\":");
    push_placeholder(&mut start);
    start.extend_from_slice(b"}}\n\n");
    start
}

impl MessagesWriter {
    /// A writer for one answer.
    #[must_use]
    pub fn new(identity: &Identity, options: RelayOptions) -> Self {
        Self {
            start: start_event(identity),
            exclude_reasoning: options.exclude_reasoning,
            begun: false,
            slots: Vec::new(),
            current: None,
            waiting: VecDeque::new(),
            parked: Vec::new(),
            after_text: false,
            next: 0,
            sources: Vec::new(),
            end: End::default(),
        }
    }

    /// Appends what one event adds to the stream.
    pub fn write(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Open { choice, block, .. } => self.open(*choice, block, out),
            Event::Delta { index, piece } => self.delta(place(*index), piece, out),
            Event::Close { index } => {
                let at = place(*index);
                if let Some(slot) = self.slots.get_mut(at) {
                    slot.closed = true;
                }
                // Sources of a text come after it, so that it ends when something else begins.
                let is_text = self.slots.get(at).is_some_and(Slot::is_text);
                if self.current == Some(at) && (!is_text || !self.waiting.is_empty()) {
                    self.stop(out);
                    self.advance(out);
                }
            }
            Event::ChoiceEnd { choice: 0, reason, native } | Event::Finish { reason, native } => {
                self.begin(out);
                self.stop_closed(out);
                self.end.reason = Some(*reason);
                self.end.native.clone_from(native);
            }
            Event::Error(_) => self.stop_closed(out),
            Event::Begin { .. } | Event::ChoiceEnd { .. } | Event::Usage(_) => {}
        }
    }

    /// The last events: how the answer ended, what it took, and the stop.
    #[must_use]
    pub fn closing(&self, report: &UsageReport, extras: &Extras<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        let mut rest = self.clone();
        rest.begin(&mut out);
        rest.close_all(&mut out);
        push_event(&mut out, "message_delta");
        out.extend_from_slice(b",\"delta\":{");
        self.end.push(&mut out);
        out.extend_from_slice(b"},\"usage\":");
        push_usage(&mut out, report, extras);
        out.extend_from_slice(b"}\n\n");
        push_event(&mut out, "message_stop");
        if let Some(metadata) = extras.router_metadata {
            out.extend_from_slice(b",\"openrouter_metadata\":");
            out.extend_from_slice(metadata.as_bytes());
        }
        out.extend_from_slice(b"}\n\n");
        out
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            out.append(&mut self.start);
        }
    }

    fn open(&mut self, choice: u32, block: &Block, out: &mut Vec<u8>) {
        let at = self.slots.len();
        let slot = if choice == 0 {
            self.end.notice(block, None);
            Slot::new(block, self.exclude_reasoning)
        } else {
            Slot::dropped()
        };
        let is_written = slot.state == State::Waiting;
        self.slots.push(slot);
        if !is_written {
            return;
        }
        self.begin(out);
        let is_done = |slot: &Slot| slot.closed || slot.makes_way();
        if self.current.is_some_and(|at| self.slots.get(at).is_some_and(is_done)) {
            self.stop(out);
        }
        self.waiting.push_back(at);
        self.advance(out);
    }

    fn delta(&mut self, at: usize, piece: &Piece, out: &mut Vec<u8>) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        if let (Piece::Opaque(raw), Some(aside)) = (piece, &slot.aside) {
            self.end.notice(aside, Some(raw));
            let is_cited = matches!(aside, Block::Opaque { name } if name == "annotations");
            let said = self.current.filter(|_| is_cited).and_then(|at| self.slots.get(at));
            match said {
                Some(said) if said.is_text() => said.cite(raw, out),
                _ if is_cited && self.sources.len() < MOST_WAITING => {
                    self.sources.push(raw.clone())
                }
                _ => {}
            }
            return;
        }
        slot.add(piece, out);
        if !self.waiting.is_empty() && self.current == Some(at) && slot.makes_way() {
            self.stop(out);
            self.advance(out);
        }
    }

    /// Writes what has been waiting, as far as one block after the other allows.
    fn advance(&mut self, out: &mut Vec<u8>) {
        while self.current.is_none()
            && let Some(at) = self.waiting.pop_front()
        {
            self.current = Some(at);
            let last = self.waiting.is_empty();
            self.unpark(at, out);
            let index = self.next;
            let Some(slot) = self.slots.get_mut(at) else { continue };
            slot.start(index, out);
            if slot.is_text() {
                self.sources.drain(..).for_each(|list| slot.cite(&list, out));
            }
            let is_over = slot.closed && !(last && slot.is_text());
            if is_over || (!last && slot.makes_way()) {
                self.stop(out);
            }
        }
    }

    /// Ends the block that is being written.
    fn stop(&mut self, out: &mut Vec<u8>) {
        let Some(at) = self.current.take() else { return };
        if self.after_text && self.slots.get(at).is_some_and(Slot::is_sealed_elsewhere) {
            self.parked.push(at);
            return;
        }
        self.write_end(at, out);
    }

    fn write_end(&mut self, at: usize, out: &mut Vec<u8>) {
        if let Some(slot) = self.slots.get_mut(at)
            && slot.stop(self.next, out)
        {
            self.next = self.next.saturating_add(1);
            self.after_text = slot.is_text();
        }
    }

    /// Writes what was kept, now that a block follows which is seen.
    fn unpark(&mut self, next: usize, out: &mut Vec<u8>) {
        if self.slots.get(next).is_some_and(|slot| !slot.is_sealed_elsewhere()) {
            for at in std::mem::take(&mut self.parked) {
                self.write_end(at, out);
            }
        }
    }

    /// Ends the text whose end came, because nothing more is said of it.
    fn stop_closed(&mut self, out: &mut Vec<u8>) {
        if self.current.is_some_and(|at| self.slots.get(at).is_some_and(|slot| slot.closed)) {
            self.stop(out);
            self.advance(out);
        }
    }

    fn close_all(&mut self, out: &mut Vec<u8>) {
        for slot in &mut self.slots {
            slot.closed = true;
        }
        self.stop(out);
        self.advance(out);
    }
}

fn place(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}
