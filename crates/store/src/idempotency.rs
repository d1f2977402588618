//! The first answer to a request with an `Idempotency-Key`, kept for ever and scoped to its account.
//!
//! Where the effect is a change of rows, answer and effect are one commit ([`Once::look`] before it,
//! [`Once::keep`] after it): there is nothing that a crash could leave halfway. Where it lies outside
//! of the database, [`Store::begin_once`] claims the key first; after a crash the same request finds
//! its claim unfinished and repeats the effect under the same derived name, by which it happens once.
//!
//! Only answers of something that happened are kept. A refusal changes nothing, so the same request
//! may be repeated once its cause is gone.

use std::sync::Arc;

use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, GenerationId};

use crate::error::StoreError;
use crate::movements::Refused;
use crate::sql::{Connection, Line, Row, query};
use crate::store::Store;
use crate::writer::Durability;

const ROW: &str = "SELECT request_hash, status, response, created_at FROM idempotency \
                   WHERE account_id = $1 AND key = $2";

/// A request that is to have one effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// Whose key it is.
    pub account: AccountId,
    /// The `Idempotency-Key`.
    pub key: String,
    /// A hash of the route and the body.
    pub request_hash: String,
}

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, JSON.
    pub body: String,
}

/// The answer to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remembered {
    /// Something happened for it just now.
    Now(Answer),
    /// It was given before; nothing happened.
    Before(Answer),
}

impl Remembered {
    /// The answer, whenever it was first given.
    #[must_use]
    pub fn answer(self) -> Answer {
        match self {
            Self::Now(answer) | Self::Before(answer) => answer,
        }
    }
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nobody used the key before.
    First,
    /// The same request began then and has not finished: another one is at it, or a process ended.
    /// When that is long ago, do it again under the same name.
    Unfinished(Timestamp),
    /// It has been answered.
    Done(Answer),
}

/// What became of a claim for a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Generating {
    /// It is this caller's.
    First,
    /// A process that lives is at it.
    UnderWay,
    /// Its process ended after this generation was charged: the answer is lost.
    Lost(GenerationId),
    /// It has been answered.
    Done(Answer),
}

impl Once {
    /// What the process that claimed it has come to; nothing when it is gone and charged nothing.
    async fn under_way(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<Generating>, StoreError> {
        let row = query("SELECT response FROM idempotency WHERE account_id = $1 AND key = $2")
            .bind(self.account.as_str())
            .bind(&self.key)
            .fetch_one(&mut *connection)
            .await?;
        let note: Option<String> = row.try_get(0)?;
        let Some((holder, generation)) = note.as_deref().and_then(|note| note.split_once(' '))
        else {
            return Ok(Some(Generating::UnderWay));
        };
        let lives = query("SELECT id FROM holders WHERE id = $1").bind(holder);
        if lives.fetch_optional(&mut *connection).await?.is_some() {
            return Ok(Some(Generating::UnderWay));
        }
        let recorded =
            query("SELECT id FROM generations WHERE id = $1 AND cost > 0").bind(generation);
        let recorded = recorded.fetch_optional(connection).await?;
        Ok(recorded.map(|_| Generating::Lost(GenerationId::new(generation))))
    }

    /// Notes who is at it.
    async fn note(
        &self,
        connection: &mut Connection,
        holder: &str,
        generation: &GenerationId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "UPDATE idempotency SET response = $1, created_at = $2 \
             WHERE account_id = $3 AND key = $4 AND status IS NULL",
        )
        .bind(format!("{holder} {generation}"))
        .bind(now.micros())
        .bind(self.account.as_str())
        .bind(&self.key)
        .execute(connection)
        .await?;
        Ok(())
    }

    /// The answer that this request got. Without an idempotency key there is none.
    pub(crate) async fn look(
        connection: &mut Connection,
        once: Option<&Self>,
    ) -> Result<Option<Remembered>, StoreError> {
        let Some(once) = once else { return Ok(None) };
        match once.row(connection).await? {
            Some(Begun::Done(answer)) => Ok(Some(Remembered::Before(answer))),
            _ => Ok(None),
        }
    }

    /// Keeps the answer in the commit of its effect.
    pub(crate) async fn keep(
        connection: &mut Connection,
        once: Option<&Self>,
        answer: Answer,
        now: Timestamp,
    ) -> Result<Remembered, StoreError> {
        if let Some(once) = once {
            once.claim(connection, now).await?;
            if let Some(before) = once.finish(connection, &answer).await? {
                return Ok(Remembered::Before(before));
            }
        }
        Ok(Remembered::Now(answer))
    }

    async fn row(&self, connection: &mut Connection) -> Result<Option<Begun>, StoreError> {
        let row = query(ROW)
            .bind(self.account.as_str())
            .bind(&self.key)
            .fetch_optional(connection)
            .await?;
        self.read(row)
    }

    fn read(&self, row: Option<Line>) -> Result<Option<Begun>, StoreError> {
        let Some(row) = row else { return Ok(None) };
        if row.try_get::<String, _>(0)? != self.request_hash {
            return Err(Refused::OtherRequest.into());
        }
        let status: Option<i64> = row.try_get(1)?;
        let body: Option<String> = row.try_get(2)?;
        let answer = status
            .zip(body)
            .map(|(status, body)| Answer { status: u16::try_from(status).unwrap_or(200), body });
        let since = Timestamp::from_micros(row.try_get(3)?);
        Ok(Some(answer.map_or(Begun::Unfinished(since), Begun::Done)))
    }

    async fn claim(&self, connection: &mut Connection, now: Timestamp) -> Result<bool, StoreError> {
        let claimed = query(
            "INSERT INTO idempotency (account_id, key, request_hash, created_at) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (account_id, key) DO NOTHING",
        )
        .bind(self.account.as_str())
        .bind(&self.key)
        .bind(&self.request_hash)
        .bind(now.micros())
        .execute(connection)
        .await?;
        Ok(claimed.rows_affected() == 1)
    }

    /// Writes the answer unless there is one, which is then given.
    async fn finish(
        &self,
        connection: &mut Connection,
        answer: &Answer,
    ) -> Result<Option<Answer>, StoreError> {
        let done = query(
            "UPDATE idempotency SET status = $1, response = $2 \
             WHERE account_id = $3 AND key = $4 AND request_hash = $5 AND status IS NULL",
        )
        .bind(i64::from(answer.status))
        .bind(&answer.body)
        .bind(self.account.as_str())
        .bind(&self.key)
        .bind(&self.request_hash)
        .execute(&mut *connection)
        .await?;
        if done.rows_affected() == 1 {
            return Ok(None);
        }
        match self.row(connection).await? {
            Some(Begun::Done(before)) => Ok(Some(before)),
            _ => Err(StoreError::Damaged("an idempotency key is gone".to_owned())),
        }
    }
}

impl Store {
    /// Claims an idempotency key for an effect outside of the database.
    ///
    /// # Errors
    /// [`Refused::OtherRequest`] when the key was used for another request.
    pub async fn begin_once(&self, once: Once) -> Result<Begun, StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                if once.claim(connection, now).await? {
                    return Ok(Begun::First);
                }
                Ok(once.row(connection).await?.unwrap_or(Begun::Unfinished(now)))
            })
        })
        .await
    }

    /// The answer that a request got; `None` when it got none yet.
    ///
    /// # Errors
    /// [`Refused::OtherRequest`] when the key was used for another request.
    pub async fn answered_once(&self, once: &Once) -> Result<Option<Answer>, StoreError> {
        let row = query(ROW)
            .bind(once.account.as_str())
            .bind(&once.key)
            .fetch_optional(self.readers())
            .await?;
        Ok(match once.read(row)? {
            Some(Begun::Done(answer)) => Some(answer),
            _ => None,
        })
    }

    /// Takes over a claim that was made at `since` and left. Says whether this caller may go on: of
    /// several one may.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn renew_once(&self, once: Once, since: Timestamp) -> Result<bool, StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let renewed = query(
                    "UPDATE idempotency SET created_at = $1 WHERE account_id = $2 AND key = $3 \
                     AND request_hash = $4 AND status IS NULL AND created_at = $5",
                )
                .bind(now.micros())
                .bind(once.account.as_str())
                .bind(&once.key)
                .bind(&once.request_hash)
                .bind(since.micros())
                .execute(connection)
                .await?;
                Ok(renewed.rows_affected() == 1)
            })
        })
        .await
    }

    /// Claims an idempotency key for a generation of this process. A claim ends with its process: when
    /// that is gone, and with it all that it might still have charged, the key is free again unless the
    /// generation was recorded.
    ///
    /// # Errors
    /// [`Refused::OtherRequest`] when the key was used for another request.
    pub async fn begin_generation(
        &self,
        once: Once,
        holder: Arc<str>,
        generation: GenerationId,
    ) -> Result<Generating, StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let first = once.claim(connection, now).await?;
                if !first {
                    match once.row(connection).await? {
                        Some(Begun::Done(answer)) => return Ok(Generating::Done(answer)),
                        _ => {
                            if let Some(before) = once.under_way(connection).await? {
                                return Ok(before);
                            }
                        }
                    }
                }
                once.note(connection, &holder, &generation, now).await?;
                Ok(Generating::First)
            })
        })
        .await
    }

    /// Gives a claim back because nothing happened for it: the key stays good.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn forget_once(&self, once: Once) -> Result<(), StoreError> {
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                query(
                    "DELETE FROM idempotency WHERE account_id = $1 AND key = $2 \
                     AND request_hash = $3 AND status IS NULL",
                )
                .bind(once.account.as_str())
                .bind(&once.key)
                .bind(&once.request_hash)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Keeps the answer of an effect outside of the database. The first one counts: it is what comes
    /// back.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer or the key was never claimed.
    pub async fn finish_once(&self, once: Once, answer: Answer) -> Result<Answer, StoreError> {
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let before = once.finish(connection, &answer).await?;
                Ok(before.unwrap_or(answer))
            })
        })
        .await
    }
}
