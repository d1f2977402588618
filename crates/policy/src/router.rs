//! Routers: slugs that stand for a choice among models (inference spec 8). Pure: the same arguments
//! choose the same models.
//!
//! Only a model that could be called for this request is ever chosen: one of its endpoints passes
//! every rule of [`crate::rule`], the account's and the request's, and supports what is asked of it.

mod auto;
mod eligible;
mod free;
mod pareto;
mod settings;
mod task;

use std::ops::Range;
use std::sync::Arc;

use signalbox_catalog::{Model, Snapshot};
use signalbox_core::{ApiError, AvailabilityCode, Constraint, Timestamp};

use crate::explain;
use crate::health::Health;
use crate::preferences::SortBy;
use crate::requirements::{Requirements, Tier};

pub use auto::{CostTier, DEFAULT_TRADEOFF, MOST_AUTO};
pub use eligible::{Eligible, Field};
pub use pareto::{MOST_PARETO, Quality};
pub use settings::{AutoSettings, Band, ParetoSettings, PriceSource, Settings};
pub use task::{Blend, Group, Scores};

/// A router that chooses in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Router {
    /// `openrouter/auto`: the model for the task at hand.
    Auto,
    /// `openrouter/auto-beta`: the same, with settings of its own.
    AutoBeta,
    /// `openrouter/free`: any free model that can do it.
    Free,
    /// `openrouter/pareto-code`: the cheapest that codes well enough.
    Pareto,
}

impl Router {
    /// Every router.
    pub const ALL: [Self; 4] = [Self::Auto, Self::AutoBeta, Self::Free, Self::Pareto];

    /// The router with this id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.id() == id)
    }

    /// Its id, as a model.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Auto => "openrouter/auto",
            Self::AutoBeta => "openrouter/auto-beta",
            Self::Free => "openrouter/free",
            Self::Pareto => "openrouter/pareto-code",
        }
    }

    /// `strategy` of router metadata (inference spec 2.5).
    #[must_use]
    pub const fn strategy(self) -> &'static str {
        match self {
            Self::Auto | Self::AutoBeta => "auto",
            Self::Free => "free",
            Self::Pareto => "pareto",
        }
    }

    /// The id of the plugin entry with its settings, which it alone reads.
    #[must_use]
    pub const fn plugin(self) -> Option<&'static str> {
        match self {
            Self::Auto => Some("auto-router"),
            Self::AutoBeta => Some("auto-beta-router"),
            Self::Free => None,
            Self::Pareto => Some("pareto-router"),
        }
    }

    /// Whether the model that it chose stays with the conversation (inference spec 8.1, 8.3).
    #[must_use]
    pub const fn is_sticky(self) -> bool {
        !matches!(self, Self::Free)
    }

    /// Whether it has to be told the task.
    #[must_use]
    pub const fn wants_task(self) -> bool {
        matches!(self, Self::Auto | Self::AutoBeta)
    }
}

/// What a router is given to choose by.
#[derive(Clone, Copy)]
pub struct Choosing<'a> {
    /// Which router.
    pub router: Router,
    /// The slug that named it, for errors.
    pub requested: &'a str,
    /// The catalogue.
    pub catalog: &'a Snapshot,
    /// The request, without its models.
    pub request: &'a Requirements,
    /// The recent past, for speed.
    pub health: &'a dyn Health,
    /// The present.
    pub now: Timestamp,
    /// What decides its draws.
    pub dice: u64,
    /// The order that a suffix of the slug asks for.
    pub sort: Option<SortBy>,
    /// The tier that such a suffix lets in.
    pub admits: Option<Tier>,
    /// Free models alone (`:free`).
    pub free_only: bool,
    /// Models that reason alone (`:thinking`).
    pub thinking: bool,
    /// Reasoning is switched off, so that models which can't stop are no choice.
    pub without_reasoning: bool,
    /// The kind of task, when it is known.
    pub task: Option<Task>,
    /// The model that this conversation had from this router before.
    pub before: Option<&'a str>,
    /// The model that wrote the conversation's last answer, as the client says.
    pub last_author: Option<&'a str>,
}

/// A kind of task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// Its tag, such as `code:debugging`.
    pub tag: &'static str,
    /// What it needs most.
    pub group: Group,
}

/// What a router chose.
#[derive(Debug, Clone)]
pub struct RouterChoice {
    /// Which router.
    pub router: Router,
    /// The places of its models in [`Requirements::models`].
    pub models: Range<usize>,
    /// The tag of the task, when it was known.
    pub task: Option<&'static str>,
    /// The least coding percentile that was asked for, 0 to 1 (Pareto).
    pub quality_floor: Option<f64>,
    /// Why each of the models, in their order.
    pub reasons: Vec<String>,
}

/// A model that was chosen, and why.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The model.
    pub model: Arc<Model>,
    /// What speaks for it, for a person.
    pub reason: String,
}

/// The same, of a field.
struct Pick<'f> {
    model: &'f Eligible<'f>,
    reason: String,
}

/// The models to try, best first, each with what speaks for it. Never empty.
///
/// # Errors
/// 404 when no model is left.
pub fn choose(choosing: &Choosing<'_>, settings: &Settings) -> Result<Vec<Chosen>, ApiError> {
    let field = Field::of(choosing);
    if field.models.is_empty() {
        return Err(nobody(choosing, "no model that can be called here can do what is asked"));
    }
    let picks = match choosing.router {
        Router::Auto | Router::AutoBeta => auto::choose(choosing, &settings.auto, &field),
        Router::Free => free::choose(choosing, &field),
        Router::Pareto => pareto::choose(choosing, &settings.pareto, &field),
    };
    let picks = picks.map_err(|detail| nobody(choosing, detail))?;
    let chosen =
        |pick: Pick<'_>| Chosen { model: Arc::clone(pick.model.model), reason: pick.reason };
    Ok(picks.into_iter().map(chosen).collect())
}

fn nobody(choosing: &Choosing<'_>, detail: &str) -> ApiError {
    let requested = vec![choosing.requested.to_owned()];
    let mut answer = explain::availability(AvailabilityCode::NoEndpoints, requested);
    answer.constraint = Some(Constraint { field: "model".into(), detail: detail.to_owned() });
    ApiError::unavailable(answer, "No models match your request and model restrictions")
}
