//! A whole `generateContent` answer as events.

use super::answer::Answer;
use super::error::is_json;
use crate::document::{Kind, Raw};
use crate::event::Event;
use crate::identity::{Facts, StreamFault};
use crate::loss::Loss;

/// A provider's whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeminiAnswer {
    /// What was seen of it.
    pub facts: Facts,
    /// The same list of events that a stream of this answer gives.
    pub events: Vec<Event>,
    /// What of the answer has no place in events.
    pub losses: Vec<Loss>,
}

/// Reads a whole answer that came with a success status: a response, or an array of them, as a
/// stream without `alt=sse` is.
///
/// # Errors
/// `InBand` when it is an error or a refusal of the prompt, `Malformed` when it is no response,
/// `Truncated` when a candidate has not ended.
pub fn read_unary(body: &[u8]) -> Result<GeminiAnswer, StreamFault> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text =
        std::str::from_utf8(body).map_err(|error| StreamFault::Malformed(error.to_string()))?;
    if !is_json(text) {
        return Err(StreamFault::Malformed("the body is no JSON".to_owned()));
    }
    let root = Raw::new(text);
    let (mut answer, mut events) = (Answer::default(), Vec::new());
    if root.kind() == Kind::Array {
        for (_, response) in root.elements() {
            answer.read_value(response, &mut events)?;
        }
    } else {
        answer.read_value(root, &mut events)?;
    }
    answer.finish(&mut events)?;
    Ok(GeminiAnswer { facts: answer.facts, events, losses: answer.losses })
}
