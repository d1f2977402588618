//! The generation row: everything recorded about one logical request.

use serde::{Deserialize, Serialize};
use signalbox_core::id::{AccountId, GenerationId, KeyHash, RequestId, WorkspaceId};
use signalbox_core::{PriceTable, Timestamp, Usage, Usd};

use crate::error::StoreError;
use crate::sql::{Line, Row, query};
use crate::store::Store;
use crate::workspaces::default_workspace;

/// One generation as it is stored (inference spec 2.4). Money is nano-dollars, times are
/// microseconds, durations are milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GenerationRow {
    /// The generation.
    pub id: GenerationId,
    /// The API request it belongs to.
    pub request_id: RequestId,
    /// Who pays.
    pub account: AccountId,
    /// The key that asked.
    pub key: KeyHash,
    /// The model as the request named it.
    pub requested_model: String,
    /// The model that answered.
    pub model: String,
    /// Slug of the provider that answered; absent when none was reached.
    pub provider: Option<String>,
    /// Display name of the provider.
    pub provider_name: Option<String>,
    /// The endpoint that answered.
    pub endpoint_id: Option<String>,
    /// The provider's own id of the answer.
    pub upstream_id: Option<String>,
    /// `completions`, `embeddings`, `rerank`, `tts`, `stt`, `video` or `image`.
    pub api_type: String,
    /// The router model that chose, such as `signalbox/auto`.
    pub router: Option<String>,
    /// Whether the answer was streamed.
    pub streamed: bool,
    /// Whether the client left before the end.
    pub cancelled: bool,
    /// The normalised finish reason.
    pub finish_reason: Option<String>,
    /// The provider's own finish reason.
    pub native_finish_reason: Option<String>,
    /// The public error type, when it failed.
    pub error_type: Option<String>,
    /// When the request arrived; prices by the time of day are those of this moment.
    pub created_at: Timestamp,
    /// Milliseconds to the first content.
    pub latency_ms: Option<u64>,
    /// Milliseconds from the first content to the end.
    pub generation_ms: Option<u64>,
    /// What it consumed, as billed.
    pub usage: Usage,
    /// Prompt tokens, normalised.
    pub tokens_prompt: u64,
    /// Output tokens, normalised.
    pub tokens_completion: u64,
    /// What the account was charged. A settlement overwrites it with the amount that was posted.
    pub cost: Usd,
    /// What the provider charges, where it says so.
    pub upstream_cost: Option<Usd>,
    /// The price row that was applied.
    pub prices: Option<PriceTable>,
    /// The tier that served.
    pub service_tier: Option<String>,
    /// The caller's session.
    pub session_id: Option<String>,
    /// The caller's own user id.
    pub external_user: Option<String>,
    /// `HTTP-Referer` of the request.
    pub http_referer: Option<String>,
    /// Origin derived from the referer.
    pub origin: Option<String>,
    /// `User-Agent` of the request.
    pub user_agent: Option<String>,
    /// `X-Title` of the request.
    pub app_title: Option<String>,
    /// Media parts in the prompt.
    pub num_media_prompt: Option<u64>,
    /// One entry for each attempt, in order; an array as JSON.
    pub provider_responses: String,
    /// How it was routed, as JSON: the dice, the plan and what was ruled out.
    pub routing: Option<String>,
    /// The generation whose answer the response cache gave again (inference spec 14.3).
    pub response_cache_source_id: Option<GenerationId>,
    /// The list price of what the caller's own provider key paid for; absent when it was not used.
    pub byok: Option<Usd>,
    /// The fee on that list price, in hundredths of a percent.
    pub fee_bps: Option<u32>,
    /// The part of `byok` that the month's allowance covers; absent where it was not drawn on.
    pub byok_free: Option<Usd>,
    /// The preset that the request was made with.
    #[serde(default)]
    pub preset_id: Option<String>,
    /// The caller's own `trace`, an object as JSON. It is in a table of its own, which most have no row in.
    #[serde(default)]
    pub trace: Option<String>,
    /// Whether it was settled from a checkpoint after its process had ended.
    pub recovered: bool,
}

/// A row of nothing, for those who say what is in it: an answer that says nothing of itself.
impl Default for GenerationRow {
    fn default() -> Self {
        Self {
            id: GenerationId::new(""),
            request_id: RequestId::new(""),
            account: AccountId::new(""),
            key: KeyHash::new(""),
            requested_model: String::new(),
            model: String::new(),
            provider: None,
            provider_name: None,
            endpoint_id: None,
            upstream_id: None,
            api_type: String::new(),
            router: None,
            streamed: false,
            cancelled: false,
            finish_reason: None,
            native_finish_reason: None,
            error_type: None,
            created_at: Timestamp::default(),
            latency_ms: None,
            generation_ms: None,
            usage: Usage::default(),
            tokens_prompt: 0,
            tokens_completion: 0,
            cost: Usd::ZERO,
            upstream_cost: None,
            prices: None,
            service_tier: None,
            session_id: None,
            external_user: None,
            http_referer: None,
            origin: None,
            user_agent: None,
            app_title: None,
            num_media_prompt: None,
            provider_responses: String::new(),
            routing: None,
            response_cache_source_id: None,
            byok: None,
            fee_bps: None,
            byok_free: None,
            preset_id: None,
            trace: None,
            recovered: false,
        }
    }
}

impl Store {
    /// A generation of this account. Another account's generation is not found.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer or the row is damaged.
    pub async fn generation(
        &self,
        account: &AccountId,
        id: &GenerationId,
    ) -> Result<Option<GenerationRow>, StoreError> {
        let found = self.generation_now(account, id).await?;
        if found.is_some() {
            return Ok(found);
        }
        // It may have been answered and be on its way.
        self.caught_up().await;
        self.generation_now(account, id).await
    }

    async fn generation_now(
        &self,
        account: &AccountId,
        id: &GenerationId,
    ) -> Result<Option<GenerationRow>, StoreError> {
        let row = query(
            "SELECT generations.*, (SELECT trace FROM traces WHERE generation = generations.id) AS trace \
             FROM generations WHERE id = $1 AND account_id = $2",
        );
        let row = row.bind(id.as_str()).bind(account.as_str());
        let row = row.fetch_optional(self.readers()).await?;
        row.as_ref().map(read_generation).transpose()
    }

    /// The workspace that a generation counts for: that of its key. Keys stay in theirs.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn workspace_of(&self, row: &GenerationRow) -> Result<WorkspaceId, StoreError> {
        let key = query("SELECT workspace_id FROM api_keys WHERE hash = $1").bind(row.key.as_str());
        let found = key.fetch_optional(self.readers()).await?;
        let named: Option<String> = found.map(|row| row.try_get(0)).transpose()?.flatten();
        Ok(named.map_or_else(|| default_workspace(&row.account), WorkspaceId::new))
    }

    /// Requests of an account to `:free` models since a moment.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn free_requests_since(
        &self,
        account: &AccountId,
        since: Timestamp,
    ) -> Result<u64, StoreError> {
        let row = query(
            "SELECT COUNT(*) AS requests FROM generations \
             WHERE account_id = $1 AND created_at >= $2 AND model LIKE '%:free'",
        )
        .bind(account.as_str())
        .bind(since.micros())
        .fetch_one(self.readers())
        .await?;
        Ok(u64::try_from(row.try_get::<i64, _>("requests")?).unwrap_or(0))
    }
}

/// Reads a JSON text of this row.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(
    what: &str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Damaged(format!("{what}: {error}")))
}

fn read_generation(row: &Line) -> Result<GenerationRow, StoreError> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let count = |column: &str| {
        row.try_get::<Option<i64>, _>(column)
            .map(|count| count.map(|count| u64::try_from(count).unwrap_or(0)))
    };
    let prices: Option<String> = row.try_get("prices")?;
    let upstream_cost: Option<i64> = row.try_get("upstream_cost")?;
    Ok(GenerationRow {
        id: GenerationId::new(text("id")?),
        request_id: RequestId::new(text("request_id")?),
        account: AccountId::new(text("account_id")?),
        key: KeyHash::new(text("key_hash")?),
        requested_model: text("requested_model")?,
        model: text("model")?,
        provider: row.try_get("provider")?,
        provider_name: row.try_get("provider_name")?,
        endpoint_id: row.try_get("endpoint_id")?,
        upstream_id: row.try_get("upstream_id")?,
        api_type: text("api_type")?,
        router: row.try_get("router")?,
        streamed: row.try_get("streamed")?,
        cancelled: row.try_get("cancelled")?,
        finish_reason: row.try_get("finish_reason")?,
        native_finish_reason: row.try_get("native_finish_reason")?,
        error_type: row.try_get("error_type")?,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        latency_ms: count("latency_ms")?,
        generation_ms: count("generation_ms")?,
        usage: parse("usage", &text("usage")?)?,
        tokens_prompt: count("tokens_prompt")?.unwrap_or(0),
        tokens_completion: count("tokens_completion")?.unwrap_or(0),
        cost: Usd::from_nanos(row.try_get("cost")?),
        upstream_cost: upstream_cost.map(Usd::from_nanos),
        prices: prices.map(|prices| parse("prices", &prices)).transpose()?,
        service_tier: row.try_get("service_tier")?,
        session_id: row.try_get("session_id")?,
        external_user: row.try_get("external_user")?,
        http_referer: row.try_get("http_referer")?,
        origin: row.try_get("origin")?,
        user_agent: row.try_get("user_agent")?,
        app_title: row.try_get("app_title")?,
        num_media_prompt: count("num_media_prompt")?,
        provider_responses: text("provider_responses")?,
        routing: row.try_get("routing")?,
        response_cache_source_id: row
            .try_get::<Option<String>, _>("response_cache_source_id")?
            .map(GenerationId::new),
        byok: row.try_get::<Option<i64>, _>("byok")?.map(Usd::from_nanos),
        fee_bps: row
            .try_get::<Option<i64>, _>("fee_bps")?
            .map(|bps| u32::try_from(bps).unwrap_or(u32::MAX)),
        byok_free: row.try_get::<Option<i64>, _>("byok_free")?.map(Usd::from_nanos),
        preset_id: row.try_get("preset_id")?,
        trace: row.try_get("trace")?,
        recovered: row.try_get("recovered")?,
    })
}
