//! Counting while a strategy runs.

use std::collections::BTreeMap;

use signalbox_core::Usd;

/// Why a request got no complete answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// No endpoint was left to try from the beginning.
    NoCandidate,
    /// Every attempt failed.
    AllFailed,
    /// It broke off after its first content, when nothing can be tried any more.
    Broken,
    /// It took longer than a request may.
    TooLong,
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Delivered<'a> {
    pub provider: &'a str,
    pub cost: Usd,
    /// Prompt and output.
    pub tokens: u64,
    /// From arrival to the first content, failed attempts included; streams only.
    pub first_ms: Option<u64>,
    /// From arrival to the end.
    pub total_ms: u64,
    /// Output tokens per second of the attempt that answered, waiting included.
    pub throughput: f64,
}

/// The counts of one strategy.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub requests: u64,
    pub attempts: u64,
    pub answered: u64,
    pub no_candidate: u64,
    pub all_failed: u64,
    pub broken: u64,
    pub too_long: u64,
    pub cost: Usd,
    pub tokens: u64,
    pub first_ms: Vec<u64>,
    pub total_ms: Vec<u64>,
    pub throughput: Vec<f64>,
    pub providers: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn request(&mut self) {
        self.requests = self.requests.saturating_add(1);
    }

    pub(crate) fn attempt(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
    }

    pub(crate) fn lose(&mut self, why: Lost) {
        let count = match why {
            Lost::NoCandidate => &mut self.no_candidate,
            Lost::AllFailed => &mut self.all_failed,
            Lost::Broken => &mut self.broken,
            Lost::TooLong => &mut self.too_long,
        };
        *count = count.saturating_add(1);
    }

    pub(crate) fn deliver(&mut self, answer: &Delivered<'_>) {
        self.answered = self.answered.saturating_add(1);
        self.cost = self.cost.saturating_add(answer.cost);
        self.tokens = self.tokens.saturating_add(answer.tokens);
        self.first_ms.extend(answer.first_ms);
        self.total_ms.push(answer.total_ms);
        self.throughput.push(answer.throughput);
        match self.providers.get_mut(answer.provider) {
            Some(count) => *count = count.saturating_add(1),
            None => drop(self.providers.insert(answer.provider.to_owned(), 1)),
        }
    }

    /// Requests without a complete answer.
    pub(crate) fn errors(&self) -> u64 {
        [self.no_candidate, self.all_failed, self.broken, self.too_long]
            .into_iter()
            .fold(0, u64::saturating_add)
    }
}
