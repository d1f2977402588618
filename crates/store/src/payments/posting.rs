//! The rows that a change of a payment writes besides its own.

use signalbox_core::Timestamp;

use super::{Payment, Rail};
use crate::error::StoreError;
use crate::sql::{Connection, query};

/// Adds the row of an offer.
pub(super) async fn insert(
    connection: &mut Connection,
    payment: &Payment,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO payments (id, account_id, rail, status, amount, fee, tax, refunded, currency, \
         automatic, session_ref, intent_ref, failure, receipt_url, created_at, paid_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(&payment.id)
    .bind(payment.account.as_str())
    .bind(payment.rail.name())
    .bind(payment.status.name())
    .bind(payment.amount.nanos())
    .bind(payment.fee.nanos())
    .bind(payment.tax.nanos())
    .bind(payment.refunded.nanos())
    .bind(&payment.currency)
    .bind(payment.automatic)
    .bind(&payment.session_ref)
    .bind(&payment.intent_ref)
    .bind(&payment.failure)
    .bind(&payment.receipt_url)
    .bind(payment.created_at.micros())
    .bind(payment.paid_at.map(Timestamp::micros))
    .execute(connection)
    .await?;
    Ok(())
}

/// An open crypto order is known by its total alone, so no two may have the same.
pub(super) async fn refuse_same_total(
    connection: &mut Connection,
    payment: &Payment,
) -> Result<(), StoreError> {
    let total = payment.amount.saturating_add(payment.fee);
    let same = query(
        "SELECT 1 FROM payments WHERE rail = $1 AND status = 'open' AND amount + fee = $2 LIMIT 1",
    )
    .bind(Rail::Crypto.name())
    .bind(total.nanos())
    .fetch_optional(connection)
    .await?;
    match same {
        Some(_) => Err(StoreError::Constraint("an order with this total is open".to_owned())),
        None => Ok(()),
    }
}
