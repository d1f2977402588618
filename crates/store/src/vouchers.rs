//! Vouchers: a code that many accounts may turn into credit, each once. Only its SHA-256 is stored.

use serde_json::json;
use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};

use crate::error::StoreError;
use crate::idempotency::{Answer, Once, Remembered};
use crate::manage::{By, Deed, Managed};
use crate::movements::{self, Movement, Refused};
use crate::sql::{Connection, Line, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// A voucher as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoucherRow {
    /// SHA-256 of the code in lower-case hex.
    pub code_hash: String,
    /// What each redemption is worth.
    pub amount: Usd,
    /// How often it may be redeemed.
    pub uses: i64,
    /// How often it was.
    pub redeemed: i64,
    /// From when on it is worth nothing.
    pub expires_at: Option<Timestamp>,
    /// Why it was made.
    pub reason: String,
    /// Who made it.
    pub operator: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Why a voucher is not redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRedeemed {
    /// No voucher has this code.
    #[error("there is no such voucher")]
    Unknown,
    /// It is too late.
    #[error("the voucher has expired")]
    Expired,
    /// Others were faster.
    #[error("the voucher has been used up")]
    UsedUp,
    /// This account had it before.
    #[error("the account has redeemed this voucher")]
    Already,
}

fn read(row: &Line) -> Result<VoucherRow, StoreError> {
    let expires_at: Option<i64> = row.try_get(4)?;
    Ok(VoucherRow {
        code_hash: row.try_get(0)?,
        amount: Usd::from_nanos(row.try_get(1)?),
        uses: row.try_get(2)?,
        redeemed: row.try_get(3)?,
        expires_at: expires_at.map(Timestamp::from_micros),
        reason: row.try_get(5)?,
        operator: row.try_get(6)?,
        created_at: Timestamp::from_micros(row.try_get(7)?),
    })
}

impl Store {
    /// Adds a voucher.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when its code is taken, or amount or uses are not above zero.
    pub async fn create_voucher(&self, voucher: VoucherRow) -> Result<(), StoreError> {
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                query(
                    "INSERT INTO vouchers (code_hash, amount, uses, redeemed, expires_at, reason, \
                     operator, created_at) VALUES ($1, $2, $3, 0, $4, $5, $6, $7)",
                )
                .bind(&voucher.code_hash)
                .bind(voucher.amount.nanos())
                .bind(voucher.uses)
                .bind(voucher.expires_at.map(Timestamp::micros))
                .bind(&voucher.reason)
                .bind(&voucher.operator)
                .bind(voucher.created_at.micros())
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// All vouchers, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn vouchers(&self) -> Result<Vec<VoucherRow>, StoreError> {
        let rows = query(
            "SELECT code_hash, amount, uses, redeemed, expires_at, reason, operator, created_at \
             FROM vouchers ORDER BY created_at DESC, code_hash",
        )
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(read).collect()
    }

    /// Turns a voucher into credit: once for each account, and no more often than it has uses. With
    /// `once`, the answer that `tell` makes of the amount is remembered in the same commit.
    ///
    /// # Errors
    /// [`Refused::Voucher`] and [`Refused::Frozen`]: nothing has changed.
    pub async fn redeem(
        &self,
        code_hash: &str,
        by: By,
        once: Option<Once>,
        tell: impl FnOnce(Usd) -> Answer + Send + 'static,
    ) -> Result<Remembered, StoreError> {
        let (code_hash, account) = (code_hash.to_owned(), by.account.clone());
        let now = self.clock().now();
        self.manage(by, "credit.redeem", move |connection| {
            Box::pin(async move {
                if let Some(known) = Once::look(connection, once.as_ref()).await? {
                    return Ok(Managed::nothing(known));
                }
                let amount = redeem(connection, &code_hash, &account, now).await?;
                let answer = Once::keep(connection, once.as_ref(), tell(amount), now).await?;
                let after = Some(json!({ "amount": amount }));
                let deed = Deed { kind: "voucher", id: code_hash, before: None, after };
                Ok(Managed::one(answer, deed))
            })
        })
        .await
    }
}

async fn redeem(
    connection: &mut Connection,
    code_hash: &str,
    account: &AccountId,
    now: Timestamp,
) -> Result<Usd, StoreError> {
    movements::refuse_frozen(connection, account).await?;
    let used = query(
        "UPDATE vouchers SET redeemed = redeemed + 1 WHERE code_hash = $1 AND redeemed < uses \
         AND (expires_at IS NULL OR expires_at > $2) \
         AND NOT EXISTS (SELECT 1 FROM redemptions WHERE redemptions.code_hash = $1 \
         AND account_id = $3) RETURNING amount",
    )
    .bind(code_hash)
    .bind(now.micros())
    .bind(account.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(used) = used else { return Err(why_not(connection, code_hash, account, now).await?) };
    let amount = Usd::from_nanos(used.try_get(0)?);
    query("INSERT INTO redemptions (code_hash, account_id, at) VALUES ($1, $2, $3)")
        .bind(code_hash)
        .bind(account.as_str())
        .bind(now.micros())
        .execute(&mut *connection)
        .await?;
    movements::post(connection, &Movement::voucher(code_hash, account, amount, now)).await?;
    Ok(amount)
}

/// What the guard of the update was that did not hold.
async fn why_not(
    connection: &mut Connection,
    code_hash: &str,
    account: &AccountId,
    now: Timestamp,
) -> Result<StoreError, StoreError> {
    let row = query(
        "SELECT expires_at, (SELECT count(*) FROM redemptions \
         WHERE redemptions.code_hash = vouchers.code_hash AND account_id = $2) \
         FROM vouchers WHERE code_hash = $1",
    )
    .bind(code_hash)
    .bind(account.as_str())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(Refused::Voucher(NotRedeemed::Unknown).into()) };
    let expires_at: Option<i64> = row.try_get(0)?;
    let reason = if row.try_get::<i64, _>(1)? > 0 {
        NotRedeemed::Already
    } else if expires_at.is_some_and(|end| end <= now.micros()) {
        NotRedeemed::Expired
    } else {
        NotRedeemed::UsedUp
    };
    Ok(Refused::Voucher(reason).into())
}
