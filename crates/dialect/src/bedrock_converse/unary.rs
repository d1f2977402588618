//! A whole `converse` answer as events.

use super::answer::Answer;
use super::error::read_inside;
use crate::document::{Kind, Raw};
use crate::event::Event;
use crate::identity::{Facts, StreamFault};
use crate::scan::is_json;

/// Reads a whole answer that came with a success status: the same events that a stream of it gives,
/// and what was seen.
///
/// # Errors
/// `InBand` when it is an error after all, `Malformed` when it is no answer, `Truncated` when it has
/// not ended.
pub fn read_unary(body: &[u8]) -> Result<(Vec<Event>, Facts), StreamFault> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text =
        std::str::from_utf8(body).map_err(|error| StreamFault::Malformed(error.to_string()))?;
    let root = Some(text).filter(|text| is_json(text)).map(Raw::new);
    let root = root.filter(|root| root.kind() == Kind::Object);
    let root = root.ok_or_else(|| StreamFault::Malformed("the body is no object".to_owned()))?;
    if let Some(error) = read_inside(root) {
        return Err(StreamFault::InBand(error));
    }
    let (mut answer, mut events) = (Answer::default(), Vec::new());
    answer.whole(root, &mut events)?;
    Ok((events, answer.facts))
}
