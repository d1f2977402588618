//! Purchases: what was offered, what was paid, and what follows from each event of a payment rail.
//!
//! Every change of a payment is one guarded UPDATE whose row count is looked at, in one transaction
//! with the event that caused it and the transfer that follows from it. An event is kept for ever, so
//! that it has one effect however often, however late and by however many processes it is told.

pub mod customer;
pub mod event;
mod paid;
mod posting;
mod read;
pub mod reversal;
pub mod rule;
pub mod tax_id;

use serde_json::json;
use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};

use crate::error::StoreError;
use crate::manage::{By, Deed, Managed};
use crate::sql::query;
use crate::store::Store;
use crate::writer::Durability;

pub use customer::Customer;
pub use event::{Effect, EventMark};
pub use paid::{Missed, Receipt, Refs};
pub use reversal::refund::{NoRefund, Refund};
pub use reversal::{Noted, Reversal, Told};
pub use rule::{Claimed, Rule};
pub use tax_id::TaxId;

/// The road that money takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rail {
    /// The card processor.
    Stripe,
    /// A transfer of a stable coin.
    Crypto,
}

impl Rail {
    /// The name in storage.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stripe => "stripe",
            Self::Crypto => "crypto",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        [Self::Stripe, Self::Crypto]
            .into_iter()
            .find(|one| one.name() == name)
            .ok_or_else(|| StoreError::Damaged(format!("rail {name}")))
    }
}

/// How far a purchase is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Offered; nothing was paid.
    Open,
    /// Paid, and the credit is in the account.
    Paid,
    /// The payment was declined.
    Failed,
    /// The offer ended.
    Expired,
    /// All of it was given back.
    Refunded,
    /// The bank took it back.
    Disputed,
}

impl Status {
    const ALL: [Self; 6] =
        [Self::Open, Self::Paid, Self::Failed, Self::Expired, Self::Refunded, Self::Disputed];

    /// The name in storage and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Refunded => "refunded",
            Self::Disputed => "disputed",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        Self::ALL
            .into_iter()
            .find(|one| one.name() == name)
            .ok_or_else(|| StoreError::Damaged(format!("payment status {name}")))
    }
}

/// One purchase. `amount` is the credit; fee and tax come on top of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// `pay_<20 letters and digits>`.
    pub id: String,
    /// Who buys.
    pub account: AccountId,
    /// How it is paid.
    pub rail: Rail,
    /// How far it is.
    pub status: Status,
    /// The credit.
    pub amount: Usd,
    /// The fee.
    pub fee: Usd,
    /// The tax, once it is known.
    pub tax: Usd,
    /// What was given or taken back of the credit.
    pub refunded: Usd,
    /// The currency in lower case, as the rail names it.
    pub currency: String,
    /// Whether a rule bought it.
    pub automatic: bool,
    /// The rail's name of the offer.
    pub session_ref: Option<String>,
    /// The rail's name of the payment.
    pub intent_ref: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// Where its receipt is.
    pub receipt_url: Option<String>,
    /// When it was offered.
    pub created_at: Timestamp,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
}

impl Store {
    /// Adds an offer, before anybody outside is told of it.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when the account is unknown, the id is taken, or a crypto order with
    /// the same total is open: the total is what tells orders apart on the chain.
    pub async fn create_payment(&self, by: By, payment: Payment) -> Result<(), StoreError> {
        self.manage(by, "credit.checkout", move |connection| {
            Box::pin(async move {
                if payment.rail == Rail::Crypto {
                    posting::refuse_same_total(connection, &payment).await?;
                }
                posting::insert(connection, &payment).await?;
                let after = json!({"amount": payment.amount, "fee": payment.fee,
                    "currency": payment.currency});
                let (id, after) = (payment.id, Some(after));
                Ok(Managed::one((), Deed { kind: "payment", id, before: None, after }))
            })
        })
        .await
    }

    /// Notes how the rail names an offer. Says whether the payment was there and had no other name.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when the name belongs to another payment.
    pub async fn name_payment(
        &self,
        id: &str,
        session: Option<String>,
        intent: Option<String>,
    ) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.write(Durability::Power, move |connection| {
            Box::pin(async move {
                let done = query(
                    "UPDATE payments SET session_ref = coalesce(session_ref, $1), \
                     intent_ref = coalesce(intent_ref, $2) WHERE id = $3 \
                     AND (session_ref IS NULL OR $1 IS NULL OR session_ref = $1) \
                     AND (intent_ref IS NULL OR $2 IS NULL OR intent_ref = $2)",
                )
                .bind(session)
                .bind(intent)
                .bind(id)
                .execute(connection)
                .await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }

    /// Notes where the receipt of a payment is.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn note_receipt(&self, id: &str, url: String) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write(Durability::Process, move |connection| {
            Box::pin(async move {
                query("UPDATE payments SET receipt_url = $1 WHERE id = $2")
                    .bind(url)
                    .bind(id)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Ends crypto orders that were made before `before`. One that is paid later counts all the same.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn expire_orders(&self, before: Timestamp) -> Result<u64, StoreError> {
        let old = query(
            "SELECT 1 FROM payments WHERE status = 'open' AND rail = 'crypto' \
             AND created_at < $1 LIMIT 1",
        );
        if old.bind(before.micros()).fetch_optional(self.readers()).await?.is_none() {
            return Ok(0);
        }
        self.write(Durability::Process, move |connection| {
            Box::pin(async move {
                let done = query(
                    "UPDATE payments SET status = 'expired' WHERE status = 'open' \
                     AND rail = 'crypto' AND created_at < $1",
                )
                .bind(before.micros())
                .execute(connection)
                .await?;
                Ok(done.rows_affected())
            })
        })
        .await
    }
}
