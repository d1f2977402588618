//! A whole Responses answer for a Responses client: the provider's body with our members in place.

use bytes::Bytes;

use super::read_stream::read_unary;
use super::response::Asked;
use super::stream_relay::Own;
use crate::document::{Raw, splice};
use crate::event::Event;
use crate::identity::{Extras, Facts, Identity, RelayOptions, StreamFault, UsageReport};

/// A provider's whole answer, checked and surveyed.
#[derive(Debug, Clone)]
pub struct WholeResponse {
    /// What was seen of it.
    pub facts: Facts,
    events: Vec<Event>,
    text: String,
}

/// Reads a whole answer that came with a success status.
///
/// # Errors
/// `InBand` when the response failed, `Malformed` when it is no response.
pub fn relay_unary(body: Bytes) -> Result<WholeResponse, StreamFault> {
    let (events, facts) = read_unary(&body)?;
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
    Ok(WholeResponse { facts, events, text: String::from_utf8_lossy(body).into_owned() })
}

impl WholeResponse {
    /// The answer as events, for whoever has to look into it.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The client's body (inference spec 16.4).
    #[must_use]
    pub fn write(
        &self,
        identity: &Identity,
        report: &UsageReport,
        options: RelayOptions,
        extras: &Extras<'_>,
        asked: &Asked,
    ) -> Bytes {
        let response = Raw::new(&self.text);
        let own = Own::new(identity, options, asked);
        let edits = own.last_edits(response, report, extras);
        Bytes::from(splice(response.text(), response.members(), &edits))
    }
}
