//! Keys that were found in public.

use serde_json::json;
use signalbox_core::id::KeyHash;

use super::managed::{deed, write};
use super::{COLUMNS, KeyRecord, read_key};
use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::manage::{By, Deed, Managed};
use crate::sql::{AssertSqlSafe, Row, query};
use crate::store::Store;

/// Where a key was found, as the finder says: nobody has checked it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Leak {
    /// What kind of place it is, such as `commit`.
    pub source: Option<String>,
    /// The place.
    pub url: Option<String>,
}

/// A key that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The key as it was.
    pub key: KeyRecord,
    /// Who has to know: the addresses of its creator and of those who administer the account.
    pub owners: Vec<String>,
}

impl Store {
    /// Switches a key off that was found in public. `None` when there is nothing to be done: it was
    /// found before, or is switched off or over.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn leaked_key(
        &self,
        by: By,
        hash: KeyHash,
        leak: Leak,
    ) -> Result<Option<Found>, StoreError> {
        let now = self.clock().now();
        self.manage(by, "key.leaked", move |connection| {
            Box::pin(async move {
                let sql = format!(
                    "SELECT {COLUMNS} FROM api_keys WHERE hash = $1 AND deleted_at IS NULL \
                     AND disabled = 0 AND leaked_at IS NULL"
                );
                let row = query(AssertSqlSafe(sql)).bind(hash.as_str());
                let row = row.fetch_optional(&mut *connection).await?;
                let Some(old) = row.as_ref().map(read_key).transpose()? else {
                    return Ok(Managed::nothing(None));
                };
                if !old.is_active(now) {
                    return Ok(Managed::nothing(None));
                }
                let key = KeyRecord { disabled: true, updated_at: Some(now), ..old.clone() };
                write(connection, &key).await?;
                query("UPDATE api_keys SET leaked_at = $1 WHERE hash = $2")
                    .bind(now.micros())
                    .bind(hash.as_str())
                    .execute(&mut *connection)
                    .await?;
                announce(connection, &Change::Key(hash.clone()), now).await?;
                let rows = query(
                    "SELECT email FROM users WHERE deleted_at IS NULL AND (id = $1 \
                     OR id IN (SELECT owner_id FROM accounts WHERE accounts.id = $2) \
                     OR id IN (SELECT user_id FROM members WHERE account_id = $2 \
                     AND role = 'org:admin' AND deactivated_at IS NULL)) ORDER BY email LIMIT 50",
                )
                .bind(old.creator.as_ref().map_or("", |user| user.as_str()))
                .bind(old.account.as_str())
                .fetch_all(&mut *connection)
                .await?;
                let owners = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
                let found = json!({ "source": leak.source, "url": leak.url });
                let told = Deed {
                    kind: "key_leak",
                    id: hash.to_string(),
                    before: None,
                    after: Some(found),
                };
                let deeds = vec![told, deed(&hash, Some(&old), Some(&key))];
                Ok(Managed { value: Some(Found { key: old, owners }), deeds })
            })
        })
        .await
    }
}
