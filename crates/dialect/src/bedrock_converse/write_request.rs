//! A [`Conversation`] as the body of a `converse` or `converse-stream` request. The model and whether
//! to stream are in the address, not in the body.
//!
//! Only bytes inside the request are sent as media: this dialect knows no addresses but those of the
//! account's own storage, which is not the client's to read.

mod block;
mod config;
mod document;
mod media;
mod message;
mod tool;

use bytes::Bytes;
use signalbox_core::{ApiError, Parameter};

use crate::anthropic_messages::write_request::claude;
use crate::compose::ObjectText;
use crate::conversation::{CacheMark, Conversation, PartBody};
use crate::document::{Document, Edits};
use crate::loss::{Loss, Lost, report};
use crate::outbound::{Outbound, WrittenRequest};
use crate::reasoning::members::Writer;

/// Where models that know efforts look for them.
const EFFORT_AT: &[&str] = &["additionalModelRequestFields", "reasoning_effort"];

/// What the parts of a body need to know of the whole.
struct Target<'a> {
    conversation: &'a Conversation,
    out: &'a Outbound<'a>,
    /// The endpoint serves a Claude model: thinking, its signatures and `top_k` are its own.
    is_claude: bool,
    /// Names of documents, which must differ.
    names: document::Names,
    losses: Vec<Loss>,
}

impl Target<'_> {
    fn lose(&mut self, what: Lost, detail: &str) {
        report(&mut self.losses, what, detail);
    }

    fn supports(&self, parameter: Parameter) -> bool {
        !self.out.unsupported.contains(parameter)
    }
}

/// Writes the body. Of `out`, the model, `stream`, `user` and `forward_name` mean nothing here;
/// `out.reasoning` says how thinking is asked for and, with it, whether the model is a Claude.
///
/// # Errors
/// `invalid_request` when raw JSON in the conversation is no JSON, which no reader lets pass.
pub fn write_request(
    conversation: &Conversation,
    out: &Outbound<'_>,
) -> Result<WrittenRequest, ApiError> {
    let is_claude = claude::is_claudes(out.reasoning);
    let names = document::Names::default();
    let mut target = Target { conversation, out, is_claude, names, losses: Vec::new() };
    let mut body = ObjectText::new();
    message::write(&mut target, &mut body);
    let forced = tool::write(&mut target, &mut body);
    config::write(&mut target, forced, &mut body);
    let (is_claude, mut losses) = (target.is_claude, target.losses);
    let document = Document::parse(Bytes::from(body.finish()))?;
    let mut edits = Edits::default();
    if !is_claude {
        let limit = out.max_output.or(conversation.max_output);
        let request = conversation.reasoning;
        let writer = Writer { out, request, limit, effort_at: EFFORT_AT };
        writer.write(&document, &mut edits, &mut losses);
    }
    out.patches.apply(&document, &mut edits);
    Ok(WrittenRequest { body: document.edited(&edits), losses })
}

/// Whether a member that only the dialect of origin knows has a place here: what a Messages client
/// says of its documents.
pub(crate) fn takes(body: &PartBody, key: &str) -> bool {
    matches!(body, PartBody::File { .. }) && matches!(key, "citations" | "context")
}

/// The block that ends what is to be cached; none where nothing is: such models refuse it.
fn cache_point(mark: CacheMark, target: &mut Target<'_>) -> Option<String> {
    if !target.out.caches_prompts {
        target.lose(Lost::CacheMark, "cache_control");
        return None;
    }
    let mut point = ObjectText::typed("default");
    point.optional_text("ttl", mark.ttl());
    Some(member("cachePoint", &point.finish()))
}

/// An object of one member, as this dialect writes unions.
fn member(key: &str, json: &str) -> String {
    let mut object = ObjectText::new();
    object.json(key, json);
    object.finish()
}
