//! The rows that the auditor reads: one consistent view, nothing interpreted.

use signalbox_core::{PriceTable, Usage};

use crate::error::StoreError;
use crate::generations::parse;
use crate::sql::{Connection, Line, Row, query};
use crate::store::Store;

/// The stored balance of an account.
#[derive(Debug, Clone)]
pub struct BalanceFact {
    /// The account's id.
    pub account: String,
    /// Stored sum of what came in, in nano-dollars.
    pub credited: i64,
    /// Stored sum of what was charged.
    pub charged: i64,
}

/// One transfer as stored.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each field is the column of its name")]
pub struct TransferFact {
    pub seq: i64,
    pub id: String,
    pub kind: String,
    pub debit: String,
    pub credit: String,
    pub amount: i64,
    pub generation: Option<String>,
    pub reason: String,
    pub at: i64,
    pub prev_hash: String,
    pub hash: String,
}

/// One reservation as stored.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each field is the column of its name")]
pub struct ReservationFact {
    pub generation: String,
    pub account: String,
    pub key: String,
    pub amount: i64,
    pub opened_at: i64,
    pub ended_at: Option<i64>,
    pub outcome: Option<String>,
}

/// What the audit needs of one generation.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each field is the column of its name")]
pub struct GenerationFact {
    pub id: String,
    pub account: String,
    pub key: String,
    pub created_at: i64,
    pub finish_reason: Option<String>,
    pub usage: Usage,
    pub prices: Option<PriceTable>,
    pub cost: i64,
}

/// The stored spending of a key on one day.
#[derive(Debug, Clone)]
pub struct KeyUsageFact {
    /// The key's hash.
    pub key: String,
    /// Days since 1970.
    pub day: i64,
    /// Stored sum of its charges.
    pub charged: i64,
}

/// Everything that the auditor reads.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Stored balances.
    pub balances: Vec<BalanceFact>,
    /// All transfers in the order of their position.
    pub transfers: Vec<TransferFact>,
    /// All reservations.
    pub reservations: Vec<ReservationFact>,
    /// All generations.
    pub generations: Vec<GenerationFact>,
    /// Stored spending by key and day.
    pub key_usage: Vec<KeyUsageFact>,
}

impl Store {
    /// Reads all money rows in one read transaction, so that a running server does not make them
    /// disagree.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer or a value is damaged.
    pub async fn facts(&self) -> Result<Facts, StoreError> {
        self.caught_up().await;
        let mut view = self.readers().begin().await?;
        read_facts(&mut view).await
    }
}

async fn read_facts(connection: &mut Connection) -> Result<Facts, StoreError> {
    Ok(Facts {
        balances: read(connection, "SELECT account_id, credited, charged FROM balances", |row| {
            Ok(BalanceFact {
                account: row.try_get(0)?,
                credited: row.try_get(1)?,
                charged: row.try_get(2)?,
            })
        })
        .await?,
        transfers: read(
            connection,
            "SELECT seq, id, kind, debit, credit, amount, generation, reason, at, prev_hash, hash \
             FROM transfers ORDER BY seq",
            transfer,
        )
        .await?,
        reservations: read(
            connection,
            "SELECT generation, account_id, key_hash, amount, opened_at, ended_at, outcome \
             FROM reservations",
            reservation,
        )
        .await?,
        generations: read(
            connection,
            "SELECT id, account_id, key_hash, created_at, finish_reason, usage, prices, cost \
             FROM generations",
            generation,
        )
        .await?,
        key_usage: read(
            connection,
            "SELECT substr(scope, 5), day, charged FROM usage WHERE scope LIKE 'key:%'",
            |row| {
                Ok(KeyUsageFact {
                    key: row.try_get(0)?,
                    day: row.try_get(1)?,
                    charged: row.try_get(2)?,
                })
            },
        )
        .await?,
    })
}

async fn read<T>(
    connection: &mut Connection,
    sql: &'static str,
    each: impl Fn(&Line) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    query(sql).fetch_all(connection).await?.iter().map(each).collect()
}

fn transfer(row: &Line) -> Result<TransferFact, StoreError> {
    Ok(TransferFact {
        seq: row.try_get(0)?,
        id: row.try_get(1)?,
        kind: row.try_get(2)?,
        debit: row.try_get(3)?,
        credit: row.try_get(4)?,
        amount: row.try_get(5)?,
        generation: row.try_get(6)?,
        reason: row.try_get(7)?,
        at: row.try_get(8)?,
        prev_hash: row.try_get(9)?,
        hash: row.try_get(10)?,
    })
}

fn reservation(row: &Line) -> Result<ReservationFact, StoreError> {
    Ok(ReservationFact {
        generation: row.try_get(0)?,
        account: row.try_get(1)?,
        key: row.try_get(2)?,
        amount: row.try_get(3)?,
        opened_at: row.try_get(4)?,
        ended_at: row.try_get(5)?,
        outcome: row.try_get(6)?,
    })
}

fn generation(row: &Line) -> Result<GenerationFact, StoreError> {
    let usage: &str = row.try_get(5)?;
    let prices: Option<&str> = row.try_get(6)?;
    Ok(GenerationFact {
        id: row.try_get(0)?,
        account: row.try_get(1)?,
        key: row.try_get(2)?,
        created_at: row.try_get(3)?,
        finish_reason: row.try_get(4)?,
        usage: parse("usage", usage)?,
        prices: prices.map(|prices| parse("prices", prices)).transpose()?,
        cost: row.try_get(7)?,
    })
}
