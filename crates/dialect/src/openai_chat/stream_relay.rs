//! A chat stream for a chat client: the hot road.
//!
//! Each chunk is validated and rewritten in one pass over its bytes; the only buffer that grows is
//! the caller's.

use std::borrow::Cow;
use std::sync::Arc;

use super::chunk::{Rewriter, Shape, error_member};
use super::error::read_inband;
use super::finish::FinishReason;
use super::usage::write_usage;
use crate::calls::Calls;
use crate::frame::sse::{Frame, FrameTooLong, SseDecoder};
use crate::identity::{Extras, Facts, Identity, RelayOptions, StreamFault, UsageReport};
use crate::scan;
use crate::watch::Watch;

/// The end of a stream.
pub const DONE: &[u8] = b"data: [DONE]\n\n";

/// A comment line, which clients skip. Line ends in `text` become spaces.
#[must_use]
pub fn comment(text: &str) -> Vec<u8> {
    let mut line = Vec::with_capacity(text.len() + 4);
    line.extend_from_slice(b": ");
    line.extend(text.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    line.extend_from_slice(b"\n\n");
    line
}

impl From<FrameTooLong> for StreamFault {
    fn from(_: FrameTooLong) -> Self {
        Self::FrameTooLong
    }
}

/// Turns a provider's chat stream into ours.
#[derive(Debug)]
pub struct StreamRelay {
    decoder: SseDecoder,
    rewriter: Rewriter,
}

impl StreamRelay {
    /// A relay for one answer.
    #[must_use]
    pub fn new(identity: &Identity, options: RelayOptions) -> Self {
        Self {
            decoder: SseDecoder::default(),
            rewriter: Rewriter::new(identity, Shape::Chunk, options.exclude_reasoning),
        }
    }

    /// The same relay, which also looks where the provider's row says.
    #[must_use]
    pub fn watching(mut self, watch: Option<Arc<Watch>>) -> Self {
        self.rewriter.watch = watch;
        self
    }

    /// The same relay, which also gathers the tool calls.
    pub(crate) fn gather_calls(&mut self) {
        self.rewriter.calls = Some(Box::default());
    }

    /// The tool calls, if they are gathered.
    pub(crate) fn calls(&self) -> Option<&Calls> {
        self.rewriter.calls.as_deref()
    }

    /// A relay whose output only the hub reads.
    pub(super) fn surveyor() -> Self {
        Self { decoder: SseDecoder::default(), rewriter: Rewriter::surveyor(Shape::Chunk) }
    }

    /// Reads bytes of the provider and appends what the client is to get: whole events, without
    /// comments, usage and end marker.
    ///
    /// # Errors
    /// When the answer cannot go on; the relay is then of no more use.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), StreamFault> {
        let rewriter = &mut self.rewriter;
        self.decoder.push(bytes, |frame| rewriter.frame(frame, out))
    }

    /// The provider closed the stream.
    ///
    /// # Errors
    /// `Truncated` when it did so before the answer was complete.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), StreamFault> {
        let rewriter = &mut self.rewriter;
        self.decoder.end(|frame| rewriter.frame(frame, out))?;
        if !rewriter.facts.done && rewriter.unfinished() {
            return Err(StreamFault::Truncated);
        }
        Ok(())
    }

    /// What was seen so far.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.rewriter.facts
    }

    /// The last chunk: usage and what only the gateway knows (inference spec 3.1).
    #[must_use]
    pub fn usage_chunk(&self, report: &UsageReport, extras: &Extras<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.rewriter.head().len() + 768);
        out.extend_from_slice(self.rewriter.head());
        out.extend_from_slice(b",\"choices\":[]");
        push_closing(&mut out, report, extras);
        out.extend_from_slice(b"}\n\n");
        out
    }
}

/// Appends the members that end an answer: tier, usage and router metadata.
pub(crate) fn push_closing(out: &mut Vec<u8>, report: &UsageReport, extras: &Extras<'_>) {
    if let Some(tier) = extras.service_tier {
        out.extend_from_slice(b",\"service_tier\":");
        scan::push_string(out, tier);
    }
    out.extend_from_slice(b",\"usage\":");
    out.extend_from_slice(write_usage(report).as_bytes());
    if let Some(metadata) = extras.router_metadata {
        out.extend_from_slice(b",\"openrouter_metadata\":");
        out.extend_from_slice(metadata.as_bytes());
    }
}

/// The text of an event's data. Wrong UTF-8 is replaced, and joined lines become one, so that what
/// is sent on is one line of text.
pub(crate) fn line_of(data: &[u8]) -> Cow<'_, str> {
    let text = match std::str::from_utf8(data) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(data),
    };
    if memchr::memchr(b'\n', text.as_bytes()).is_some() {
        return Cow::Owned(text.replace('\n', " "));
    }
    text
}

/// The error in a line that is no event, such as a bare JSON body.
pub(super) fn stray_error(line: &[u8]) -> Result<(), StreamFault> {
    if !line.starts_with(b"{") {
        return Ok(());
    }
    match std::str::from_utf8(line).ok().and_then(|text| error_member(text).ok().flatten()) {
        Some(error) => Err(StreamFault::InBand(read_inband(error))),
        None => Ok(()),
    }
}

/// The error in an event that is named `error`.
pub(super) fn named_error(text: &str) -> StreamFault {
    let inner = error_member(text).ok().flatten().unwrap_or(text);
    StreamFault::InBand(read_inband(inner))
}

impl Rewriter {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<u8>) -> Result<(), StreamFault> {
        if self.facts.done {
            return Ok(());
        }
        let (event, data) = match frame {
            Frame::Data { event, data } => (event, data.trim_ascii()),
            Frame::Stray(line) => return stray_error(line),
            Frame::Comment(_) => return Ok(()),
        };
        match data {
            b"" => return Ok(()),
            b"[DONE]" => {
                self.facts.done = true;
                self.end_open_choices(out);
                return Ok(());
            }
            _ => {}
        }
        self.facts.chunks = self.facts.chunks.saturating_add(1);
        if event.is_empty() && self.repeat(data, out) {
            out.extend_from_slice(b"}\n\n");
            return Ok(());
        }
        let text = line_of(data);
        if event == b"error" {
            return Err(named_error(&text));
        }
        let before = out.len();
        if self.rewrite(&text, out)? {
            out.extend_from_slice(b"}\n\n");
        }
        self.tell_sources(before, out);
        Ok(())
    }

    /// A provider that marks the end without a finish reason was done: clients wait for the reason.
    fn end_open_choices(&mut self, out: &mut Vec<u8>) {
        if !self.facts.content_seen {
            return;
        }
        let mut open = std::mem::take(&mut self.choices);
        for choice in open.iter_mut().filter(|choice| !choice.ended) {
            choice.ended = true;
            let reason =
                if choice.next_tool > 0 { FinishReason::ToolCalls } else { FinishReason::Stop };
            if choice.index == 0 {
                self.facts.finish = Some(reason);
            }
            out.extend_from_slice(self.head());
            out.extend_from_slice(b",\"choices\":[{\"index\":");
            out.extend_from_slice(choice.index.to_string().as_bytes());
            out.extend_from_slice(b",\"delta\":{},\"finish_reason\":\"");
            out.extend_from_slice(reason.name().as_bytes());
            out.extend_from_slice(b"\",\"native_finish_reason\":null}]}\n\n");
        }
        self.choices = open;
    }
}
