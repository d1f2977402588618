//! The envelope of `invoke-with-response-stream`: events of a model's own dialect, each in base64
//! inside a `chunk` of a binary event stream, turned into the server-sent events that the reader of
//! that dialect expects.

use super::event_stream::{EventStreamDecoder, Message, MessageKind};
use crate::StreamFault;
use crate::base64;
use crate::bedrock_converse::error::read_fault;
use crate::document::{Kind, Raw};
use crate::scan::is_json;

/// Unwraps a stream.
#[derive(Debug, Default)]
pub struct InvokeUnwrap {
    decoder: EventStreamDecoder,
}

impl InvokeUnwrap {
    /// Reads bytes of the binary stream and appends the events that they carry, as
    /// `event: <type>\ndata: <json>\n\n`. The type is the JSON's own; without one there is only data.
    ///
    /// # Errors
    /// `InBand` when the stream carries an exception, `FrameTooLong` or `Malformed` when it is no such
    /// stream. What came before is in `out`; nothing may follow.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), StreamFault> {
        self.decoder.push(bytes, |message| unwrap(&message, out))
    }

    /// The provider closed the stream.
    ///
    /// # Errors
    /// `Truncated` when it did so inside a message. Whether the answer was whole, the dialect's own
    /// reader tells.
    pub fn end(&mut self) -> Result<(), StreamFault> {
        self.decoder.end().map_err(StreamFault::from)
    }
}

fn unwrap(message: &Message<'_>, out: &mut Vec<u8>) -> Result<(), StreamFault> {
    let malformed = |what: &str| StreamFault::Malformed(what.to_owned());
    match message.kind() {
        MessageKind::Event("chunk") => {}
        MessageKind::Event(_) | MessageKind::Other => return Ok(()),
        MessageKind::Exception(_) | MessageKind::Error { .. } => return Err(read_fault(message)),
    }
    let payload = std::str::from_utf8(message.payload).ok().filter(|text| is_json(text));
    let bytes = payload.and_then(|text| Raw::new(text).get("bytes"));
    let bytes = bytes.ok_or_else(|| malformed("a chunk without bytes"))?;
    let inside = bytes.string().and_then(|text| base64::decode(&text));
    let inside = inside.ok_or_else(|| malformed("a chunk whose bytes are no base64"))?;
    let text = String::from_utf8(inside).ok().filter(|text| is_json(text));
    let text = text.ok_or_else(|| malformed("a chunk that holds no JSON"))?;
    let raw = Raw::new(&text);
    if raw.kind() != Kind::Object {
        return Err(malformed("a chunk that holds no object"));
    }
    let is_word = |name: &&str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
    };
    if let Some(name) = raw.get("type").and_then(Raw::inner).filter(is_word) {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    // Line ends stand between members alone, where a space means the same.
    let letters = raw.text().bytes();
    out.extend(letters.map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    out.extend_from_slice(b"\n\n");
    Ok(())
}
