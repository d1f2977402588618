//! What applies to the requests of a key: the account's settings, and the guardrails of its workspace,
//! its creator and itself.

use signalbox_core::id::WorkspaceId;
use signalbox_guard::{Guardrail, Layer, Scope};

use super::{COLUMNS, GuardrailRecord, read};
use crate::budgets::Budget;
use crate::error::StoreError;
use crate::generations::parse;
use crate::keys::KeyRecord;
use crate::sql::{AssertSqlSafe, Row, query};
use crate::store::Store;
use crate::workspaces::{self, WorkspaceDefaults, WorkspaceSettings, default_workspace};

/// All that is set around a key.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeyPolicy {
    /// Who restricts it; none when nobody does.
    pub layers: Vec<Layer>,
    /// Phrases that are never taken for an injection.
    pub allowlist: Vec<String>,
    /// What it may spend besides its own limit, in the order in which it is checked.
    pub budgets: Vec<Budget>,
    /// What its workspace presets.
    pub workspace: WorkspaceSettings,
    /// What it presets of plugins and routing.
    pub defaults: WorkspaceDefaults,
}

impl KeyPolicy {
    fn add(&mut self, scope: Scope, guardrail: &GuardrailRecord) {
        let (id, rules) = (Some(guardrail.id.clone()), guardrail.rules.clone());
        self.layers.push(Layer { scope, id, rules });
    }

    fn limit(&mut self, guardrail: Option<&GuardrailRecord>, of: &str) {
        self.budgets.extend(guardrail.and_then(|one| one.budget(of)));
    }
}

impl Store {
    /// What applies to a key's requests. Budgets are in the order of platform spec 2.5: the workspace's,
    /// the broadest first, then those of the member's, the key's and the workspace's guardrail.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer or a row is damaged.
    pub async fn policy_of(&self, key: &KeyRecord) -> Result<KeyPolicy, StoreError> {
        let workspace = key.workspace.clone().unwrap_or_else(|| default_workspace(&key.account));
        let (settings, defaults) = self.settings_of(&workspace).await?;
        let mut policy = KeyPolicy {
            budgets: self.budgets_of(&key.workspace_id(), &key.hash).await?,
            workspace: settings,
            defaults,
            ..KeyPolicy::default()
        };
        if let Some(rules) = self.privacy(&key.account).await?.rules() {
            policy.layers.push(Layer { scope: Scope::Account, id: None, rules });
        }
        let of_workspace = self.guardrail_row(&workspaces::default_guardrail(&workspace)).await?;
        let of_key = self.guardrail_of_key(key).await?;
        let of_member = self.guardrail_of_member(key).await?;
        for (scope, guardrail) in [
            (Scope::Workspace, &of_workspace),
            (Scope::Member, &of_member),
            (Scope::ApiKey, &of_key),
        ] {
            if let Some(guardrail) = guardrail {
                policy.add(scope, guardrail);
            }
        }
        let key_name = format!("key:{}", key.hash);
        let member = key.creator.as_ref().map(|user| format!("member:{user}"));
        if let Some(member) = &member {
            policy.limit(of_member.as_ref(), member);
        }
        policy.limit(of_key.as_ref(), &key_name);
        policy.limit(of_workspace.as_ref(), member.as_deref().unwrap_or(&key_name));
        if !policy.layers.is_empty() {
            policy.allowlist = self.active_phrases(&key.account).await?;
        }
        Ok(policy)
    }

    async fn settings_of(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<(WorkspaceSettings, WorkspaceDefaults), StoreError> {
        let row =
            query("SELECT settings, defaults FROM workspaces WHERE id = $1 AND deleted_at IS NULL")
                .bind(workspace.as_str())
                .fetch_optional(self.readers())
                .await?;
        match row {
            None => Ok(Default::default()),
            Some(row) => Ok((
                parse("workspace", &row.try_get::<String, _>(0)?)?,
                parse("workspace", &row.try_get::<String, _>(1)?)?,
            )),
        }
    }

    async fn guardrail_row(&self, id: &str) -> Result<Option<GuardrailRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM guardrails WHERE id = $1");
        let row = query(AssertSqlSafe(sql)).bind(id).fetch_optional(self.readers()).await?;
        row.as_ref().map(read).transpose()
    }

    async fn guardrail_of_key(
        &self,
        key: &KeyRecord,
    ) -> Result<Option<GuardrailRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM guardrails JOIN guardrail_keys \
             ON guardrail_keys.guardrail_id = guardrails.id WHERE key_hash = $1"
        );
        let row = query(AssertSqlSafe(sql)).bind(key.hash.as_str());
        row.fetch_optional(self.readers()).await?.as_ref().map(read).transpose()
    }

    async fn guardrail_of_member(
        &self,
        key: &KeyRecord,
    ) -> Result<Option<GuardrailRecord>, StoreError> {
        let Some(user) = &key.creator else { return Ok(None) };
        let sql = format!(
            "SELECT {COLUMNS} FROM guardrails JOIN guardrail_members \
             ON guardrail_members.guardrail_id = guardrails.id \
             WHERE guardrail_members.account_id = $1 AND user_id = $2"
        );
        let row = query(AssertSqlSafe(sql)).bind(key.account.as_str()).bind(user.as_str());
        row.fetch_optional(self.readers()).await?.as_ref().map(read).transpose()
    }
}

/// Whether rules restrict anything at all.
pub(crate) fn says_anything(rules: &Guardrail) -> bool {
    *rules != Guardrail::default()
}
