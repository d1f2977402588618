//! What happened to one generation, noted as it happens and read once, by the record.

use std::time::Duration;

use bytes::Bytes;
use signalbox_core::Timestamp;
use signalbox_dialect::loss::Loss;

use crate::waste::Waste;

/// One attempt.
#[derive(Debug, Clone)]
pub(crate) struct AttemptNote {
    /// The candidate's place in the plan.
    pub candidate: usize,
    /// The provider's HTTP status; 0 when there was no answer.
    pub status: u16,
    /// Milliseconds from sending to content or failure.
    pub latency_ms: u64,
    /// The provider's own id of the answer.
    pub upstream_id: Option<String>,
    /// What it may have cost the platform, when the client did not get the answer.
    pub waste: Option<Waste>,
}

/// Append-only notes.
#[derive(Debug)]
pub(crate) struct Trace {
    /// When the request arrived.
    pub received: Timestamp,
    /// When the current attempt was sent.
    pub sent: Timestamp,
    /// When the first content arrived.
    pub first_content: Option<Timestamp>,
    /// For how long the client held up the stream.
    pub held_up: Duration,
    /// Every attempt, in order.
    pub attempts: Vec<AttemptNote>,
    /// What of the request the current attempt's body could not carry.
    pub losses: Vec<Loss>,
    /// The bodies that were sent, when the client wants to see them.
    pub echoes: Vec<Bytes>,
}

impl Trace {
    pub(crate) const fn begin(received: Timestamp) -> Self {
        Self {
            received,
            sent: received,
            first_content: None,
            held_up: Duration::ZERO,
            attempts: Vec::new(),
            losses: Vec::new(),
            echoes: Vec::new(),
        }
    }

    pub(crate) fn content(&mut self, at: Timestamp) {
        self.first_content.get_or_insert(at);
    }
}
