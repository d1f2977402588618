//! The rows of an account's statement, in one view of the database.

use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};

use crate::accounts::{Balance, read_balance};
use crate::error::StoreError;
use crate::sql::{Connection, Line, Row, query};
use crate::store::Store;

/// Which statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first moment in it; absent for the account's beginning.
    pub from: Option<Timestamp>,
    /// The first moment after it; absent for everything up to now.
    pub to: Option<Timestamp>,
}

impl Period {
    const fn bounds(self) -> (i64, i64) {
        let from = match self.from {
            Some(from) => from.micros(),
            None => i64::MIN,
        };
        let to = match self.to {
            Some(to) => to.micros(),
            None => i64::MAX,
        };
        (from, to)
    }
}

/// One line: a movement, or what generations cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// When; of several charges together the start of their UTC day.
    pub at: Timestamp,
    /// The kind of the transfer.
    pub kind: String,
    /// The transfer; absent for several charges together.
    pub id: Option<String>,
    /// What it did to the balance.
    pub change: Usd,
    /// Why, or the model that answered.
    pub text: String,
    /// How many charges it stands for; 0 for a movement.
    pub requests: u64,
    /// What was paid on top of a purchase, apart from the balance: fee and tax.
    pub on_top: Option<(Usd, Usd)>,
}

/// Everything a statement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRows {
    /// The balance before the first line.
    pub opening: Usd,
    /// The lines by day; within a day the movements come before what generations cost.
    pub lines: Vec<StatementLine>,
    /// The balance at the end of the period, summed apart from the lines.
    pub closing: Usd,
    /// The balance that storage keeps, now.
    pub stored: Balance,
}

/// How charges are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charges {
    /// Summed by day and model.
    ByDay,
    /// One by one, at most this many of them.
    OneByOne(u32),
}

const DAY: i64 = 86_400_000_000;

impl Store {
    /// The statement of an account; `None` when there is no such account.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn statement(
        &self,
        account: &AccountId,
        period: Period,
        charges: Charges,
    ) -> Result<Option<StatementRows>, StoreError> {
        let mut view = self.readers().begin().await?;
        let stored =
            query("SELECT credited, charged, withdrawn, line FROM balances WHERE account_id = $1")
                .bind(account.as_str())
                .fetch_optional(&mut *view)
                .await?;
        let Some(stored) = stored else { return Ok(None) };
        let (name, (from, to)) = (format!("acct:{account}"), period.bounds());
        let mut lines = movements(&mut view, &name, from, to).await?;
        lines.extend(match charges {
            Charges::ByDay => by_day(&mut view, &name, from, to).await?,
            Charges::OneByOne(most) => one_by_one(&mut view, &name, from, to, most).await?,
        });
        let day = |line: &StatementLine| line.at.micros().div_euclid(DAY);
        lines.sort_by_key(|line| (day(line), line.requests > 0, line.at));
        Ok(Some(StatementRows {
            opening: balance_at(&mut view, &name, from).await?,
            lines,
            closing: balance_at(&mut view, &name, to).await?,
            stored: read_balance(&stored)?,
        }))
    }
}

/// The balance before a moment, from all transfers before it.
async fn balance_at(
    connection: &mut Connection,
    name: &str,
    before: i64,
) -> Result<Usd, StoreError> {
    let row = query(
        "SELECT (SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM transfers \
         WHERE credit = $1 AND kind NOT IN ('charge', 'byok_fee', 'waste') AND at < $2), \
         (SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM transfers \
         WHERE debit = $1 AND kind NOT IN ('charge', 'byok_fee', 'waste') AND at < $2), \
         (SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM transfers \
         WHERE debit = $1 AND kind IN ('charge', 'byok_fee') AND at < $2)",
    )
    .bind(name)
    .bind(before)
    .fetch_one(connection)
    .await?;
    let (came, went, spent): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let balance = came.checked_sub(went).and_then(|left| left.checked_sub(spent));
    balance.map(Usd::from_nanos).ok_or_else(|| StoreError::Damaged("a balance".to_owned()))
}

async fn movements(
    connection: &mut Connection,
    name: &str,
    from: i64,
    to: i64,
) -> Result<Vec<StatementLine>, StoreError> {
    let rows = query(
        "SELECT t.at, t.kind, t.id, CASE WHEN t.credit = $1 THEN t.amount ELSE -t.amount END, \
         t.reason, p.fee, p.tax FROM transfers t \
         LEFT JOIN payments p ON t.kind = 'purchase' AND p.id = substr(t.id, 10) \
         WHERE (t.debit = $1 OR t.credit = $1) AND t.at >= $2 AND t.at < $3 \
         AND t.kind NOT IN ('charge', 'byok_fee', 'waste') ORDER BY t.at, t.seq",
    )
    .bind(name)
    .bind(from)
    .bind(to)
    .fetch_all(connection)
    .await?;
    let read = |row: &Line| {
        let fee: Option<i64> = row.try_get(5)?;
        let tax: Option<i64> = row.try_get(6)?;
        Ok(StatementLine {
            at: Timestamp::from_micros(row.try_get(0)?),
            kind: row.try_get(1)?,
            id: Some(row.try_get(2)?),
            change: Usd::from_nanos(row.try_get(3)?),
            text: row.try_get(4)?,
            requests: 0,
            on_top: fee.zip(tax).map(|(fee, tax)| (Usd::from_nanos(fee), Usd::from_nanos(tax))),
        })
    };
    rows.iter().map(read).collect()
}

async fn by_day(
    connection: &mut Connection,
    name: &str,
    from: i64,
    to: i64,
) -> Result<Vec<StatementLine>, StoreError> {
    let rows = query(
        "SELECT t.at / 86400000000, t.kind, coalesce(g.model, ''), count(*), \
         CAST(sum(t.amount) AS BIGINT) FROM transfers t \
         LEFT JOIN generations g ON g.id = t.generation \
         WHERE t.debit = $1 AND t.at >= $2 AND t.at < $3 AND t.kind IN ('charge', 'byok_fee') \
         GROUP BY t.at / 86400000000, t.kind, coalesce(g.model, '') ORDER BY 1, 2, 3",
    )
    .bind(name)
    .bind(from)
    .bind(to)
    .fetch_all(connection)
    .await?;
    let read = |row: &Line| {
        let requests: i64 = row.try_get(3)?;
        let sum: i64 = row.try_get(4)?;
        Ok(StatementLine {
            at: Timestamp::from_micros(row.try_get::<i64, _>(0)?.saturating_mul(DAY)),
            kind: row.try_get(1)?,
            id: None,
            change: Usd::from_nanos(sum.saturating_neg()),
            text: row.try_get(2)?,
            requests: u64::try_from(requests).unwrap_or(0),
            on_top: None,
        })
    };
    rows.iter().map(read).collect()
}

async fn one_by_one(
    connection: &mut Connection,
    name: &str,
    from: i64,
    to: i64,
    most: u32,
) -> Result<Vec<StatementLine>, StoreError> {
    let rows = query(
        "SELECT t.at, t.kind, t.id, -t.amount, coalesce(g.model, '') FROM transfers t \
         LEFT JOIN generations g ON g.id = t.generation \
         WHERE t.debit = $1 AND t.at >= $2 AND t.at < $3 AND t.kind IN ('charge', 'byok_fee') \
         ORDER BY t.at, t.seq LIMIT $4",
    )
    .bind(name)
    .bind(from)
    .bind(to)
    .bind(i64::from(most))
    .fetch_all(connection)
    .await?;
    let read = |row: &Line| {
        Ok(StatementLine {
            at: Timestamp::from_micros(row.try_get(0)?),
            kind: row.try_get(1)?,
            id: Some(row.try_get(2)?),
            change: Usd::from_nanos(row.try_get(3)?),
            text: row.try_get(4)?,
            requests: 1,
            on_top: None,
        })
    };
    rows.iter().map(read).collect()
}
