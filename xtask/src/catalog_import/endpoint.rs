//! Endpoint facts to endpoint rows.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use serde_json::{Number, Value};
use signalbox_catalog::endpoint::{Features, Percentiles, Perf, ToolChoices, UnitPrice};
use signalbox_catalog::{DataPolicy, Dialect, Endpoint, Manner, Task};
use signalbox_core::{PriceKind, PriceTable, Rate};

use super::facts::{EndpointFacts, Facts, PolicyFacts, UnitPriceFacts};
use super::model::{parameter_set, price_table};

/// The row of one endpoint.
pub fn convert(row: &EndpointFacts, facts: &Facts) -> Result<Endpoint> {
    read(row, facts).with_context(|| format!("endpoint {}", row.id))
}

fn read(row: &EndpointFacts, facts: &Facts) -> Result<Endpoint> {
    let carriage = carriage(row, facts);
    let discount = match row.pricing.get("discount") {
        Some(Value::Number(number)) => Some(number.clone()),
        Some(Value::String(text)) => Some(text.parse::<Number>()?),
        _ => None,
    };
    let units: Result<Vec<UnitPrice>> = row.unit_pricing.iter().map(unit_price).collect();
    Ok(Endpoint {
        id: row.id.clone(),
        model: row.model.clone(),
        provider: row.provider.clone(),
        tag: row.tag.clone(),
        tier: None,
        name: row.name.clone(),
        provider_model_id: row.provider_model_id.clone(),
        variant: row.variant.clone(),
        dialect: carriage.dialect,
        own_protocol: carriage.own_protocol,
        quantization: serde_json::from_value(Value::String(row.quantization.clone()))?,
        region: row.region.clone(),
        context_length: row.context_length,
        max_prompt: row.max_prompt,
        max_output: row.max_output,
        supported_parameters: parameter_set(&row.supported_parameters)?,
        tool_choice: ToolChoices {
            none: row.tool_choice.none,
            auto: row.tool_choice.auto,
            required: row.tool_choice.required,
            function: row.tool_choice.type_function,
        },
        features: features(row),
        manner: Manner::new(),
        prices: reasoning_follows(price_table(&row.pricing)?),
        discount,
        unit_pricing: units?,
        status: row.status,
        free: row.free,
        byok_only: row.byok_only,
        hidden: row.hidden,
        disabled: row.disabled,
        deranked: row.deranked,
        moderation_required: row.moderation_required,
        can_abort: row.can_abort,
        chat: row.chat,
        completions: row.completions,
        reasoning: row.reasoning,
        limit_rpm: row.limit_rpm,
        limit_rpd: row.limit_rpd,
        capacity_tpm: row.capacity_tpm,
        created: row.created,
        deprecation_date: row.deprecation_date.clone(),
        data_policy: policy(&row.data_policy),
        perf_30m: row.perf_30m.as_ref().and_then(perf),
        scores: Vec::new(),
        image_options: row.image_parameters.clone(),
        video_options: row.video_parameters.clone(),
        task: Task::default(),
        blocked: None,
    })
}

/// Where reasoning is priced like output, it goes on being so in a long prompt's prices, which name the
/// output alone: its provider sells both as one (ai.google.dev/gemini-api/docs/pricing, November 2026).
fn reasoning_follows(mut prices: PriceTable) -> PriceTable {
    let base = prices.rates.get(PriceKind::InternalReasoning);
    if base.is_none() || base != prices.rates.get(PriceKind::Completion) {
        return prices;
    }
    for entry in &mut prices.overrides {
        let own = entry.rates.get(PriceKind::InternalReasoning);
        if let (None, Some(price)) = (own, entry.rates.get(PriceKind::Completion)) {
            entry.rates.set(PriceKind::InternalReasoning, price);
        }
    }
    prices
}

/// What is not known is assumed: trains and retains (inference spec 18.3).
pub fn policy(facts: &PolicyFacts) -> DataPolicy {
    let training = facts.training.unwrap_or(DataPolicy::UNKNOWN.training);
    let retains_prompts = facts.retains_prompts.unwrap_or(DataPolicy::UNKNOWN.retains_prompts);
    DataPolicy {
        training,
        retains_prompts,
        retention_days: facts.retention_days.map(|days| days as u32),
        can_publish: facts.can_publish.unwrap_or(false),
        requires_user_ids: facts.requires_user_ids.unwrap_or(false),
        zdr: facts.zdr.unwrap_or(false) && !training && !retains_prompts,
    }
}

fn features(row: &EndpointFacts) -> Features {
    let has = |flag: &str| row.features.get(flag).copied().unwrap_or(false);
    Features {
        implicit_caching: has("supports_implicit_caching"),
        multipart: row.multipart || has("supports_multipart"),
        input_audio: has("supports_input_audio"),
        file_urls: has("supports_file_urls"),
        inline_files: has("supports_base64_file_input"),
        video_urls: has("supports_video_urls"),
        inline_video: has("supports_base64_video_input"),
        mandatory_reasoning: has("is_mandatory_reasoning"),
        reasoning_in_text: has("should_send_reasoning_text_in_text_content"),
        web_search: has("supports_native_web_search"),
        web_fetch: has("supports_native_web_fetch"),
        apply_patch: has("supports_native_apply_patch"),
        voice_cloning: has("supports_voice_cloning"),
        unlimited_free: has("disable_free_endpoint_limits"),
    }
}

fn unit_price(facts: &UnitPriceFacts) -> Result<UnitPrice> {
    let steps = facts.tiers.iter().map(|(step, price)| Ok((step.clone(), rate(price)?)));
    Ok(UnitPrice {
        label: facts.label.clone(),
        unit: facts.unit.clone(),
        price: rate(&facts.price)?,
        steps: steps.collect::<Result<_>>()?,
    })
}

/// A price from its text.
pub fn rate(text: &str) -> Result<Rate> {
    text.parse().with_context(|| format!("price {text:?}"))
}

fn perf(facts: &HashMap<String, Number>) -> Option<Perf> {
    // Three decimals are more than a statistic deserves, and keep the file small.
    let value = |key: String| -> Option<f64> {
        Some((facts.get(&key)?.as_f64()? * 1000.0).round() / 1000.0)
    };
    let percentiles = |what: &str| -> Option<Percentiles> {
        Some(Percentiles {
            p50: value(format!("p50_{what}"))?,
            p75: value(format!("p75_{what}"))?,
            p90: value(format!("p90_{what}"))?,
            p99: value(format!("p99_{what}"))?,
        })
    };
    Some(Perf {
        latency: percentiles("latency")?,
        throughput: percentiles("throughput")?,
        requests: facts.get("request_count")?.as_u64()?,
    })
}

/// How an endpoint is reached, as far as it differs from its provider's usual way.
#[derive(Default)]
struct Carriage {
    dialect: Option<Dialect>,
    own_protocol: bool,
}

/// Reads the way from the name that the facts give to the endpoint's adapter, and, for models that
/// only one of two APIs serves, from the maker's own list.
fn carriage(row: &EndpointFacts, facts: &Facts) -> Carriage {
    let adapter = row.adapter.as_str();
    let has = |part: &str| adapter.contains(part);
    let own = [
        "Video",
        "WanAdapter",
        "Kling",
        "Veo",
        "Sora",
        "Seedance",
        "Hailuo",
        "Image",
        "TTS",
        "STT",
    ];
    let own_names =
        ["Batch", "Seedream", "BlackForestLabs", "Recraft", "Sourceful", "Multimodal", "FastApply"];
    if own.iter().chain(&own_names).any(|part| has(part)) && adapter != "OpenAIImageAdapter" {
        return Carriage { own_protocol: true, ..Carriage::default() };
    }
    let dialect = if has("Anthropic") || has("ClaudeOnAws") {
        Some(Dialect::AnthropicMessages)
    } else if has("Converse") {
        Some(Dialect::BedrockConverse)
    } else if has("Gemini") {
        (row.provider == "google-vertex").then_some(Dialect::Gemini)
    } else if has("VertexOpenAI") || has("BedrockOSS") || has("AzureOSS") {
        Some(Dialect::OpenaiChat)
    } else if has("BedrockOpenAIResponses") || has("MetaResponses") || responses_only(row, facts) {
        Some(Dialect::OpenaiResponses)
    } else {
        None
    };
    Carriage { dialect, own_protocol: false }
}

/// Whether the maker serves the model by its Responses API and not by its chat API.
fn responses_only(row: &EndpointFacts, facts: &Facts) -> bool {
    if !row.adapter.ends_with("ResponsesAdapter") && row.adapter != "OpenAIAdapter" {
        return false;
    }
    let base = row.model.split(':').next().unwrap_or("");
    let name = base.strip_prefix("openai/").unwrap_or("");
    let native = facts.native.get(&row.provider_model_id).or_else(|| facts.native.get(name));
    native.is_some_and(|native| {
        let serves = |path: &str| native.endpoints.iter().any(|one| one == path);
        serves("/v1/responses") && !serves("/v1/chat/completions")
    })
}
