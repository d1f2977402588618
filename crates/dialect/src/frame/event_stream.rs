//! The binary event stream of AWS, `application/vnd.amazon.eventstream`.
//!
//! A message is the length of the whole and of its headers (32 bits each, big-endian), a CRC-32 of
//! those, the headers, the payload, and a CRC-32 of all before it. Both checksums are checked. Any
//! split of the bytes gives the same messages.

mod crc32;
mod header;

use signalbox_core::limits;

use crate::StreamFault;
pub use crc32::crc32;
pub use header::HeaderValue;

/// Two lengths and their checksum.
const PRELUDE_BYTES: usize = 12;
/// The prelude and the checksum at the end.
const LEAST_BYTES: usize = 16;
/// Most bytes of headers, as AWS limits them.
const MOST_HEADER_BYTES: usize = 128 * 1024;

/// One message of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    headers: &'a [u8],
    /// What it carries.
    pub payload: &'a [u8],
}

/// What a message is, by its headers `:message-type` and its like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind<'a> {
    /// An event of this `:event-type`.
    Event(&'a str),
    /// A modelled error of this `:exception-type`; the payload describes it.
    Exception(&'a str),
    /// Any other error.
    Error {
        /// Its `:error-code`; may be empty.
        code: &'a str,
        /// Its `:error-message`; may be empty.
        message: &'a str,
    },
    /// A type that is not known.
    Other,
}

/// Why the bytes are no event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventStreamFault {
    /// A message is longer than the limit.
    #[error("a message of the event stream is too long")]
    TooLong,
    /// The lengths of a message contradict each other.
    #[error("the lengths in an event stream's message are impossible")]
    Lengths,
    /// The checksum of the lengths is wrong.
    #[error("the checksum of an event stream's prelude is wrong")]
    PreludeChecksum,
    /// The checksum of a message is wrong.
    #[error("the checksum of an event stream's message is wrong")]
    MessageChecksum,
    /// The headers of a message can't be read.
    #[error("the headers of an event stream's message are malformed")]
    Headers,
    /// The stream ended inside a message.
    #[error("the event stream ended inside a message")]
    Truncated,
}

impl From<EventStreamFault> for StreamFault {
    fn from(fault: EventStreamFault) -> Self {
        match fault {
            EventStreamFault::TooLong => Self::FrameTooLong,
            EventStreamFault::Truncated => Self::Truncated,
            other => Self::Malformed(other.to_string()),
        }
    }
}

impl<'a> Message<'a> {
    /// The headers in order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, HeaderValue<'a>)> {
        let mut rest = self.headers;
        std::iter::from_fn(move || {
            let (name, value, after) = header::read(rest)?;
            rest = after;
            Some((name, value))
        })
    }

    /// The header of this name, when it is a string.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.headers().find(|(known, _)| *known == name).and_then(|(_, value)| match value {
            HeaderValue::Text(text) => Some(text),
            _ => None,
        })
    }

    /// What the message is.
    #[must_use]
    pub fn kind(&self) -> MessageKind<'a> {
        let named = |name| self.text(name).unwrap_or_default();
        match self.text(":message-type") {
            Some("event") => MessageKind::Event(named(":event-type")),
            Some("exception") => MessageKind::Exception(named(":exception-type")),
            Some("error") => {
                MessageKind::Error { code: named(":error-code"), message: named(":error-message") }
            }
            _ => MessageKind::Other,
        }
    }
}

/// Cuts bytes into messages. It holds at most one unfinished message.
#[derive(Debug)]
pub struct EventStreamDecoder {
    /// The start of a message whose end has not arrived.
    held: Vec<u8>,
    limit: usize,
}

impl Default for EventStreamDecoder {
    fn default() -> Self {
        Self::with_limit(limits::MAX_FRAME_BYTES)
    }
}

impl EventStreamDecoder {
    /// A decoder whose messages have at most `limit` bytes.
    #[must_use]
    pub const fn with_limit(limit: usize) -> Self {
        Self { held: Vec::new(), limit }
    }

    /// Reads bytes and gives every message that is complete. An error stops the reading; the
    /// decoder is then of no more use.
    ///
    /// # Errors
    /// Those of `sink`, and every fault but `Truncated`.
    pub fn push<E: From<EventStreamFault>>(
        &mut self,
        bytes: &[u8],
        mut sink: impl FnMut(Message<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = bytes;
        loop {
            if self.held.is_empty() {
                match self.length(rest)?.and_then(|length| rest.split_at_checked(length)) {
                    Some((whole, after)) => {
                        rest = after;
                        sink(message(whole)?)?;
                        continue;
                    }
                    None => {
                        self.held.extend_from_slice(rest);
                        return Ok(());
                    }
                }
            }
            let known = self.length(&self.held)?;
            let wanted = known.unwrap_or(PRELUDE_BYTES);
            let missing = wanted.saturating_sub(self.held.len());
            let (more, after) = rest.split_at(missing.min(rest.len()));
            self.held.extend_from_slice(more);
            rest = after;
            if self.held.len() < wanted {
                return Ok(());
            }
            if known.is_some() {
                let whole = std::mem::take(&mut self.held);
                sink(message(&whole)?)?;
                self.held = whole;
                self.held.clear();
            }
        }
    }

    /// The stream is over.
    ///
    /// # Errors
    /// `Truncated` when it ended inside a message.
    pub const fn end(&self) -> Result<(), EventStreamFault> {
        if self.held.is_empty() { Ok(()) } else { Err(EventStreamFault::Truncated) }
    }

    /// The length of the message that begins here; `None` when too little of it has arrived.
    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, EventStreamFault> {
        let Some((prelude, _)) = bytes.split_at_checked(PRELUDE_BYTES) else { return Ok(None) };
        let (lengths, checksum) = prelude.split_at(PRELUDE_BYTES - 4);
        if number(checksum) != crc32(lengths) {
            return Err(EventStreamFault::PreludeChecksum);
        }
        let (whole, headers) = lengths.split_at(4);
        let size = |bytes| usize::try_from(number(bytes)).map_err(|_| EventStreamFault::TooLong);
        let (whole, headers) = (size(whole)?, size(headers)?);
        if whole > self.limit {
            return Err(EventStreamFault::TooLong);
        }
        let room = whole.checked_sub(LEAST_BYTES).ok_or(EventStreamFault::Lengths)?;
        if headers > room || headers > MOST_HEADER_BYTES {
            return Err(EventStreamFault::Lengths);
        }
        Ok(Some(whole))
    }
}

/// A big-endian number of four bytes.
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Takes a whole message apart; its prelude was checked.
fn message(whole: &[u8]) -> Result<Message<'_>, EventStreamFault> {
    let checked = whole.len().saturating_sub(4);
    let (before, checksum) = whole.split_at(checked);
    if number(checksum) != crc32(before) {
        return Err(EventStreamFault::MessageChecksum);
    }
    let length = number(before.get(4..8).unwrap_or_default());
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let inside = before.get(PRELUDE_BYTES..).unwrap_or_default();
    let parts = inside.split_at_checked(length);
    let (headers, payload) = parts.ok_or(EventStreamFault::Lengths)?;
    if !header::are_valid(headers) {
        return Err(EventStreamFault::Headers);
    }
    Ok(Message { headers, payload })
}

#[cfg(test)]
mod tests;
