//! Accounts in arrears: what they are billed for a month, and that they paid.

use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};

use crate::error::StoreError;
use crate::movements::{self, Movement, Posted, Refused};
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// An invoice as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceRow {
    /// Its id.
    pub id: String,
    /// Who owes.
    pub account: AccountId,
    /// The first moment that it is for.
    pub period_start: Timestamp,
    /// The first moment that it is no longer for.
    pub period_end: Timestamp,
    /// How much.
    pub amount: Usd,
    /// `open`, `paid` or `void`.
    pub status: String,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it was paid.
    pub settled_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "id, account_id, period_start, period_end, amount, status, issued_at, settled_at";

fn read(row: &Line) -> Result<InvoiceRow, StoreError> {
    let time = |index: usize| row.try_get(index).map(Timestamp::from_micros);
    let settled_at: Option<i64> = row.try_get(7)?;
    Ok(InvoiceRow {
        id: row.try_get(0)?,
        account: AccountId::new(row.try_get::<String, _>(1)?),
        period_start: time(2)?,
        period_end: time(3)?,
        amount: Usd::from_nanos(row.try_get(4)?),
        status: row.try_get(5)?,
        issued_at: time(6)?,
        settled_at: settled_at.map(Timestamp::from_micros),
    })
}

async fn one(connection: &mut Connection, id: &str) -> Result<Option<InvoiceRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM invoices WHERE id = $1");
    let row = query(AssertSqlSafe(sql)).bind(id).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

impl Store {
    /// Bills an account for a period that has ended. The amount is all that it owed at the end, less
    /// what was billed before: a charge that was posted late is on the next invoice, and credit that
    /// was there is used up first. A period is billed once; the invoice that is there comes back.
    ///
    /// # Errors
    /// [`Refused::UnknownAccount`]; [`Refused::Period`] before its end.
    pub async fn issue_invoice(
        &self,
        id: &str,
        account: &AccountId,
        period: (Timestamp, Timestamp),
    ) -> Result<InvoiceRow, StoreError> {
        let now = self.clock().now();
        if period.0 >= period.1 || period.1 > now {
            return Err(Refused::Period.into());
        }
        self.caught_up().await;
        let (id, account) = (id.to_owned(), account.clone());
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let amount = owed(connection, &account, period).await?;
                query(
                    "INSERT INTO invoices (id, account_id, period_start, period_end, amount, \
                     status, issued_at) VALUES ($1, $2, $3, $4, $5, 'open', $6) \
                     ON CONFLICT (account_id, period_start) DO NOTHING",
                )
                .bind(&id)
                .bind(account.as_str())
                .bind(period.0.micros())
                .bind(period.1.micros())
                .bind(amount.nanos())
                .bind(now.micros())
                .execute(&mut *connection)
                .await?;
                let row =
                    query("SELECT id FROM invoices WHERE account_id = $1 AND period_start = $2")
                        .bind(account.as_str())
                        .bind(period.0.micros())
                        .fetch_one(&mut *connection)
                        .await?;
                let id: String = row.try_get(0)?;
                one(connection, &id).await?.ok_or(Refused::UnknownInvoice.into())
            })
        })
        .await
    }

    /// Notes that an invoice was paid and credits the account with it, once.
    ///
    /// # Errors
    /// [`Refused::UnknownInvoice`] when there is none that could be paid.
    pub async fn settle_invoice(&self, id: &str, operator: &str) -> Result<Posted, StoreError> {
        let (id, operator, now) = (id.to_owned(), operator.to_owned(), self.clock().now());
        self.write(Durability::Power, move |connection| {
            Box::pin(async move { settle(connection, &id, operator, now).await })
        })
        .await
    }

    /// Takes back an invoice that nobody paid; what it was for is on the next one. Says whether it was
    /// open.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn void_invoice(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let done =
                    query("UPDATE invoices SET status = 'void' WHERE id = $1 AND status = 'open'")
                        .bind(id)
                        .execute(connection)
                        .await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }

    /// The invoices of an account, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn invoices(&self, account: &AccountId) -> Result<Vec<InvoiceRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM invoices WHERE account_id = $1 ORDER BY period_start DESC"
        );
        let rows =
            query(AssertSqlSafe(sql)).bind(account.as_str()).fetch_all(self.readers()).await?;
        rows.iter().map(read).collect()
    }
}

/// What the account owed at the end of the period, settlements left aside, less what other invoices
/// are for.
async fn owed(
    connection: &mut Connection,
    account: &AccountId,
    period: (Timestamp, Timestamp),
) -> Result<Usd, StoreError> {
    let known = query("SELECT 1 FROM balances WHERE account_id = $1")
        .bind(account.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    known.ok_or_else(|| Refused::UnknownAccount(account.to_string()))?;
    let row = query(
        "SELECT \
         (SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM transfers \
          WHERE debit = $1 AND at < $2), \
         (SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM transfers \
          WHERE credit = $1 AND kind <> 'settlement' \
          AND kind NOT IN ('charge', 'byok_fee', 'waste') AND at < $2), \
         (SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM invoices \
          WHERE account_id = $3 AND status <> 'void')",
    )
    .bind(format!("acct:{account}"))
    .bind(period.1.micros())
    .bind(account.as_str())
    .fetch_one(connection)
    .await?;
    let (out, own, billed): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let owed = out.checked_sub(own).and_then(|owed| owed.max(0).checked_sub(billed));
    Ok(Usd::from_nanos(owed.ok_or(Refused::Amount)?.max(0)))
}

async fn settle(
    connection: &mut Connection,
    id: &str,
    operator: String,
    now: Timestamp,
) -> Result<Posted, StoreError> {
    let paid = query(
        "UPDATE invoices SET status = 'paid', settled_at = $1 WHERE id = $2 AND status = 'open'",
    )
    .bind(now.micros())
    .bind(id)
    .execute(&mut *connection)
    .await?
    .rows_affected()
        == 1;
    let invoice = one(connection, id).await?.filter(|invoice| invoice.status == "paid");
    let invoice = invoice.ok_or(Refused::UnknownInvoice)?;
    if !paid {
        return Ok(Posted::Before);
    }
    if invoice.amount > Usd::ZERO {
        let movement = Movement::settlement(id, &invoice.account, invoice.amount, now);
        movements::post(connection, &movement.by(operator)).await?;
    }
    Ok(Posted::Now)
}
