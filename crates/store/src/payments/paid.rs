//! What follows when a payment arrives, or does not.

use signalbox_core::{Timestamp, Usd};

use super::event::{self, Effect, EventMark};
use super::{Payment, Rail, Status, read};
use crate::error::StoreError;
use crate::movements::{House, Movement, Posted, post};
use crate::sql::{Connection, query};
use crate::store::Store;
use crate::writer::Durability;

/// Which payment is meant: our own id when the rail was told it, and the rail's names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refs {
    /// Our id.
    pub payment: Option<String>,
    /// The rail's name of the offer.
    pub session: Option<String>,
    /// The rail's name of the payment.
    pub intent: Option<String>,
}

/// Money that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The event that says so; `None` when we asked.
    pub event: Option<EventMark>,
    /// For which payment.
    pub refs: Refs,
    /// The rail it came by.
    pub rail: Rail,
    /// Its currency.
    pub currency: String,
    /// Everything that was paid.
    pub total: Usd,
    /// What of it is tax.
    pub tax: Usd,
}

/// Money that will not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// The event that says so; `None` when we were told in an answer.
    pub event: Option<EventMark>,
    /// For which payment.
    pub refs: Refs,
    /// How the payment ends: failed or expired.
    pub status: Status,
    /// Why, in a few words that may be shown.
    pub reason: String,
    /// Failures after which a rule is switched off.
    pub most_failures: i64,
    /// When a rule may try again, after its first, second … failure.
    pub retry_at: Vec<Timestamp>,
}

impl Store {
    /// Puts the credit of a payment into its account, exactly once however often and by however many
    /// processes this is called, and only when rail, currency and amount are those of the order. Returns
    /// when it would survive a power cut.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer. What does not fit is an [`Effect`].
    pub async fn pay(&self, receipt: Receipt) -> Result<Effect, StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                if !is_new(connection, receipt.event.as_ref(), now).await? {
                    return Ok(Effect::Told);
                }
                let found = read::find(connection, &receipt.refs).await?;
                let effect = match &found {
                    None => Effect::Unknown,
                    Some(payment) => settle(connection, payment, &receipt, now).await?,
                };
                conclude(connection, receipt.event.as_ref(), found.as_ref(), effect).await?;
                Ok(effect)
            })
        })
        .await
    }

    /// Ends an open payment without money, once. A rule whose attempt it was rests until `retry_at`, or
    /// for good after too many failures.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn miss(&self, missed: Missed) -> Result<Effect, StoreError> {
        let now = self.clock().now();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                if !is_new(connection, missed.event.as_ref(), now).await? {
                    return Ok(Effect::Told);
                }
                let found = read::find(connection, &missed.refs).await?;
                let effect = match &found {
                    None => Effect::Unknown,
                    Some(payment) => give_up(connection, payment, &missed, now).await?,
                };
                conclude(connection, missed.event.as_ref(), found.as_ref(), effect).await?;
                Ok(effect)
            })
        })
        .await
    }
}

async fn is_new(
    connection: &mut Connection,
    event: Option<&EventMark>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    match event {
        Some(event) => event::note(connection, event, now).await,
        None => Ok(true),
    }
}

async fn conclude(
    connection: &mut Connection,
    event: Option<&EventMark>,
    payment: Option<&Payment>,
    effect: Effect,
) -> Result<(), StoreError> {
    match event {
        Some(event) => {
            let payment = payment.map(|payment| payment.id.as_str());
            event::conclude(connection, event, payment, effect).await
        }
        None => Ok(()),
    }
}

/// Why a receipt is not for this order.
fn misfit(payment: &Payment, receipt: &Receipt) -> Option<&'static str> {
    let other = |ours: &Option<String>, theirs: &Option<String>| matches!((ours, theirs), (Some(ours), Some(theirs)) if ours != theirs);
    let due = payment.amount.checked_add(payment.fee);
    if payment.rail != receipt.rail {
        Some("another rail")
    } else if payment.currency != receipt.currency {
        Some("another currency")
    } else if receipt.tax.is_negative() || receipt.total.checked_sub(receipt.tax) != due {
        Some("another amount")
    } else if other(&payment.session_ref, &receipt.refs.session) {
        Some("another offer")
    } else if other(&payment.intent_ref, &receipt.refs.intent) {
        Some("another payment")
    } else {
        None
    }
}

async fn settle(
    connection: &mut Connection,
    payment: &Payment,
    receipt: &Receipt,
    now: Timestamp,
) -> Result<Effect, StoreError> {
    if let Some(reason) = misfit(payment, receipt) {
        return Ok(Effect::Mismatch(reason));
    }
    let done = query(
        "UPDATE payments SET status = 'paid', paid_at = $1, tax = $2, failure = NULL, \
         session_ref = coalesce(session_ref, $3), intent_ref = coalesce(intent_ref, $4) \
         WHERE id = $5 AND rail = $6 AND currency = $7 AND amount + fee = $8 \
         AND status IN ('open', 'failed', 'expired')",
    )
    .bind(now.micros())
    .bind(receipt.tax.nanos())
    .bind(&receipt.refs.session)
    .bind(&receipt.refs.intent)
    .bind(&payment.id)
    .bind(receipt.rail.name())
    .bind(&receipt.currency)
    .bind(receipt.total.saturating_sub(receipt.tax).nanos())
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() != 1 {
        return Ok(Effect::Before);
    }
    let house = match payment.rail {
        Rail::Stripe => House::Stripe,
        Rail::Crypto => House::Crypto,
    };
    let reason = if payment.automatic { "automatic top-up" } else { "purchase" };
    let movement = Movement::purchase(&payment.id, house, &payment.account, payment.amount, now)
        .because(reason);
    if post(connection, &movement).await? == Posted::Before {
        return Err(StoreError::Damaged(format!("{} was credited before it was paid", payment.id)));
    }
    // What was taken back before it was paid waits for it.
    let intent = payment.intent_ref.as_ref().or(receipt.refs.intent.as_ref());
    query("UPDATE reversals SET payment_id = $1 WHERE payment_id IS NULL AND intent_ref = $2")
        .bind(&payment.id)
        .bind(intent)
        .execute(&mut *connection)
        .await?;
    query(
        "UPDATE top_up_rules SET attempt = NULL, failures = 0, not_before = 0, updated_at = $1 \
         WHERE attempt = $2",
    )
    .bind(now.micros())
    .bind(&payment.id)
    .execute(connection)
    .await?;
    Ok(Effect::Done)
}

async fn give_up(
    connection: &mut Connection,
    payment: &Payment,
    missed: &Missed,
    now: Timestamp,
) -> Result<Effect, StoreError> {
    let done = query(
        "UPDATE payments SET status = $1, failure = $2, intent_ref = coalesce(intent_ref, $3) \
         WHERE id = $4 AND status = 'open'",
    )
    .bind(missed.status.name())
    .bind(&missed.reason)
    .bind(&missed.refs.intent)
    .bind(&payment.id)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() != 1 {
        return Ok(Effect::Before);
    }
    super::rule::rest(connection, &payment.id, missed, now).await?;
    Ok(Effect::Done)
}
