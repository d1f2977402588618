//! What an account bought, and its papers.

use serde_json::Value;
use signalbox_core::id::AccountId;
use signalbox_store::payments::{Payment, Rail};

use super::body::{InvoiceBody, PurchaseBody, PurchasesBody};
use super::stripe::RailError;
use super::telling::{number, text};
use super::{PurchaseError, Purchases, usd};

/// Receipts that are looked up in one call.
const RECEIPTS: usize = 10;
/// Purchases whose receipts are listed.
const RECENT: i64 = 100;

impl Purchases {
    /// The purchases of an account, newest first.
    ///
    /// # Errors
    /// [`PurchaseError::Store`]
    pub async fn purchases(
        &self,
        account: &AccountId,
        offset: i64,
        limit: i64,
    ) -> Result<PurchasesBody, PurchaseError> {
        let (found, total_count) = self.store().payments_of(account, offset, limit).await?;
        Ok(PurchasesBody { data: found.iter().map(PurchaseBody::new).collect(), total_count })
    }

    /// One purchase.
    ///
    /// # Errors
    /// [`PurchaseError::NotFound`]
    pub async fn purchase(
        &self,
        account: &AccountId,
        id: &str,
    ) -> Result<PurchaseBody, PurchaseError> {
        let found = self.store().payment(account, id).await?;
        found.as_ref().map(PurchaseBody::new).ok_or(PurchaseError::NotFound("purchase"))
    }

    /// Invoices and receipts of an account: those that the processor wrote, and what it was billed
    /// here for a period.
    ///
    /// # Errors
    /// [`PurchaseError`]
    pub async fn invoices(&self, account: &AccountId) -> Result<Vec<InvoiceBody>, PurchaseError> {
        let mut list = Vec::new();
        for billed in self.store().invoices(account).await? {
            list.push(InvoiceBody {
                id: billed.id,
                kind: "period",
                number: None,
                status: billed.status,
                amount: billed.amount,
                currency: "usd".to_owned(),
                url: None,
                pdf: None,
                purchase_id: None,
                created_at: billed.issued_at.to_rfc3339(),
            });
        }
        if let (Some(stripe), Some(customer)) =
            (&self.0.stripe, self.store().customer(account).await?)
        {
            let written = stripe.invoices(&customer.customer_ref).await?;
            list.extend(written.iter().filter_map(invoice));
            self.receipts(account, &mut list).await?;
        }
        Ok(list)
    }

    async fn receipts(
        &self,
        account: &AccountId,
        list: &mut Vec<InvoiceBody>,
    ) -> Result<(), PurchaseError> {
        let (payments, _) = self.store().payments_of(account, 0, RECENT).await?;
        let mut looked = 0;
        for payment in payments.iter().filter(|one| one.rail == Rail::Stripe) {
            let Some(paid_at) = payment.paid_at else { continue };
            let mut url = payment.receipt_url.clone();
            if url.is_none() && looked < RECEIPTS {
                looked = looked.saturating_add(1);
                url = self.receipt(payment).await?;
            }
            let Some(url) = url else { continue };
            list.push(InvoiceBody {
                id: payment.id.clone(),
                kind: "receipt",
                number: None,
                status: payment.status.name().to_owned(),
                amount: payment.amount.saturating_add(payment.fee).saturating_add(payment.tax),
                currency: payment.currency.clone(),
                url: Some(url),
                pdf: None,
                purchase_id: Some(payment.id.clone()),
                created_at: paid_at.to_rfc3339(),
            });
        }
        Ok(())
    }

    /// Where a payment's receipt is; noted, so that it is asked for once.
    async fn receipt(&self, payment: &Payment) -> Result<Option<String>, PurchaseError> {
        let Some(intent) = &payment.intent_ref else { return Ok(None) };
        let found = match self.stripe()?.intent(intent).await {
            // A payment that the processor no longer knows has no receipt.
            Err(RailError::Refused { .. }) => return Ok(None),
            found => found?,
        };
        let Some(url) = found.receipt_url else { return Ok(None) };
        if !url.starts_with("https://") {
            return Ok(None);
        }
        self.store().note_receipt(&payment.id, url.clone()).await?;
        Ok(Some(url))
    }
}

fn invoice(written: &Value) -> Option<InvoiceBody> {
    let seconds = number(written, "/created")?;
    let https = |place| text(written, place).filter(|url| url.starts_with("https://"));
    Some(InvoiceBody {
        id: text(written, "/id")?,
        kind: "invoice",
        number: text(written, "/number"),
        status: text(written, "/status")?,
        amount: usd(number(written, "/total")?),
        currency: text(written, "/currency")?,
        url: https("/hosted_invoice_url"),
        pdf: https("/invoice_pdf"),
        purchase_id: text(written, "/metadata/payment"),
        created_at: signalbox_core::Timestamp::from_seconds(seconds).to_rfc3339(),
    })
}
