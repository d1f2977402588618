//! Offers: pages of the processor in which a buyer pays.

use serde_json::Value;
use signalbox_core::Usd;
use signalbox_upstream::service::encoded;

use super::{RailError, Stripe, answer};
use crate::purchase::fee;
use crate::purchase::telling::{number, text};

/// What a page offers.
#[derive(Debug, Clone)]
pub struct Offer<'a> {
    /// Our id of the payment.
    pub payment: &'a str,
    /// The processor's id of the buyer.
    pub customer: &'a str,
    /// The credit.
    pub amount: Usd,
    /// The fee on top of it.
    pub fee: Usd,
    /// Whether the card is kept for automatic top-ups.
    pub keep_card: bool,
}

/// A page as the processor knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Its id.
    pub id: String,
    /// Where the buyer goes.
    pub url: Option<String>,
    /// `open`, `complete` or `expired`.
    pub status: String,
    /// Whether everything was paid.
    pub paid: bool,
    /// The payment behind it, once there is one.
    pub intent: Option<String>,
    /// Everything to be paid, in cents.
    pub total_cents: i64,
    /// What of it is tax.
    pub tax_cents: i64,
    /// The currency.
    pub currency: String,
}

impl Stripe {
    /// Makes a page.
    ///
    /// # Errors
    /// [`RailError`]
    pub async fn offer(&self, offer: &Offer<'_>) -> Result<Offered, RailError> {
        let amount = fee::cents(offer.amount).unwrap_or(0).to_string();
        let fee = fee::cents(offer.fee).unwrap_or(0).to_string();
        let mut fields = vec![
            ("mode", "payment"),
            ("customer", offer.customer),
            ("client_reference_id", offer.payment),
            ("success_url", self.success_url.as_str()),
            ("cancel_url", self.cancel_url.as_str()),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", "usd"),
            ("line_items[0][price_data][unit_amount]", amount.as_str()),
            ("line_items[0][price_data][product_data][name]", "Credits"),
        ];
        if offer.fee > Usd::ZERO {
            fields.extend([
                ("line_items[1][quantity]", "1"),
                ("line_items[1][price_data][currency]", "usd"),
                ("line_items[1][price_data][unit_amount]", fee.as_str()),
                ("line_items[1][price_data][product_data][name]", "Service fee"),
            ]);
        }
        fields.extend([
            ("metadata[payment]", offer.payment),
            ("payment_intent_data[metadata][payment]", offer.payment),
            ("payment_intent_data[metadata][by]", "checkout"),
            // Amount and currency stay those of the order.
            ("adaptive_pricing[enabled]", "false"),
            // Tax numbers are printed on it.
            ("invoice_creation[enabled]", "true"),
        ]);
        if offer.keep_card {
            fields.extend([
                ("payment_intent_data[setup_future_usage]", "off_session"),
                ("payment_intent_data[metadata][keep_card]", "yes"),
            ]);
        }
        if self.automatic_tax {
            fields
                .extend([("automatic_tax[enabled]", "true"), ("customer_update[address]", "auto")]);
        }
        let key = format!("checkout:{}", offer.payment);
        offered(&self.post("/v1/checkout/sessions", &fields, &key).await?)
    }

    /// A page, as it is now.
    ///
    /// # Errors
    /// [`RailError`]
    pub async fn offered(&self, id: &str) -> Result<Offered, RailError> {
        offered(&self.get(&format!("/v1/checkout/sessions/{}", encoded(id))).await?)
    }
}

fn offered(value: &Value) -> Result<Offered, RailError> {
    Ok(Offered {
        id: answer::id(value)?,
        url: text(value, "/url"),
        status: text(value, "/status").unwrap_or_default(),
        paid: text(value, "/payment_status").as_deref() == Some("paid"),
        intent: text(value, "/payment_intent"),
        total_cents: number(value, "/amount_total").unwrap_or(0),
        tax_cents: number(value, "/total_details/amount_tax").unwrap_or(0),
        currency: text(value, "/currency").unwrap_or_default().to_ascii_lowercase(),
    })
}
