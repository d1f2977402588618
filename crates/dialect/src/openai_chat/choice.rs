//! One choice of a chat answer.

use signalbox_core::ErrorKind;

use super::chunk::{Rewriter, Shape, comma, word};
use super::delta::Weight;
use super::error::read_inband;
use super::finish::FinishReason;
use crate::ProviderError;
use crate::identity::StreamFault;
use crate::scan::{self, Scanner};

/// Members that wait until the whole choice was read.
#[derive(Default)]
struct Waiting<'a> {
    index: Option<u32>,
    /// A body that came before its index.
    body: Option<Scanner<'a>>,
    body_written: bool,
    weight: Weight,
    /// It has other members, such as logprobs.
    more: bool,
    finish: Option<&'a str>,
    native: Option<&'a str>,
}

impl Rewriter {
    /// Appends a choice. `true` when it tells the client nothing: its reasoning is excluded, or it
    /// only repeats the role after its end.
    pub(super) fn write_choice(
        &mut self,
        scanner: &mut Scanner<'_>,
        position: u32,
        out: &mut Vec<u8>,
    ) -> Result<bool, StreamFault> {
        scanner.enter_object()?;
        out.push(b'{');
        let mut waiting = Waiting::default();
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            let is_body = match self.shape {
                Shape::Chunk => key.name == "delta",
                Shape::Whole => key.name == "message",
            };
            if is_body && scanner.peek() == Some(b'{') && !waiting.body_written {
                if let Some(index) = waiting.index {
                    waiting.weight = self.write_body(scanner, index, out)?;
                    waiting.body_written = true;
                } else {
                    waiting.body = Some(*scanner);
                    scanner.value()?;
                }
                continue;
            }
            let raw = scanner.value()?;
            match &*key.name {
                "index" if waiting.index.is_none() => waiting.index = write_index(raw, out)?,
                "index" => {}
                "finish_reason" => waiting.finish = Some(raw),
                "native_finish_reason" => waiting.native = Some(raw),
                "usage" => {
                    self.spoiled |= raw != "null";
                    self.watch_usage(raw);
                }
                "error" if raw != "null" => return Err(StreamFault::InBand(read_inband(raw))),
                "error" => {}
                _ if is_body => {}
                _ => {
                    waiting.more |= raw != "null";
                    comma(out);
                    out.extend_from_slice(scanner.slice(key.at, scanner.at()).as_bytes());
                }
            }
        }
        self.close_choice(waiting, position, out)
    }

    fn close_choice(
        &mut self,
        mut waiting: Waiting<'_>,
        position: u32,
        out: &mut Vec<u8>,
    ) -> Result<bool, StreamFault> {
        let index = match waiting.index {
            Some(index) => index,
            None => {
                comma(out);
                out.extend_from_slice(b"\"index\":");
                out.extend_from_slice(position.to_string().as_bytes());
                position
            }
        };
        if let Some(mut body) = waiting.body
            && !waiting.body_written
        {
            waiting.weight = self.write_body(&mut body, index, out)?;
            waiting.body_written = true;
        }
        if !waiting.body_written {
            if self.shape == Shape::Whole {
                return Err(StreamFault::Malformed("a choice has no message".to_owned()));
            }
            comma(out);
            out.extend_from_slice(b"\"delta\":{}");
        }
        let Weight { role, reasoning, rest } = waiting.weight;
        let after_its_end = self.slot(index)?.ended;
        let hidden = self.exclude_reasoning && reasoning && !role;
        let shown = rest || waiting.more || (reasoning && !self.exclude_reasoning);
        let ends = self.write_finish(index, waiting.finish, waiting.native, out)?;
        self.spoiled |= ends;
        out.push(b'}');
        Ok(!shown && !ends && (hidden || after_its_end))
    }

    /// Appends both finish reasons. A choice ends once: later words for it are not passed on.
    fn write_finish(
        &mut self,
        index: u32,
        finish: Option<&str>,
        native: Option<&str>,
        out: &mut Vec<u8>,
    ) -> Result<bool, StreamFault> {
        let slot = self.slot(index)?;
        let Some(raw) = finish.filter(|raw| scan::is_text(raw) && !slot.ended) else {
            out.extend_from_slice(b",\"finish_reason\":null");
            return Ok(false);
        };
        slot.ended = true;
        let native = native.filter(|raw| scan::is_text(raw)).unwrap_or(raw);
        let reason = FinishReason::normalise(&scan::unescape(raw));
        if index == 0 || reason == FinishReason::Error {
            self.facts.finish = Some(reason);
            self.facts.native_finish = word(native);
        }
        if reason == FinishReason::Error {
            return Err(StreamFault::InBand(failed(native)));
        }
        out.extend_from_slice(b",\"finish_reason\":\"");
        out.extend_from_slice(reason.name().as_bytes());
        out.extend_from_slice(b"\",\"native_finish_reason\":");
        out.extend_from_slice(native.as_bytes());
        Ok(true)
    }
}

/// Appends the index and gives it; null counts as left out.
fn write_index(raw: &str, out: &mut Vec<u8>) -> Result<Option<u32>, StreamFault> {
    if raw == "null" {
        return Ok(None);
    }
    let index = raw
        .parse::<u32>()
        .map_err(|_| StreamFault::Malformed("a choice's index is no small number".to_owned()))?;
    comma(out);
    out.extend_from_slice(b"\"index\":");
    out.extend_from_slice(raw.as_bytes());
    Ok(Some(index))
}

/// The error of an answer that ended with a word for failure and nothing more.
pub(super) fn failed(native: &str) -> ProviderError {
    let native = word(native).unwrap_or_default();
    let message = format!("The provider ended the answer with an error: {native}");
    let error = ProviderError::new(None, Some(&native), &message);
    ProviderError { kind: ErrorKind::ProviderUnavailable, ..error }
}
