//! The JSON of purchases. Money is dollars as JSON numbers.

use schemars::JsonSchema;
use serde::Serialize;
use signalbox_core::{Timestamp, Usd};
use signalbox_store::payments::{Customer, Payment, Rail, Rule, TaxId};

use super::settings::CryptoSettings;

/// What was bought, or is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PurchaseBody {
    /// Its id.
    pub id: String,
    /// `card` or `crypto`.
    pub method: &'static str,
    /// `open`, `paid`, `failed`, `expired`, `refunded` or `disputed`.
    pub status: &'static str,
    /// The credit.
    pub amount: Usd,
    /// The fee on top of it.
    pub fee: Usd,
    /// The tax on top of both; 0 until it is known.
    pub tax: Usd,
    /// All of it.
    pub total: Usd,
    /// What went back of the credit.
    pub refunded: Usd,
    /// `usd` or `usdc`.
    pub currency: String,
    /// Whether an automatic top-up bought it.
    pub automatic: bool,
    /// Why it failed.
    pub failure: Option<String>,
    /// Where its receipt is.
    pub receipt_url: Option<String>,
    /// When it was offered.
    pub created_at: String,
    /// When it was paid.
    pub paid_at: Option<String>,
}

impl PurchaseBody {
    /// A purchase as it is shown.
    #[must_use]
    pub fn new(payment: &Payment) -> Self {
        let total = payment.amount.saturating_add(payment.fee).saturating_add(payment.tax);
        Self {
            id: payment.id.clone(),
            method: match payment.rail {
                Rail::Stripe => "card",
                Rail::Crypto => "crypto",
            },
            status: payment.status.name(),
            amount: payment.amount,
            fee: payment.fee,
            tax: payment.tax,
            total,
            refunded: payment.refunded,
            currency: payment.currency.clone(),
            automatic: payment.automatic,
            failure: payment.failure.clone(),
            receipt_url: payment.receipt_url.clone(),
            created_at: payment.created_at.to_rfc3339(),
            paid_at: payment.paid_at.map(Timestamp::to_rfc3339),
        }
    }
}

/// Purchases, and how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the envelope of lists")]
pub struct PurchasesBody {
    pub data: Vec<PurchaseBody>,
    pub total_count: i64,
}

/// An offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckoutBody {
    /// The purchase.
    #[serde(flatten)]
    pub purchase: PurchaseBody,
    /// The page in which it is paid.
    pub url: Option<String>,
    /// The transfer that pays it.
    pub transfer: Option<TransferBody>,
}

impl CheckoutBody {
    pub(super) fn new(
        payment: &Payment,
        url: Option<String>,
        transfer: Option<TransferBody>,
    ) -> Self {
        Self { purchase: PurchaseBody::new(payment), url, transfer }
    }
}

/// The transfer that pays an order. The amount must be met exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TransferBody {
    /// On which chain.
    pub chain_id: u64,
    /// Of which token.
    pub token: String,
    /// To whom.
    pub address: String,
    /// How much of the token, a decimal text.
    pub amount: String,
    /// Blocks until it counts.
    pub confirmations: u64,
}

impl TransferBody {
    pub(super) fn new(settings: &CryptoSettings, total: Usd) -> Self {
        Self {
            chain_id: settings.chain_id,
            token: settings.token.to_string(),
            address: settings.recipient.to_string(),
            amount: total.to_string(),
            confirmations: settings.confirmations,
        }
    }
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RefundBody {
    /// Its id.
    pub id: String,
    /// Of which purchase.
    pub payment_id: String,
    /// How much.
    pub amount: Usd,
    /// `done`, or `pending` while the processor can't be reached.
    pub status: &'static str,
}

/// An automatic top-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleBody {
    /// Below which balance.
    pub threshold: Usd,
    /// How much is bought.
    pub amount: Usd,
    /// Whether it is on.
    pub enabled: bool,
    /// What people know the card by.
    pub payment_method: Option<String>,
    /// The purchase in flight.
    pub in_flight: Option<String>,
    /// Failures since the last success.
    pub failures: i64,
    /// It rests until then.
    pub resting_until: Option<String>,
    /// Why it was switched off by itself.
    pub disabled_reason: Option<String>,
    /// When it was last changed.
    pub updated_at: String,
}

impl RuleBody {
    pub(super) fn new(rule: &Rule, customer: Option<&Customer>) -> Self {
        let rests = rule.not_before.micros() > 0;
        let label = |customer: &Customer| {
            customer.method_label.clone().or_else(|| customer.method_ref.clone())
        };
        Self {
            threshold: rule.threshold,
            amount: rule.amount,
            enabled: rule.enabled,
            payment_method: customer.and_then(label),
            in_flight: rule.attempt.clone(),
            failures: rule.failures,
            resting_until: rests.then(|| rule.not_before.to_rfc3339()),
            disabled_reason: rule.disabled_reason.clone(),
            updated_at: rule.updated_at.to_rfc3339(),
        }
    }
}

/// A tax number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TaxIdBody {
    /// Its id.
    pub id: String,
    /// Its kind, such as `eu_vat`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The number.
    pub value: String,
    /// When it was added.
    pub created_at: String,
}

impl TaxIdBody {
    pub(super) fn new(tax_id: &TaxId) -> Self {
        Self {
            id: tax_id.id.clone(),
            kind: tax_id.kind.clone(),
            value: tax_id.value.clone(),
            created_at: tax_id.created_at.to_rfc3339(),
        }
    }
}

/// An invoice or a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InvoiceBody {
    /// Its id.
    pub id: String,
    /// `invoice` of a purchase, `receipt` of a payment, or `period` of an account in arrears.
    pub kind: &'static str,
    /// The number that is printed on it.
    pub number: Option<String>,
    /// As who wrote it says.
    pub status: String,
    /// All of it, tax included.
    pub amount: Usd,
    /// Its currency.
    pub currency: String,
    /// Where it can be seen.
    pub url: Option<String>,
    /// Where it can be had as a PDF.
    pub pdf: Option<String>,
    /// The purchase that it is for.
    pub purchase_id: Option<String>,
    /// When it was written.
    pub created_at: String,
}
