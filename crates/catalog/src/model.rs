//! What is served: one row per public model id.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signalbox_core::{ParameterSet, PriceTable};

/// What a model reads or writes (inference spec A.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each variant is its own name on the wire")]
pub enum Modality {
    Text,
    Image,
    Audio,
    Video,
    File,
    Speech,
    Transcription,
    Embeddings,
    Rerank,
}

impl Modality {
    /// Every modality, in declaration order.
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Image,
        Self::Audio,
        Self::Video,
        Self::File,
        Self::Speech,
        Self::Transcription,
        Self::Embeddings,
        Self::Rerank,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::File => "file",
            Self::Speech => "speech",
            Self::Transcription => "transcription",
            Self::Embeddings => "embeddings",
            Self::Rerank => "rerank",
        }
    }

    /// The modality with this wire name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Whether and how a model can be called.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelStatus {
    /// Has had at least one endpoint when the data was taken.
    #[default]
    Live,
    /// Known, but nobody serves it any more.
    Retired,
    /// A moving name such as `~author/family-latest`.
    Alias {
        /// The id of the concrete model it stands for.
        target: String,
    },
    /// Picks a model itself; has no endpoints of its own.
    Router,
}

/// What a model can be told about its reasoning (inference spec 9.3).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasoningFacts {
    /// Whether it can't be switched off.
    #[serde(default)]
    pub mandatory: bool,
    /// Whether it reasons when the request says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_enabled: Option<bool>,
    /// The effort when the request names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_effort: Option<String>,
    /// The efforts it knows, strongest first; `None` means all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_efforts: Option<Vec<String>>,
    /// Whether it takes a budget in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supports_max_tokens: Option<bool>,
}

/// Scores by independent measurers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Benchmarks {
    /// Intelligence index of Artificial Analysis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intelligence: Option<f64>,
    /// Coding index of Artificial Analysis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coding: Option<f64>,
    /// Agentic index of Artificial Analysis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agentic: Option<f64>,
    /// Placements in Design Arena.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arenas: Vec<ArenaScore>,
}

/// One placement in Design Arena.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArenaScore {
    /// Which arena, such as `models`.
    pub arena: String,
    /// Which category in it, such as `website`.
    pub category: String,
    /// The Elo rating.
    pub elo: f64,
    /// Won comparisons in percent.
    pub win_rate: f64,
    /// The place, from 1.
    pub rank: u64,
}

/// How much a model was used when the data was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageFacts {
    /// Requests in thirty days.
    pub requests_30d: u64,
    /// Prompt tokens in thirty days.
    pub prompt_tokens_30d: u64,
    /// Output tokens in thirty days.
    pub completion_tokens_30d: u64,
    /// Tool calls in thirty days.
    #[serde(default)]
    pub tool_calls_30d: u64,
    /// Requests in thirty days that had a failing tool call.
    #[serde(default)]
    pub tool_error_requests_30d: u64,
    /// Requests in the last seven days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_7d: Option<u64>,
    /// Tokens in the last seven days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_7d: Option<u64>,
    /// Place among all models by tokens of thirty days, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u64>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// One model as the catalogue knows it. A static variant such as `:free` is a row of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The public id, with a static variant if it has one: `author/name[:variant]`.
    pub id: String,
    /// The id without the variant.
    pub base: String,
    /// `standard`, `free`, `batch`, `thinking` or `extended`.
    pub variant: String,
    /// The dated id that never changes.
    pub canonical_slug: String,
    /// The name for people.
    pub name: String,
    /// Who made it: the part of the id before the slash.
    pub author: String,
    /// When it was added, in seconds since the epoch.
    pub created: i64,
    /// Whether and how it can be called.
    #[serde(default)]
    pub status: ModelStatus,
    /// Whether the default listing shows it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub public: bool,
    /// Tokens that prompt and output may have together; 0 when that has no meaning.
    #[serde(default)]
    pub context_length: u64,
    /// Most output tokens of the leading endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
    /// Whether the leading endpoint's provider moderates prompts.
    #[serde(default, skip_serializing_if = "is_false")]
    pub moderated: bool,
    /// Where the weights are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hugging_face_id: Option<String>,
    /// What it reads.
    #[serde(default)]
    pub input_modalities: Vec<Modality>,
    /// What it writes.
    #[serde(default)]
    pub output_modalities: Vec<Modality>,
    /// The family of its tokenizer, one of the public names (`GPT`, `Claude`, `Other`, ...).
    pub tokenizer: String,
    /// The prompt template of open models, such as `chatml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruct_type: Option<String>,
    /// The headline price: that of the leading endpoint.
    #[serde(default, with = "crate::prices")]
    pub pricing: PriceTable,
    /// Whether the price depends on what a router picks; then `pricing` is empty.
    #[serde(default, skip_serializing_if = "is_false")]
    pub price_is_dynamic: bool,
    /// Parameters that at least one endpoint supports.
    #[serde(default)]
    pub supported_parameters: ParameterSet,
    /// Values that the model's maker recommends; shown, never injected.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub default_parameters: Map<String, Value>,
    /// What it can be told about reasoning; `None` for models that don't reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<ReasoningFacts>,
    /// Date (YYYY-MM-DD) after which it knows nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knowledge_cutoff: Option<String>,
    /// Date (YYYY-MM-DD) on which it will be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration_date: Option<String>,
    /// Voices of a speech model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supported_voices: Vec<String>,
    /// Endpoint tags in the order that the listing shows first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provider_order: Vec<String>,
    /// Scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub benchmarks: Option<Benchmarks>,
    /// How much it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageFacts>,
}

/// Whose models a privacy setting is for: four authors have one of their own (inference spec 18.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the author's name")]
pub enum AuthorGroup {
    Anthropic,
    Openai,
    Google,
    Xai,
    Other,
}

impl Model {
    /// Whose models it is one of.
    #[must_use]
    pub fn author_group(&self) -> AuthorGroup {
        match self.author.as_str() {
            "anthropic" => AuthorGroup::Anthropic,
            "openai" => AuthorGroup::Openai,
            "google" => AuthorGroup::Google,
            "x-ai" => AuthorGroup::Xai,
            _ => AuthorGroup::Other,
        }
    }

    /// A live text model with the given id and window and nothing else known: the start of a
    /// configured row. The author is what stands before the slash.
    #[must_use]
    pub fn bare(id: &str, context_length: u64) -> Self {
        let (base, variant) = id.split_once(':').unwrap_or((id, "standard"));
        Self {
            id: id.to_owned(),
            base: base.to_owned(),
            variant: variant.to_owned(),
            canonical_slug: base.to_owned(),
            name: id.to_owned(),
            author: base.split('/').next().unwrap_or(base).trim_start_matches('~').to_owned(),
            created: 0,
            status: ModelStatus::Live,
            public: true,
            context_length,
            max_output: None,
            moderated: false,
            hugging_face_id: None,
            input_modalities: vec![Modality::Text],
            output_modalities: vec![Modality::Text],
            tokenizer: String::from("Other"),
            instruct_type: None,
            pricing: PriceTable::default(),
            price_is_dynamic: false,
            supported_parameters: ParameterSet::EMPTY,
            default_parameters: Map::new(),
            reasoning: None,
            knowledge_cutoff: None,
            expiration_date: None,
            supported_voices: Vec::new(),
            provider_order: Vec::new(),
            benchmarks: None,
            usage: None,
        }
    }

    /// Whether the model writes this.
    #[must_use]
    pub fn writes(&self, modality: Modality) -> bool {
        self.output_modalities.contains(&modality)
    }

    /// Whether the model reads this.
    #[must_use]
    pub fn reads(&self, modality: Modality) -> bool {
        self.input_modalities.contains(&modality)
    }
}
