//! What holds for the binary event stream, for Converse answers and for unwrapped envelopes.
//!
//! Bytes at random never get past a checksum, so a text stands for a stream: each line is one
//! message, the word before the first space its type, the rest its payload.

use super::{cut, lawful};
use crate::base64;
use crate::bedrock_converse::read_stream::ConverseReader;
use crate::bedrock_converse::unary::read_unary;
use crate::event::{Event, Folded};
use crate::frame::event_stream::{EventStreamDecoder, EventStreamFault, crc32};
use crate::frame::invoke::InvokeUnwrap;
use crate::identity::{Facts, StreamFault};

/// A message with these headers, all of them strings, as AWS writes it. What does not fit its length
/// is cut off.
#[must_use]
pub fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut inside = Vec::new();
    for (name, value) in headers {
        let name = name.as_bytes();
        let name = name.get(..255).unwrap_or(name);
        inside.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        inside.extend_from_slice(name);
        let value = value.as_bytes();
        let value = value.get(..1000).unwrap_or(value);
        inside.push(7);
        inside.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        inside.extend_from_slice(value);
    }
    let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    let mut bytes = number(inside.len().saturating_add(payload.len()).saturating_add(16)).to_vec();
    bytes.extend(number(inside.len()));
    bytes.extend(crc32(&bytes).to_be_bytes());
    bytes.extend(inside);
    bytes.extend_from_slice(payload);
    bytes.extend(crc32(&bytes).to_be_bytes());
    bytes
}

/// The message of one event, or of an exception when the type ends so.
#[must_use]
pub fn event(kind: &str, payload: &[u8]) -> Vec<u8> {
    if kind.ends_with("Exception") {
        return frame(&[(":exception-type", kind), (":message-type", "exception")], payload);
    }
    let headers =
        [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")];
    frame(&headers, payload)
}

/// The lines of a text as messages.
#[must_use]
pub fn stream_of(text: &[u8]) -> Vec<u8> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .flat_map(|line| {
            let at = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
            let (kind, payload) = line.split_at(at);
            event(&String::from_utf8_lossy(kind), payload.get(1..).unwrap_or_default())
        })
        .collect()
}

/// The lines of a text as chunks of an envelope; one whose type is an exception stays one.
#[must_use]
pub fn envelope_of(text: &[u8]) -> Vec<u8> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .flat_map(|line| {
            let kind = String::from_utf8_lossy(line);
            match kind.split_once(' ') {
                Some((kind, payload)) if kind.ends_with("Exception") => {
                    event(kind, payload.as_bytes())
                }
                _ => {
                    let payload = format!(r#"{{"bytes":"{}","p":"ab"}}"#, base64::encode(line));
                    event("chunk", payload.as_bytes())
                }
            }
        })
        .collect()
}

type Messages = (Vec<(String, Vec<u8>)>, Result<(), EventStreamFault>);

fn messages(pieces: &[&[u8]]) -> Messages {
    let mut decoder = EventStreamDecoder::with_limit(1 << 16);
    let mut told = Vec::new();
    for piece in pieces {
        let result = decoder.push(piece, |message| {
            let headers: Vec<_> = message.headers().collect();
            told.push((format!("{:?} {headers:?}", message.kind()), message.payload.to_vec()));
            Ok::<(), EventStreamFault>(())
        });
        if result.is_err() {
            return (told, result);
        }
    }
    (told, decoder.end())
}

/// Any split of the bytes gives the same messages, as they are and behind valid ones; and what is
/// framed comes back.
///
/// # Errors
/// What was broken.
pub fn messages_do_not_depend_on_splits(bytes: &[u8], cuts: &[usize]) -> Result<(), String> {
    let mut behind = stream_of(bytes);
    behind.extend_from_slice(bytes);
    // A valid frame around headers that may be anything.
    let (headers, payload) = bytes.split_at(bytes.len() / 2);
    let mut around = frame(&[], payload);
    let lengths = [bytes.len().saturating_add(16), headers.len()];
    let mut raw: Vec<u8> = lengths
        .iter()
        .flat_map(|length| u32::try_from(*length).unwrap_or(u32::MAX).to_be_bytes())
        .collect();
    raw.extend(crc32(&raw).to_be_bytes());
    raw.extend_from_slice(bytes);
    raw.extend(crc32(&raw).to_be_bytes());
    around.extend(raw);
    for bytes in [bytes, &behind, &around] {
        let (whole, pieces) = (messages(&[bytes]), messages(&cut(bytes, cuts)));
        if whole != pieces {
            return Err(format!("whole {whole:?}\n  in pieces {pieces:?}"));
        }
    }
    let (told, result) = messages(&[&event("a", bytes)]);
    let is_same = told.first().is_some_and(|(_, payload)| payload == bytes);
    if (result != Ok(()) || !is_same) && bytes.len() < 60_000 {
        return Err(format!("{told:?} {result:?}"));
    }
    Ok(())
}

/// What came of reading a Converse stream: its events, what was seen, and whether it came to its end.
pub type Read = (Vec<Event>, Facts, Result<(), StreamFault>);

/// Reads a Converse stream that arrives in pieces.
pub fn read_converse(pieces: &[&[u8]]) -> Read {
    let mut reader = ConverseReader::default();
    let mut events = Vec::new();
    let mut result = Ok(());
    for piece in pieces {
        result = reader.push(piece, &mut events);
        if result.is_err() {
            break;
        }
    }
    if result.is_ok() {
        result = reader.end(&mut events);
    }
    (events, reader.facts().clone(), result)
}

/// Any split of a Converse stream gives the same lawful events; and so does any body.
///
/// # Errors
/// What was broken.
pub fn converse_answers_are_lawful(bytes: &[u8], cuts: &[usize]) -> Result<(), String> {
    for stream in [&stream_of(bytes), bytes] {
        let whole = read_converse(&[stream]);
        let pieces = read_converse(&cut(stream, cuts));
        if whole != pieces {
            return Err(format!("whole {whole:?}\n  in pieces {pieces:?}"));
        }
        lawful(&whole.0)?;
        let _ = Folded::of(&whole.0);
        let ended = matches!(whole.0.last(), Some(Event::Finish { .. }));
        if ended != whole.2.is_ok() {
            return Err(format!("{:?} after {:?}", whole.2, whole.0));
        }
    }
    read_unary(bytes).map_or(Ok(()), |(events, _)| lawful(&events))
}

/// What an envelope unwraps to, and whether it came to its end.
pub fn unwrap(pieces: &[&[u8]]) -> (Vec<u8>, Result<(), StreamFault>) {
    let (mut envelope, mut out) = (InvokeUnwrap::default(), Vec::new());
    let mut result = Ok(());
    for piece in pieces {
        result = envelope.push(piece, &mut out);
        if result.is_err() {
            return (out, result);
        }
    }
    result = result.and_then(|()| envelope.end());
    (out, result)
}

/// Any split of an envelope unwraps to the same events, each of one line of JSON at most; and what
/// was wrapped comes out.
///
/// # Errors
/// What was broken.
pub fn envelopes_unwrap(bytes: &[u8], cuts: &[usize]) -> Result<(), String> {
    for stream in [&envelope_of(bytes), &stream_of(bytes), bytes] {
        let (whole, pieces) = (unwrap(&[stream]), unwrap(&cut(stream, cuts)));
        if whole != pieces {
            return Err(format!("whole {whole:?}\n  in pieces {pieces:?}"));
        }
        let text = String::from_utf8(whole.0).map_err(|error| error.to_string())?;
        for event in text.split_terminator("\n\n") {
            let named = event.strip_prefix("event: ").and_then(|rest| rest.split_once('\n'));
            let line = named.map_or(event, |(_, line)| line);
            let json = line.strip_prefix("data: ").ok_or_else(|| format!("no data: {event}"))?;
            let value = serde_json::from_str::<serde_json::Value>(json);
            // Numbers out of range are JSON that this parser does not take.
            let is_object = value.map_or_else(
                |error| error.is_data() || json.starts_with('{'),
                |value| value.is_object(),
            );
            if !is_object || json.contains(['\n', '\r']) {
                return Err(format!("no event: {event}"));
            }
        }
    }
    Ok(())
}
