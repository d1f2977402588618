//! Which endpoints of a model may answer at all: hard rules, service tier, soft parameters, and the
//! caller's own keys, in this order (inference spec 5.10).

use std::sync::Arc;

use signalbox_catalog::{Endpoint, Snapshot};
use signalbox_core::{Parameter, Timestamp};

use super::runner::Runner;
use super::{COOLING, Verdict};
use crate::account::ByokKey;
use crate::health::{EndpointHealth, Health};
use crate::note::Note;
use crate::place::{Place, Section};
use crate::rank::exacto::{Bars, Sample};
use crate::requirements::{Requirements, Tier, TierWish, Wanted};
use crate::rule::{self, Ctx, Detail, Lists, ROUTABLE, Reason, TIER, tier};

/// What a request is planned with.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub request: &'a Requirements,
    pub catalog: &'a Snapshot,
    pub lists: &'a Lists<'a>,
    pub health: &'a dyn Health,
    pub now: Timestamp,
}

/// What is said of endpoints that are out, and of the request.
#[derive(Default)]
pub(super) struct Remarks {
    pub excluded: Vec<Verdict>,
    pub notes: Vec<Note>,
    /// Whether the model at hand was judged before, so that nothing is said twice.
    pub again: bool,
}

impl Remarks {
    pub fn exclude(
        &mut self,
        endpoint: &Arc<Endpoint>,
        key: Option<&Arc<ByokKey>>,
        rule: &'static str,
        reason: Reason,
    ) {
        if !self.again {
            let (endpoint, byok) = (Arc::clone(endpoint), key.map(Arc::clone));
            self.excluded.push(Verdict { endpoint, byok, rule, reason });
        }
    }

    fn note(&mut self, note: Note) {
        if !self.again {
            self.notes.push(note);
        }
    }
}

/// The runners of one model, and the bars of its quality when `compare` asks for them.
pub(super) fn gather<'a>(
    given: Given<'a>,
    model_index: usize,
    wanted: &'a Wanted,
    compare: bool,
    remarks: &mut Remarks,
) -> (Vec<Runner<'a>>, Option<Bars<'a>>) {
    let ctx = Ctx::new(given.catalog, given.request, wanted, given.lists);
    let all = given.catalog.endpoints(&wanted.model.id);
    let shared = |endpoint: &'a Arc<Endpoint>| Runner {
        endpoint,
        model_index,
        key: None,
        health: match endpoint.blocked {
            None => given.health.of(endpoint, None, given.now),
            Some(_) => EndpointHealth::default(),
        },
        place: Place::default(),
    };
    let mut passed: Vec<Runner<'a>> = Vec::with_capacity(all.len());
    let mut others: Vec<Runner<'a>> = Vec::new();
    for endpoint in all {
        match rule::judge(&ctx, endpoint) {
            None => passed.push(shared(endpoint)),
            Some((rule, reason)) => {
                remarks.exclude(endpoint, None, rule, reason);
                if compare && endpoint.blocked.is_none() && endpoint.tier.is_none() {
                    others.push(shared(endpoint));
                }
            }
        }
    }
    let bars = compare.then(|| bars(all, &passed, &others));
    keep_tier(&ctx, &mut passed, remarks);
    keep_parameters(given.request, &mut passed, remarks);
    if !given.request.account.byok.is_empty() {
        passed = with_keys(given, wanted, &passed, remarks);
    }
    passed.retain(|one| {
        let Some(seconds) = one.health.cooling(given.now) else { return true };
        let reason = Reason::unasked("rate_limit", Detail::Cooling { seconds });
        remarks.exclude(one.endpoint, one.key, COOLING, reason);
        false
    });
    (passed, bars)
}

fn bars<'a>(all: &'a [Arc<Endpoint>], passed: &[Runner<'a>], others: &[Runner<'a>]) -> Bars<'a> {
    let callable =
        |one: &&Runner<'_>| one.endpoint.blocked.is_none() && one.endpoint.tier.is_none();
    let compared = passed.iter().filter(callable).chain(others);
    let samples: Vec<_> =
        compared.map(|one| Sample { endpoint: one.endpoint, health: &one.health }).collect();
    Bars::of(&samples, all.iter().map(|one| &**one))
}

/// Flex has no fallback to another tier, unless the model has no flex endpoint that could be used
/// (inference spec 18.1).
fn keep_tier(ctx: &Ctx<'_>, passed: &mut Vec<Runner<'_>>, remarks: &mut Remarks) {
    let TierWish::Tier(wish) = ctx.request.tier else { return };
    let is = |one: &Runner<'_>| one.endpoint.tier.as_deref() == Some(wish.name());
    if !passed.iter().any(is) {
        let model = ctx.wanted.requested.clone();
        remarks.note(Note::NoTier { tier: wish.name(), model });
    } else if wish == Tier::Flex {
        passed.retain(|one| match tier::only_flex(ctx, one.endpoint) {
            None => true,
            Some(reason) => {
                remarks.exclude(one.endpoint, None, TIER, reason);
                false
            }
        });
    }
}

/// Three parameters narrow the choice when somebody supports them, and are dropped when nobody does
/// (inference spec 5.6).
fn keep_parameters(request: &Requirements, passed: &mut Vec<Runner<'_>>, remarks: &mut Remarks) {
    let soft = [
        Parameter::Tools,
        Parameter::ResponseFormat,
        Parameter::StructuredOutputs,
        Parameter::Verbosity,
    ];
    for parameter in soft {
        let supports = |one: &Runner<'_>| one.endpoint.supported_parameters.contains(parameter);
        if !request.content.parameters.contains(parameter) || !passed.iter().any(supports) {
            continue;
        }
        passed.retain(|one| {
            let kept = supports(one);
            if !kept {
                let detail = Detail::OthersSupport(parameter);
                let field = Some(parameter.name());
                let reason = Reason { excluded_by: "require_parameters", field, detail };
                remarks.exclude(one.endpoint, None, "soft_parameters", reason);
            }
            kept
        });
    }
}

/// Every endpoint with shared capacity and with each of the caller's own keys that fits it (inference
/// spec 5.8).
fn with_keys<'a>(
    given: Given<'a>,
    wanted: &'a Wanted,
    passed: &[Runner<'a>],
    remarks: &mut Remarks,
) -> Vec<Runner<'a>> {
    let mut runners = Vec::with_capacity(passed.len());
    for shared in passed {
        let endpoint = shared.endpoint;
        let mut always = false;
        for key in given.request.account.keys_for(endpoint, &wanted.model) {
            always |= key.prioritized && key.always_use;
            let section = if key.prioritized { Section::OwnKeys } else { Section::FallbackKeys };
            let health = given.health.of(endpoint, Some(&key.id), given.now);
            let place = Place { section, ..Place::default() };
            runners.push(Runner { key: Some(key), health, place, ..*shared });
        }
        match endpoint.blocked {
            Some(blocked) => {
                let reason = Reason::unasked(blocked.name(), Detail::Blocked(blocked));
                remarks.exclude(endpoint, None, ROUTABLE, reason);
            }
            None if always => {
                let reason = Reason::unasked("byok", Detail::OwnKeyOnly);
                remarks.exclude(endpoint, None, "byok", reason);
            }
            None => runners.push(*shared),
        }
    }
    runners
}
