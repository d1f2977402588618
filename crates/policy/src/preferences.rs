//! The `provider` object of a request: what the caller prefers and forbids (inference spec 5.1).

use serde_json::{Map, Value};
use signalbox_core::{ApiError, Rate};

mod read;

pub use read::read;

/// What to sort by, when the caller says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// Cheapest first.
    Price,
    /// Most output tokens per second first.
    Throughput,
    /// Shortest time to the first token first.
    Latency,
    /// Proven endpoints first.
    Exacto,
}

impl SortBy {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Throughput => "throughput",
            Self::Latency => "latency",
            Self::Exacto => "exacto",
        }
    }

    /// The order of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Price, Self::Throughput, Self::Latency, Self::Exacto];
        all.into_iter().find(|one| one.name() == name)
    }
}

/// One cutoff for each percentile that the caller named.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cutoffs {
    /// Median.
    pub p50: Option<f64>,
    /// Three quarters of requests do at least as well.
    pub p75: Option<f64>,
    /// Nine tenths.
    pub p90: Option<f64>,
    /// Ninety-nine hundredths.
    pub p99: Option<f64>,
}

/// Hard price ceilings, each in USD per **one** unit. Prices equal to the ceiling are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MaxPrice {
    /// Per prompt token.
    pub prompt: Option<Rate>,
    /// Per output token.
    pub completion: Option<Rate>,
    /// Per request.
    pub request: Option<Rate>,
    /// Per image.
    pub image: Option<Rate>,
    /// Per audio token.
    pub audio: Option<Rate>,
}

/// The whole object, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderPreferences {
    /// Slugs to try first, in this order.
    pub order: Vec<String>,
    /// Slugs that alone are allowed; `None` allows all.
    pub only: Option<Vec<String>>,
    /// Slugs that are not allowed.
    pub ignore: Vec<String>,
    /// Whether endpoints beyond the first, or beyond `order`, may be tried.
    pub allow_fallbacks: bool,
    /// Whether an endpoint must support every parameter that was sent.
    pub require_parameters: bool,
    /// Whether endpoints that store or train on prompts are forbidden.
    pub deny_data_collection: bool,
    /// Whether only endpoints with zero data retention are allowed.
    pub zdr: bool,
    /// Whether only models are allowed whose author permits distillation.
    pub enforce_distillable_text: bool,
    /// Allowed quantizations; empty allows all.
    pub quantizations: Vec<String>,
    /// Explicit order by a metric.
    pub sort: Option<SortBy>,
    /// Whether the metric orders the endpoints of all listed models together.
    pub across_models: bool,
    /// Soft: slower endpoints come last. Tokens per second.
    pub preferred_min_throughput: Cutoffs,
    /// Soft: later endpoints come last. Seconds.
    pub preferred_max_latency: Cutoffs,
    /// Hard price ceilings.
    pub max_price: MaxPrice,
}

impl Default for ProviderPreferences {
    fn default() -> Self {
        Self {
            order: Vec::new(),
            only: None,
            ignore: Vec::new(),
            allow_fallbacks: true,
            require_parameters: false,
            deny_data_collection: false,
            zdr: false,
            enforce_distillable_text: false,
            quantizations: Vec::new(),
            sort: None,
            across_models: false,
            preferred_min_throughput: Cutoffs::default(),
            preferred_max_latency: Cutoffs::default(),
            max_price: MaxPrice::default(),
        }
    }
}

impl ProviderPreferences {
    /// Reads the raw JSON of `provider`; `None` means that the request had none.
    ///
    /// # Errors
    /// 400 naming the field as a path, such as `provider.sort`.
    pub fn from_json(raw: Option<&str>) -> Result<Self, ApiError> {
        let Some(raw) = raw else { return Ok(Self::default()) };
        match serde_json::from_str::<Value>(raw) {
            Ok(Value::Null) => Ok(Self::default()),
            Ok(Value::Object(members)) => read(&members),
            _ => Err(ApiError::invalid("provider: expected an object")),
        }
    }
}

type Members = Map<String, Value>;
