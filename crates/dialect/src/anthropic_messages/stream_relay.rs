//! A Messages stream for a Messages client: spliced, never re-typed.
//!
//! Every event goes through the same reading as for other clients, which counts and judges; what is
//! sent on is the provider's own text. Only the message object gets our members. The last
//! `message_delta` and `message_stop` are held back: they tell the price, which is known when the
//! answer is paid.

mod blocks;

use self::blocks::Blocks;
pub(super) use self::blocks::is_reasoning;
use super::read_stream::Answer;
use super::stop_reason::Seen;
use super::write_stream::{End, push_event, start_event};
use super::write_usage::{placeholder, push_usage_over};
use crate::calls::Calls;
use crate::document::{Edits, Kind, Raw, quoted, splice};
use crate::event::Event;
use crate::frame::sse::{Frame, SseDecoder};
use crate::identity::{Extras, Facts, Identity, RelayOptions, StreamFault, UsageReport};

/// Turns a provider's Messages stream into ours.
#[derive(Debug)]
pub struct MessagesRelay {
    decoder: SseDecoder,
    relay: Relay,
}

#[derive(Debug)]
struct Relay {
    answer: Answer,
    /// What the reading gives: nobody needs it here but for its tool calls.
    events: Vec<Event>,
    /// The tool calls, when somebody wants them.
    calls: Option<Box<Calls>>,
    client: Client,
}

/// What the client has got, and what is held back.
#[derive(Debug)]
struct Client {
    identity: Identity,
    blocks: Blocks,
    /// Whether the provider's counts are not shown.
    uncounted: bool,
    begun: bool,
    /// The `message_delta` that told the reason to stop; until then the last one.
    last: Option<String>,
    /// The last usage object after the first.
    usage: Option<String>,
}

impl MessagesRelay {
    /// A relay for one answer.
    #[must_use]
    pub fn new(identity: &Identity, options: RelayOptions) -> Self {
        let client = Client {
            identity: identity.clone(),
            blocks: Blocks::new(options.exclude_reasoning),
            uncounted: options.replayed,
            begun: false,
            last: None,
            usage: None,
        };
        let relay = Relay { answer: Answer::default(), events: Vec::new(), calls: None, client };
        Self { decoder: SseDecoder::default(), relay }
    }

    /// Reads bytes of the provider and appends what the client is to get: whole events, without
    /// comments and without the last two. Nothing comes before `message_start`.
    ///
    /// # Errors
    /// When the answer cannot go on. What came before the fault is in `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), StreamFault> {
        let relay = &mut self.relay;
        self.decoder.push(bytes, |frame| relay.frame(frame, out))
    }

    /// The provider closed the stream.
    ///
    /// # Errors
    /// `Truncated` when it did so before the answer was complete.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), StreamFault> {
        let relay = &mut self.relay;
        self.decoder.end(|frame| relay.frame(frame, out))?;
        if !relay.answer.facts.done && !relay.answer.ended {
            return Err(StreamFault::Truncated);
        }
        relay.answer.finish(&mut relay.events);
        relay.events.clear();
        relay.client.begin(None, out);
        relay.client.blocks.stop_all(out);
        Ok(())
    }

    /// From now on gathers the tool calls.
    pub(crate) fn gather_calls(&mut self) {
        self.relay.calls = Some(Box::default());
    }

    /// The tool calls, if they are gathered.
    pub(crate) fn calls(&self) -> Option<&Calls> {
        self.relay.calls.as_deref()
    }

    /// What was seen so far.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.relay.answer.facts
    }

    /// The last events: how the answer ended, what it took, and the stop.
    #[must_use]
    pub fn closing(&self, report: &UsageReport, extras: &Extras<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        self.relay.client.close(self.facts(), report, extras, &mut out);
        out
    }
}

/// Appends an event as it came, on one line. One whose name could not be written is left out.
fn pass(kind: &str, text: &str, out: &mut Vec<u8>) {
    if kind.is_empty() || !kind.bytes().all(|byte| byte.is_ascii_graphic()) {
        return;
    }
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\n\n");
}

/// The text of an object with one member set.
fn with(raw: Raw<'_>, key: &'static str, json: String) -> String {
    let mut edits = Edits::default();
    edits.set(key, json);
    splice(raw.text(), raw.members(), &edits)
}

/// A message object that says who answered.
pub(super) fn owned(message: Raw<'_>, identity: &Identity) -> Edits {
    let mut edits = Edits::default();
    edits.set("id", quoted(identity.id.as_str()));
    edits.set("model", quoted(&identity.model));
    edits.set("provider", quoted(&identity.provider));
    if message.get("openrouter_metadata").is_some() {
        edits.remove("openrouter_metadata");
    }
    edits
}

impl Relay {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<u8>) -> Result<(), StreamFault> {
        let Self { answer, events, calls, client } = self;
        answer.frame_with(frame, |answer, kind, raw| {
            answer.message(kind, raw, events)?;
            if let Some(calls) = calls {
                events.iter().for_each(|event| calls.event(event));
            }
            events.clear();
            client.write(kind, raw, out);
            Ok(())
        })
    }
}

impl Client {
    /// Writes an event that was found lawful.
    fn write(&mut self, kind: &str, raw: Raw<'_>, out: &mut Vec<u8>) {
        match kind {
            "message_start" => self.begin(Some(raw), out),
            "content_block_start" | "content_block_delta" | "content_block_stop" => {
                self.begin(None, out);
                self.blocks.write(kind, raw, out);
            }
            "message_delta" => {
                self.begin(None, out);
                self.hold(raw, out);
            }
            "message_stop" => {}
            _ if self.begun => pass(kind, raw.text(), out),
            _ => {}
        }
    }

    /// The first event, once.
    fn begin(&mut self, start: Option<Raw<'_>>, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let message = start.and_then(|start| start.get("message"));
        match (start, message.filter(|message| message.kind() == Kind::Object)) {
            (Some(start), Some(message)) => {
                let mut edits = owned(message, &self.identity);
                if self.uncounted {
                    edits.set("usage", placeholder());
                }
                let message = splice(message.text(), message.members(), &edits);
                pass("message_start", &with(start, "message", message), out);
            }
            _ => out.append(&mut start_event(&self.identity)),
        }
    }

    /// Keeps a `message_delta` for the end. With the reason to stop, all blocks end.
    fn hold(&mut self, raw: Raw<'_>, out: &mut Vec<u8>) {
        let is_object = |value: &Raw<'_>| value.kind() == Kind::Object;
        if let Some(usage) = raw.get("usage").filter(is_object) {
            self.usage = Some(usage.text().to_owned());
        }
        if self.last.as_deref().is_none_or(|last| !tells_why(Raw::new(last))) {
            self.last = Some(raw.text().to_owned());
            if tells_why(raw) {
                self.blocks.stop_all(out);
            }
        }
    }

    fn close(&self, facts: &Facts, report: &UsageReport, extras: &Extras<'_>, out: &mut Vec<u8>) {
        if !self.begun {
            out.append(&mut start_event(&self.identity));
        }
        self.blocks.clone().stop_all(out);
        let mut usage = Vec::with_capacity(512);
        let theirs = self.usage.as_deref().filter(|_| !self.uncounted).map(Raw::new);
        push_usage_over(&mut usage, theirs, report, extras);
        let usage = String::from_utf8_lossy(&usage).into_owned();
        let mut last = Raw::new(self.last.as_deref().unwrap_or("{\"type\":\"message_delta\"}"));
        let explained;
        if !tells_why(last) {
            explained = with(last, "delta", end_of(facts));
            last = Raw::new(&explained);
        }
        pass("message_delta", &with(last, "usage", usage), out);
        push_event(out, "message_stop");
        if let Some(metadata) = extras.router_metadata {
            out.extend_from_slice(b",\"openrouter_metadata\":");
            out.extend_from_slice(metadata.as_bytes());
        }
        out.extend_from_slice(b"}\n\n");
    }
}

/// How the answer ended, when the provider did not say.
fn end_of(facts: &Facts) -> String {
    let seen = Seen { called: facts.tool_calls > 0, refused: false };
    let native = facts.native_finish.clone();
    let end = End { reason: facts.finish, native, seen, ..End::default() };
    let mut delta = b"{".to_vec();
    end.push(&mut delta);
    delta.push(b'}');
    String::from_utf8_lossy(&delta).into_owned()
}

/// Whether a `message_delta` tells the reason to stop.
fn tells_why(raw: Raw<'_>) -> bool {
    raw.get("delta").and_then(|delta| delta.get("stop_reason")?.string()).is_some()
}
