//! The ways in which a generation ends: a closed list, so that a check of all of them is one.
//!
//! **Invariant:** a stage that can end a generation that holds money names its exit here. The table of
//! `money::reservation_leak_paths` has a row for each, or it does not compile.

use std::sync::atomic::{AtomicU64, Ordering};

/// How a generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// The answer came to its end, whoever was still there to see it.
    Answered,
    /// Nobody could answer.
    Exhausted,
    /// The client left before there was any content.
    Abandoned,
    /// The client left, or read nothing on, in the middle of an answer.
    Left,
    /// The provider reported an error in the middle of its answer.
    InBand,
    /// The provider's answer could not be read on.
    Malformed,
    /// The provider's connection broke in the middle of its answer.
    BrokeOff,
    /// The provider was silent for too long, or took too long, in the middle of its answer.
    TimedOut,
    /// The process stopped.
    Stopping,
    /// The answer could not be priced or its charge could not be written.
    Unsettled,
    /// The task that owned it ended without an end: it panicked, or it was aborted.
    Orphaned,
    /// A kept answer was given again; nothing was held.
    Replayed,
    /// A guardrail blocked the request before anything was held.
    Screened,
}

impl Exit {
    /// Every one of them.
    pub const ALL: [Self; 13] = [
        Self::Answered,
        Self::Exhausted,
        Self::Abandoned,
        Self::Left,
        Self::InBand,
        Self::Malformed,
        Self::BrokeOff,
        Self::TimedOut,
        Self::Stopping,
        Self::Unsettled,
        Self::Orphaned,
        Self::Replayed,
        Self::Screened,
    ];
}

/// How many generations ended in which way.
#[derive(Debug, Default)]
pub struct Exits([AtomicU64; Exit::ALL.len()]);

impl Exits {
    fn of(&self, exit: Exit) -> Option<&AtomicU64> {
        self.0.get(exit as usize)
    }

    pub(crate) fn note(&self, exit: Exit) {
        if let Some(count) = self.of(exit) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many ended in this way since the process began.
    #[must_use]
    pub fn count(&self, exit: Exit) -> u64 {
        self.of(exit).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_has_a_count_of_its_own() {
        let exits = Exits::default();
        for (index, exit) in Exit::ALL.into_iter().enumerate() {
            assert_eq!(exit as usize, index, "{exit:?}");
            for _ in 0..=index {
                exits.note(exit);
            }
        }
        let counts = Exit::ALL.map(|exit| exits.count(exit));
        assert_eq!(counts.to_vec(), (1..=13).collect::<Vec<u64>>());
    }
}
