//! How an answer ended, for the books and the record.

use signalbox_core::ApiError;
use signalbox_dialect::Facts;
use signalbox_dialect::openai_chat::finish::FinishReason;

/// How an answer ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending<'a> {
    /// The candidate that answered.
    pub index: usize,
    /// What was seen of the answer.
    pub facts: &'a Facts,
    /// Whether the client left and the provider was told to stop.
    pub cancelled: bool,
    /// The provider's failure after content.
    pub error: Option<&'a ApiError>,
}

impl Ending<'_> {
    /// Whether the answer was left before its end.
    pub(crate) fn is_cut(&self) -> bool {
        let cut = self.cancelled || self.error.is_some();
        cut && self.facts.finish.is_none() && !self.facts.done
    }

    /// The normalised finish reason; a failure is one too.
    pub(crate) fn finish_reason(&self) -> Option<&'static str> {
        if self.error.is_some() {
            return Some(FinishReason::Error.name());
        }
        self.facts.finish.map(FinishReason::name)
    }
}
