//! A model as `/models` shows it (platform spec 14.1).

use serde_json::{Map, Value, json};

use crate::model::{Benchmarks, ModelStatus, ReasoningFacts};
use crate::{Model, Snapshot, prices};

/// The public object of a model.
pub(super) fn row(snapshot: &Snapshot, model: &Model) -> Value {
    let positive = |tokens: u64| (tokens > 0).then_some(tokens);
    let mut object = Map::new();
    let mut set = |key: &str, value: Value| {
        object.insert(key.to_owned(), value);
    };
    set("id", model.id.as_str().into());
    set("canonical_slug", model.canonical_slug.as_str().into());
    set("hugging_face_id", model.hugging_face_id.clone().into());
    set("name", model.name.as_str().into());
    set("created", model.created.into());
    set("description", "".into());
    set("context_length", positive(model.context_length).into());
    set("architecture", architecture(model));
    set("pricing", pricing(model));
    set(
        "top_provider",
        json!({
            "context_length": positive(model.context_length),
            "max_completion_tokens": model.max_output,
            "is_moderated": model.moderated,
        }),
    );
    set("per_request_limits", Value::Null);
    set("supported_parameters", json!(model.supported_parameters));
    set("default_parameters", default_parameters(model));
    set("supported_voices", or_null(&model.supported_voices));
    set("knowledge_cutoff", model.knowledge_cutoff.clone().into());
    set("expiration_date", model.expiration_date.clone().into());
    set(
        "links",
        json!({ "details": format!("/api/v1/models/{}/endpoints", model.canonical_slug) }),
    );
    if let Some(facts) = &model.reasoning {
        set("reasoning", reasoning(facts));
    }
    if let Some(scores) = &model.benchmarks {
        set("benchmarks", benchmarks(scores));
    }
    if let ModelStatus::Alias { target } = &model.status
        && let Some(target) = snapshot.model(target)
    {
        set("alias_target", json!({ "slug": target.id, "name": target.name }));
    }
    Value::Object(object)
}

/// What the model reads and writes.
pub(super) fn architecture(model: &Model) -> Value {
    let join = |modalities: &[crate::Modality]| {
        modalities.iter().map(|one| one.name()).collect::<Vec<_>>().join("+")
    };
    let (inputs, outputs) = (&model.input_modalities, &model.output_modalities);
    json!({
        "modality": format!("{}->{}", join(inputs), join(outputs)),
        "input_modalities": inputs,
        "output_modalities": outputs,
        "tokenizer": model.tokenizer,
        "instruct_type": model.instruct_type,
    })
}

/// Headline prices. Routers that pick the price with the model carry -1; a model that isn't sold by
/// the token carries 0.
fn pricing(model: &Model) -> Value {
    let mut pricing = prices::to_json(&model.pricing);
    let absent = if model.price_is_dynamic { "-1" } else { "0" };
    for key in ["prompt", "completion"] {
        pricing.entry(key).or_insert_with(|| absent.into());
    }
    Value::Object(pricing)
}

fn default_parameters(model: &Model) -> Value {
    if model.default_parameters.is_empty() {
        return Value::Null;
    }
    Value::Object(model.default_parameters.clone())
}

fn or_null(list: &[String]) -> Value {
    if list.is_empty() { Value::Null } else { json!(list) }
}

fn reasoning(facts: &ReasoningFacts) -> Value {
    let mut object = Map::new();
    object.insert("mandatory".to_owned(), facts.mandatory.into());
    if let Some(enabled) = facts.default_enabled {
        object.insert("default_enabled".to_owned(), enabled.into());
    }
    if let Some(effort) = &facts.default_effort {
        object.insert("default_effort".to_owned(), effort.as_str().into());
    }
    object.insert("supported_efforts".to_owned(), json!(facts.supported_efforts));
    if let Some(supports) = facts.supports_max_tokens {
        object.insert("supports_max_tokens".to_owned(), supports.into());
    }
    Value::Object(object)
}

fn benchmarks(scores: &Benchmarks) -> Value {
    let mut object = Map::new();
    if scores.intelligence.is_some() || scores.coding.is_some() || scores.agentic.is_some() {
        let indices = json!({
            "intelligence_index": scores.intelligence,
            "coding_index": scores.coding,
            "agentic_index": scores.agentic,
        });
        object.insert("artificial_analysis".to_owned(), indices);
    }
    object.insert("design_arena".to_owned(), json!(scores.arenas));
    Value::Object(object)
}
