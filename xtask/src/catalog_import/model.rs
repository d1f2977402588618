//! Model facts to model rows.

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde_json::{Map, Value};
use signalbox_catalog::model::{ArenaScore, Benchmarks, ReasoningFacts, UsageFacts};
use signalbox_catalog::{Modality, Model, ModelStatus, prices};
use signalbox_core::{Parameter, ParameterSet, PriceTable};

use super::facts::{BenchmarkFacts, Facts, ModelFacts};

/// The row of one model.
pub fn convert(row: &ModelFacts, facts: &Facts) -> Result<Model> {
    read(row, facts).with_context(|| format!("model {}", row.id))
}

fn read(row: &ModelFacts, facts: &Facts) -> Result<Model> {
    let status = match (row.status.as_str(), &row.alias_of) {
        ("live", _) => ModelStatus::Live,
        ("retired", _) => ModelStatus::Retired,
        ("router", _) => ModelStatus::Router,
        ("alias", Some(target)) => ModelStatus::Alias { target: target.clone() },
        (other, _) => bail!("unknown status {other:?}"),
    };
    let mut parameters = row.supported_parameters.clone();
    parameters.sort();
    Ok(Model {
        id: row.id.clone(),
        base: row.base.clone(),
        variant: row.variant.clone(),
        canonical_slug: row.canonical_slug.clone(),
        name: row.name.clone(),
        author: row.author.clone(),
        created: row.created,
        status,
        public: row.public,
        context_length: row.context_length,
        max_output: row.max_output,
        moderated: row.moderated,
        hugging_face_id: row.hugging_face_id.clone(),
        input_modalities: modalities(&row.input_modalities)?,
        output_modalities: modalities(&row.output_modalities)?,
        tokenizer: row.tokenizer.clone(),
        instruct_type: row.instruct_type.clone(),
        pricing: if row.price_is_dynamic {
            PriceTable::default()
        } else {
            price_table(&row.pricing)?
        },
        price_is_dynamic: row.price_is_dynamic,
        supported_parameters: parameter_set(&parameters)?,
        default_parameters: row.default_parameters.clone(),
        reasoning: row.reasoning.as_ref().map(reasoning).transpose()?.flatten(),
        knowledge_cutoff: row.knowledge_cutoff.clone(),
        expiration_date: row.expiration_date.clone(),
        supported_voices: row.supported_voices.clone(),
        provider_order: row.provider_order.clone(),
        benchmarks: benchmarks(row, facts),
        usage: row.usage.as_ref().map(usage).transpose()?,
    })
}

fn modalities(names: &[String]) -> Result<Vec<Modality>> {
    names
        .iter()
        .map(|name| Modality::from_name(name).with_context(|| format!("modality {name:?}")))
        .collect()
}

/// The parameters with these names.
pub fn parameter_set(names: &[String]) -> Result<ParameterSet> {
    names
        .iter()
        .map(|name| Parameter::from_name(name).with_context(|| format!("parameter {name:?}")))
        .collect()
}

/// Prices in the public form; the discount, which is already taken off, is not one of them.
pub fn price_table(pricing: &Map<String, Value>) -> Result<PriceTable> {
    let mut pricing = pricing.clone();
    pricing.remove("discount");
    prices::from_json(&pricing).map_err(anyhow::Error::msg)
}

/// What is published about reasoning; nothing when only a wire detail is known.
fn reasoning(facts: &Map<String, Value>) -> Result<Option<ReasoningFacts>> {
    const PUBLIC: [&str; 5] = [
        "mandatory",
        "default_enabled",
        "default_effort",
        "supported_efforts",
        "supports_max_tokens",
    ];
    let public: Map<String, Value> = facts
        .iter()
        .filter(|(key, value)| PUBLIC.contains(&key.as_str()) && !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if public.is_empty() {
        return Ok(None);
    }
    Ok(Some(serde_json::from_value(Value::Object(public))?))
}

/// The published scores. Where the coding index is missing it is taken from the measurer's own list,
/// if a model there has exactly this slug; its other indices have changed their scale since and are
/// left alone.
fn benchmarks(row: &ModelFacts, facts: &Facts) -> Option<Benchmarks> {
    let mut scores = row.benchmarks.as_ref().map(published).unwrap_or_default();
    let own_slug = row.base.split('/').next_back().unwrap_or("").replace('.', "-");
    let eligible = row.status == "live" && row.variant == "standard";
    if let (None, true, Some(score)) = (scores.coding, eligible, facts.scores.get(&own_slug)) {
        scores.coding = score.coding;
    }
    (scores != Benchmarks::default()).then_some(scores)
}

fn published(facts: &BenchmarkFacts) -> Benchmarks {
    let arenas =
        facts.design_arena.iter().map(|(arena, category, elo, win_rate, rank)| ArenaScore {
            arena: arena.clone(),
            category: category.clone(),
            elo: *elo,
            win_rate: *win_rate,
            rank: *rank,
        });
    Benchmarks {
        intelligence: facts.aa.get("intelligence").copied(),
        coding: facts.aa.get("coding").copied(),
        agentic: facts.aa.get("agentic").copied(),
        arenas: arenas.collect(),
    }
}

fn usage(facts: &Map<String, Value>) -> Result<UsageFacts> {
    let mut facts = facts.clone();
    facts.remove("reasoning_tokens_30d");
    facts.remove("cached_tokens_30d");
    Ok(serde_json::from_value(Value::Object(facts))?)
}

/// A further spelling of a model id.
#[derive(Serialize)]
pub struct Legacy {
    pub slug: String,
    pub id: String,
}

/// Older spellings that the public documentation names, as far as their models are known.
pub fn legacy(models: &[Model]) -> Vec<Legacy> {
    [("anthropic/claude-3-5-sonnet", "anthropic/claude-3.5-sonnet")]
        .into_iter()
        .filter(|(_, id)| models.iter().any(|model| model.id == *id))
        .map(|(slug, id)| Legacy { slug: slug.to_owned(), id: id.to_owned() })
        .collect()
}
