//! Reading purchases.

use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};

use super::{Payment, Rail, Refs, Status};
use crate::error::StoreError;
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;

const COLUMNS: &str = "id, account_id, rail, status, amount, fee, tax, refunded, currency, automatic, \
     session_ref, intent_ref, failure, receipt_url, created_at, paid_at";

fn read(row: &Line) -> Result<Payment, StoreError> {
    let usd = |name| row.try_get::<i64, _>(name).map(Usd::from_nanos);
    let paid_at: Option<i64> = row.try_get("paid_at")?;
    Ok(Payment {
        id: row.try_get("id")?,
        account: AccountId::new(row.try_get::<String, _>("account_id")?),
        rail: Rail::read(&row.try_get::<String, _>("rail")?)?,
        status: Status::read(&row.try_get::<String, _>("status")?)?,
        amount: usd("amount")?,
        fee: usd("fee")?,
        tax: usd("tax")?,
        refunded: usd("refunded")?,
        currency: row.try_get("currency")?,
        automatic: row.try_get::<i64, _>("automatic")? != 0,
        session_ref: row.try_get("session_ref")?,
        intent_ref: row.try_get("intent_ref")?,
        failure: row.try_get("failure")?,
        receipt_url: row.try_get("receipt_url")?,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        paid_at: paid_at.map(Timestamp::from_micros),
    })
}

async fn by(
    connection: &mut Connection,
    column: &'static str,
    value: &str,
) -> Result<Option<Payment>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM payments WHERE {column} = $1");
    let row = query(AssertSqlSafe(sql)).bind(value).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// The payment that an event is about: by our own id when it carries one, else by the rail's names.
pub(super) async fn find(
    connection: &mut Connection,
    refs: &Refs,
) -> Result<Option<Payment>, StoreError> {
    if let Some(id) = &refs.payment {
        return by(connection, "id", id).await;
    }
    if let Some(session) = &refs.session
        && let Some(found) = by(connection, "session_ref", session).await?
    {
        return Ok(Some(found));
    }
    match &refs.intent {
        Some(intent) => by(connection, "intent_ref", intent).await,
        None => Ok(None),
    }
}

impl Store {
    /// A purchase of an account; somebody else's is not found.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn payment(
        &self,
        account: &AccountId,
        id: &str,
    ) -> Result<Option<Payment>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM payments WHERE id = $1 AND account_id = $2");
        let row = query(AssertSqlSafe(sql))
            .bind(id)
            .bind(account.as_str())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// A purchase, whoever's.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn any_payment(&self, id: &str) -> Result<Option<Payment>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM payments WHERE id = $1");
        let row = query(AssertSqlSafe(sql)).bind(id).fetch_optional(self.readers()).await?;
        row.as_ref().map(read).transpose()
    }

    /// How many crypto orders of an account are open.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn open_orders(&self, account: &AccountId) -> Result<i64, StoreError> {
        query(
            "SELECT count(*) FROM payments WHERE account_id = $1 AND rail = 'crypto' \
             AND status = 'open'",
        )
        .bind(account.as_str())
        .fetch_one(self.readers())
        .await?
        .try_get(0)
    }

    /// The purchases of an account, newest first, and how many there are.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn payments_of(
        &self,
        account: &AccountId,
        offset: i64,
        limit: i64,
    ) -> Result<(Vec<Payment>, i64), StoreError> {
        let count = query("SELECT count(*) FROM payments WHERE account_id = $1")
            .bind(account.as_str())
            .fetch_one(self.readers())
            .await?
            .try_get(0)?;
        let sql = format!(
            "SELECT {COLUMNS} FROM payments WHERE account_id = $1 \
             ORDER BY created_at DESC, id LIMIT $2 OFFSET $3"
        );
        let rows = query(AssertSqlSafe(sql))
            .bind(account.as_str())
            .bind(limit)
            .bind(offset)
            .fetch_all(self.readers())
            .await?;
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, count))
    }
}
