//! A whole chat answer for a chat client.

use bytes::Bytes;

use super::chunk::{Rewriter, Shape, error_member};
use super::error::read_inband;
use super::stream_relay::push_closing;
use crate::identity::{Extras, Facts, Identity, RelayOptions, StreamFault, UsageReport};

/// A provider's whole answer, checked and surveyed.
#[derive(Debug, Clone)]
pub struct UnaryAnswer {
    /// What was seen of it.
    pub facts: Facts,
    body: Bytes,
}

impl UnaryAnswer {
    /// The provider's body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    pub(super) fn text(&self) -> Result<&str, StreamFault> {
        text(&self.body)
    }
}

fn text(body: &[u8]) -> Result<&str, StreamFault> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    std::str::from_utf8(body).map_err(|error| StreamFault::Malformed(error.to_string()))
}

/// Reads a whole answer that came with a success status.
///
/// # Errors
/// `InBand` when it is an error after all, `Malformed` when it is no chat completion.
pub fn read_unary(body: Bytes) -> Result<UnaryAnswer, StreamFault> {
    let whole = text(&body)?;
    // An error wins over whatever stands beside it, even over a choice of another shape.
    if let Some(error) = error_member(whole)? {
        return Err(StreamFault::InBand(read_inband(error)));
    }
    let mut rewriter = Rewriter::surveyor(Shape::Whole);
    rewriter.rewrite(whole, &mut Vec::with_capacity(whole.len()))?;
    let mut facts = rewriter.facts;
    facts.chunks = 1;
    facts.done = true;
    Ok(UnaryAnswer { facts, body })
}

/// The client's body (inference spec 2.1): the provider's own, with our members in place.
#[must_use]
pub fn write_unary(
    answer: &UnaryAnswer,
    identity: &Identity,
    report: &UsageReport,
    options: RelayOptions,
    extras: &Extras<'_>,
) -> Bytes {
    let mut rewriter = Rewriter::new(identity, Shape::Whole, options.exclude_reasoning);
    rewriter.drop_service_tier = extras.service_tier.is_some();
    let mut out = Vec::with_capacity(answer.body.len() + 1024);
    let written = text(&answer.body).and_then(|whole| rewriter.rewrite(whole, &mut out));
    debug_assert!(written.is_ok(), "a body that was read can be written: {written:?}");
    push_closing(&mut out, report, extras);
    out.push(b'}');
    out.into()
}
