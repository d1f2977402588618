//! How often something was tried, counted for all processes together.
//!
//! A subject has its tries back one by one. What is kept of it is one row, until it has all of them.

use std::time::Duration;

use crate::error::StoreError;
use crate::sql::{Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// What is limited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// What is tried, such as `tries_at`.
    pub kind: &'static str,
    /// By whom or at whom: a hash.
    pub subject: String,
}

/// How many tries at once, and how long until there is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// At once: 1 or more.
    pub burst: u32,
    /// Between two.
    pub every: Duration,
}

impl Pace {
    /// The time of one try, and of all but one of them, in microseconds.
    fn micros(self) -> (i64, i64) {
        let every = i64::try_from(self.every.as_micros()).unwrap_or(i64::MAX);
        (every, every.saturating_mul(i64::from(self.burst.saturating_sub(1))))
    }
}

impl Store {
    /// Takes one try: `None`, or how long until there is one. What has rested is forgotten.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn take_try(&self, of: Tried, pace: Pace) -> Result<Option<Duration>, StoreError> {
        let now = self.clock().now().micros();
        let (every, rest) = pace.micros();
        self.write(Durability::Process, move |connection| {
            Box::pin(async move {
                query("DELETE FROM tries WHERE rested_at <= $1")
                    .bind(now)
                    .execute(&mut *connection)
                    .await?;
                let taken = query(
                    "INSERT INTO tries (kind, subject, rested_at) VALUES ($1, $2, $3) \
                     ON CONFLICT (kind, subject) DO UPDATE SET rested_at = tries.rested_at + $4 \
                     WHERE tries.rested_at <= $5",
                )
                .bind(of.kind)
                .bind(&of.subject)
                .bind(now.saturating_add(every))
                .bind(every)
                .bind(now.saturating_add(rest))
                .execute(&mut *connection)
                .await?;
                if taken.rows_affected() == 1 {
                    return Ok(None);
                }
                let row = query("SELECT rested_at FROM tries WHERE kind = $1 AND subject = $2")
                    .bind(of.kind)
                    .bind(&of.subject)
                    .fetch_one(connection)
                    .await?;
                let over = row.try_get::<i64, _>(0)?.saturating_sub(now).saturating_sub(rest);
                Ok(Some(Duration::from_micros(u64::try_from(over).unwrap_or(0))))
            })
        })
        .await
    }

    /// Gives a subject all of its tries back.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn forgive_tries(&self, of: Tried) -> Result<(), StoreError> {
        self.write(Durability::Process, move |connection| {
            Box::pin(async move {
                query("DELETE FROM tries WHERE kind = $1 AND subject = $2")
                    .bind(of.kind)
                    .bind(&of.subject)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }
}
