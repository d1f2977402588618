//! What a long answer has come to so far is noted now and then, so that it can be billed should the
//! process die.

use std::time::Duration;

use signalbox_dialect::Facts;

use crate::generation::Generation;
use crate::settle;

/// Time between two notes of an answer that goes on.
const EVERY: Duration = Duration::from_secs(1);
/// Bytes of answer after which one is due at the latest: about 256 tokens.
const BYTES: u64 = 1_024;

/// When the next note is due.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// By the request's age.
    at: Duration,
    /// By what the answer has come to.
    bytes: u64,
    /// What it had come to when the last one was made.
    noted: u64,
}

impl Checkpoints {
    pub(super) fn begin(generation: &Generation) -> Self {
        Self { at: generation.age().saturating_add(EVERY), bytes: BYTES, noted: 0 }
    }

    /// Makes a note, if one is due.
    pub(super) fn look(
        &mut self,
        generation: &mut Generation,
        index: usize,
        facts: &Facts,
        age: Duration,
    ) {
        if age < self.at && facts.output_bytes < self.bytes {
            return;
        }
        self.at = age.saturating_add(EVERY);
        self.bytes = facts.output_bytes.saturating_add(BYTES);
        if facts.output_bytes > std::mem::replace(&mut self.noted, facts.output_bytes) {
            settle::checkpoint(generation, index, facts);
        }
    }
}
