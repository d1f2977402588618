//! The models that a router may choose from.

use std::sync::Arc;

use signalbox_catalog::{Endpoint, Modality, Model, ModelStatus};
use signalbox_core::{Parameter, PriceKind, Rate};

use super::{Choosing, Group, Router};
use crate::health::EndpointHealth;
use crate::pattern;
use crate::rank::{price, speed};
use crate::requirements::Wanted;
use crate::rule::{self, Ctx, Lists};

/// Models that judge texts and don't answer them, whatever modality they have.
const JUDGES: [&str; 3] = ["*/*-guard*", "*/*-safety*", "*/*-safeguard*"];

/// A model that could be called, with the figures of the endpoints that could be.
#[derive(Debug, Clone)]
pub struct Eligible<'a> {
    /// The model.
    pub model: &'a Arc<Model>,
    /// USD that the request costs at the cheapest of them.
    pub price: f64,
    /// USD per output token there.
    pub output_price: f64,
    /// USD for the prompt there.
    pub prompt_cost: f64,
    /// USD per prompt token there.
    pub prompt_price: f64,
    /// The same on average, weighted with their traffic.
    pub mean_prompt_price: f64,
    /// Most output tokens per second, by the median.
    pub throughput: Option<f64>,
}

impl Eligible<'_> {
    /// USD of a usual request of a group: this prompt, and the output that the model usually gives,
    /// which is where a model that reasons at length pays.
    #[must_use]
    pub fn usual_cost(&self, group: Group) -> f64 {
        const LEAST: u64 = 50;
        const MOST: u64 = 8000;
        let usage = self.model.usage.filter(|usage| usage.requests_30d >= 1000);
        let usual =
            usage.and_then(|usage| usage.completion_tokens_30d.checked_div(usage.requests_30d));
        let output = usual.map_or(group.usual_output(), |tokens| tokens.clamp(LEAST, MOST));
        #[expect(clippy::cast_precision_loss, reason = "a rank needs no exact price")]
        let output = output as f64;
        self.output_price.mul_add(output, self.prompt_cost)
    }
}

/// All models that could be called for a request, in the catalogue's order.
#[derive(Debug, Default)]
pub struct Field<'a> {
    /// The models.
    pub models: Vec<Eligible<'a>>,
}

impl<'a> Field<'a> {
    /// Judges every model of the catalogue. Models all of whose endpoints asked for patience are in
    /// only when there is nobody else.
    #[must_use]
    pub fn of(choosing: &Choosing<'a>) -> Self {
        let lists = Lists::new(choosing.request);
        let mut rested = Vec::new();
        let mut cooling = Vec::new();
        for model in choosing.catalog.models().filter(|one| may_be_chosen(choosing, one)) {
            match judged(choosing, model, &lists) {
                Some((one, false)) => rested.push(one),
                Some((one, true)) => cooling.push(one),
                None => {}
            }
        }
        Self { models: if rested.is_empty() { cooling } else { rested } }
    }
}

fn may_be_chosen(choosing: &Choosing<'_>, model: &Model) -> bool {
    // Free variants have limits of their own: only who asks for them gets one.
    let wants_free = choosing.free_only || choosing.router == Router::Free;
    let kind = model.variant == if wants_free { "free" } else { "standard" };
    let reasons = model.reasoning.as_ref();
    kind && model.status == ModelStatus::Live
        && model.public
        && model.writes(Modality::Text)
        && !(choosing.without_reasoning && reasons.is_some_and(|facts| facts.mandatory))
        && (!choosing.thinking || reasons.is_some())
        && !JUDGES.iter().any(|one| pattern::matches(one, &model.base))
}

/// The model with the best of its endpoints, and whether all of them asked for patience.
fn judged<'a>(
    choosing: &Choosing<'a>,
    model: &'a Arc<Model>,
    lists: &Lists<'_>,
) -> Option<(Eligible<'a>, bool)> {
    let endpoints = choosing.catalog.endpoints(&model.id);
    // Most models have nobody here who serves them.
    if choosing.request.account.byok.is_empty() && endpoints.iter().all(|one| one.blocked.is_some())
    {
        return None;
    }
    let wanted = Wanted {
        requested: String::new(),
        model: Arc::clone(model),
        sort: choosing.sort,
        admits: choosing.admits,
    };
    let ctx = Ctx::new(choosing.catalog, choosing.request, &wanted, lists);
    let fits = |one: &&Arc<Endpoint>| rule::judge(&ctx, one).is_none() && can_do_it(choosing, one);
    let passed: Vec<_> = endpoints
        .iter()
        .filter(fits)
        .map(|one| (one, choosing.health.of(one, None, choosing.now)))
        .collect();
    let cooling = passed.iter().all(|(_, past)| past.cooling(choosing.now).is_some());
    let usable = |past: &EndpointHealth| cooling || past.cooling(choosing.now).is_none();
    summary(choosing, model, passed.iter().filter(|(_, past)| usable(past)).map(|(e, h)| (*e, h)))
        .map(|one| (one, cooling))
}

/// What a router asks for besides the rules: here nobody drops a parameter that a router could have
/// minded.
fn can_do_it(choosing: &Choosing<'_>, endpoint: &Endpoint) -> bool {
    let needed = [Parameter::Tools, Parameter::ResponseFormat, Parameter::StructuredOutputs];
    let sent = choosing.request.content.parameters;
    needed.into_iter().all(|one| !sent.contains(one) || endpoint.supported_parameters.contains(one))
}

fn summary<'a, 'h>(
    choosing: &Choosing<'a>,
    model: &'a Arc<Model>,
    endpoints: impl Iterator<Item = (&'a Arc<Endpoint>, &'h EndpointHealth)>,
) -> Option<Eligible<'a>> {
    let content = &choosing.request.content;
    let mut best: Option<(f64, &Endpoint)> = None;
    let mut fastest: Option<f64> = None;
    let (mut traffic, mut paid) = (0.0, 0.0);
    for (endpoint, past) in endpoints {
        let cost = price::blended(endpoint, content, choosing.now);
        if best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, endpoint));
        }
        let speed = speed::throughput(endpoint, past).map(|(values, _)| values.p50);
        let speed = speed.filter(|one| one.is_finite());
        fastest = fastest.into_iter().chain(speed).reduce(f64::max);
        #[expect(clippy::cast_precision_loss, reason = "a weight needs no exact count")]
        let requests = endpoint.perf_30m.map_or(1.0, |perf| perf.requests.max(1) as f64);
        traffic += requests;
        paid += requests * usd(endpoint, PriceKind::Prompt);
    }
    let (cost, endpoint) = best?;
    let prompt_price = usd(endpoint, PriceKind::Prompt);
    #[expect(clippy::cast_precision_loss, reason = "a rank needs no exact price")]
    let prompt = content.prompt_tokens_expected.max(1) as f64;
    Some(Eligible {
        model,
        price: cost,
        output_price: usd(endpoint, PriceKind::Completion),
        prompt_cost: prompt * prompt_price + usd(endpoint, PriceKind::Request),
        prompt_price,
        mean_prompt_price: if traffic > 0.0 { paid / traffic } else { prompt_price },
        throughput: fastest,
    })
}

/// USD of one unit, for ranking only.
fn usd(endpoint: &Endpoint, kind: PriceKind) -> f64 {
    const UNITS_PER_USD: f64 = 1e28;
    let units = endpoint.prices.rates.get(kind).unwrap_or(Rate::ZERO).units();
    #[expect(clippy::cast_precision_loss, reason = "a rank needs no exact price")]
    let units = units as f64;
    units / UNITS_PER_USD
}
