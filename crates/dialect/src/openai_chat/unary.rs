//! A whole chat answer for a chat client.
//!
//! Reading it brings it to one form in one pass; writing it puts our members around that.

use std::sync::Arc;

use bytes::Bytes;

use super::chunk::{Member, Optional, Rewriter, Shape, error_member, head};
use super::error::read_inband;
use super::stream_relay::push_closing;
use crate::identity::{Extras, Facts, Identity, RelayOptions, StreamFault, UsageReport};
use crate::watch::Watch;

/// A provider's whole answer, checked, surveyed and brought to our form.
#[derive(Debug, Clone)]
pub struct UnaryAnswer {
    /// What was seen of it.
    pub facts: Facts,
    /// The answer without its closing brace; it begins with a head that nobody is to see.
    written: Vec<u8>,
    head: usize,
    optional: Vec<Optional>,
}

impl UnaryAnswer {
    /// The answer in our form, under a head that nobody is to see.
    pub(super) fn normal(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.written).into_owned();
        text.push('}');
        text
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
    read_watching(body, None)
}

/// As [`read_unary`], but also looks where the provider's row says.
///
/// # Errors
/// As [`read_unary`].
pub fn read_watching(body: Bytes, watch: Option<Arc<Watch>>) -> Result<UnaryAnswer, StreamFault> {
    let whole = text(&body)?;
    let mut rewriter = Rewriter::surveyor(Shape::Whole);
    rewriter.watch = watch;
    let head = rewriter.head().len();
    let mut written = Vec::with_capacity(whole.len().saturating_add(256));
    if let Err(fault) = rewriter.rewrite(whole, &mut written) {
        // An error wins over whatever stands beside it, even over a choice of another shape.
        return Err(match error_member(whole)? {
            Some(error) => StreamFault::InBand(read_inband(error)),
            None => fault,
        });
    }
    rewriter.place_sources(&mut written);
    let (mut facts, optional) = (rewriter.facts, rewriter.optional);
    facts.chunks = 1;
    facts.done = true;
    Ok(UnaryAnswer { facts, written, head, optional })
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
    let mut out = Vec::with_capacity(answer.written.len() + 1024);
    out.extend_from_slice(&head(identity, Shape::Whole));
    let mut done = answer.head;
    let unwanted = answer.optional.iter().filter(|optional| match optional.member {
        Member::Reasoning => options.exclude_reasoning,
        Member::Tier => extras.service_tier.is_some(),
    });
    for Optional { at, .. } in unwanted {
        out.extend_from_slice(answer.written.get(done..at.start).unwrap_or_default());
        done = at.end;
    }
    out.extend_from_slice(answer.written.get(done..).unwrap_or_default());
    push_closing(&mut out, report, extras);
    out.push(b'}');
    out.into()
}
