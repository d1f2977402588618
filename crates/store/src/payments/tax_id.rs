//! Tax numbers of accounts, which the processor prints on invoices.

use serde_json::json;
use signalbox_core::Timestamp;
use signalbox_core::id::AccountId;

use crate::error::StoreError;
use crate::manage::{By, Deed, Managed};
use crate::sql::{Row, query};
use crate::store::Store;

/// One tax number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxId {
    /// `txid_<20 letters and digits>`.
    pub id: String,
    /// Whose it is.
    pub account: AccountId,
    /// What kind of number, such as `eu_vat`.
    pub kind: String,
    /// The number.
    pub value: String,
    /// The processor's id of it.
    pub processor_ref: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
}

fn deed(one: &TaxId, added: bool) -> Deed {
    let shown = json!({"type": one.kind, "value": one.value});
    let (before, after) = if added { (None, Some(shown)) } else { (Some(shown), None) };
    Deed { kind: "tax_id", id: one.id.clone(), before, after }
}

impl Store {
    /// The tax numbers of an account, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn tax_ids(&self, account: &AccountId) -> Result<Vec<TaxId>, StoreError> {
        let rows = query(
            "SELECT id, kind, value, processor_ref, created_at FROM tax_ids \
             WHERE account_id = $1 ORDER BY created_at, id",
        )
        .bind(account.as_str())
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(TaxId {
                    id: row.try_get(0)?,
                    account: account.clone(),
                    kind: row.try_get(1)?,
                    value: row.try_get(2)?,
                    processor_ref: row.try_get(3)?,
                    created_at: Timestamp::from_micros(row.try_get(4)?),
                })
            })
            .collect()
    }

    /// Adds a tax number.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when the account has it already.
    pub async fn add_tax_id(&self, by: By, tax_id: TaxId) -> Result<(), StoreError> {
        self.manage(by, "tax_id.add", move |connection| {
            Box::pin(async move {
                let deed = deed(&tax_id, true);
                query(
                    "INSERT INTO tax_ids (id, account_id, kind, value, processor_ref, created_at) \
                     VALUES ($1, $2, $3, $4, $5, $6)",
                )
                .bind(tax_id.id)
                .bind(tax_id.account.as_str())
                .bind(tax_id.kind)
                .bind(tax_id.value)
                .bind(tax_id.processor_ref)
                .bind(tax_id.created_at.micros())
                .execute(connection)
                .await?;
                Ok(Managed::one((), deed))
            })
        })
        .await
    }

    /// Removes a tax number of an account. Says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn remove_tax_id(&self, by: By, tax_id: TaxId) -> Result<bool, StoreError> {
        self.manage(by, "tax_id.delete", move |connection| {
            Box::pin(async move {
                let done = query("DELETE FROM tax_ids WHERE id = $1 AND account_id = $2")
                    .bind(&tax_id.id)
                    .bind(tax_id.account.as_str())
                    .execute(connection)
                    .await?;
                Ok(match done.rows_affected() {
                    1 => Managed::one(true, deed(&tax_id, false)),
                    _ => Managed::nothing(false),
                })
            })
        })
        .await
    }
}
