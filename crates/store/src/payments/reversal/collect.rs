//! Taking money back that the processor has taken back from us.

use signalbox_core::{Timestamp, Usd};

use super::{Reversal, Told, one, refund};
use crate::error::StoreError;
use crate::movements::{Dispute, Movement, post};
use crate::payments::{Payment, Refs, Status, read};
use crate::sql::{Connection, Row, query};
use crate::store::Store;
use crate::writer::Durability;

impl Store {
    /// Takes what a reversal takes, once: what the account has of it goes, what it has no more is owed.
    /// A disputed charge freezes the account. It may be called any number of times by any number of
    /// processes; a reversal whose payment did not arrive yet goes on waiting. Says whether it is done.
    ///
    /// # Errors
    /// [`StoreError::Refused`] while running requests hold the money: call it again later.
    pub async fn collect(&self, id: &str) -> Result<bool, StoreError> {
        let Some((reversal, payment)) = self.fall_due(id).await? else { return Ok(false) };
        if reversal.status != "due" {
            return Ok(matches!(reversal.status.as_str(), "done" | "failed"));
        }
        match reversal.kind {
            Told::Dispute if reversal.amount > Usd::ZERO => {
                let event = event_of(&reversal, &payment);
                let reason = format!("payment {} was disputed", payment.id);
                let at = self.clock().now();
                let (account, amount) = (payment.account.clone(), reversal.amount);
                let dispute = Dispute { event, account, amount, reason, at };
                let done = self.charge_back(dispute).await?;
                self.close(&reversal.id, done.taken, done.owed).await
            }
            _ => self.take_back(&reversal, &payment).await,
        }
    }

    /// Counts a reversal against its payment when that has been paid; `None` while it waits.
    async fn fall_due(&self, id: &str) -> Result<Option<(Reversal, Payment)>, StoreError> {
        let (id, now) = (id.to_owned(), self.clock().now());
        self.write(Durability::Power, move |connection| {
            Box::pin(async move { fall_due(connection, &id, now).await })
        })
        .await
    }

    async fn close(&self, id: &str, taken: Usd, owed: Usd) -> Result<bool, StoreError> {
        let (id, now) = (id.to_owned(), self.clock().now());
        self.write(Durability::Power, move |connection| {
            Box::pin(async move { close(connection, &id, taken, owed, now).await })
        })
        .await
    }

    /// A refund that the processor made by itself.
    async fn take_back(&self, reversal: &Reversal, payment: &Payment) -> Result<bool, StoreError> {
        let now = self.clock().now();
        self.patiently(&payment.account, || {
            let (reversal, payment) = (reversal.clone(), payment.clone());
            self.write(Durability::Power, move |connection| {
                Box::pin(async move { take_back(connection, &reversal, &payment, now).await })
            })
        })
        .await
    }
}

/// What tells this reversal's transfers from others: payment and the processor's id.
fn event_of(reversal: &Reversal, payment: &Payment) -> String {
    format!("{}:{}", payment.id, reversal.processor_ref.as_deref().unwrap_or("-"))
}

async fn fall_due(
    connection: &mut Connection,
    id: &str,
    now: Timestamp,
) -> Result<Option<(Reversal, Payment)>, StoreError> {
    let Some(mut reversal) = one(connection, id).await? else { return Ok(None) };
    let Some(payment) = &reversal.payment else { return Ok(None) };
    let refs = Refs { payment: Some(payment.clone()), ..Refs::default() };
    let Some(payment) = read::find(connection, &refs).await? else { return Ok(None) };
    if reversal.status != "waiting" {
        return Ok(Some((reversal, payment)));
    }
    if !matches!(payment.status, Status::Paid | Status::Refunded | Status::Disputed) {
        return Ok(None);
    }
    let last = match reversal.kind {
        Told::Dispute => Status::Disputed,
        Told::Refund | Told::Outside => Status::Refunded,
    };
    // What came back besides the credit is fee and tax.
    let amount = reversal.amount.min(payment.amount.saturating_sub(payment.refunded));
    let status = if amount > Usd::ZERO { "due" } else { "done" };
    let asked = if amount > Usd::ZERO { amount } else { reversal.amount };
    let done = query(
        "UPDATE reversals SET status = $1, amount = $2, updated_at = $3 \
         WHERE id = $4 AND status = 'waiting'",
    )
    .bind(status)
    .bind(asked.nanos())
    .bind(now.micros())
    .bind(id)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() != 1 {
        return Ok(one(connection, id).await?.map(|reversal| (reversal, payment)));
    }
    refund::count(connection, &payment, amount, last).await?;
    reversal.amount = amount;
    status.clone_into(&mut reversal.status);
    Ok(Some((reversal, payment)))
}

async fn close(
    connection: &mut Connection,
    id: &str,
    taken: Usd,
    owed: Usd,
    now: Timestamp,
) -> Result<bool, StoreError> {
    query(
        "UPDATE reversals SET status = 'done', taken = $1, owed = $2, updated_at = $3 \
         WHERE id = $4 AND status = 'due'",
    )
    .bind(taken.nanos())
    .bind(owed.nanos())
    .bind(now.micros())
    .bind(id)
    .execute(connection)
    .await?;
    Ok(true)
}

async fn take_back(
    connection: &mut Connection,
    reversal: &Reversal,
    payment: &Payment,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let still = query("SELECT 1 FROM reversals WHERE id = $1 AND status = 'due'")
        .bind(&reversal.id)
        .fetch_optional(&mut *connection)
        .await?;
    if still.is_none() {
        return Ok(true);
    }
    let own: i64 =
        query("SELECT credited - charged - withdrawn FROM balances WHERE account_id = $1")
            .bind(payment.account.as_str())
            .fetch_one(&mut *connection)
            .await?
            .try_get(0)?;
    let taken = Usd::from_nanos(own.max(0)).min(reversal.amount);
    let owed = reversal.amount.saturating_sub(taken);
    let reason = "refunded by the processor";
    if taken > Usd::ZERO {
        let nth = refund::next(connection, payment).await?;
        let movement = Movement::refund(&payment.id, nth, &payment.account, taken, now);
        post(connection, &movement.because(reason)).await?;
    }
    if owed > Usd::ZERO {
        let movement = Movement::receivable(&event_of(reversal, payment), owed, now);
        post(connection, &movement.because(reason)).await?;
    }
    close(connection, &reversal.id, taken, owed, now).await
}
