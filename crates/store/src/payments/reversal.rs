//! What takes the money of a purchase back: refunds that were asked for here, refunds that the
//! processor made by itself, disputed charges. Each is a row that goes through its states once, so that
//! a process that ends anywhere is followed by another one that goes on from there.

mod collect;
pub mod refund;

use signalbox_core::{Timestamp, Usd};

use super::event::{self, Effect, EventMark};
use super::{Refs, read};
use crate::error::StoreError;
use crate::sql::{AssertSqlSafe, Connection, Line, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// What kind of reversal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A refund that was asked for here.
    Refund,
    /// A refund that the processor made by itself.
    Outside,
    /// A disputed charge.
    Dispute,
}

impl Told {
    const ALL: [Self; 3] = [Self::Refund, Self::Outside, Self::Dispute];

    /// The name in storage.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Outside => "outside",
            Self::Dispute => "dispute",
        }
    }
}

/// One reversal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// Its id: `refund:<payment>:<n>`, `outside:<ref>`, `dispute:<ref>`.
    pub id: String,
    /// What it is.
    pub kind: Told,
    /// Of which payment, once that is known.
    pub payment: Option<String>,
    /// The rail's name of the payment.
    pub intent_ref: Option<String>,
    /// How much of the credit.
    pub amount: Usd,
    /// What the account had of it.
    pub taken: Usd,
    /// What it had no more.
    pub owed: Usd,
    /// `waiting`, `due`, `taken`, `done` or `failed`.
    pub status: String,
    /// The processor's id.
    pub processor_ref: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
}

/// Something that the processor says of money that goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// The event that says so.
    pub event: EventMark,
    /// What it is.
    pub kind: Told,
    /// The processor's id of the refund or dispute.
    pub processor_ref: String,
    /// Of which payment.
    pub refs: Refs,
    /// How much, fee and tax included.
    pub amount: Usd,
    /// Its currency.
    pub currency: String,
}

const COLUMNS: &str = "id, kind, payment_id, intent_ref, amount, taken, owed, status, processor_ref, \
     failure, created_at";

fn row_of(row: &Line) -> Result<Reversal, StoreError> {
    let kind: String = row.try_get("kind")?;
    let usd = |name| row.try_get::<i64, _>(name).map(Usd::from_nanos);
    Ok(Reversal {
        id: row.try_get("id")?,
        kind: Told::ALL
            .into_iter()
            .find(|one| one.name() == kind)
            .ok_or_else(|| StoreError::Damaged(format!("reversal {kind}")))?,
        payment: row.try_get("payment_id")?,
        intent_ref: row.try_get("intent_ref")?,
        amount: usd("amount")?,
        taken: usd("taken")?,
        owed: usd("owed")?,
        status: row.try_get("status")?,
        processor_ref: row.try_get("processor_ref")?,
        failure: row.try_get("failure")?,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
    })
}

async fn one(connection: &mut Connection, id: &str) -> Result<Option<Reversal>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM reversals WHERE id = $1");
    let row = query(AssertSqlSafe(sql)).bind(id).fetch_optional(connection).await?;
    row.as_ref().map(row_of).transpose()
}

async fn insert(
    connection: &mut Connection,
    reversal: &Reversal,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = query(
        "INSERT INTO reversals (id, kind, payment_id, intent_ref, amount, taken, owed, status, \
         processor_ref, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) ON CONFLICT DO NOTHING",
    )
    .bind(&reversal.id)
    .bind(reversal.kind.name())
    .bind(&reversal.payment)
    .bind(&reversal.intent_ref)
    .bind(reversal.amount.nanos())
    .bind(reversal.taken.nanos())
    .bind(reversal.owed.nanos())
    .bind(&reversal.status)
    .bind(&reversal.processor_ref)
    .bind(now.micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

impl Store {
    /// Notes that the processor took money back, once for its id. It may come before the payment: then
    /// it waits for it. The money itself is taken by [`Store::collect`].
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn note_reversal(&self, noted: Noted) -> Result<Effect, StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                if !event::note(connection, &noted.event, now).await? {
                    return Ok(Effect::Told);
                }
                let (effect, payment) = note(connection, &noted, now).await?;
                event::conclude(connection, &noted.event, payment.as_deref(), effect).await?;
                Ok(effect)
            })
        })
        .await
    }

    /// Reversals that are to be gone on with: money to be taken, refunds to be confirmed.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn open_reversals(&self) -> Result<Vec<Reversal>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM reversals WHERE status IN ('waiting', 'due', 'taken') \
             AND payment_id IS NOT NULL ORDER BY created_at LIMIT 100"
        );
        let rows = query(AssertSqlSafe(sql)).fetch_all(self.readers()).await?;
        rows.iter().map(row_of).collect()
    }

    /// All reversals of a payment, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn reversals_of(&self, payment: &str) -> Result<Vec<Reversal>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM reversals WHERE payment_id = $1 ORDER BY created_at, id"
        );
        let rows = query(AssertSqlSafe(sql)).bind(payment).fetch_all(self.readers()).await?;
        rows.iter().map(row_of).collect()
    }
}

async fn note(
    connection: &mut Connection,
    noted: &Noted,
    now: Timestamp,
) -> Result<(Effect, Option<String>), StoreError> {
    let payment = read::find(connection, &noted.refs).await?;
    if payment.is_none() && noted.refs.intent.is_none() {
        return Ok((Effect::Unknown, None));
    }
    if noted.amount <= Usd::ZERO {
        return Ok((Effect::Mismatch("no amount"), payment.map(|payment| payment.id)));
    }
    if payment.as_ref().is_some_and(|payment| payment.currency != noted.currency) {
        return Ok((Effect::Mismatch("another currency"), payment.map(|payment| payment.id)));
    }
    let id = payment.map(|payment| payment.id);
    let reversal = Reversal {
        id: format!("{}:{}", noted.kind.name(), noted.processor_ref),
        kind: noted.kind,
        payment: id.clone(),
        intent_ref: noted.refs.intent.clone(),
        amount: noted.amount,
        taken: Usd::ZERO,
        owed: Usd::ZERO,
        status: "waiting".to_owned(),
        processor_ref: Some(noted.processor_ref.clone()),
        failure: None,
        created_at: now,
    };
    let new = insert(connection, &reversal, now).await?;
    Ok((if new { Effect::Waits } else { Effect::Before }, id))
}
