//! A plan as plain values, for whoever prints or compares one.

use serde::Serialize;

use crate::note::Note;
use crate::place::Measured;
use crate::plan::{Candidate, Plan, Verdict};
use crate::requirements::Requirements;

/// A plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// What decided its draws, as text: JSON numbers lose bits.
    pub dice: String,
    /// In the order in which they are tried.
    pub candidates: Vec<ShownCandidate>,
    /// What is out.
    pub excluded: Vec<ShownVerdict>,
    /// What else the caller should know.
    pub notes: Vec<String>,
}

/// An endpoint that may be tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShownCandidate {
    /// Its place, from 1.
    pub rank: usize,
    /// Its id.
    pub endpoint_id: String,
    /// Its tag.
    pub tag: String,
    /// The model's id.
    pub model: String,
    /// The label of the caller's own key.
    pub byok: Option<String>,
    /// Why it stands here.
    pub why: String,
    /// What puts it behind the others.
    pub demotions: Vec<&'static str>,
    /// USD that the expected request costs here now.
    pub expected_cost_usd: f64,
    /// Median milliseconds to the first token.
    pub expected_latency_ms: Option<f64>,
    /// Median tokens per second.
    pub expected_throughput: Option<f64>,
    /// `measured` or `published`; `None` without figures.
    pub figures: Option<&'static str>,
    /// Percent of recent requests that it answered.
    pub uptime: Option<f32>,
}

/// An endpoint that is out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShownVerdict {
    /// Its id.
    pub endpoint_id: String,
    /// Its tag.
    pub tag: String,
    /// The model's id.
    pub model: String,
    /// The label of the caller's own key.
    pub byok: Option<String>,
    /// The rule.
    pub rule: &'static str,
    /// The word in `availability.excluded_by`.
    pub excluded_by: &'static str,
    /// The field of the request to blame, if it is one.
    pub field: Option<&'static str>,
    /// Why it is out.
    pub why: String,
}

/// A plan as plain values.
#[must_use]
pub fn shown(request: &Requirements, plan: &Plan) -> Shown {
    let ranked = plan.candidates.iter().enumerate();
    Shown {
        dice: plan.dice.to_string(),
        candidates: ranked.map(|(at, one)| candidate(at.saturating_add(1), one)).collect(),
        excluded: plan.excluded.iter().map(|one| verdict(request, one)).collect(),
        notes: plan.notes.iter().map(Note::text).collect(),
    }
}

fn candidate(rank: usize, one: &Candidate) -> ShownCandidate {
    let figures = &one.place.figures;
    let (latency, throughput) = (figures.latency_ms, figures.throughput);
    let source = latency.or(throughput).map(|_| {
        let live = [latency, throughput].into_iter().flatten().any(|one| one.live);
        if live { "measured" } else { "published" }
    });
    let value = |one: Option<Measured>| one.map(|one| one.value);
    ShownCandidate {
        rank,
        endpoint_id: one.endpoint.id.clone(),
        tag: one.endpoint.tag.clone(),
        model: one.model.id.clone(),
        byok: one.byok.as_ref().map(|key| key.label.clone()),
        why: one.place.text(),
        demotions: one.place.demotions.iter().map(|one| one.name()).collect(),
        expected_cost_usd: figures.price,
        expected_latency_ms: value(latency),
        expected_throughput: value(throughput),
        figures: source,
        uptime: figures.uptime,
    }
}

fn verdict(request: &Requirements, one: &Verdict) -> ShownVerdict {
    ShownVerdict {
        endpoint_id: one.endpoint.id.clone(),
        tag: one.endpoint.tag.clone(),
        model: one.endpoint.model.clone(),
        byok: one.byok.as_ref().map(|key| key.label.clone()),
        rule: one.rule,
        excluded_by: one.reason.excluded_by,
        field: one.reason.field,
        why: one.detail(request),
    }
}
