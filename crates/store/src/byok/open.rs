//! The provider keys that a caller may use, opened.

use signalbox_core::Secret;
use signalbox_core::id::WorkspaceId;
use signalbox_vault::{Sealed, VaultError};

use super::{ByokRecord, COLUMNS, KIND, NEXT, read};
use crate::error::StoreError;
use crate::keys::KeyRecord;
use crate::sql::{AssertSqlSafe, Line, Row, query};
use crate::store::Store;
use crate::workspaces::default_workspace;

/// A provider key that a caller may use.
#[derive(Debug, Clone)]
pub struct OpenedKey {
    /// What is known of it.
    pub record: ByokRecord,
    /// The key; `None` when it can't be opened. Then it can't be used, and what its owner wants in its
    /// place (`always_use`) holds all the same.
    pub secret: Option<Secret<String>>,
}

impl Store {
    fn opened(&self, row: &Line) -> Result<OpenedKey, StoreError> {
        let record = read(row)?;
        let text = |at: usize| row.try_get::<Option<String>, _>(NEXT + at);
        let sealed = match (text(0)?, text(1)?, text(2)?) {
            (Some(kek), Some(dek), Some(text)) => Some(Sealed { kek, dek, text }),
            _ => None,
        };
        let opened = sealed.as_ref().map(|one| self.vault().open(&record.secret_label(), one));
        let problem = match opened {
            Some(Ok(secret)) => return Ok(OpenedKey { record, secret: Some(secret) }),
            Some(Err(problem)) => problem,
            None => VaultError::Damaged,
        };
        tracing::error!(id = record.id, %problem, "a provider key can't be opened and is not used");
        Ok(OpenedKey { record, secret: None })
    }

    /// The provider keys of an account that requests with this API key may use, in their order: those
    /// that are not disabled, are of its workspace or of all, and whose lists of API keys and people
    /// have it. Which models they are for is not looked at.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer or a row is damaged beyond its secret.
    pub async fn byok_for(&self, key: &KeyRecord) -> Result<Vec<OpenedKey>, StoreError> {
        let workspace = key.workspace.clone().unwrap_or_else(|| default_workspace(&key.account));
        let sql = format!(
            "SELECT {COLUMNS}, kek, dek, sealed FROM byok_keys \
             LEFT JOIN secrets ON secrets.kind = $1 AND secrets.id = byok_keys.id \
             WHERE account_id = $2 AND deleted_at IS NULL AND disabled = 0 \
             AND (workspace_id IS NULL OR workspace_id = $3) \
             ORDER BY provider, sort_order, byok_keys.id"
        );
        let rows = query(AssertSqlSafe(sql))
            .bind(KIND)
            .bind(key.account.as_str())
            .bind(WorkspaceId::as_str(&workspace))
            .fetch_all(self.readers())
            .await?;
        let mut found = Vec::new();
        for row in &rows {
            if read(row)?.serves(key) {
                found.push(self.opened(row)?);
            }
        }
        Ok(found)
    }
}
