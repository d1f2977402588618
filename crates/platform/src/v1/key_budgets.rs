//! The budgets in `GET /key`: everything that limits what a key may spend, in the order in which a
//! request is checked. Newer official clients require them.

use serde::Serialize;
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::purse::key_scope;
use signalbox_store::workspaces::{default_guardrail, default_workspace};
use signalbox_store::{Budget, KeyRecord, Store, StoreError};

/// One limit on the spending of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyBudget {
    /// `key_limit`, `workspace`, `member`, `api_key`, `workspace_default_member` or
    /// `workspace_default_key`.
    pub scope: &'static str,
    /// Of a workspace's budget.
    pub budget_id: Option<String>,
    /// The guardrail that says so.
    pub guardrail_id: Option<String>,
    /// The most in one window.
    pub limit_usd: Usd,
    /// What was spent of it.
    pub spend_usd: Usd,
    /// What is left; at or below zero, nothing may be spent.
    pub remaining_usd: Usd,
    /// How often it starts again; null for never.
    pub reset_interval: Option<ResetInterval>,
    /// When it starts again.
    pub resets_at: Option<String>,
    /// Whether spending on own provider keys counts, at list price.
    pub include_byok: bool,
}

impl KeyBudget {
    fn of(budget: &Budget, default_guardrail: &str, spent: Usd, now: Timestamp) -> Self {
        let guardrail = budget.scope.strip_prefix("guardrail:");
        let guardrail = guardrail.and_then(|rest| rest.split_once(':'));
        let scope = match guardrail {
            None if budget.scope.starts_with("workspace:") => "workspace",
            None => "key_limit",
            Some((id, of)) => match (id == default_guardrail, of.starts_with("member:")) {
                (true, true) => "workspace_default_member",
                (true, false) => "workspace_default_key",
                (false, true) => "member",
                (false, false) => "api_key",
            },
        };
        Self {
            scope,
            budget_id: (scope == "workspace").then(|| budget.id()),
            guardrail_id: guardrail.map(|(id, _)| id.to_owned()),
            limit_usd: budget.limit,
            spend_usd: spent,
            remaining_usd: budget.limit.saturating_sub(spent),
            reset_interval: budget.interval,
            resets_at: budget.interval.map(|interval| now.window_end(interval).to_rfc3339()),
            include_byok: budget.include_byok,
        }
    }
}

/// All of them, and the one that refuses requests first: the first that is spent, else the one with the
/// least left.
pub(super) async fn of_key(
    store: &Store,
    key: &KeyRecord,
) -> Result<(Vec<KeyBudget>, Option<KeyBudget>), StoreError> {
    let now = store.clock().now();
    let workspace = key.workspace.clone().unwrap_or_else(|| default_workspace(&key.account));
    let default_guardrail = default_guardrail(&workspace);
    let own = key.limit.map(|limit| Budget {
        scope: key_scope(&key.hash),
        interval: key.limit_reset,
        limit,
        include_byok: key.include_byok_in_limit,
        updated_at: key.created_at,
    });
    let set: Vec<Budget> = own.into_iter().chain(store.policy_of(key).await?.budgets).collect();
    let scopes: Vec<String> = set.iter().map(|budget| budget.scope.clone()).collect();
    let usage = store.usage_of(&scopes, now).await?;
    let shown = |budget: &Budget| {
        let spent = usage.get(&budget.scope);
        let spent = spent.map(|one| one.counted(budget.interval, budget.include_byok));
        KeyBudget::of(budget, &default_guardrail, spent.unwrap_or_default(), now)
    };
    let budgets: Vec<KeyBudget> = set.iter().map(shown).collect();
    let refuses = budgets.iter().find(|one| one.remaining_usd <= Usd::ZERO);
    let effective = refuses.or_else(|| budgets.iter().min_by_key(|one| one.remaining_usd));
    let effective = effective.cloned();
    Ok((budgets, effective))
}
