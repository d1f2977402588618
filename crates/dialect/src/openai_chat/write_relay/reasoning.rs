//! Asking for reasoning in the way the endpoint wants.

use super::{Outbound, leave_out};
use crate::document::{Document, Edits};
use crate::loss::Loss;
use crate::openai_chat::survey::ReasoningRequest;
use crate::reasoning::members::Writer;

/// Replaces the ways to ask that are in the body by the one that the endpoint knows.
pub(in crate::openai_chat) fn ask(
    document: &Document,
    request: Option<ReasoningRequest>,
    limit: Option<u64>,
    out: &Outbound<'_>,
    edits: &mut Edits,
    losses: &mut Vec<Loss>,
) {
    leave_out(document, "reasoning", edits);
    leave_out(document, "reasoning_effort", edits);
    let limit = out.max_output.or(limit);
    let writer = Writer { out, request, limit, effort_at: &["reasoning_effort"] };
    writer.write(document, edits, losses);
}
