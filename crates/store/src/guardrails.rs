//! Guardrails: their rows, and what applies to a key.

mod assigned;
mod layers;
mod managed;

pub use assigned::{Assignee, Assignees, Assignment};
pub use layers::KeyPolicy;
pub(crate) use layers::says_anything;

use signalbox_core::id::{AccountId, WorkspaceId};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_guard::Guardrail;

use crate::budgets::{Budget, read_interval};
use crate::error::StoreError;
use crate::generations::parse;
use crate::sql::{Line, Row};

/// One guardrail (platform spec 7.1).
#[derive(Debug, Clone, PartialEq)]
pub struct GuardrailRecord {
    /// A UUID.
    pub id: String,
    /// Whose it is.
    pub account: AccountId,
    /// The workspace it is kept in. It enforces nothing by that.
    pub workspace: Option<WorkspaceId>,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it permits and looks for.
    pub rules: Guardrail,
    /// The most that each key or member under it may spend in a window.
    pub limit: Option<Usd>,
    /// When that starts again; never without.
    pub reset_interval: Option<ResetInterval>,
    /// Whether spending on own provider keys counts.
    pub include_byok: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

impl GuardrailRecord {
    /// What one of those under it may spend: `of` is `key:<hash>` or `member:<user>`.
    pub(crate) fn budget(&self, of: &str) -> Option<Budget> {
        Some(Budget {
            scope: format!("guardrail:{}:{of}", self.id),
            interval: self.reset_interval,
            limit: self.limit?,
            include_byok: self.include_byok,
            updated_at: self.updated_at.unwrap_or(self.created_at),
        })
    }
}

const COLUMNS: &str = "guardrails.id, guardrails.account_id, guardrails.workspace_id, \
     guardrails.name, description, rules, guardrails.limit_nanos, reset_interval, include_byok, \
     guardrails.created_at, guardrails.updated_at";

fn read(row: &Line) -> Result<GuardrailRecord, StoreError> {
    let rules: String = row.try_get(5)?;
    let interval: Option<String> = row.try_get(7)?;
    Ok(GuardrailRecord {
        id: row.try_get(0)?,
        account: AccountId::new(row.try_get::<String, _>(1)?),
        workspace: row.try_get::<Option<String>, _>(2)?.map(WorkspaceId::new),
        name: row.try_get(3)?,
        description: row.try_get(4)?,
        rules: parse("guardrail", &rules)?,
        limit: row.try_get::<Option<i64>, _>(6)?.map(Usd::from_nanos),
        reset_interval: interval.as_deref().map(read_interval).transpose()?.flatten(),
        include_byok: row.try_get(8)?,
        created_at: Timestamp::from_micros(row.try_get(9)?),
        updated_at: row.try_get::<Option<i64>, _>(10)?.map(Timestamp::from_micros),
    })
}
