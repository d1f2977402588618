//! The plan: which endpoints will be tried, in which order, and why each other one will not.

use std::sync::Arc;

use signalbox_catalog::{Endpoint, Model, Provider, Snapshot};
use signalbox_core::{Parameter, Timestamp, limits};

use crate::account::ByokKey;
use crate::health::{Health, Seat, Sending, Usual};
use crate::note::Note;
use crate::place::Place;
use crate::preferences::SortBy;
use crate::rank::{self, Dice};
use crate::requirements::{Requirements, Wanted};
use crate::rule::{self, Ctx, Detail, Reason};
use crate::slug;

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
        self.reason.detail.text(request, &self.endpoint)
    }
}

/// The ranked candidates, and the verdict on every other endpoint of the requested models.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// In the order in which they are tried. With several models there may be more than
    /// [`limits::MAX_ATTEMPTS`]: a model that refuses leaves its attempts to the others.
    pub candidates: Vec<Candidate>,
    /// What was ruled out.
    pub excluded: Vec<Verdict>,
    /// What the caller should know besides.
    pub notes: Vec<Note>,
    /// What decided its draws.
    pub dice: u64,
}

/// The name of the verdict on an endpoint whose provider asked for patience.
pub const COOLING: &str = "cooling";

/// Plans a request. Pure: the same arguments give the same plan. An endpoint is in it at most once.
#[must_use]
pub fn plan(
    request: &Requirements,
    catalog: &Snapshot,
    health: &dyn Health,
    now: Timestamp,
    seed: u64,
) -> Plan {
    let mut dice = Dice::new(seed);
    let mut excluded = Vec::new();
    let mut groups: Vec<Vec<Candidate>> = Vec::new();
    for (index, wanted) in request.models.iter().enumerate() {
        // Two slugs of one model, such as with and without `:floor`: judged twice, noted once.
        let again = is_repeated(request, index);
        let noted = excluded.len();
        let mut passed = pass_rules(request, catalog, wanted, index, &mut excluded);
        prefer_parameters(request, &mut passed, &mut excluded);
        if again {
            excluded.truncate(noted);
        }
        groups.push(passed);
    }
    if request.provider.across_models {
        groups = vec![groups.into_iter().flatten().collect()];
    }
    let mut fair = Fair::new(request);
    for group in groups {
        let ranked = order(request, group, &mut dice);
        let mut ranked = rested(ranked, health, now, request, &mut excluded);
        if !request.provider.allow_fallbacks && request.provider.order.is_empty() {
            ranked.truncate(1);
        }
        fair.extend(ranked);
    }
    Plan { candidates: fair.candidates, excluded, notes: Vec::new(), dice: seed }
}

/// Whether an earlier entry of the request stands for the same model.
fn is_repeated(request: &Requirements, index: usize) -> bool {
    let mut earlier = request.models.iter().take(index);
    request.models.get(index).is_some_and(|one| earlier.any(|two| two.model.id == one.model.id))
}

/// Leaves out the endpoints that asked for patience. Those in trouble, and those too slow, go
/// behind the others and otherwise keep their order.
fn rested(
    ranked: Vec<Candidate>,
    health: &dyn Health,
    now: Timestamp,
    request: &Requirements,
    excluded: &mut Vec<Verdict>,
) -> Vec<Candidate> {
    let mut keyed = Vec::with_capacity(ranked.len());
    for one in ranked {
        let past = health.of(&one.endpoint, one.seat().credential, now);
        if let Some(seconds) = past.cooling(now) {
            let noted = |verdict: &Verdict| {
                verdict.rule == COOLING && Arc::ptr_eq(&verdict.endpoint, &one.endpoint)
            };
            if !excluded.iter().any(noted) {
                let detail = Detail::Cooling { seconds };
                let reason = Reason { excluded_by: "rate_limit", field: None, detail };
                let (endpoint, byok) = (one.endpoint, one.byok);
                excluded.push(Verdict { endpoint, byok, rule: COOLING, reason });
            }
            continue;
        }
        let slow = !rank::meets_thresholds(&one.endpoint, &request.provider);
        keyed.push(((past.outage, slow), one));
    }
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, one)| one).collect()
}

/// The candidates so far, with room kept for each model that is wanted.
struct Fair {
    candidates: Vec<Candidate>,
    /// How many of each wanted model are in, by its place in the request.
    counts: Vec<usize>,
    most: usize,
}

/// Fewest candidates of a model, however many models are wanted.
const FEWEST_OF_A_MODEL: usize = 2;

impl Fair {
    /// One model alone may use every attempt; several share them.
    fn new(request: &Requirements) -> Self {
        let wanted = request.models.len().max(1);
        let most = limits::MAX_ATTEMPTS.div_ceil(wanted).max(FEWEST_OF_A_MODEL);
        Self { candidates: Vec::new(), counts: vec![0; wanted], most }
    }

    fn extend(&mut self, ranked: Vec<Candidate>) {
        for one in ranked {
            let planned = |two: &Candidate| Arc::ptr_eq(&two.endpoint, &one.endpoint);
            if let Some(count) = self.counts.get_mut(one.model_index)
                && *count < self.most
                && !self.candidates.iter().any(planned)
            {
                *count = count.saturating_add(1);
                self.candidates.push(one);
            }
        }
    }
}

fn pass_rules(
    request: &Requirements,
    catalog: &Snapshot,
    wanted: &Wanted,
    model_index: usize,
    excluded: &mut Vec<Verdict>,
) -> Vec<Candidate> {
    let ctx = Ctx { catalog, request, wanted };
    let mut passed = Vec::new();
    for endpoint in catalog.endpoints(&wanted.model.id) {
        let Some(provider) = catalog.provider(&endpoint.provider) else { continue };
        match rule::judge(&ctx, endpoint) {
            None => passed.push(Candidate {
                endpoint: Arc::clone(endpoint),
                model: Arc::clone(&wanted.model),
                provider: Arc::clone(provider),
                model_index,
                byok: None,
                place: Place::default(),
            }),
            Some((rule, reason)) => {
                let endpoint = Arc::clone(endpoint);
                excluded.push(Verdict { endpoint, byok: None, rule, reason });
            }
        }
    }
    passed
}

/// Three parameters narrow the choice when somebody supports them, and are dropped when nobody does
/// (inference spec 5.6).
fn prefer_parameters(
    request: &Requirements,
    passed: &mut Vec<Candidate>,
    excluded: &mut Vec<Verdict>,
) {
    let soft = [
        Parameter::Tools,
        Parameter::ResponseFormat,
        Parameter::StructuredOutputs,
        Parameter::Verbosity,
    ];
    for parameter in soft {
        let supports = |one: &Candidate| one.endpoint.supported_parameters.contains(parameter);
        if !request.content.parameters.contains(parameter) || !passed.iter().any(supports) {
            continue;
        }
        let all = std::mem::take(passed);
        let (kept, out): (Vec<_>, Vec<_>) = all.into_iter().partition(supports);
        *passed = kept;
        excluded.extend(out.into_iter().map(|one| Verdict {
            endpoint: one.endpoint,
            byok: None,
            rule: "soft_parameters",
            reason: Reason {
                excluded_by: "require_parameters",
                field: Some(parameter.name()),
                detail: Detail::OthersSupport(parameter),
            },
        }));
    }
}

fn order(request: &Requirements, group: Vec<Candidate>, dice: &mut Dice) -> Vec<Candidate> {
    let sort = request.provider.sort.or_else(|| {
        let first = group.first()?;
        request.models.get(first.model_index)?.sort
    });
    let mut ranked = match sort {
        Some(sort @ (SortBy::Price | SortBy::Throughput | SortBy::Latency)) => {
            let mut ranked = group;
            rank::by_metric(&mut ranked, |one| &one.endpoint, sort, &request.content);
            ranked
        }
        _ => rank::price::draw(group, |one| &one.endpoint, &request.content, dice),
    };
    let listed = &request.provider.order;
    if !listed.is_empty() {
        let place = |one: &Candidate| slug::position(listed, &one.endpoint).unwrap_or(usize::MAX);
        ranked.sort_by_cached_key(place);
    }
    ranked
}
