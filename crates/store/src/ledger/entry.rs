//! What the ledger's writer is given.

use std::sync::Arc;

use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Charge, Reservation};
use tokio::sync::oneshot;

use super::rows::Written;
use crate::error::StoreError;

/// How a reservation ended, as its row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Settled,
    Released,
    /// Nothing was held: there is only the generation row.
    Recorded,
}

impl Outcome {
    /// The word in the reservation's row, where there is one.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Settled => Some("settled"),
            Self::Released => Some("released"),
            Self::Recorded => None,
        }
    }
}

/// One thing to write about a reservation. Of the reservation of something that is only recorded
/// nothing but the names counts.
pub(crate) struct Entry {
    pub reservation: Reservation,
    /// The process whose leases it was held of.
    pub holder: Arc<str>,
    pub step: Step,
}

/// What happened.
pub(crate) enum Step {
    /// It was opened a while ago.
    Open,
    /// What it has come to so far.
    Checkpoint(Checkpoint),
    /// It ended.
    End(End),
}

/// What an open generation would be settled with if its process died now.
pub(crate) struct Checkpoint {
    pub at: Timestamp,
    pub charge: Charge,
    /// The generation row as JSON.
    pub record: String,
}

/// The end of a reservation, with all that belongs to it.
pub(crate) struct End {
    pub outcome: Outcome,
    pub at: Timestamp,
    pub charge: Charge,
    /// What attempts cost the platform that nobody got an answer of.
    pub waste: Vec<Usd>,
    pub row: Option<Written>,
    /// Whether a checkpoint was written that has to go.
    pub checkpointed: bool,
    pub done: Option<oneshot::Sender<Result<(), StoreError>>>,
}

impl Entry {
    /// The end, if this is one.
    pub const fn end(&self) -> Option<&End> {
        match &self.step {
            Step::End(end) => Some(end),
            Step::Open | Step::Checkpoint(_) => None,
        }
    }

    /// What it counts for besides its key, account and workspace: a JSON array, empty for nothing.
    pub fn budgets(&self) -> Option<String> {
        match self.reservation.spender.budgets() {
            [] => Some(String::new()),
            scopes => serde_json::to_string(scopes).ok(),
        }
    }

    /// Whether there is a reservation.
    pub fn holds(&self) -> bool {
        self.end().is_none_or(|end| end.outcome != Outcome::Recorded)
    }

    /// What it adds to each scope and takes from each lease; nothing for one that was given back
    /// without an attempt.
    pub fn counted(&self) -> Option<&Charge> {
        let end = self.end()?;
        let counts = match end.outcome {
            Outcome::Settled => true,
            Outcome::Released => end.row.is_some(),
            Outcome::Recorded => false,
        };
        counts.then_some(&end.charge)
    }

    /// Tells the one who waits.
    pub fn answer(self, result: Result<(), StoreError>) {
        let generation = self.reservation.generation;
        if let Err(error) = &result {
            tracing::error!(%generation, %error, "a ledger entry was refused and is dropped");
        }
        if let Step::End(End { done: Some(done), .. }) = self.step {
            drop(done.send(result));
        }
    }
}
