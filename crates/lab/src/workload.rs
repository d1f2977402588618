//! What is asked: requests with their times, models and sizes, made up or recorded.

use std::sync::Arc;

use signalbox_catalog::{Lookup, Model, Snapshot};
use signalbox_core::Timestamp;
use signalbox_policy::ProviderPreferences;

use crate::LabError;

mod recorded;
mod synthetic;

pub use synthetic::{Pace, Synthetic};

/// Most requests of a run.
pub const MAX_REQUESTS: usize = 5_000_000;
/// When virtual time begins: midnight UTC, Monday 5 January 2026. Prices by time of day look at it.
pub const START: Timestamp = Timestamp::from_seconds(1_767_571_200);

/// Where the requests come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// They are made up.
    Synthetic(Synthetic),
    /// The text of a recorded file, one JSON object a line; see docs/laboratory.md.
    Recorded(String),
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// When it arrives.
    pub at: Timestamp,
    /// Its model's place in the workload's list.
    pub model: usize,
    /// Prompt tokens.
    pub prompt: u64,
    /// Output tokens of a complete answer.
    pub completion: u64,
    /// Whether the answer is streamed.
    pub streamed: bool,
    /// Whether it has tools.
    pub tools: bool,
    /// The caller's preferences, if it has any.
    pub provider: Option<Box<ProviderPreferences>>,
}

/// All requests in the order of their arrival, and the models that they name.
#[derive(Debug)]
pub(crate) struct Workload {
    /// The models.
    pub models: Vec<Arc<Model>>,
    /// The requests.
    pub asks: Vec<Ask>,
}

impl Workload {
    /// Makes or reads the requests.
    ///
    /// # Errors
    /// A setting out of its range, a line that can't be read, an unknown model.
    pub(crate) fn new(source: &Source, catalog: &Snapshot, seed: u64) -> Result<Self, LabError> {
        match source {
            Source::Synthetic(settings) => settings.generate(catalog, seed),
            Source::Recorded(text) => recorded::read(text, catalog),
        }
    }

    /// The moment of the last arrival.
    pub(crate) fn end(&self) -> Timestamp {
        self.asks.last().map_or(START, |ask| ask.at)
    }
}

/// The model that a slug stands for, and whether anybody serves it.
fn find(catalog: &Snapshot, slug: &str) -> Result<Arc<Model>, LabError> {
    let Lookup::Found { model, variants } = catalog.lookup(slug) else {
        return Err(LabError::UnknownModel(slug.to_owned()));
    };
    if !variants.is_empty() {
        let said = format!("{slug} (a variant: say it with --provider instead)");
        return Err(LabError::UnknownModel(said));
    }
    if !catalog.endpoints(&model.id).iter().any(|one| one.blocked.is_none()) {
        return Err(LabError::NoEndpoints(slug.to_owned()));
    }
    Ok(Arc::clone(model))
}

/// A moment so many seconds after the start; `None` before the start or more than 366 days later.
pub(crate) fn moment(seconds: f64) -> Option<Timestamp> {
    const LATEST: f64 = 366.0 * 86_400.0;
    if !(0.0..=LATEST).contains(&seconds) {
        return None;
    }
    Some(after(START, seconds * 1000.0))
}

/// The moment so many milliseconds later, in whole microseconds.
pub(crate) fn after(at: Timestamp, millis: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
    let micros = (millis * 1000.0).round() as i64;
    Timestamp::from_micros(at.micros().saturating_add(micros.max(0)))
}
