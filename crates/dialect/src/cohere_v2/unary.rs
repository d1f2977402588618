//! A whole answer of `/v2/chat` as events.

use super::answer::{Answer, Said};
use super::error::fault;
use crate::document::{Kind, Raw};
use crate::event::Event;
use crate::identity::{Facts, StreamFault};
use crate::scan::is_json;

/// Reads a whole answer that came with a success status: the events that a stream of this answer
/// gives, and what was seen. The plan comes first, then the content, then the calls.
///
/// # Errors
/// `InBand` when it is an error or failed, `Malformed` when it is no answer, `Truncated` when it does
/// not say how it ended.
pub fn read_unary(body: &[u8]) -> Result<(Vec<Event>, Facts), StreamFault> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text =
        std::str::from_utf8(body).map_err(|error| StreamFault::Malformed(error.to_string()))?;
    if !is_json(text) {
        return Err(StreamFault::Malformed("the body is no JSON".to_owned()));
    }
    let root = Raw::new(text);
    if let Some(fault) = fault(root) {
        return Err(fault);
    }
    let message = root.get("message").filter(|message| message.kind() == Kind::Object);
    let message =
        message.ok_or_else(|| StreamFault::Malformed("an answer without a message".to_owned()))?;
    let (mut answer, mut events) = (Answer::default(), Vec::new());
    answer.begin(root.get("id"), &mut events);
    if let Some(plan) = message.get("tool_plan").and_then(Raw::string) {
        answer.say(Said::Plan, &plan, &mut events);
    }
    let content = message.get("content");
    if let Some(text) = content.and_then(Raw::string) {
        answer.say(Said::Text(0), &text, &mut events);
    }
    for (number, (_, one)) in (0_u64..).zip(content.into_iter().flat_map(Raw::elements)) {
        answer.content(number, one, &mut events);
        answer.close(&mut events);
    }
    let calls = message.get("tool_calls");
    for (number, (_, call)) in (0_u64..).zip(calls.into_iter().flat_map(Raw::elements)) {
        answer.call(number, call, &mut events)?;
        answer.end_call(number, &mut events);
    }
    if let Some(citations) = message.get("citations") {
        answer.cite(citations);
    }
    if let Some(logprobs) = root.get("logprobs") {
        answer.logprobs(logprobs, &mut events);
    }
    answer.facts.chunks = 1;
    answer.end(root, &mut events)?;
    Ok((events, answer.facts))
}
