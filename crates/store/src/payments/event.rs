//! Events of payment rails, kept for ever.

use signalbox_core::Timestamp;

use crate::error::StoreError;
use crate::sql::{Connection, query};
use crate::store::Store;
use crate::writer::Durability;

/// Which event a change follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventMark {
    /// The rail's id of the event.
    pub id: String,
    /// The rail's name of its kind.
    pub kind: String,
}

/// What an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// What it says was done now.
    Done,
    /// This event was told before; nothing changed.
    Told,
    /// The payment was there already; nothing changed.
    Before,
    /// It is not what was ordered: the reason. Nothing changed.
    Mismatch(&'static str),
    /// No payment of ours is meant. Nothing changed.
    Unknown,
    /// The money is taken once the payment, or what is in use, allows it.
    Waits,
}

impl Effect {
    /// The text in `payment_events.outcome`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Told => "told",
            Self::Before => "before",
            Self::Mismatch(reason) => reason,
            Self::Unknown => "unknown",
            Self::Waits => "waits",
        }
    }
}

/// Notes an event in the running transaction. Says whether it is new.
pub(super) async fn note(
    connection: &mut Connection,
    event: &EventMark,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let done = query(
        "INSERT INTO payment_events (id, kind, outcome, received_at) VALUES ($1, $2, 'noted', $3) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(&event.id)
    .bind(&event.kind)
    .bind(at.micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes what an event came to.
pub(super) async fn conclude(
    connection: &mut Connection,
    event: &EventMark,
    payment: Option<&str>,
    effect: Effect,
) -> Result<(), StoreError> {
    query("UPDATE payment_events SET payment_id = $1, outcome = $2 WHERE id = $3")
        .bind(payment)
        .bind(effect.name())
        .bind(&event.id)
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// Keeps an event from which nothing follows. Says whether it is new.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn keep_event(&self, event: EventMark) -> Result<bool, StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let new = note(connection, &event, now).await?;
                if new {
                    query("UPDATE payment_events SET outcome = 'kept' WHERE id = $1")
                        .bind(&event.id)
                        .execute(connection)
                        .await?;
                }
                Ok(new)
            })
        })
        .await
    }
}
