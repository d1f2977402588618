//! `/api/v1/audit-log`: what was done to an account's things, by whom, from where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use signalbox_core::id::AccountId;
use signalbox_store::AuditRow;

use super::Data;
use crate::{Platform, PlatformError};

/// Most acts on one page.
const MAX_PAGE: u32 = 1_000;

/// One act.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Act {
    /// Its number; it grows with time.
    pub id: i64,
    /// When.
    pub at: String,
    /// `key`, `user`, `operator`, `directory` or `platform`.
    pub actor_type: String,
    /// The hash of a key, the id of a user, …
    pub actor_id: String,
    /// The address that the request came from.
    pub address: Option<String>,
    /// Such as `key.update`.
    pub action: String,
    /// What it was done to: `key`, `workspace`, …
    pub object_type: String,
    /// Which one.
    pub object_id: String,
    /// How it was; null when it was made.
    pub before: Option<Value>,
    /// How it is; null when it was deleted.
    pub after: Option<Value>,
}

impl From<AuditRow> for Act {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.seq,
            at: row.at.to_rfc3339(),
            actor_type: row.actor_kind,
            actor_id: row.actor_id,
            address: row.address,
            action: row.action,
            object_type: row.object_kind,
            object_id: row.object_id,
            before: row.before,
            after: row.after,
        }
    }
}

/// `?before&limit`: the acts with a number below `before`, the latest first.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
pub struct ListActs {
    /// The last `id` of the page before.
    pub before: Option<i64>,
    /// 1 to 1000; 100.
    pub limit: Option<u32>,
}

impl Platform {
    /// What was done to an account's things, the latest first.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for a page that can't be.
    pub async fn list_acts(
        &self,
        account: &AccountId,
        asked: ListActs,
    ) -> Result<Data<Vec<Act>>, PlatformError> {
        let limit = asked.limit.unwrap_or(100);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(PlatformError::Refused(format!("limit: 1 to {MAX_PAGE}")));
        }
        let rows = self.store().audit_log(account, asked.before, limit).await?;
        Ok(Data { data: rows.into_iter().map(Into::into).collect() })
    }
}
