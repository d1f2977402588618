//! `GET /api/v1/generation?id=`.

use serde::Serialize;
use serde_json::Value;
use signalbox_core::attribution::app_url;
use signalbox_core::id::{AccountId, GenerationId, RequestId};
use signalbox_core::{Usage, Usd};
use signalbox_store::GenerationRow;

use super::Data;
use crate::{Platform, PlatformError};

/// One generation (inference spec 2.4). Durations are milliseconds, money is dollars.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct GenerationBody {
    pub id: GenerationId,
    pub request_id: RequestId,
    pub upstream_id: Option<String>,
    pub api_type: String,
    pub model: String,
    pub provider_name: Option<String>,
    pub router: Option<String>,
    pub preset_id: Option<String>,
    pub workspace_id: Option<String>,
    pub app_id: Option<u64>,
    pub created_at: String,
    pub streamed: bool,
    pub cancelled: bool,
    pub is_byok: bool,
    pub service_tier: Option<String>,
    pub finish_reason: Option<String>,
    pub native_finish_reason: Option<String>,
    pub latency: Option<u64>,
    pub generation_time: Option<u64>,
    pub moderation_latency: Option<u64>,
    pub tokens_prompt: u64,
    pub tokens_completion: u64,
    pub native_tokens_prompt: u64,
    pub native_tokens_completion: u64,
    pub native_tokens_reasoning: u64,
    pub native_tokens_cached: u64,
    pub native_tokens_completion_images: u64,
    pub num_media_prompt: Option<u64>,
    pub num_media_completion: Option<u64>,
    pub num_input_audio_prompt: Option<u64>,
    pub num_search_results: Option<u64>,
    pub num_fetches: Option<u64>,
    pub web_search_engine: Option<String>,
    pub usage: Usd,
    pub total_cost: Usd,
    /// The list price of what the caller's own provider key paid for.
    pub upstream_inference_cost: Option<Usd>,
    /// What the prompt cache saved; below zero where writing to it cost more.
    pub cache_discount: Option<Usd>,
    pub session_id: Option<String>,
    pub external_user: Option<String>,
    pub http_referer: Option<String>,
    pub origin: String,
    pub user_agent: Option<String>,
    pub data_region: &'static str,
    pub response_cache_source_id: Option<String>,
    pub provider_responses: Option<Value>,
    /// Ours: the dice, the plan and the verdicts of the request.
    pub routing: Option<Value>,
    /// Ours: the `trace` of the request, where it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Value>,
}

/// What the same prompt would have cost without a cache, less what it cost.
fn cache_discount(row: &GenerationRow) -> Option<Usd> {
    let used = &row.usage;
    if used.cache_read == 0 && used.cache_write_5m == 0 && used.cache_write_1h == 0 {
        return None;
    }
    let prices = row.prices.as_ref()?;
    let plain = Usage {
        input_uncached: used.prompt(),
        input_audio: used.input_audio.saturating_add(used.cache_read_audio),
        cache_read: 0,
        cache_read_audio: 0,
        cache_write_5m: 0,
        cache_write_1h: 0,
        ..*used
    };
    let with = signalbox_ledger::price(used, prices, row.created_at, 1).ok()?;
    let without = signalbox_ledger::price(&plain, prices, row.created_at, 1).ok()?;
    without.total.checked_sub(with.total)
}

/// The attempts without what they cost the platform in vain. Of what is not known, as the answer's id of
/// an attempt that had none, only the status is told to be null: no other member may be.
fn told(mut attempts: Value) -> Value {
    for attempt in attempts.as_array_mut().into_iter().flatten() {
        if let Some(members) = attempt.as_object_mut() {
            members.retain(|name, value| name == "status" || name != "wasted" && !value.is_null());
        }
    }
    attempts
}

/// The region's name in the public object.
fn data_region(kept_in: Option<&str>) -> &'static str {
    match kept_in {
        Some("eu") => "europe",
        Some("us") => "us",
        _ => "global",
    }
}

impl From<GenerationRow> for GenerationBody {
    fn from(row: GenerationRow) -> Self {
        let attempts: Value = serde_json::from_str(&row.provider_responses).unwrap_or_default();
        let attempts =
            Some(attempts).filter(|one| one.as_array().is_some_and(|list| !list.is_empty()));
        let routing = row.routing.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let routing: Value = routing.unwrap_or_default();
        Self {
            cache_discount: cache_discount(&row),
            id: row.id,
            request_id: row.request_id,
            upstream_id: row.upstream_id,
            api_type: row.api_type,
            model: row.model,
            provider_name: row.provider_name,
            router: row.router,
            preset_id: row.preset_id,
            workspace_id: None,
            app_id: None,
            created_at: row.created_at.to_rfc3339(),
            streamed: row.streamed,
            cancelled: row.cancelled,
            is_byok: row.byok.is_some(),
            service_tier: row.service_tier,
            finish_reason: row.finish_reason,
            native_finish_reason: row.native_finish_reason,
            latency: row.latency_ms,
            generation_time: row.generation_ms,
            moderation_latency: routing.get("moderation_ms").and_then(Value::as_u64),
            tokens_prompt: row.tokens_prompt,
            tokens_completion: row.tokens_completion,
            native_tokens_prompt: row.usage.prompt(),
            native_tokens_completion: row.usage.output,
            native_tokens_reasoning: row.usage.reasoning,
            native_tokens_cached: row.usage.cache_read,
            native_tokens_completion_images: row.usage.output_image,
            num_media_prompt: row.num_media_prompt,
            num_media_completion: None,
            num_input_audio_prompt: None,
            num_search_results: None,
            num_fetches: None,
            web_search_engine: None,
            usage: row.cost,
            total_cost: row.cost,
            upstream_inference_cost: row.byok,
            session_id: row.session_id,
            external_user: row.external_user,
            http_referer: row.http_referer,
            origin: row.origin.unwrap_or_default(),
            user_agent: row.user_agent,
            data_region: data_region(routing.get("region").and_then(Value::as_str)),
            response_cache_source_id: row.response_cache_source_id.map(|id| id.as_str().to_owned()),
            provider_responses: attempts.map(told),
            routing: Some(routing).filter(|one| !one.is_null()),
            trace: row.trace.and_then(|text| serde_json::from_str(&text).ok()),
        }
    }
}

impl Platform {
    /// One generation of the caller's account; another account's does not exist for the caller.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`]; [`PlatformError::Store`].
    pub async fn generation(
        &self,
        account: &AccountId,
        id: &str,
    ) -> Result<Data<GenerationBody>, PlatformError> {
        let found = self.store().generation(account, &GenerationId::new(id)).await?;
        let row = found.ok_or(PlatformError::NotFound("generation"))?;
        let workspace = self.store().workspace_of(&row).await?;
        let url = row.http_referer.as_deref().and_then(app_url);
        let app = match url {
            Some(url) => self.store().app(&url).await?,
            None => None,
        };
        let mut data = GenerationBody::from(row);
        data.app_id = app.map(|(id, ..)| id);
        data.workspace_id = Some(workspace.as_str().to_owned());
        Ok(Data { data })
    }
}
