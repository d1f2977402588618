//! An endpoint as `/models/{author}/{slug}/endpoints` shows it (platform spec 14.3).

use serde_json::{Value, json};

use crate::endpoint::Percentiles;
use crate::{Endpoint, Model, Snapshot, prices};

/// Figures of an endpoint that change all the time; `None` means too little data.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LiveFigures {
    /// Successes in percent over five minutes; refusals for rate limits don't count.
    pub uptime_5m: Option<f64>,
    /// The same over thirty minutes.
    pub uptime_30m: Option<f64>,
    /// The same over a day.
    pub uptime_1d: Option<f64>,
    /// Milliseconds to the first token over thirty minutes.
    pub latency_30m: Option<Percentiles>,
    /// Output tokens per second over thirty minutes.
    pub throughput_30m: Option<Percentiles>,
}

impl LiveFigures {
    /// What the data came with.
    #[must_use]
    pub fn published(endpoint: &Endpoint) -> Self {
        Self {
            latency_30m: endpoint.perf_30m.map(|perf| perf.latency),
            throughput_30m: endpoint.perf_30m.map(|perf| perf.throughput),
            ..Self::default()
        }
    }
}

/// The public object of an endpoint. Without `speeds`, latency and throughput are null.
pub(super) fn row(
    snapshot: &Snapshot,
    model: &Model,
    endpoint: &Endpoint,
    figures: &LiveFigures,
    speeds: bool,
) -> Value {
    let provider = snapshot.provider(&endpoint.provider);
    let provider_name = provider.map_or(endpoint.provider.as_str(), |one| one.name.as_str());
    json!({
        "name": endpoint.name,
        "model_id": model.id,
        "model_name": model.name,
        "provider_name": provider_name,
        "tag": endpoint.tag,
        "context_length": endpoint.context_length,
        "max_prompt_tokens": endpoint.max_prompt,
        "max_completion_tokens": endpoint.max_output,
        "quantization": endpoint.quantization.name(),
        "pricing": pricing(endpoint),
        "supported_parameters": endpoint.supported_parameters,
        "supports_tool_choice": endpoint.tool_choice,
        "supports_implicit_caching": endpoint.features.implicit_caching,
        "supports_voice_cloning": endpoint.features.voice_cloning,
        "status": endpoint.status,
        "uptime_last_5m": figures.uptime_5m,
        "uptime_last_30m": figures.uptime_30m,
        "uptime_last_1d": figures.uptime_1d,
        "latency_last_30m": figures.latency_30m.filter(|_| speeds),
        "throughput_last_30m": figures.throughput_30m.filter(|_| speeds),
    })
}

fn pricing(endpoint: &Endpoint) -> Value {
    let mut pricing = prices::to_json(&endpoint.prices);
    for key in ["prompt", "completion"] {
        pricing.entry(key).or_insert_with(|| "0".into());
    }
    if let Some(discount) = &endpoint.discount {
        pricing.insert("discount".to_owned(), Value::Number(discount.clone()));
    }
    Value::Object(pricing)
}
