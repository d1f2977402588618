//! The card processor's API: the few calls that purchases need, in its own shapes.
//!
//! Requests are forms, answers JSON, the version is pinned, and every POST carries an idempotency key
//! that is derived from what it is for: whoever repeats it, it happens once.

mod answer;
mod offer;

use std::time::Duration;

use serde_json::Value;
use signalbox_core::Usd;
use signalbox_upstream::service::{Told, encoded};
use signalbox_upstream::{CallError, Client, Document, Method, Service};

use super::fee;
use super::settings::StripeSettings;
use super::telling::text;

pub use answer::RailError;
pub use offer::{Offer, Offered};

/// The version of the API that requests and answers are written for.
const VERSION: &str = "2026-10-28.endive";
/// Longest call.
const PATIENCE: Duration = Duration::from_secs(30);
/// Entries of a list that are asked for: the most that there are in one page.
const PAGE: &str = "100";

/// The processor, ready to be called.
#[derive(Debug, Clone)]
pub struct Stripe {
    service: Service,
    success_url: String,
    cancel_url: String,
    automatic_tax: bool,
}

/// A payment as the processor knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its id.
    pub id: String,
    /// `succeeded`, `processing`, `requires_payment_method` …
    pub status: String,
    /// What was received, or is asked for, in cents.
    pub cents: i64,
    /// The currency.
    pub currency: String,
    /// Our id of the payment, from its metadata.
    pub payment: Option<String>,
    /// Where the receipt is, when the charge was asked for too.
    pub receipt_url: Option<String>,
}

/// A refund as the processor knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeRefund {
    /// Its id.
    pub id: String,
    /// `pending`, `succeeded`, `failed` …
    pub status: String,
    /// Our id of it, from its metadata.
    pub refund: Option<String>,
}

impl Stripe {
    /// # Errors
    /// [`RailError::Refused`] when the address or the key can't be used.
    pub fn new(client: &Client, settings: &StripeSettings) -> Result<Self, RailError> {
        let unusable = |_| RailError::Refused { status: 0, code: "configuration".to_owned() };
        let service = Service::new(client, &settings.base_url, PATIENCE).map_err(unusable)?;
        let service = service.with_bearer(&settings.secret_key).map_err(unusable)?;
        Ok(Self {
            service: service.with("stripe-version", VERSION),
            success_url: settings.success_url.clone(),
            cancel_url: settings.cancel_url.clone(),
            automatic_tax: settings.automatic_tax,
        })
    }

    async fn get(&self, path: &str) -> Result<Value, RailError> {
        read(self.service.call(Method::GET, path, None, None).await)
    }

    async fn post(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        idempotency_key: &str,
    ) -> Result<Value, RailError> {
        let form = Document::form(fields.iter().copied());
        read(self.service.call(Method::POST, path, Some(form), Some(idempotency_key)).await)
    }

    /// Makes a customer for an account. Answers its id.
    ///
    /// # Errors
    /// [`RailError`]
    pub async fn make_customer(&self, account: &str, email: &str) -> Result<String, RailError> {
        let fields = [("email", email), ("metadata[account]", account)];
        let made = self.post("/v1/customers", &fields, &format!("customer:{account}")).await?;
        answer::id(&made)
    }

    /// Charges a kept card while its owner is away.
    ///
    /// # Errors
    /// [`RailError::Declined`] when the bank says no.
    pub async fn charge(
        &self,
        payment: &str,
        customer: &str,
        method: &str,
        total: Usd,
    ) -> Result<Intent, RailError> {
        let cents = fee::cents(total).unwrap_or(0).to_string();
        let fields = [
            ("amount", cents.as_str()),
            ("currency", "usd"),
            ("customer", customer),
            ("payment_method", method),
            ("off_session", "true"),
            ("confirm", "true"),
            ("metadata[payment]", payment),
            ("metadata[by]", "top_up"),
        ];
        let key = format!("top-up:{payment}");
        answer::intent(&self.post("/v1/payment_intents", &fields, &key).await?)
    }

    /// A payment, with its charge.
    ///
    /// # Errors
    /// [`RailError`]
    pub async fn intent(&self, id: &str) -> Result<Intent, RailError> {
        let path = format!("/v1/payment_intents/{}?expand[]=latest_charge", encoded(id));
        answer::intent(&self.get(&path).await?)
    }

    /// The latest payments of a customer.
    ///
    /// # Errors
    /// [`RailError`]
    pub async fn intents_of(&self, customer: &str) -> Result<Vec<Intent>, RailError> {
        let customer = encoded(customer);
        let path = format!("/v1/payment_intents?customer={customer}&limit={PAGE}");
        answer::list(&self.get(&path).await?, answer::intent)
    }

    /// Gives part of a payment back. `refund` is our id of it.
    ///
    /// # Errors
    /// [`RailError::Refused`] when the processor won't.
    pub async fn refund(
        &self,
        refund: &str,
        intent: &str,
        amount: Usd,
    ) -> Result<MadeRefund, RailError> {
        let cents = fee::cents(amount).unwrap_or(0).to_string();
        let fields =
            [("payment_intent", intent), ("amount", cents.as_str()), ("metadata[refund]", refund)];
        answer::refund(&self.post("/v1/refunds", &fields, refund).await?)
    }

    /// The refunds of a payment.
    ///
    /// # Errors
    /// [`RailError`]
    pub async fn refunds_of(&self, intent: &str) -> Result<Vec<MadeRefund>, RailError> {
        let path = format!("/v1/refunds?payment_intent={}&limit={PAGE}", encoded(intent));
        answer::list(&self.get(&path).await?, answer::refund)
    }

    /// Whose a kept card is, and what people know it by.
    ///
    /// # Errors
    /// [`RailError`]
    pub async fn method(&self, id: &str) -> Result<(Option<String>, Option<String>), RailError> {
        let found = self.get(&format!("/v1/payment_methods/{}", encoded(id))).await?;
        let (brand, last4) = (text(&found, "/card/brand"), text(&found, "/card/last4"));
        let label = brand.zip(last4).map(|(brand, last4)| format!("{brand} ending in {last4}"));
        Ok((text(&found, "/customer"), label))
    }

    /// Adds a tax number to a customer. Answers the processor's id of it.
    ///
    /// # Errors
    /// [`RailError::Refused`] when it is no such number.
    pub async fn add_tax_id(
        &self,
        id: &str,
        customer: &str,
        kind: &str,
        value: &str,
    ) -> Result<String, RailError> {
        let path = format!("/v1/customers/{}/tax_ids", encoded(customer));
        let key = format!("tax-id:{id}");
        answer::id(&self.post(&path, &[("type", kind), ("value", value)], &key).await?)
    }

    /// Removes a tax number of a customer. One that is gone is fine.
    ///
    /// # Errors
    /// [`RailError`]
    pub async fn remove_tax_id(&self, customer: &str, tax_id: &str) -> Result<(), RailError> {
        let path = format!("/v1/customers/{}/tax_ids/{}", encoded(customer), encoded(tax_id));
        match read(self.service.call(Method::DELETE, &path, None, None).await) {
            Ok(_) | Err(RailError::Refused { status: 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The invoices of a customer, newest first, as the processor writes them.
    ///
    /// # Errors
    /// [`RailError`]
    pub async fn invoices(&self, customer: &str) -> Result<Vec<Value>, RailError> {
        let path = format!("/v1/invoices?customer={}&limit={PAGE}", encoded(customer));
        answer::list(&self.get(&path).await?, |one| Ok(one.clone()))
    }
}

fn read(told: Result<Told, CallError>) -> Result<Value, RailError> {
    answer::read(told)
}
