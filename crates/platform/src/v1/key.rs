//! `GET /api/v1/key`: a key describes itself.

use serde::Serialize;
use signalbox_core::id::{AccountId, UserId, WorkspaceId};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Tier, Usd};
use signalbox_store::KeyRecord;

use super::Data;
use super::key_budgets::{self, KeyBudget};
use super::keys::key_object;
use crate::{Platform, PlatformError};

/// The key, as durable now (inference spec 17.1).
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
    pub creator_user_id: Option<UserId>,
    /// The organization that owns the key, if one does.
    pub organization_id: Option<AccountId>,
    pub workspace_id: WorkspaceId,
    /// Regions that requests may be kept in, as far as the plan goes.
    pub allowed_data_regions: &'static [&'static str],
    pub free_model_daily_requests: FreeModelDailyRequests,
    pub budgets: Vec<KeyBudget>,
    /// The one that refuses requests first.
    pub effective_budget: Option<KeyBudget>,
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
        let usage = store.key_usage(&[key.counted_as()], store.clock().now()).await?;
        let usage = usage.get(key.counted_as()).cloned().unwrap_or_default();
        let owner = store.owner(&key.account).await?;
        let standing = store.standing(&key.account).await?.unwrap_or_default();
        let today = store.clock().now().day_start();
        let used = store.free_requests_since(&key.account, today).await?;
        let plan = self.plans().of(&standing);
        let free = plan.free_limits(standing.purchased);
        let limit = u64::from(free.per_day);
        let (budgets, effective_budget) = key_budgets::of_key(store, &key).await?;
        let object = key_object(key.clone(), &usage);
        let data = KeyBody {
            label: object.label,
            limit: object.limit,
            limit_reset: object.limit_reset,
            limit_remaining: object.limit_remaining,
            include_byok_in_limit: object.include_byok_in_limit,
            usage: object.usage,
            usage_daily: object.usage_daily,
            usage_weekly: object.usage_weekly,
            usage_monthly: object.usage_monthly,
            byok_usage: object.byok_usage,
            byok_usage_daily: object.byok_usage_daily,
            byok_usage_weekly: object.byok_usage_weekly,
            byok_usage_monthly: object.byok_usage_monthly,
            is_free_tier: standing.tier() == Tier::Free,
            is_management_key: key.management,
            is_provisioning_key: key.management,
            creator_user_id: object.creator_user_id,
            organization_id: owner.is_none().then_some(key.account),
            workspace_id: object.workspace_id,
            allowed_data_regions: if plan.in_region {
                &["global", "europe", "us"]
            } else {
                &["global"]
            },
            free_model_daily_requests: FreeModelDailyRequests {
                limit,
                remaining: limit.saturating_sub(used),
                used,
            },
            budgets,
            effective_budget,
            expires_at: object.expires_at,
            rate_limit: LegacyRateLimit {
                requests: -1,
                interval: "10s",
                note: "Deprecated: requests are not limited by this figure.",
            },
        };
        Ok(Data { data })
    }
}
