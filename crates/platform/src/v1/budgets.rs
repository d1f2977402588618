//! `/api/v1/workspaces/{id}/budgets`: what a workspace may spend (platform spec 1.6).

use serde::{Deserialize, Serialize};
use signalbox_core::id::{AccountId, WorkspaceId};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_store::budgets::SetBudget;
use signalbox_store::{Budget, By};

use super::Deleted;
use crate::{Platform, PlatformError, Reach};

/// One budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct BudgetObject {
    pub id: String,
    pub workspace_id: WorkspaceId,
    pub limit_usd: Usd,
    /// Null for a lifetime budget.
    pub reset_interval: Option<ResetInterval>,
    pub created_at: String,
    pub updated_at: String,
}

impl BudgetObject {
    fn of(workspace: &WorkspaceId, set: &SetBudget) -> Self {
        Self {
            id: set.budget.id(),
            workspace_id: workspace.clone(),
            limit_usd: set.budget.limit,
            reset_interval: set.budget.interval,
            created_at: set.created_at.to_rfc3339(),
            updated_at: Timestamp::to_rfc3339(set.budget.updated_at),
        }
    }
}

/// Budgets, and whether they count spending on own provider keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WithByok<T> {
    /// One or all.
    pub data: T,
    /// At list price; for all budgets of the workspace alike.
    pub include_byok_in_budgets: bool,
}

/// `PUT /workspaces/{id}/budgets/{interval}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct PutBudget {
    pub limit_usd: Usd,
    pub include_byok_in_budgets: Option<bool>,
}

/// `daily`, `weekly`, `monthly` or `lifetime`, as a path has it.
fn interval(text: &str) -> Result<Option<ResetInterval>, PlatformError> {
    match (text, ResetInterval::from_name(text)) {
        ("lifetime", _) => Ok(None),
        (_, Some(interval)) => Ok(Some(interval)),
        _ => {
            let text = "interval: daily, weekly, monthly or lifetime";
            Err(PlatformError::Refused(text.to_owned()))
        }
    }
}

const fn name(interval: Option<ResetInterval>) -> &'static str {
    match interval {
        None => "lifetime",
        Some(interval) => interval.name(),
    }
}

/// The narrower a window, the smaller its budget has to be.
fn falls_with_its_window(budgets: &[Budget]) -> Result<(), PlatformError> {
    let order = [
        None,
        Some(ResetInterval::Monthly),
        Some(ResetInterval::Weekly),
        Some(ResetInterval::Daily),
    ];
    let set: Vec<&Budget> = order
        .into_iter()
        .filter_map(|interval| budgets.iter().find(|one| one.interval == interval))
        .collect();
    for pair in set.windows(2) {
        if let [broad, narrow] = pair
            && narrow.limit >= broad.limit
        {
            return Err(PlatformError::Refused(format!(
                "The {} budget (${}) must be below the {} budget (${})",
                name(narrow.interval),
                narrow.limit,
                name(broad.interval),
                broad.limit
            )));
        }
    }
    Ok(())
}

impl Platform {
    /// The budgets of a workspace, the broadest first.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for a workspace of somebody else, too.
    pub async fn list_budgets(
        &self,
        account: &AccountId,
        reach: &Reach,
        workspace: &str,
    ) -> Result<WithByok<Vec<BudgetObject>>, PlatformError> {
        let workspace = self.workspace_within(account, reach, workspace).await?;
        let all = self.store().workspace_budgets(&workspace).await?;
        let data = all.iter().map(|set| BudgetObject::of(&workspace.id, set)).collect();
        Ok(WithByok { data, include_byok_in_budgets: workspace.include_byok_in_budgets })
    }

    /// One budget of a workspace.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] when it is not set; as [`Platform::list_budgets`].
    pub async fn get_budget(
        &self,
        account: &AccountId,
        reach: &Reach,
        workspace: &str,
        window: &str,
    ) -> Result<WithByok<BudgetObject>, PlatformError> {
        let window = interval(window)?;
        let all = self.list_budgets(account, reach, workspace).await?;
        let one = all.data.into_iter().find(|one| one.reset_interval == window);
        let data = one.ok_or(PlatformError::NotFound("budget"))?;
        Ok(WithByok { data, include_byok_in_budgets: all.include_byok_in_budgets })
    }

    /// Sets a budget of a workspace; it holds from the next request on.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for a limit that is not above zero, or not below the one of a broader
    /// window; as [`Platform::list_budgets`].
    pub async fn put_budget(
        &self,
        by: By,
        workspace: &str,
        window: &str,
        wish: PutBudget,
    ) -> Result<WithByok<BudgetObject>, PlatformError> {
        let window = interval(window)?;
        if wish.limit_usd <= Usd::ZERO {
            return Err(PlatformError::Refused("limit_usd: above zero".to_owned()));
        }
        let workspace = self.workspace(&by.account, workspace).await?;
        let (id, include_byok) = (workspace.id.clone(), wish.include_byok_in_budgets);
        let fits = |budgets: &[Budget]| falls_with_its_window(budgets);
        let set = self.store();
        let set =
            set.set_workspace_budget(by, workspace, window, wish.limit_usd, include_byok, fits);
        let set = set.await??;
        let include_byok_in_budgets = set.budget.include_byok;
        Ok(WithByok { data: BudgetObject::of(&id, &set), include_byok_in_budgets })
    }

    /// Removes a budget of a workspace, if it is set.
    ///
    /// # Errors
    /// As [`Platform::list_budgets`].
    pub async fn delete_budget(
        &self,
        by: By,
        workspace: &str,
        window: &str,
    ) -> Result<Deleted, PlatformError> {
        let window = interval(window)?;
        let workspace = self.workspace(&by.account, workspace).await?;
        self.store().end_workspace_budget(by, workspace, window).await?;
        Ok(Deleted::TRUE)
    }
}
