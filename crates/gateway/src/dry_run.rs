//! The dry run: what would become of a request, and why. Nothing is sent, held or billed. It goes
//! through the stages of a request up to the plan, by the same code.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use signalbox_catalog::{Endpoint, prices};
use signalbox_core::{ApiError, Timestamp, Usage, limits};
use signalbox_policy::place::Measured;
use signalbox_policy::{Candidate, Health, Note, Plan, Requirements, Verdict, explain};
use signalbox_runtime::entropy;

use crate::authenticate::Principal;
use crate::gateway::Gateway;
use crate::inbound::{Inbound, Surface};
use crate::open::Opened;
use crate::resolve::{Around, Resolved};
use crate::tasks::Tasks;
use crate::world::World;
use crate::{resolve, retrieval, sticky};

impl Gateway {
    /// The door that a body was written for.
    ///
    /// # Errors
    /// 400 for a body that is no JSON object.
    pub fn surface_of(&self, body: &Bytes) -> Result<Surface, ApiError> {
        Surface::guess(body, &self.world.load().catalog)
    }

    /// The plan that a request of this caller would get now, with what is known of its conversation:
    /// see [`dry_run`]. `dice` repeats an earlier draw; `None` draws.
    ///
    /// # Errors
    /// As [`dry_run`].
    pub async fn dry_run(
        &self,
        caller: &Principal,
        inbound: Inbound,
        dice: Option<u64>,
    ) -> Result<Value, ApiError> {
        let dice = dice.unwrap_or_else(entropy::dice);
        let opened = self.open(caller, inbound).await?;
        let (world, now) = (self.world.load_full(), self.clock.now());
        let account = &caller.key.account;
        let (mut resolved, _) = self.resolved(&world, caller, opened, now, dice).await?;
        if let Some(refusal) = resolved.screened.as_mut().and_then(|one| one.refusal.take()) {
            return Err(refusal);
        }
        sticky::stay(self, account, &world, &mut resolved, now);
        Ok(shown(&world, &self.health, &resolved, now, dice))
    }
}

/// The ranked plan of a request: `requested`, the `models` that it stands for, `dice`, `candidates` in the order in which
/// they would be tried, `excluded` with a reason for each, `notes`, and `error`: what the request would
/// be told when there is no candidate, else null. Prices are USD per unit as decimal strings,
/// `expected_cost` is USD for the expected tokens, latencies are milliseconds, throughput is tokens per
/// second.
///
/// # Errors
/// What is wrong with the request before endpoints are looked at: a bad body, an unknown model, a
/// preset.
pub fn dry_run(
    world: &World,
    health: &dyn Health,
    inbound: Inbound,
    now: Timestamp,
    dice: u64,
) -> Result<Value, ApiError> {
    let tasks = Tasks::embedded();
    let around = Around {
        catalog: &world.catalog,
        policy: &Arc::default(),
        health,
        now,
        dice,
        classifier: tasks.classifier(),
        before: &resolve::forgetful,
        screen: None,
    };
    let (resolved, _) = resolve::resolve(Opened::bare(inbound)?, &around)?;
    Ok(shown(world, health, &resolved, now, dice))
}

fn shown(
    world: &World,
    health: &dyn Health,
    resolved: &Resolved,
    now: Timestamp,
    dice: u64,
) -> Value {
    let request = &resolved.requirements;
    let mut plan = signalbox_policy::plan(request, &world.catalog, health, now, dice);
    let mut error =
        plan.candidates.is_empty().then(|| explain::nothing_left(request, &plan, &world.catalog));
    if let (None, Some(retrieval)) = (&error, &resolved.retrieval) {
        error = retrieval::keep_fitting(retrieval, world, &mut plan).err();
    }
    let view = View { world, request, now };
    json!({
        "requested": request.requested(),
        "models": request.models.iter().map(|one| &one.model.id).collect::<Vec<_>>(),
        "dice": plan.dice.to_string(),
        "candidates": view.candidates(&plan),
        "notes": plan.notes.iter().map(Note::text).collect::<Vec<_>>(),
        "excluded": plan.excluded.iter().map(|one| view.excluded(one)).collect::<Vec<_>>(),
        "error": error.as_ref().map(told),
    })
}

/// What the plan is shown by.
struct View<'a> {
    world: &'a World,
    request: &'a Requirements,
    now: Timestamp,
}

impl View<'_> {
    fn candidates(&self, plan: &Plan) -> Vec<Value> {
        let ranked = plan.candidates.iter().enumerate();
        ranked.map(|(index, one)| self.candidate(index.saturating_add(1), one)).collect()
    }

    fn candidate(&self, rank: usize, one: &Candidate) -> Value {
        let (endpoint, figures) = (&*one.endpoint, &one.place.figures);
        let mut row = self.named(endpoint);
        if let Some(members) = row.as_object_mut() {
            members.insert("rank".into(), rank.into());
            members.insert("why".into(), one.place.text().into());
            members.insert("byok".into(), one.byok.as_ref().map(|key| key.label.clone()).into());
            members.insert("pricing".into(), Value::Object(prices::to_json(&endpoint.prices)));
            members.insert("expected_cost".into(), self.expected_cost(endpoint));
            members.insert("expected_latency_ms".into(), measured(figures.latency_ms));
            members.insert("expected_throughput".into(), measured(figures.throughput));
            members.insert("uptime".into(), figures.uptime.into());
        }
        row
    }

    fn excluded(&self, verdict: &Verdict) -> Value {
        let mut row = self.named(&verdict.endpoint);
        if let Some(members) = row.as_object_mut() {
            members.insert("rule".into(), verdict.rule.into());
            members.insert("excluded_by".into(), verdict.reason.excluded_by.into());
            members.insert("field".into(), verdict.reason.field.into());
            members.insert("reason".into(), verdict.detail(self.request).into());
        }
        row
    }

    /// What names an endpoint everywhere.
    fn named(&self, endpoint: &Endpoint) -> Value {
        let provider = self.world.catalog.provider(&endpoint.provider);
        json!({
            "model": endpoint.model,
            "provider": provider.map_or(endpoint.provider.as_str(), |one| one.name.as_str()),
            "tag": endpoint.tag,
            "endpoint_id": endpoint.id,
        })
    }

    /// What the expected tokens cost here, in USD, exactly.
    fn expected_cost(&self, endpoint: &Endpoint) -> Value {
        let content = &self.request.content;
        let output = content.max_output.unwrap_or(limits::EXPECTED_OUTPUT_TOKENS);
        let usage =
            Usage { input_uncached: content.prompt_tokens_expected, output, ..Usage::default() };
        let cost = signalbox_ledger::price(&usage, &endpoint.prices, self.now, 1);
        cost.ok().and_then(|cost| serde_json::to_value(cost.total).ok()).unwrap_or_default()
    }
}

/// A median, and whether it was `measured` here or `published` in the catalogue; null when there is none.
fn measured(figure: Option<Measured>) -> Value {
    let source = |live| if live { "measured" } else { "published" };
    figure.map_or(Value::Null, |one| json!({"p50": one.value, "source": source(one.live)}))
}

/// An error as the request would be told.
fn told(error: &ApiError) -> Value {
    json!({
        "code": error.status(),
        "error_type": error.kind.name(),
        "message": error.message,
        "availability": error.availability,
    })
}
