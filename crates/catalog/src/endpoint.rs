//! One offer of a model by a provider: price, limits, policy and statistics.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use signalbox_core::{ParameterSet, PriceTable, Rate};

use crate::family::Manner;
use crate::{Dialect, Task};

/// How the weights are held. `Unknown` is an answer, not an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each variant is its own name on the wire")]
pub enum Quantization {
    Int4,
    Int8,
    Fp4,
    Mxfp4,
    Nvfp4,
    Fp6,
    Fp8,
    Mxfp8,
    Fp16,
    Bf16,
    Fp32,
    #[default]
    Unknown,
}

impl Quantization {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int4 => "int4",
            Self::Int8 => "int8",
            Self::Fp4 => "fp4",
            Self::Mxfp4 => "mxfp4",
            Self::Nvfp4 => "nvfp4",
            Self::Fp6 => "fp6",
            Self::Fp8 => "fp8",
            Self::Mxfp8 => "mxfp8",
            Self::Fp16 => "fp16",
            Self::Bf16 => "bf16",
            Self::Fp32 => "fp32",
            Self::Unknown => "unknown",
        }
    }
}

/// What a provider does with prompts. What is not known is assumed: trains and retains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataPolicy {
    /// May train on prompts.
    pub training: bool,
    /// Keeps prompts.
    pub retains_prompts: bool,
    /// For how many days, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// May publish prompts.
    #[serde(default)]
    pub can_publish: bool,
    /// Wants to know which end user asks.
    #[serde(default)]
    pub requires_user_ids: bool,
    /// Zero data retention: neither trains nor retains.
    #[serde(default)]
    pub zdr: bool,
}

impl DataPolicy {
    /// Nothing is known, so the worst is assumed.
    pub const UNKNOWN: Self = Self {
        training: true,
        retains_prompts: true,
        retention_days: None,
        can_publish: false,
        requires_user_ids: false,
        zdr: false,
    };
    /// Neither trains nor retains.
    pub const NOTHING_KEPT: Self = Self {
        training: false,
        retains_prompts: false,
        retention_days: None,
        can_publish: false,
        requires_user_ids: false,
        zdr: true,
    };
}

/// Which `tool_choice` values an endpoint takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is its own name on the wire")]
pub struct ToolChoices {
    pub none: bool,
    pub auto: bool,
    pub required: bool,
    /// `{"type": "function", ...}`.
    pub function: bool,
}

impl ToolChoices {
    /// All four.
    pub const ALL: Self = Self { none: true, auto: true, required: true, function: true };

    fn are_all(&self) -> bool {
        *self == Self::ALL
    }
}

impl Default for ToolChoices {
    fn default() -> Self {
        Self::ALL
    }
}

/// What else an endpoint can do. Left out means no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Features {
    /// Caches prompts without being asked.
    #[serde(skip_serializing_if = "is_false")]
    pub implicit_caching: bool,
    /// Takes content as a list of parts.
    #[serde(skip_serializing_if = "is_false")]
    pub multipart: bool,
    /// Takes audio.
    #[serde(skip_serializing_if = "is_false")]
    pub input_audio: bool,
    /// Fetches files from URLs.
    #[serde(skip_serializing_if = "is_false")]
    pub file_urls: bool,
    /// Takes files inline.
    #[serde(skip_serializing_if = "is_false")]
    pub inline_files: bool,
    /// Fetches videos from URLs.
    #[serde(skip_serializing_if = "is_false")]
    pub video_urls: bool,
    /// Takes videos inline.
    #[serde(skip_serializing_if = "is_false")]
    pub inline_video: bool,
    /// Can't stop reasoning.
    #[serde(skip_serializing_if = "is_false")]
    pub mandatory_reasoning: bool,
    /// Wants earlier reasoning inside the text of messages.
    #[serde(skip_serializing_if = "is_false")]
    pub reasoning_in_text: bool,
    /// Searches the web itself.
    #[serde(skip_serializing_if = "is_false")]
    pub web_search: bool,
    /// Fetches web pages itself.
    #[serde(skip_serializing_if = "is_false")]
    pub web_fetch: bool,
    /// Has the apply-patch tool itself.
    #[serde(skip_serializing_if = "is_false")]
    pub apply_patch: bool,
    /// Clones voices.
    #[serde(skip_serializing_if = "is_false")]
    pub voice_cloning: bool,
    /// Is exempt from the request limits of free models.
    #[serde(skip_serializing_if = "is_false")]
    pub unlimited_free: bool,
}

impl Features {
    fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A price for something that is not a token: seconds of video, images, characters, pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitPrice {
    /// What is sold, such as `Video Output`.
    pub label: String,
    /// The unit, such as `second`.
    pub unit: String,
    /// USD for one unit.
    pub price: Rate,
    /// Prices that depend on a quality, such as `1080p`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<(String, Rate)>,
}

/// Values at four percentiles.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is its own name on the wire")]
pub struct Percentiles {
    pub p50: f64,
    pub p75: f64,
    pub p90: f64,
    pub p99: f64,
}

/// Speed over the half hour before the data was taken: a starting point until there is traffic.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Perf {
    /// Time to the first token in milliseconds.
    pub latency: Percentiles,
    /// Output tokens per second.
    pub throughput: Percentiles,
    /// Requests that were measured.
    pub requests: u64,
}

/// What an endpoint scored in one benchmark, pinned to it (inference spec 5.7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointScore {
    /// The benchmark's name, such as `gpqa_diamond`.
    pub benchmark: String,
    /// The score, 0 to 1; more is better.
    pub score: f64,
}

/// Why an endpoint is listed but can't be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blocked {
    /// Not offered for the moment.
    Hidden,
    /// Switched off.
    Disabled,
    /// Only with the caller's own provider key.
    ByokOnly,
    /// Takes batch jobs only.
    Batch,
    /// Only reachable in a dialect, or a protocol of its own, that the gateway doesn't speak yet.
    Dialect,
    /// The provider's base URL must be configured first.
    BaseUrl,
    /// No key for the provider is configured.
    Credential,
    /// Lacks a prompt or a completion price.
    Price,
}

impl Blocked {
    /// The rule's name, as in `excluded_by`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::Disabled => "disabled",
            Self::ByokOnly => "byok_only",
            Self::Batch => "batch",
            Self::Dialect => "dialect",
            Self::BaseUrl => "base_url",
            Self::Credential => "credential",
            Self::Price => "price",
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_true(value: &bool) -> bool {
    *value
}

fn yes() -> bool {
    true
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// One offer of a model by a provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Unique id.
    pub id: String,
    /// The model's id.
    pub model: String,
    /// The provider's slug.
    pub provider: String,
    /// What `provider.order`, `only` and `ignore` match: `provider[/variant-or-region][/tier]`.
    pub tag: String,
    /// `flex` or `priority` when this is a service-tier endpoint, which needs an opt-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// The name in listings: provider and model.
    pub name: String,
    /// What the provider calls the model.
    pub provider_model_id: String,
    /// The model row's variant.
    pub variant: String,
    /// The dialect to use, when it isn't the first that the provider speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// Only reachable by a protocol of the provider's own that no dialect covers.
    #[serde(default, skip_serializing_if = "is_false")]
    pub own_protocol: bool,
    /// How the weights are held.
    #[serde(default)]
    pub quantization: Quantization,
    /// The provider's region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Tokens that prompt and output may have together.
    pub context_length: u64,
    /// Most prompt tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_prompt: Option<u64>,
    /// Most output tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
    /// Parameters that are passed on; others are dropped or rule the endpoint out.
    #[serde(default)]
    pub supported_parameters: ParameterSet,
    /// Which `tool_choice` values it takes.
    #[serde(default, skip_serializing_if = "ToolChoices::are_all")]
    pub tool_choice: ToolChoices,
    /// How it is spoken to, where that differs from its family (see `families.toml`).
    #[serde(default, skip_serializing_if = "Manner::is_empty")]
    pub manner: Manner,
    /// What else it can do.
    #[serde(default, skip_serializing_if = "Features::are_none")]
    pub features: Features,
    /// What it costs; any discount is already taken off.
    #[serde(with = "crate::prices")]
    pub prices: PriceTable,
    /// The fraction that was taken off, for show; negative for a surcharge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Number>,
    /// Prices that are not per token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unit_pricing: Vec<UnitPrice>,
    /// 0 is healthy, negative is degraded, as published.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub status: i64,
    /// Costs nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub free: bool,
    /// Only with the caller's own provider key.
    #[serde(default, skip_serializing_if = "is_false")]
    pub byok_only: bool,
    /// Not offered for the moment.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// Switched off.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disabled: bool,
    /// Put behind the others.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deranked: bool,
    /// Prompts must be moderated before they are sent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub moderation_required: bool,
    /// Stops, and stops charging, when the connection is closed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub can_abort: bool,
    /// Takes chats.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub chat: bool,
    /// Takes plain prompts.
    #[serde(default, skip_serializing_if = "is_false")]
    pub completions: bool,
    /// Returns reasoning.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reasoning: bool,
    /// Requests per minute that the provider allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_rpm: Option<u64>,
    /// Requests per day that the provider allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_rpd: Option<u64>,
    /// Tokens per minute that the provider allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_tpm: Option<u64>,
    /// When it was added, in seconds since the epoch.
    #[serde(default)]
    pub created: i64,
    /// RFC 3339 moment after which it will be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecation_date: Option<String>,
    /// What happens to prompts here; may differ from the provider's policy.
    pub data_policy: DataPolicy,
    /// Measured speed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perf_30m: Option<Perf>,
    /// What it scored in benchmarks. No row has any yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<EndpointScore>,
    /// Options of image models, as published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_options: Option<Value>,
    /// Options of video models, as published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video_options: Option<Value>,
    /// What it is asked to do; decided when the snapshot is built.
    #[serde(skip)]
    pub task: Task,
    /// Why it can't be called; decided when the snapshot is built.
    #[serde(skip)]
    pub blocked: Option<Blocked>,
}

impl Endpoint {
    /// Whether `slug` of `provider.order`, `only` or `ignore` names this endpoint (inference spec
    /// 5.2): the full tag always does; the tag's first part does unless this is a tier endpoint; the
    /// first part with the tier (`openai/priority`) names all endpoints of that tier. A few tags
    /// begin with another name than the provider's slug; the tag decides.
    #[must_use]
    pub fn matches(&self, slug: &str) -> bool {
        if self.tag.eq_ignore_ascii_case(slug) {
            return true;
        }
        let first = self.tag.split('/').next().unwrap_or(&self.tag);
        match &self.tier {
            None => first.eq_ignore_ascii_case(slug),
            Some(tier) => slug.split_once('/').is_some_and(|(head, wanted)| {
                head.eq_ignore_ascii_case(first) && wanted.eq_ignore_ascii_case(tier)
            }),
        }
    }
}
