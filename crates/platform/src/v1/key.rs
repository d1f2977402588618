//! `GET /api/v1/key`: a key describes itself.

use serde::Serialize;
use signalbox_core::time::ResetInterval;
use signalbox_core::{Tier, Timestamp, Usd};
use signalbox_store::KeyRecord;

use super::Data;
use crate::{Platform, PlatformError};

/// The key, as durable now (inference spec 17.1). BYOK figures are list prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct KeyBody {
    pub label: String,
    pub limit: Option<Usd>,
    pub limit_reset: Option<ResetInterval>,
    /// What is left in the window, never below zero.
    pub limit_remaining: Option<Usd>,
    pub include_byok_in_limit: bool,
    pub usage: Usd,
    pub usage_daily: Usd,
    pub usage_weekly: Usd,
    pub usage_monthly: Usd,
    pub byok_usage: Usd,
    pub byok_usage_daily: Usd,
    pub byok_usage_weekly: Usd,
    pub byok_usage_monthly: Usd,
    /// Whether the account never purchased anything and has no contract.
    pub is_free_tier: bool,
    pub is_management_key: bool,
    /// The deprecated twin of `is_management_key`.
    pub is_provisioning_key: bool,
    pub creator_user_id: Option<String>,
    /// The organization that owns the key; there are none yet.
    pub organization_id: Option<String>,
    /// The key's workspace; there are none yet.
    pub workspace_id: Option<String>,
    /// Regions that requests may be routed in: there is one installation and so one region.
    pub allowed_data_regions: [&'static str; 1],
    pub free_model_daily_requests: FreeModelDailyRequests,
    pub expires_at: Option<String>,
    pub rate_limit: LegacyRateLimit,
}

/// Requests to `:free` models on this UTC day (inference spec 17.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct FreeModelDailyRequests {
    pub limit: u64,
    pub remaining: u64,
    pub used: u64,
}

/// Deprecated; always -1 (platform spec 2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct LegacyRateLimit {
    pub requests: i64,
    pub interval: &'static str,
    pub note: &'static str,
}

impl Platform {
    /// The caller's key with its spending.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] when the key was deleted meanwhile; [`PlatformError::Store`].
    pub async fn key(&self, caller: &KeyRecord) -> Result<Data<KeyBody>, PlatformError> {
        let store = self.store();
        let key = store.key(&caller.hash).await?.ok_or(PlatformError::NotFound("key"))?;
        let spend = store.key_spend(&key.hash, store.clock().now()).await?;
        let standing = store.standing(&key.account).await?.unwrap_or_default();
        let today = store.clock().now().day_start();
        let used = store.free_requests_since(&key.account, today).await?;
        let free = self.plans().of(&standing).free_limits(standing.purchased);
        let limit = u64::from(free.per_day);
        let (byok, credits) = (spend.byok, spend.credits);
        let own = if key.include_byok_in_limit { byok.within(key.limit_reset) } else { Usd::ZERO };
        let spent = credits.within(key.limit_reset).saturating_add(own);
        let left = |limit: Usd| limit.saturating_sub(spent).max(Usd::ZERO);
        let data = KeyBody {
            limit_remaining: key.limit.map(left),
            label: key.label,
            limit: key.limit,
            limit_reset: key.limit_reset,
            include_byok_in_limit: key.include_byok_in_limit,
            usage: credits.total,
            usage_daily: credits.daily,
            usage_weekly: credits.weekly,
            usage_monthly: credits.monthly,
            byok_usage: byok.total,
            byok_usage_daily: byok.daily,
            byok_usage_weekly: byok.weekly,
            byok_usage_monthly: byok.monthly,
            is_free_tier: standing.tier() == Tier::Free,
            is_management_key: key.management,
            is_provisioning_key: key.management,
            creator_user_id: None,
            organization_id: None,
            workspace_id: None,
            allowed_data_regions: ["global"],
            free_model_daily_requests: FreeModelDailyRequests {
                limit,
                remaining: limit.saturating_sub(used),
                used,
            },
            expires_at: key.expires_at.map(Timestamp::to_rfc3339),
            rate_limit: LegacyRateLimit {
                requests: -1,
                interval: "10s",
                note: "Deprecated: requests are not limited by this figure.",
            },
        };
        Ok(Data { data })
    }
}
