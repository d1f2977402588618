//! Which models a query of `GET /models` keeps.

use std::sync::Arc;

use signalbox_core::{ParameterSet, PriceKind, Rate, Timestamp};

use super::region::{self, Region};
use crate::{Endpoint, Modality, Model, Snapshot};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Prices are stored per token and asked for per million.
const MILLION: u64 = 1_000_000;

/// Bounds, both included.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Range<T> {
    pub min: Option<T>,
    pub max: Option<T>,
}

impl<T: PartialOrd> Range<T> {
    /// What is not known is inside only where there are no bounds.
    fn admits(&self, value: Option<T>) -> bool {
        match value {
            None => self.min.is_none() && self.max.is_none(),
            Some(value) => {
                self.min.as_ref().is_none_or(|min| value >= *min)
                    && self.max.as_ref().is_none_or(|max| value <= *max)
            }
        }
    }
}

/// All conditions of a query; every one must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Filter {
    /// Nothing can match: a category, for which there are no figures.
    pub nothing: bool,
    /// Lower-case words that id or name must contain.
    pub words: Vec<String>,
    pub parameters: ParameterSet,
    /// All of these must be read.
    pub inputs: Vec<Modality>,
    /// One of these must be written; an empty list is no condition, `None` is text.
    pub outputs: Option<Vec<Modality>>,
    pub context: Option<u64>,
    /// Lower-case tokenizer family.
    pub family: Option<String>,
    pub authors: Vec<String>,
    pub providers: Vec<String>,
    /// Nobody has told which models may be distilled, so none counts as distillable.
    pub distillable: Option<bool>,
    pub zdr: bool,
    pub routable: bool,
    pub region: Option<Region>,
    pub age_days: Range<i64>,
    pub price: Range<Rate>,
    pub output_price: Range<Rate>,
    pub intelligence: Range<f64>,
    pub coding: Range<f64>,
    pub agentic: Range<f64>,
    pub tool_success: Range<f64>,
}

impl Filter {
    pub fn admits(&self, snapshot: &Snapshot, model: &Model, now: Timestamp) -> bool {
        super::is_listed(model)
            && !self.nothing
            && self.distillable != Some(true)
            && self.admits_row(model)
            && self.admits_figures(model, now)
            && self.admits_endpoints(snapshot, model)
    }

    fn admits_row(&self, model: &Model) -> bool {
        let writes = match &self.outputs {
            None => model.public && model.writes(Modality::Text),
            Some(outputs) => outputs.is_empty() || outputs.iter().any(|one| model.writes(*one)),
        };
        writes
            && self.inputs.iter().all(|one| model.reads(*one))
            && self.parameters.without(model.supported_parameters).is_empty()
            && self.context.is_none_or(|least| model.context_length >= least)
            && self.admits_names(model)
    }

    fn admits_names(&self, model: &Model) -> bool {
        let text = format!("{} {}", model.id, model.name).to_lowercase();
        self.words.iter().all(|word| text.contains(word))
            && self.family.as_ref().is_none_or(|family| is_family(model, family))
            && (self.authors.is_empty() || self.authors.contains(&model.author.to_lowercase()))
    }

    fn admits_figures(&self, model: &Model, now: Timestamp) -> bool {
        let age = now.seconds().saturating_sub(model.created).div_euclid(DAY);
        let price = |kind| {
            let rate = model.pricing.rates.get(kind)?;
            Rate::from_units(rate.times(MILLION)?)
        };
        let score = |of: fn(&crate::model::Benchmarks) -> Option<f64>| {
            model.benchmarks.as_ref().and_then(of)
        };
        self.age_days.admits(Some(age))
            && self.price.admits(price(PriceKind::Prompt))
            && self.output_price.admits(price(PriceKind::Completion))
            && self.intelligence.admits(score(|one| one.intelligence))
            && self.coding.admits(score(|one| one.coding))
            && self.agentic.admits(score(|one| one.agentic))
            && self.tool_success.admits(tool_success(model))
    }

    fn admits_endpoints(&self, snapshot: &Snapshot, model: &Model) -> bool {
        let id = match &model.status {
            crate::ModelStatus::Alias { target } => target,
            _ => &model.id,
        };
        let any = |test: &dyn Fn(&Arc<Endpoint>) -> bool| snapshot.endpoints(id).iter().any(test);
        let hosted = |endpoint: &Arc<Endpoint>| {
            snapshot.provider(&endpoint.provider).is_some_and(|provider| {
                let names = [&provider.name, &provider.display_name, &provider.slug];
                names.iter().any(|name| self.providers.contains(&name.to_lowercase()))
            })
        };
        (!self.zdr || any(&|endpoint| endpoint.data_policy.zdr))
            && (!self.routable || any(&|endpoint| snapshot.is_routable(endpoint)))
            && (self.providers.is_empty() || any(&hosted))
            && self.region.is_none_or(|region| {
                any(&|endpoint| region::of(snapshot, endpoint) == Some(region))
            })
    }
}

/// A family is a tokenizer's name or how it begins: `llama` is Llama 2, 3 and 4.
fn is_family(model: &Model, family: &str) -> bool {
    let tokenizer = model.tokenizer.to_lowercase();
    let version = tokenizer.strip_prefix(family);
    version.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Share of tool calls after which nothing went wrong.
fn tool_success(model: &Model) -> Option<f64> {
    let usage = model.usage.as_ref().filter(|usage| usage.tool_calls_30d > 0)?;
    let failed = usage.tool_error_requests_30d.min(usage.tool_calls_30d);
    Some(1.0 - failed as f64 / usage.tool_calls_30d as f64)
}
