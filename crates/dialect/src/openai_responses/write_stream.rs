//! Events as a Responses stream (inference spec 3.4, 16.4 and C.8).
//!
//! Items may be open side by side: each event names its item. An item that is closed ends on the
//! wire when another begins or when the answer does, because only then is it known to be whole.

use std::sync::Arc;

use signalbox_core::ApiError;

use super::error::{error_object, is_about_length};
use super::item::{Emit, Item, Shape, shape_of};
use super::response::{Asked, State, Status, push_response};
use super::write_usage::write_usage;
use crate::event::{Block, Event, FinishReason, Piece};
use crate::identity::{Extras, Identity, RelayOptions, UsageReport};
use crate::openai_chat::echo::echoed;
use crate::scan;

/// Writes a Responses stream from events. The first choice alone is written; generated audio and
/// most asides have no place here. The end is the gateway's, and so is what tells of an error.
#[derive(Debug, Clone)]
pub struct ResponsesWriter {
    identity: Identity,
    asked: Arc<Asked>,
    exclude_reasoning: bool,
    begun: bool,
    /// Number of the next event.
    sequence: u64,
    items: Vec<Item>,
    /// By block number.
    places: Vec<Place>,
    /// What was told of a text before it began.
    waiting: Vec<(Place, String)>,
    end: Option<(FinishReason, Option<String>)>,
}

/// Where a block is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Nowhere,
    /// An aside that cites sources of a text.
    Citations,
    /// An aside with the probabilities of a text's tokens.
    Logprobs,
    /// An item, and for readable reasoning which part of it.
    Item(usize, Option<usize>),
}

impl ResponsesWriter {
    /// A writer for one answer to a request.
    #[must_use]
    pub fn new(identity: &Identity, options: RelayOptions, asked: Arc<Asked>) -> Self {
        Self {
            identity: identity.clone(),
            asked,
            exclude_reasoning: options.exclude_reasoning,
            begun: false,
            sequence: 0,
            items: Vec::new(),
            places: Vec::new(),
            waiting: Vec::new(),
            end: None,
        }
    }

    /// Appends what one event adds to the stream.
    pub fn write(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Open { choice, block, .. } => self.open(*choice, block, out),
            Event::Delta { index, piece } => self.delta(*index, piece, out),
            Event::Close { index } => {
                let at = usize::try_from(*index).unwrap_or(usize::MAX);
                if let Some(Place::Item(at, part)) = self.places.get(at)
                    && let Some(item) = self.items.get_mut(*at)
                {
                    item.close(*part);
                }
            }
            Event::ChoiceEnd { choice: 0, reason, native } | Event::Finish { reason, native } => {
                self.end.get_or_insert_with(|| (*reason, native.clone()));
            }
            Event::Begin { .. } | Event::ChoiceEnd { .. } | Event::Usage(_) | Event::Error(_) => {}
        }
    }

    /// A body that was sent to a provider, for a client that wants to see it (inference spec 3.5).
    pub fn echo(&mut self, body: &str, out: &mut Vec<u8>) {
        let members = echoed(body);
        push_event(out, &mut self.sequence, "response.debug", members.as_bytes());
    }

    /// The last events of an answer: its items end, then the response does.
    #[must_use]
    pub fn closing(&self, report: &UsageReport, extras: &Extras<'_>) -> Vec<u8> {
        self.end_with(&self.status(), Some(report), extras)
    }

    /// The last events of an answer that failed after it began. An error about a length is no
    /// failure: the answer is incomplete (inference spec 4.8).
    #[must_use]
    pub fn failing(
        &self,
        error: &ApiError,
        report: Option<&UsageReport>,
        extras: &Extras<'_>,
    ) -> Vec<u8> {
        self.end_with(&status_of(error), report, extras)
    }

    /// The response object as it is at the end.
    pub(super) fn whole(
        mut self,
        status: &Status,
        report: Option<&UsageReport>,
        extras: &Extras<'_>,
    ) -> Vec<u8> {
        self.finish_all(status, &mut Vec::new());
        let mut out = Vec::with_capacity(2048);
        push_response(&mut out, &self.identity, &self.asked, &self.state(status, report, extras));
        out
    }

    /// How the answer ended.
    pub(super) fn status(&self) -> Status {
        match self.end.as_ref().map(|(reason, _)| reason) {
            None | Some(FinishReason::Stop | FinishReason::ToolCalls) => Status::Completed,
            Some(FinishReason::Length) => Status::Incomplete("max_output_tokens"),
            Some(FinishReason::ContentFilter) => Status::Incomplete("content_filter"),
            Some(FinishReason::Error) => {
                let error = ApiError::new(
                    signalbox_core::ErrorKind::ProviderUnavailable,
                    "The provider did not finish the answer.",
                );
                status_of(&error)
            }
        }
    }

    fn end_with(
        &self,
        status: &Status,
        report: Option<&UsageReport>,
        extras: &Extras<'_>,
    ) -> Vec<u8> {
        let mut out = Vec::with_capacity(4096);
        let mut rest = self.clone();
        rest.begin(&mut out);
        rest.finish_all(status, &mut out);
        let mut members = b",\"response\":".to_vec();
        let state = rest.state(status, report, extras);
        push_response(&mut members, &self.identity, &self.asked, &state);
        let name = format!("response.{}", status.name());
        push_event(&mut out, &mut rest.sequence, &name, &members);
        out
    }

    fn state<'a>(
        &'a self,
        status: &Status,
        report: Option<&UsageReport>,
        extras: &Extras<'a>,
    ) -> State<'a> {
        State {
            status: status.clone(),
            completed_at: (*status == Status::Completed).then_some(extras.completed_at),
            output: self.items.iter().filter_map(|item| item.done.as_deref()).collect(),
            usage: report.map(write_usage),
            service_tier: extras.service_tier,
            router_metadata: extras.router_metadata,
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let mut members = b",\"response\":".to_vec();
        push_response(&mut members, &self.identity, &self.asked, &State::begun());
        for name in ["response.created", "response.in_progress"] {
            push_event(out, &mut self.sequence, name, &members);
        }
    }

    fn open(&mut self, choice: u32, block: &Block, out: &mut Vec<u8>) {
        let shape = shape_of(block, |tool| self.asked.is_custom(tool));
        let is_reasoning = matches!(block, Block::Reasoning { .. });
        let mut place = match shape {
            _ if choice != 0 || (is_reasoning && self.exclude_reasoning) => Place::Nowhere,
            None if matches!(block, Block::Opaque { name } if name == "annotations") => {
                Place::Citations
            }
            None if matches!(block, Block::Opaque { name } if name == "logprobs") => {
                Place::Logprobs
            }
            None => Place::Nowhere,
            Some(shape) => Place::Item(self.item(shape, block, out), None),
        };
        if let (Place::Item(at, part), Block::Reasoning { form, .. }) = (&mut place, block)
            && let Some(item) = self.items.get_mut(*at)
        {
            *part = item.think(*form, &mut emitter(&mut self.sequence, out));
        }
        self.places.push(place);
    }

    /// The number of the item that a block goes to: reasoning of one id is one item, everything
    /// else begins its own.
    fn item(&mut self, shape: Shape, block: &Block, out: &mut Vec<u8>) -> usize {
        let reasoning_id = match block {
            Block::Reasoning { id, .. } => id.clone().filter(|id| !id.is_empty()),
            _ => None,
        };
        let joins = |item: &Item| item.done.is_none() && item.reasoning_id == reasoning_id;
        if reasoning_id.is_some()
            && let Some(at) = self.items.iter().rposition(joins)
        {
            if let Some(item) = self.items.get_mut(at) {
                item.open = item.open.saturating_add(1);
            }
            return at;
        }
        self.begin(out);
        self.finish_closed(out);
        let at = self.items.len();
        // Ids of items are ours, but for reasoning: its provider may ask for its own again. An id
        // that was used before would name two items.
        let is_free = |id: &String| self.items.iter().all(|item| item.id != *id);
        let id = reasoning_id.clone().filter(is_free).unwrap_or_else(|| {
            let generation = self.identity.id.as_str();
            let rest = generation.strip_prefix("gen-").unwrap_or(generation);
            format!("{}_{rest}_{at}", shape.prefix())
        });
        let mut item = Item::new(id, at, shape);
        item.reasoning_id = reasoning_id;
        let mut emit = emitter(&mut self.sequence, out);
        item.begin(&mut emit);
        if item.shape == Shape::Text {
            for (place, told) in self.waiting.drain(..) {
                tell(&mut item, place, &told, &mut emit);
            }
        }
        self.items.push(item);
        at
    }

    fn delta(&mut self, index: u32, piece: &Piece, out: &mut Vec<u8>) {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let mut emit = emitter(&mut self.sequence, out);
        match self.places.get(at) {
            Some(Place::Item(at, part)) => {
                if let Some(item) = self.items.get_mut(*at) {
                    item.add(piece, *part, &mut emit);
                }
            }
            Some(place @ (Place::Citations | Place::Logprobs)) => {
                let (place, Piece::Opaque(told)) = (*place, piece) else { return };
                match open_text(&mut self.items) {
                    Some(item) => tell(item, place, told, &mut emit),
                    None if self.waiting.len() < MOST_WAITING => {
                        self.waiting.push((place, told.clone()));
                    }
                    None => {}
                }
            }
            Some(Place::Nowhere) | None => {}
        }
    }

    /// Ends the items that are closed.
    fn finish_closed(&mut self, out: &mut Vec<u8>) {
        let mut emit = emitter(&mut self.sequence, out);
        for item in self.items.iter_mut().filter(|item| item.open == 0) {
            item.finish(true, self.asked.wants_encrypted(), &mut emit);
        }
    }

    /// Ends all items. In an answer that is not complete, neither is its last item.
    fn finish_all(&mut self, status: &Status, out: &mut Vec<u8>) {
        let mut emit = emitter(&mut self.sequence, out);
        let last = self.items.len().saturating_sub(1);
        for (at, item) in self.items.iter_mut().enumerate() {
            let is_whole = *status == Status::Completed || (at < last && item.open == 0);
            item.finish(is_whole, self.asked.wants_encrypted(), &mut emit);
        }
    }
}

/// More asides do not wait for their text.
const MOST_WAITING: usize = 16;

/// Tells a text of its sources or of the probabilities of its tokens.
fn tell(item: &mut Item, place: Place, told: &str, emit: &mut Emit<'_>) {
    if place == Place::Logprobs {
        return item.add_logprobs(told);
    }
    for citation in scan::items(told).into_iter().filter_map(flat) {
        item.annotate(citation, emit);
    }
}

/// The last text that has not ended on the wire.
fn open_text(items: &mut [Item]) -> Option<&mut Item> {
    items.iter_mut().rev().find(|item| item.done.is_none() && item.shape == Shape::Text)
}

/// How an answer stands that ended with this error.
pub(super) fn status_of(error: &ApiError) -> Status {
    if is_about_length(error.kind) {
        return Status::Incomplete("max_output_tokens");
    }
    Status::Failed(error_object(error), error.kind.name())
}

fn emitter<'a>(sequence: &'a mut u64, out: &'a mut Vec<u8>) -> impl FnMut(&str, &str) + 'a {
    |name, members| push_event(out, sequence, name, members.as_bytes())
}

/// Appends an event with its number; `members` are its other members, each after a comma.
fn push_event(out: &mut Vec<u8>, sequence: &mut u64, name: &str, members: &[u8]) {
    let head = format!("event: {name}\ndata: {{\"type\":\"{name}\",\"sequence_number\":{sequence}");
    *sequence = sequence.saturating_add(1);
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(members);
    out.extend_from_slice(b"}\n\n");
}

/// A chat citation without its nesting (inference spec 13.2). What is no citation of an address has
/// no place here.
fn flat(annotation: &str) -> Option<String> {
    use crate::document::Raw;
    let raw = Raw::new(annotation);
    if raw.get("type")?.string()? != "url_citation" {
        return None;
    }
    let inner = raw.get("url_citation").unwrap_or(raw);
    let mut json = "{\"type\":\"url_citation\"".to_owned();
    for (key, absent) in [
        ("url", None),
        ("title", Some("\"\"")),
        ("start_index", Some("0")),
        ("end_index", Some("0")),
    ] {
        let sent = inner.get(key).filter(|value| !value.is_null()).map(Raw::text);
        json.push_str(&format!(",\"{key}\":{}", sent.or(absent)?));
    }
    if let Some(content) = inner.get("content").filter(|content| !content.is_null()) {
        json.push_str(&format!(",\"content\":{}", content.text()));
    }
    json.push('}');
    Some(json)
}
