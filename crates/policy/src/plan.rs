//! The plan: which endpoints will be tried, in which order, and why each other one will not.

use std::sync::Arc;

use signalbox_catalog::{Endpoint, Model, Provider, Snapshot};
use signalbox_core::Timestamp;

use crate::account::ByokKey;
use crate::health::{Health, Seat, Sending, Usual};
use crate::note::Note;
use crate::place::Place;
use crate::rank::Dice;
use crate::rank::sort::{Method, Order};
use crate::requirements::Requirements;
use crate::rule::{Lists, Reason};

mod gather;
mod limit;
pub(crate) mod runner;

use gather::{Given, Remarks, gather};
use limit::Limit;

/// An endpoint that may be tried.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// The model that it serves.
    pub model: Arc<Model>,
    /// Who serves it.
    pub provider: Arc<Provider>,
    /// The place of that model in the request's list.
    pub model_index: usize,
    /// The caller's own key to call it with; `None` is the operator's.
    pub byok: Option<Arc<ByokKey>>,
    /// Why it stands where it stands.
    pub place: Place,
}

impl Candidate {
    /// A candidate that was named and not chosen, with the operator's key.
    #[must_use]
    pub fn named(endpoint: Arc<Endpoint>, model: Arc<Model>, provider: Arc<Provider>) -> Self {
        Self { endpoint, model, provider, model_index: 0, byok: None, place: Place::default() }
    }

    /// Whose health an attempt reads and changes.
    #[must_use]
    pub fn seat(&self) -> Seat<'_> {
        let credential = self.byok.as_ref().map(|key| key.id.as_str());
        Seat { endpoint: &self.endpoint.id, credential }
    }

    /// What the board is asked before this candidate is called.
    #[must_use]
    pub fn sending(&self, streamed: bool, last_resort: bool) -> Sending<'_> {
        Sending {
            seat: self.seat(),
            model: &self.model.id,
            whole: !streamed,
            usual: Usual::of(&self.endpoint, &self.model),
            last_resort,
        }
    }
}

/// An endpoint that will not be tried, and why.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// With which of the caller's keys; `None` is shared capacity.
    pub byok: Option<Arc<ByokKey>>,
    /// The rule that ruled it out.
    pub rule: &'static str,
    /// Its reason.
    pub reason: Reason,
}

impl Verdict {
    /// What was asked and what there is, for a person.
    #[must_use]
    pub fn detail(&self, request: &Requirements) -> String {
        let text = self.reason.detail.text(request, &self.endpoint);
        match &self.byok {
            Some(key) => format!("with the caller's key {:?}: {text}", key.label),
            None => text,
        }
    }
}

/// The ranked candidates, and the verdict on every other endpoint of the requested models.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// In the order in which they are tried. With several models there may be more than
    /// [`limits::MAX_ATTEMPTS`]: a model that refuses leaves its attempts to the others.
    ///
    /// [`limits::MAX_ATTEMPTS`]: signalbox_core::limits::MAX_ATTEMPTS
    pub candidates: Vec<Candidate>,
    /// What was ruled out. An endpoint with a credential is either here or a candidate.
    pub excluded: Vec<Verdict>,
    /// What the caller should know besides.
    pub notes: Vec<Note>,
    /// What decided its draws.
    pub dice: u64,
}

/// The name of the verdict on an endpoint whose provider asked for patience.
pub const COOLING: &str = "cooling";

/// Plans a request. Pure: the same arguments give the same plan. An endpoint is in it at most once
/// for each credential.
#[must_use]
pub fn plan(
    request: &Requirements,
    catalog: &Snapshot,
    health: &dyn Health,
    now: Timestamp,
    seed: u64,
) -> Plan {
    let lists = Lists::new(request);
    let given = Given { request, catalog, lists: &lists, health, now };
    let mut remarks = Remarks { notes: idle_names(request, catalog, &lists), ..Remarks::default() };
    let together = request.provider.across_models;
    let merged = Method::across(request, &request.models);
    let mut groups = Vec::with_capacity(request.models.len());
    let mut bars = Vec::with_capacity(request.models.len());
    for (index, wanted) in request.models.iter().enumerate() {
        // Two slugs of one model, such as with and without `:floor`: judged twice, noted once.
        remarks.again = is_repeated(request, index);
        let method = if together { merged } else { Method::of(request, wanted.sort) };
        let compare = matches!(method, Method::Exacto { .. });
        let (runners, model_bars) = gather(given, index, wanted, compare, &mut remarks);
        bars.push(model_bars);
        groups.push((method, runners));
    }
    if together {
        let all = groups.into_iter().flat_map(|(_, runners)| runners).collect();
        groups = vec![(merged, all)];
    }
    let mut dice = Dice::new(seed);
    let mut limit = Limit::new(request, catalog);
    remarks.again = false;
    for (method, runners) in groups {
        let order = Order { request, lists: &lists, bars: &bars, method, now };
        let mut runners = runners;
        let ranked = order.apply(&mut runners, &mut dice);
        limit.admit(method, &runners, &ranked, &mut remarks);
    }
    let candidates = limit.finish(&mut remarks);
    Plan { candidates, excluded: remarks.excluded, notes: remarks.notes, dice: seed }
}

/// Whether an earlier entry of the request stands for the same model.
fn is_repeated(request: &Requirements, index: usize) -> bool {
    let mut earlier = request.models.iter().take(index);
    request.models.get(index).is_some_and(|one| earlier.any(|two| two.model.id == one.model.id))
}

/// Most notes about one list; the caller knows its own names.
const MOST_NOTES: usize = 20;

/// Names in `order`, `only` and `ignore` that serve none of the models. They are skipped (inference
/// spec 5.1).
fn idle_names(request: &Requirements, catalog: &Snapshot, lists: &Lists<'_>) -> Vec<Note> {
    let mut notes = Vec::new();
    let fields = [
        ("provider.order", Some(&lists.order)),
        ("provider.only", lists.only.as_ref()),
        ("provider.ignore", Some(&lists.ignore)),
    ];
    for (field, list) in fields {
        let Some(list) = list.filter(|list| !list.is_empty()) else { continue };
        let models = request.models.iter().flat_map(|one| catalog.endpoints(&one.model.id));
        for name in list.idle(models.map(|one| &**one)).into_iter().take(MOST_NOTES) {
            let provider = name.split('/').next().unwrap_or(name).to_ascii_lowercase();
            let known = catalog.provider(&provider).is_some();
            notes.push(Note::Unserved { field, name: name.to_owned(), known });
        }
    }
    notes
}
