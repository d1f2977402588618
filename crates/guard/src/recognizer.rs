//! What patterns can't find: names of people, and addresses.

use std::ops::Range;

use crate::row::Builtin;

/// A place that a recogniser found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Which of the texts that were given.
    pub text: usize,
    /// [`Builtin::PersonName`] or [`Builtin::Address`].
    pub what: Builtin,
    /// Bytes of the text. An address extends over its street line.
    pub span: Range<usize>,
}

/// Why a recogniser said nothing. A request goes on without it (platform spec 7.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum RecognizerFault {
    #[error("the recogniser took too long")]
    TimedOut,
    #[error("the recogniser failed")]
    Failed,
}

/// Finds names of people and addresses. It may take its time, so whoever calls it gives it a deadline
/// and does without what comes late.
pub trait Recognizer: Send + Sync + std::fmt::Debug {
    /// What of `wanted` is in the texts.
    ///
    /// # Errors
    /// It has no answer; the caller goes on without one.
    fn recognize(&self, texts: &[&str], wanted: &[Builtin]) -> Result<Vec<Named>, RecognizerFault>;
}
