//! A whole Messages answer for a Messages client: the provider's body with our members in place.

use bytes::Bytes;

use super::read_stream::read_unary_events;
use super::stream_relay::{is_reasoning, owned};
use super::write_usage::push_usage_over;
use crate::document::{Raw, splice};
use crate::event::Event;
use crate::identity::{Extras, Facts, Identity, RelayOptions, StreamFault, UsageReport};

/// A provider's whole answer, checked and surveyed.
#[derive(Debug, Clone)]
pub struct WholeMessage {
    /// What was seen of it.
    pub facts: Facts,
    events: Vec<Event>,
    text: String,
}

/// Reads a whole answer that came with a success status.
///
/// # Errors
/// `InBand` when it is an error after all, `Malformed` when it is no message.
pub fn relay_unary(body: Bytes) -> Result<WholeMessage, StreamFault> {
    let (events, facts) = read_unary_events(&body)?;
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
    Ok(WholeMessage { facts, events, text: String::from_utf8_lossy(body).into_owned() })
}

impl WholeMessage {
    /// The answer as events, for whoever has to look into it.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The client's body (inference spec 16.5).
    #[must_use]
    pub fn write(
        &self,
        identity: &Identity,
        report: &UsageReport,
        options: RelayOptions,
        extras: &Extras<'_>,
    ) -> Bytes {
        let message = Raw::new(&self.text);
        let mut edits = owned(message, identity);
        let mut usage = Vec::with_capacity(512);
        let theirs = message.get("usage").filter(|_| !options.replayed);
        push_usage_over(&mut usage, theirs, report, extras);
        edits.set("usage", String::from_utf8_lossy(&usage).into_owned());
        if let Some(metadata) = extras.router_metadata {
            edits.set("openrouter_metadata", metadata.to_owned());
        }
        if options.exclude_reasoning
            && let Some(content) = message.get("content")
        {
            let thinks = |block: Raw<'_>| {
                block.get("type").and_then(Raw::string).is_some_and(|kind| is_reasoning(&kind))
            };
            let kept: Vec<&str> = content
                .elements()
                .filter(|(_, block)| !thinks(*block))
                .map(|(_, block)| block.text())
                .collect();
            edits.set("content", format!("[{}]", kept.join(",")));
        }
        Bytes::from(splice(message.text(), message.members(), &edits))
    }
}
