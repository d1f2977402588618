//! Under which keys the secrets are, and whether they open.

use std::collections::BTreeMap;

use super::{COLUMNS, read};
use crate::error::StoreError;
use crate::sql::{AssertSqlSafe, query};
use crate::store::Store;

/// Rows that are read at once.
const AT_ONCE: u32 = 500;

/// What is known of all secrets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecretsStatus {
    /// The key that seals.
    pub primary: Option<String>,
    /// How many are under each key, by its name.
    pub keys: BTreeMap<String, u64>,
    /// Kind and id of those that don't open, a hundred at most.
    pub unreadable: Vec<(String, String)>,
    /// How many don't open.
    pub unreadable_count: u64,
}

impl Store {
    /// Opens every secret with `vault` and says how that went.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn secrets_status(
        &self,
        vault: &signalbox_vault::Vault,
    ) -> Result<SecretsStatus, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM secrets WHERE kind > $1 OR kind = $1 AND id > $2 \
             ORDER BY kind, id LIMIT $3"
        );
        let mut status = SecretsStatus {
            primary: vault.primary().map(str::to_owned),
            ..SecretsStatus::default()
        };
        let mut after = (String::new(), String::new());
        loop {
            let rows = query(AssertSqlSafe(sql.clone())).bind(&after.0).bind(&after.1);
            let rows = rows.bind(AT_ONCE).fetch_all(self.readers()).await?;
            if rows.is_empty() {
                return Ok(status);
            }
            for row in &rows {
                let row = read(row)?;
                let opens = vault.open(&row.label, &row.sealed).is_ok();
                *status.keys.entry(row.sealed.kek).or_default() += 1;
                after = (row.label.kind, row.label.id);
                if !opens {
                    status.unreadable_count += 1;
                    if status.unreadable.len() < 100 {
                        status.unreadable.push(after.clone());
                    }
                }
            }
        }
    }
}
