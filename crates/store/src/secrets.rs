//! Sealed secrets: the one table of them, whatever they are for.
//!
//! Until a process has [unlocked](Store::unlock) its store it neither seals nor opens any. A secret
//! opens for the thing that it was sealed for alone: whoever asks says whose it is, to whom it is
//! shown and which version it has, from rows of their own.

mod rotation;
mod status;

pub use rotation::Rotation;
pub use status::SecretsStatus;

use std::sync::Arc;

use signalbox_core::{Secret, Timestamp};
use signalbox_runtime::entropy;
use signalbox_vault::{Label, Sealed, Vault, VaultError};

use crate::error::StoreError;
use crate::second_factor;
use crate::sql::{Connection, Line, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// The columns of a secret, after which those of another table may stand.
pub(crate) const COLUMNS: &str =
    "secrets.kind, secrets.audience, secrets.owner, secrets.id, secrets.version, kek, dek, sealed";

/// A secret as it is stored, under the label that its own row gives it.
pub(crate) struct SecretRow {
    pub label: Label,
    pub sealed: Sealed,
}

pub(crate) fn read(row: &Line) -> Result<SecretRow, StoreError> {
    let label = Label {
        kind: row.try_get(0)?,
        audience: row.try_get(1)?,
        owner: row.try_get(2)?,
        id: row.try_get(3)?,
        version: row.try_get(4)?,
    };
    let sealed = Sealed { kek: row.try_get(5)?, dek: row.try_get(6)?, text: row.try_get(7)? };
    Ok(SecretRow { label, sealed })
}

pub(crate) fn damaged(label: &Label, problem: &VaultError) -> StoreError {
    StoreError::Damaged(format!("the secret of {} {}: {problem}", label.kind, label.id))
}

/// Seals a secret and stores it in the place of the one before.
pub(crate) async fn put(
    connection: &mut Connection,
    vault: &Vault,
    label: &Label,
    secret: &Secret<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sealed = vault.seal(label, secret, entropy::secret());
    let sealed = sealed.map_err(|problem| damaged(label, &problem))?;
    query(
        "INSERT INTO secrets (kind, id, audience, owner, version, kek, dek, sealed, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (kind, id) DO UPDATE SET \
         audience = excluded.audience, owner = excluded.owner, version = excluded.version, \
         kek = excluded.kek, dek = excluded.dek, sealed = excluded.sealed, \
         created_at = excluded.created_at",
    )
    .bind(&label.kind)
    .bind(&label.id)
    .bind(&label.audience)
    .bind(&label.owner)
    .bind(label.version)
    .bind(&sealed.kek)
    .bind(&sealed.dek)
    .bind(&sealed.text)
    .bind(now.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes the secret of a thing, if it has one.
pub(crate) async fn erase(
    connection: &mut Connection,
    kind: &str,
    id: &str,
) -> Result<(), StoreError> {
    query("DELETE FROM secrets WHERE kind = $1 AND id = $2")
        .bind(kind)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// A row that is always there, so that a process with another key notices before it stores anything.
fn canary() -> (Label, Secret<String>) {
    let text = str::to_owned;
    let label = Label {
        kind: text("canary"),
        audience: String::new(),
        owner: String::new(),
        id: text("canary"),
        version: 1,
    };
    (label, Secret::new(text("tweet")))
}

/// Counts by key, those that can't be opened here and all; sings when there is nothing yet.
async fn judge(
    connection: &mut Connection,
    vault: &Vault,
    now: Timestamp,
) -> Result<Result<(), StoreError>, StoreError> {
    let rows = query("SELECT kek, count(*) FROM secrets GROUP BY kek ORDER BY kek")
        .fetch_all(&mut *connection)
        .await?;
    let (mut all, mut unreadable, mut missing) = (0u64, 0u64, Vec::new());
    for row in &rows {
        let (kek, count): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        let count = u64::try_from(count).unwrap_or(0);
        all = all.saturating_add(count);
        if !vault.knows(&kek) {
            unreadable = unreadable.saturating_add(count);
            missing.push(kek);
        }
    }
    if unreadable > 0 {
        let keys = missing.join(", ");
        return Ok(Err(StoreError::Unreadable { unreadable, all, keys }));
    }
    if all == 0 {
        let (label, secret) = canary();
        put(connection, vault, &label, &secret, now).await?;
    }
    Ok(Ok(()))
}

impl Store {
    /// From now on this process seals and opens secrets with `vault`. Secrets that are stored in clear
    /// since earlier versions are sealed.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when there are secrets that no key of `vault` opens; then nothing is
    /// changed. [`StoreError::Damaged`] for a vault without a key.
    pub async fn unlock(&self, vault: Vault) -> Result<(), StoreError> {
        let (vault, now) = (Arc::new(vault), self.clock().now());
        let judging = Arc::clone(&vault);
        let judged = self.write(Durability::Power, move |connection| {
            Box::pin(async move { judge(connection, &judging, now).await })
        });
        judged.await??;
        self.set_vault(Arc::clone(&vault));
        while second_factor::seal_some(self, &vault).await? {}
        Ok(())
    }

    /// How many secrets are stored, whoever can open them.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn secret_count(&self) -> Result<u64, StoreError> {
        let row = query("SELECT count(*) FROM secrets").fetch_one(self.readers()).await?;
        let count: i64 = row.try_get(0)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The secret that was sealed under this label; `None` when the thing has none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for one that doesn't open under this very label.
    pub(crate) async fn secret(&self, label: &Label) -> Result<Option<Secret<String>>, StoreError> {
        let row = query("SELECT kek, dek, sealed FROM secrets WHERE kind = $1 AND id = $2")
            .bind(&label.kind)
            .bind(&label.id)
            .fetch_optional(self.readers())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let sealed = Sealed { kek: row.try_get(0)?, dek: row.try_get(1)?, text: row.try_get(2)? };
        let opened = self.vault().open(label, &sealed);
        opened.map(Some).map_err(|problem| damaged(label, &problem))
    }
}
