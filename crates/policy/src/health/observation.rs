//! What the board is told, and what it answers.

use signalbox_catalog::{Endpoint, Model, Task};
use signalbox_core::Timestamp;

/// Whose health it is: an endpoint, called with a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seat<'a> {
    /// The endpoint's id.
    pub endpoint: &'a str,
    /// The id of the tenant's key; `None` is the operator's own.
    pub credential: Option<&'a str>,
}

/// An attempt that is about to be sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sending<'a> {
    /// Where to.
    pub seat: Seat<'a>,
    /// The id of the model that is asked; what its other endpoints take is usual for it.
    pub model: &'a str,
    /// Whether the answer comes in one piece, so that nothing is seen before its end.
    pub whole: bool,
    /// How long answers take, before anything was measured.
    pub usual: Usual,
    /// Whether every candidate of the request was refused, so that each is asked once more, in the
    /// plan's order: an ejected endpoint lets in a tenth of its normal rate, at least one a second.
    pub last_resort: bool,
}

/// What all but one in twenty answers take, as far as can be told without having seen any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usual {
    /// Milliseconds to the first content of a stream.
    pub first_ms: u32,
    /// Milliseconds to the end of an answer in one piece.
    pub whole_ms: u32,
}

impl Usual {
    /// A chat of which nothing is published.
    pub const CHAT: Self = Self { first_ms: 3_000, whole_ms: 20_000 };
    /// The same of a model that thinks first.
    pub const THINKING: Self = Self { first_ms: 20_000, whole_ms: 60_000 };
    /// Vectors and rankings.
    pub const RETRIEVAL: Self = Self { first_ms: 2_000, whole_ms: 2_000 };

    /// What the catalogue says of this endpoint, else what is usual for its kind of model.
    #[must_use]
    pub fn of(endpoint: &Endpoint, model: &Model) -> Self {
        let kind = match endpoint.task {
            Task::Embeddings | Task::Rerank => return Self::RETRIEVAL,
            Task::Chat if model.reasoning.is_some() => Self::THINKING,
            Task::Chat => Self::CHAT,
        };
        let Some(perf) = endpoint.perf_30m else { return kind };
        // Between the ninth decile and the last percentile: on a logarithmic scale, halfway.
        let published = (perf.latency.p90.max(1.0) * perf.latency.p99.max(1.0)).sqrt();
        Self { first_ms: (published as u32).clamp(100, 120_000), ..kind }
    }
}

/// Whether an attempt may be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may, and counts as sent. Its end has to be recorded.
    Go,
    /// Not now: somebody else is finding out whether the endpoint is back, or nobody may.
    Refused,
}

/// How an attempt at an endpoint went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Observation {
    /// It answered to the end.
    Success {
        /// Milliseconds from sending to the first content; `None` for an answer in one piece.
        first_content_ms: Option<u64>,
        /// Milliseconds from sending to the end.
        total_ms: u64,
        /// Output tokens.
        output_tokens: u64,
        /// When the finish reason was a tool call: whether every call was well-formed.
        tools: Option<bool>,
    },
    /// It failed before any content, in a way that counts against it (inference spec 5.3). An
    /// attempt that was given up because the endpoint hangs is one too.
    Fault,
    /// It failed after its first content, or finished with an error.
    Broke,
    /// It asked for patience: no fault, but no candidate for a while.
    RateLimited {
        /// When the provider may be asked again; `None` when it did not say.
        until: Option<Timestamp>,
    },
    /// It ended in a way that says nothing of the endpoint: the caller's fault, or the client left.
    Neutral,
}
