//! The facts as they are laid out in the source folder. Keys that are not needed are passed over.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

/// Everything that the importer reads.
pub struct Facts {
    pub models: Vec<ModelFacts>,
    pub endpoints: Vec<EndpointFacts>,
    pub providers: Vec<ProviderFacts>,
    /// Scores by the measurer's own model slug.
    pub scores: HashMap<String, Score>,
    /// Which APIs of the maker serve a model, by the maker's model id.
    pub native: HashMap<String, NativeModel>,
}

impl Facts {
    /// Reads the folder.
    pub fn read(folder: &Path) -> Result<Self> {
        Ok(Self {
            models: rows(folder, "models.jsonl")?,
            endpoints: rows(folder, "endpoints.jsonl")?,
            providers: rows(folder, "providers.jsonl")?,
            scores: super::by(rows(folder, "aa_benchmarks.jsonl")?, |row: &Score| row.slug.clone()),
            native: super::by(rows(folder, "native_models.jsonl")?, |row: &NativeModel| {
                row.key.clone()
            }),
        })
    }
}

fn rows<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<Vec<T>> {
    let path = folder.join(name);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .enumerate()
        .map(|(at, line)| {
            serde_json::from_str(line).with_context(|| format!("{name}, line {}", at + 1))
        })
        .collect()
}

#[derive(Deserialize)]
pub struct ModelFacts {
    pub id: String,
    pub base: String,
    pub variant: String,
    pub canonical_slug: String,
    pub name: String,
    pub author: String,
    pub created: i64,
    pub status: String,
    pub public: bool,
    pub alias_of: Option<String>,
    pub context_length: u64,
    pub max_output: Option<u64>,
    #[serde(default)]
    pub moderated: bool,
    pub hugging_face_id: Option<String>,
    pub input_modalities: Vec<String>,
    pub output_modalities: Vec<String>,
    pub tokenizer: String,
    pub instruct_type: Option<String>,
    #[serde(default)]
    pub pricing: Map<String, Value>,
    #[serde(default)]
    pub price_is_dynamic: bool,
    #[serde(default)]
    pub supported_parameters: Vec<String>,
    #[serde(default)]
    pub default_parameters: Map<String, Value>,
    pub reasoning: Option<Map<String, Value>>,
    pub knowledge_cutoff: Option<String>,
    pub expiration_date: Option<String>,
    #[serde(default)]
    pub supported_voices: Vec<String>,
    #[serde(default)]
    pub provider_order: Vec<String>,
    pub benchmarks: Option<BenchmarkFacts>,
    pub usage: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
pub struct BenchmarkFacts {
    #[serde(default)]
    pub aa: HashMap<String, f64>,
    #[serde(default)]
    pub design_arena: Vec<(String, String, f64, f64, u64)>,
}

#[derive(Deserialize)]
pub struct EndpointFacts {
    pub id: String,
    pub model: String,
    pub provider: String,
    pub tag: String,
    pub name: String,
    pub provider_model_id: String,
    pub adapter: String,
    pub variant: String,
    pub quantization: String,
    pub region: Option<String>,
    pub context_length: u64,
    pub max_prompt: Option<u64>,
    pub max_output: Option<u64>,
    #[serde(default)]
    pub supported_parameters: Vec<String>,
    pub tool_choice: ToolChoiceFacts,
    #[serde(default)]
    pub features: HashMap<String, bool>,
    pub pricing: Map<String, Value>,
    #[serde(default)]
    pub unit_pricing: Vec<UnitPriceFacts>,
    #[serde(default)]
    pub tiers: BTreeMap<String, Vec<(String, String)>>,
    pub status: i64,
    pub free: bool,
    pub byok_only: bool,
    pub hidden: bool,
    pub disabled: bool,
    pub deranked: bool,
    pub moderation_required: bool,
    pub can_abort: bool,
    pub chat: bool,
    pub completions: bool,
    pub multipart: bool,
    pub reasoning: bool,
    pub limit_rpm: Option<u64>,
    pub limit_rpd: Option<u64>,
    pub capacity_tpm: Option<u64>,
    pub created: i64,
    pub deprecation_date: Option<String>,
    pub image_parameters: Option<Value>,
    pub video_parameters: Option<Value>,
    pub data_policy: PolicyFacts,
    pub perf_30m: Option<HashMap<String, Number>>,
}

#[derive(Deserialize)]
pub struct ToolChoiceFacts {
    pub none: bool,
    pub auto: bool,
    pub required: bool,
    pub type_function: bool,
}

#[derive(Deserialize)]
pub struct UnitPriceFacts {
    pub label: String,
    pub price: String,
    pub unit: String,
    #[serde(default)]
    pub tiers: Vec<(String, String)>,
}

#[derive(Deserialize)]
pub struct PolicyFacts {
    pub training: Option<bool>,
    pub retains_prompts: Option<bool>,
    pub retention_days: Option<f64>,
    pub can_publish: Option<bool>,
    pub requires_user_ids: Option<bool>,
    pub zdr: Option<bool>,
}

#[derive(Deserialize)]
pub struct ProviderFacts {
    pub slug: String,
    pub name: String,
    pub display_name: String,
    pub base_url: Option<String>,
    pub headquarters: Option<String>,
    #[serde(default)]
    pub datacenters: Vec<String>,
    pub data_policy: PolicyFacts,
    pub terms_url: Option<String>,
    pub privacy_url: Option<String>,
    pub status_url: Option<String>,
    pub abortable: bool,
    pub moderation_required: bool,
    pub byok: bool,
}

#[derive(Deserialize)]
pub struct Score {
    pub slug: String,
    pub coding: Option<f64>,
}

#[derive(Deserialize)]
pub struct NativeModel {
    pub key: String,
    #[serde(default)]
    pub endpoints: Vec<String>,
}
