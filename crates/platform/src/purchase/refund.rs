//! Refunds: the money leaves the account, then the processor is told, then it is confirmed.

use signalbox_core::Timestamp;
use signalbox_store::By;
use signalbox_store::payments::{Refund, Reversal, Told};

use super::body::RefundBody;
use super::stripe::{MadeRefund, RailError};
use super::{PurchaseError, Purchases};

/// For how long a purchase can be refunded (platform spec 4.4).
const WINDOW_MILLIS: i64 = 24 * 60 * 60 * 1000;

fn body(reversal: Reversal, payment: &str, status: &'static str) -> RefundBody {
    let (id, amount) = (reversal.id, reversal.amount);
    RefundBody { id, payment_id: payment.to_owned(), amount, status }
}

impl Purchases {
    /// Gives back what is unused of a purchase, at most what was paid for it; the fee is kept. When the
    /// processor can't be reached the refund is `pending` and is told to it later.
    ///
    /// # Errors
    /// [`PurchaseError::NoRefund`] when there is nothing to give back; [`PurchaseError::Rail`] when the
    /// processor refuses for good: the money is in the account again.
    pub async fn refund(&self, by: &By, id: &str) -> Result<RefundBody, PurchaseError> {
        self.stripe()?;
        let paid_after = self.store().clock().now().plus_millis(-WINDOW_MILLIS);
        let reversal = match self.store().begin_refund(by, id, paid_after).await? {
            Refund::Begun(reversal) => reversal,
            Refund::Not(reason) => return Err(PurchaseError::NoRefund(reason)),
        };
        let told = self.tell_refund(&reversal, false).await;
        let status = match told {
            Ok(()) => "done",
            Err(PurchaseError::Rail(RailError::Unsure { reason })) => {
                tracing::warn!(refund = %reversal.id, reason, "a refund is told again later");
                "pending"
            }
            Err(error) => return Err(error),
        };
        Ok(body(reversal, id, status))
    }

    /// The same for a request that began at `since` and whose answer nobody got: what was made of the
    /// purchase since then, if it was not called off.
    ///
    /// # Errors
    /// As [`Purchases::refund`].
    pub async fn refund_again(
        &self,
        by: &By,
        id: &str,
        since: Timestamp,
    ) -> Result<RefundBody, PurchaseError> {
        if self.store().payment(&by.account, id).await?.is_none() {
            return Err(PurchaseError::NotFound("purchase"));
        }
        let made = |one: &Reversal| {
            one.kind == Told::Refund && one.created_at >= since && one.status != "failed"
        };
        let found = self.store().reversals_of(id).await?.into_iter().find(made);
        let Some(found) = found else { return self.refund(by, id).await };
        let status = if found.status == "done" { "done" } else { "pending" };
        Ok(body(found, id, status))
    }

    /// Tells the processor of a refund. `again`: it may know of it already, longer ago than it
    /// remembers idempotency keys.
    async fn tell_refund(&self, reversal: &Reversal, again: bool) -> Result<(), PurchaseError> {
        let stripe = self.stripe()?;
        let Some(intent) = &reversal.intent_ref else {
            self.store().call_off(None, &reversal.id, "the payment has no name").await?;
            return Err(PurchaseError::Conflict("The payment has no name".to_owned()));
        };
        if again {
            let made = stripe.refunds_of(intent).await?;
            let ours = |one: &MadeRefund| one.refund.as_deref() == Some(reversal.id.as_str());
            if let Some(made) = made.into_iter().find(ours) {
                return self.made(reversal, made).await;
            }
        }
        match stripe.refund(&reversal.id, intent, reversal.amount).await {
            Ok(made) => self.made(reversal, made).await,
            Err(error @ RailError::Unsure { .. }) => Err(error.into()),
            Err(error) => {
                self.store().call_off(None, &reversal.id, &error.to_string()).await?;
                Err(error.into())
            }
        }
    }

    async fn made(&self, reversal: &Reversal, made: MadeRefund) -> Result<(), PurchaseError> {
        if matches!(made.status.as_str(), "failed" | "canceled") {
            let reason = format!("the refund is {}", made.status);
            self.store().call_off(None, &reversal.id, &reason).await?;
            return Err(RailError::Refused { status: 200, code: reason }.into());
        }
        self.store().finish_refund(&reversal.id, &made.id).await?;
        Ok(())
    }

    /// Takes back all money that is to be taken and can be. What can't be now is tried again later.
    pub(super) async fn collect_open(&self) {
        let open = match self.store().open_reversals().await {
            Ok(open) => open,
            Err(error) => return tracing::warn!(%error, "reversals could not be read"),
        };
        for reversal in open.iter().filter(|one| one.kind != Told::Refund) {
            if let Err(error) = self.store().collect(&reversal.id).await {
                tracing::warn!(reversal = %reversal.id, %error, "money is taken back later");
            }
        }
    }

    /// Goes on with refunds that a process began and did not end. Those of the last minute may still be
    /// under way.
    pub(super) async fn resume_refunds(&self, older_than_millis: i64) -> Result<(), PurchaseError> {
        let before = self.store().clock().now().plus_millis(-older_than_millis);
        for reversal in self.store().open_reversals().await? {
            if reversal.kind != Told::Refund || reversal.created_at > before {
                continue;
            }
            if let Err(error) = self.tell_refund(&reversal, true).await {
                tracing::warn!(refund = %reversal.id, %error, "a refund is told again later");
            }
        }
        Ok(())
    }
}
