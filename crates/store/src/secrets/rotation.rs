//! Another key-encryption key takes over, while everything runs.

use signalbox_vault::{Sealed, VaultError};

use super::{COLUMNS, SecretRow, read};
use crate::error::StoreError;
use crate::sql::{AssertSqlSafe, query};
use crate::store::Store;
use crate::writer::Durability;

/// Rows that are read at once.
const AT_ONCE: u32 = 100;

/// What a rotation came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rotation {
    /// Secrets whose data keys are under the key that seals now, and were not before.
    pub moved: u64,
    /// Secrets that were replaced or erased meanwhile: what replaced them is under whichever key its
    /// process seals with.
    pub overtaken: u64,
    /// Secrets that no key here opens. They are left as they are.
    pub unreadable: u64,
}

/// Puts a data key in the place of the one that was read, unless somebody was faster.
async fn replace(store: &Store, old: SecretRow, new: Sealed) -> Result<bool, StoreError> {
    let write = store.write(Durability::Process, move |connection| {
        Box::pin(async move {
            let done = query(
                "UPDATE secrets SET kek = $1, dek = $2 WHERE kind = $3 AND id = $4 \
                 AND version = $5 AND kek = $6 AND dek = $7",
            )
            .bind(&new.kek)
            .bind(&new.dek)
            .bind(&old.label.kind)
            .bind(&old.label.id)
            .bind(old.label.version)
            .bind(&old.sealed.kek)
            .bind(&old.sealed.dek)
            .execute(connection)
            .await?;
            Ok(done.rows_affected() == 1)
        })
    });
    write.await
}

impl Store {
    /// Puts the data keys of all secrets under the key that seals, one after the other, while whoever
    /// has both keys goes on using them. What was done before it was broken off stays done.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer, or the store was not unlocked.
    pub async fn rotate_secrets(&self) -> Result<Rotation, StoreError> {
        let vault = self.vault();
        let none = || StoreError::Damaged(VaultError::NoKey.to_string());
        let primary = vault.primary().ok_or_else(none)?.to_owned();
        let sql = format!(
            "SELECT {COLUMNS} FROM secrets WHERE kek <> $1 AND (kind > $2 OR kind = $2 AND id > $3) \
             ORDER BY kind, id LIMIT $4"
        );
        let (mut rotation, mut after) = (Rotation::default(), (String::new(), String::new()));
        loop {
            let rows = query(AssertSqlSafe(sql.clone()))
                .bind(&primary)
                .bind(&after.0)
                .bind(&after.1)
                .bind(AT_ONCE)
                .fetch_all(self.readers())
                .await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let row = read(row)?;
                after = (row.label.kind.clone(), row.label.id.clone());
                let moved = match vault.rewrap(&row.label, &row.sealed) {
                    Ok(Some(new)) => replace(self, row, new).await?,
                    Ok(None) => false,
                    Err(_) => {
                        rotation.unreadable += 1;
                        continue;
                    }
                };
                rotation.moved += u64::from(moved);
                rotation.overtaken += u64::from(!moved);
            }
        }
        // The old key may be thrown away after this.
        self.flush().await?;
        Ok(rotation)
    }

    /// Erases the secrets under a key-encryption key that is lost: how many there were. What they
    /// belonged to stays, and is of no use until it is given a secret again.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn forget_secrets(&self, kek: String) -> Result<u64, StoreError> {
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let done = query("DELETE FROM secrets WHERE kek = $1").bind(&kek);
                Ok(done.execute(connection).await?.rows_affected())
            })
        })
        .await
    }
}
