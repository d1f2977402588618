//! Refunds that are asked for here: the money leaves the account first, then the processor is told. A
//! process that ends between the two is followed by one that finds the row and tells the processor, who
//! knows the refund by its id.

use serde_json::json;
use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};

use super::{Reversal, Told, insert, one};
use crate::error::StoreError;
use crate::lots::lots;
use crate::manage::{By, Deed, Managed};
use crate::movements::{Movement, post};
use crate::payments::event::{self, Effect, EventMark};
use crate::payments::{Payment, Rail, Refs, Status, read};
use crate::sql::{Connection, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// One cent.
const CENT: i64 = 10_000_000;

/// Why nothing is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRefund {
    /// The account has no such purchase.
    Unknown,
    /// It was not paid, or is given back or disputed already.
    NotPaid,
    /// Transfers on a chain are final.
    Crypto,
    /// It was too long ago.
    TooLate,
    /// All of it is used, or less than a cent is left.
    UsedUp,
}

/// What became of a wish for a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refund {
    /// The money left the account; the processor is to be told.
    Begun(Reversal),
    /// Nothing changed.
    Not(NoRefund),
}

impl Store {
    /// Takes what is unused of a purchase out of its account, whole cents, and notes that the processor
    /// owes it to the buyer. What running processes hold is asked for, up to three seconds.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the money is in use; nothing has changed.
    pub async fn begin_refund(
        &self,
        by: &By,
        payment: &str,
        paid_after: Timestamp,
    ) -> Result<Refund, StoreError> {
        let now = self.clock().now();
        self.patiently(&by.account, || {
            let (account, payment) = (by.account.clone(), payment.to_owned());
            self.manage(by.clone(), "credit.refund", move |connection| {
                Box::pin(async move {
                    let done = begin(connection, account, payment.clone(), paid_after, now).await?;
                    let Refund::Begun(begun) = &done else { return Ok(Managed::nothing(done)) };
                    let after = Some(json!({"refund": begun.id, "amount": begun.amount}));
                    let deed = Deed { kind: "payment", id: payment, before: None, after };
                    Ok(Managed::one(done, deed))
                })
            })
        })
        .await
    }

    /// Notes that the processor made a refund. Says whether it was still to be made.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn finish_refund(&self, id: &str, processor_ref: &str) -> Result<bool, StoreError> {
        let (id, processor_ref) = (id.to_owned(), processor_ref.to_owned());
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move { finish(connection, &id, &processor_ref, now).await })
        })
        .await
    }

    /// The processor tells of a refund that carries one of our ids. `Unknown` when it is none of ours.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn confirm_refund(
        &self,
        event: EventMark,
        id: &str,
        processor_ref: &str,
    ) -> Result<Effect, StoreError> {
        let (id, processor_ref) = (id.to_owned(), processor_ref.to_owned());
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let Some(reversal) = one(connection, &id).await? else {
                    return Ok(Effect::Unknown);
                };
                if !event::note(connection, &event, now).await? {
                    return Ok(Effect::Told);
                }
                let new = finish(connection, &id, &processor_ref, now).await?;
                let effect = if new { Effect::Done } else { Effect::Before };
                event::conclude(connection, &event, reversal.payment.as_deref(), effect).await?;
                Ok(effect)
            })
        })
        .await
    }

    /// Gives back to the account what a reversal took that did not happen, once. `id` is ours or the
    /// processor's.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn call_off(
        &self,
        event: Option<EventMark>,
        id: &str,
        failure: &str,
    ) -> Result<Effect, StoreError> {
        let (id, failure) = (id.to_owned(), failure.to_owned());
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                if let Some(event) = &event
                    && !event::note(connection, event, now).await?
                {
                    return Ok(Effect::Told);
                }
                let (effect, payment) = call_off(connection, &id, &failure, now).await?;
                if let Some(event) = &event {
                    event::conclude(connection, event, payment.as_deref(), effect).await?;
                }
                Ok(effect)
            })
        })
        .await
    }
}

fn refusal(payment: &Payment, paid_after: Timestamp) -> Option<NoRefund> {
    match (payment.rail, payment.status, payment.paid_at) {
        (Rail::Crypto, ..) => Some(NoRefund::Crypto),
        (_, Status::Paid, Some(at)) if at < paid_after => Some(NoRefund::TooLate),
        (_, Status::Paid, Some(_)) => None,
        _ => Some(NoRefund::NotPaid),
    }
}

async fn begin(
    connection: &mut Connection,
    account: AccountId,
    payment: String,
    paid_after: Timestamp,
    now: Timestamp,
) -> Result<Refund, StoreError> {
    let refs = Refs { payment: Some(payment), ..Refs::default() };
    let found = read::find(connection, &refs).await?;
    let Some(payment) = found.filter(|payment| payment.account == account) else {
        return Ok(Refund::Not(NoRefund::Unknown));
    };
    if let Some(reason) = refusal(&payment, paid_after) {
        return Ok(Refund::Not(reason));
    }
    let lot = format!("purchase:{}", payment.id);
    let lots = lots(connection, &account).await?;
    let left = lots.iter().find(|one| one.id == lot).map_or(Usd::ZERO, |one| one.left);
    let left = left.min(payment.amount.saturating_sub(payment.refunded)).nanos();
    let amount = Usd::from_nanos(left.saturating_sub(left.rem_euclid(CENT)));
    if amount <= Usd::ZERO {
        return Ok(Refund::Not(NoRefund::UsedUp));
    }
    let nth = next(connection, &payment).await?;
    count(connection, &payment, amount, Status::Refunded).await?;
    let reversal = Reversal {
        id: format!("refund:{}:{nth}", payment.id),
        kind: Told::Refund,
        payment: Some(payment.id.clone()),
        intent_ref: payment.intent_ref.clone(),
        amount,
        taken: amount,
        owed: Usd::ZERO,
        status: "taken".to_owned(),
        processor_ref: None,
        failure: None,
        created_at: now,
    };
    if !insert(connection, &reversal, now).await? {
        return Err(StoreError::Damaged(format!("{} is there already", reversal.id)));
    }
    let movement = Movement::refund(&payment.id, nth, &account, amount, now).because("refund");
    post(connection, &movement).await?;
    Ok(Refund::Begun(reversal))
}

/// Counts an amount against a purchase, as long as nobody else did since it was read. A purchase of
/// which nothing is left gets its last status.
pub(super) async fn count(
    connection: &mut Connection,
    payment: &Payment,
    amount: Usd,
    last: Status,
) -> Result<(), StoreError> {
    let done = query(
        "UPDATE payments SET refunded = refunded + $1, \
         status = CASE WHEN refunded + $1 = amount OR $2 = 'disputed' THEN $2 ELSE status END \
         WHERE id = $3 AND refunded = $4 AND status IN ('paid', 'refunded', 'disputed')",
    )
    .bind(amount.nanos())
    .bind(last.name())
    .bind(&payment.id)
    .bind(payment.refunded.nanos())
    .execute(connection)
    .await?;
    match done.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Unavailable(format!("{} has just changed", payment.id))),
    }
}

/// The number of the next transfer that refunds a payment.
pub(super) async fn next(
    connection: &mut Connection,
    payment: &Payment,
) -> Result<u32, StoreError> {
    let before: i64 = query(
        "SELECT count(*) FROM transfers WHERE debit = $1 AND kind = 'refund' \
         AND kind NOT IN ('charge', 'byok_fee', 'waste') AND substr(id, 1, length($2)) = $2",
    )
    .bind(format!("acct:{}", payment.account))
    .bind(format!("refund:{}:", payment.id))
    .fetch_one(connection)
    .await?
    .try_get(0)?;
    Ok(u32::try_from(before.saturating_add(1)).unwrap_or(u32::MAX))
}

async fn finish(
    connection: &mut Connection,
    id: &str,
    processor_ref: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = query(
        "UPDATE reversals SET status = 'done', processor_ref = $1, updated_at = $2 \
         WHERE id = $3 AND status = 'taken'",
    )
    .bind(processor_ref)
    .bind(now.micros())
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn call_off(
    connection: &mut Connection,
    id: &str,
    failure: &str,
    now: Timestamp,
) -> Result<(Effect, Option<String>), StoreError> {
    let row = query("SELECT id FROM reversals WHERE id = $1 OR processor_ref = $1")
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok((Effect::Unknown, None)) };
    let id: String = row.try_get(0)?;
    let Some(reversal) = one(connection, &id).await? else { return Ok((Effect::Unknown, None)) };
    let refs = Refs { payment: reversal.payment.clone(), ..Refs::default() };
    let payment = read::find(connection, &refs).await?;
    let done = query(
        "UPDATE reversals SET status = 'failed', failure = $1, updated_at = $2 \
         WHERE id = $3 AND status = $4 AND status <> 'failed'",
    )
    .bind(failure)
    .bind(now.micros())
    .bind(&id)
    .bind(&reversal.status)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() != 1 {
        return Ok((Effect::Before, reversal.payment));
    }
    let Some(payment) = payment else { return Ok((Effect::Done, None)) };
    let counted = reversal.status != "waiting";
    if counted {
        query(
            "UPDATE payments SET refunded = refunded - $1, \
             status = CASE WHEN status = 'refunded' THEN 'paid' ELSE status END WHERE id = $2",
        )
        .bind(reversal.amount.nanos())
        .bind(&payment.id)
        .execute(&mut *connection)
        .await?;
    }
    if reversal.taken > Usd::ZERO {
        let rest = id.strip_prefix("refund:").map_or_else(
            || format!("{}:{}", payment.id, reversal.processor_ref.as_deref().unwrap_or("-")),
            str::to_owned,
        );
        let name = format!("reversal:{rest}");
        let movement = Movement::adjustment(&name, &payment.account, reversal.taken, now)
            .because("a refund that did not happen")
            .by("payments");
        post(connection, &movement).await?;
    }
    Ok((Effect::Done, Some(payment.id)))
}
