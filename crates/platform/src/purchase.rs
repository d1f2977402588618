//! Purchases of credit: fees, the card processor, stable coins, automatic top-ups, refunds, tax
//! numbers, invoices (platform spec 4).
//!
//! What is pure stands in `fee`, `signature`, `news` and `chain`. Rows are written by `store::payments`,
//! whose guarded updates decide what happens; nothing here decides by what it read before.
//!
//! **Invariant:** credit comes from a payment that the rail says was paid, once, and only with the
//! order's own rail, amount and currency.
//! **Invariant:** money that goes back leaves the account before the rail is told.

pub mod body;
pub mod chain;
mod checkout;
mod claim;
pub mod error;
pub mod fee;
mod listing;
pub mod news;
mod refund;
pub mod settings;
pub mod signature;
pub mod stripe;
mod tax;
mod telling;
mod top_up;
mod watch;
mod webhook;

use std::sync::Arc;

use signalbox_core::Usd;
use signalbox_core::id::AccountId;
use signalbox_core::plan::Plans;
use signalbox_runtime::entropy;
use signalbox_store::Store;
use signalbox_upstream::Client;

pub use checkout::Wish;
pub use claim::Claim;
pub use error::PurchaseError;
pub use settings::PurchaseSettings;
pub use tax::NewTaxId;
pub use top_up::{Look, RuleWish};
pub use watch::{Available, Watch};
pub use webhook::Heard;

use self::chain::{Node, OnChain};
use self::fee::{FeeTerms, Method};
use self::stripe::Stripe;

/// Purchases of one installation. Clones share everything.
#[derive(Debug, Clone)]
pub struct Purchases(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    settings: PurchaseSettings,
    plans: Plans,
    stripe: Option<Stripe>,
    chain: Option<Arc<dyn OnChain>>,
}

impl Purchases {
    /// Purchases with these settings.
    ///
    /// # Errors
    /// [`PurchaseError::Rail`] or [`PurchaseError::Chain`] for an address or a key that can't be used.
    pub fn new(
        store: &Store,
        settings: PurchaseSettings,
        plans: Plans,
    ) -> Result<Self, PurchaseError> {
        let client = Client::new();
        let stripe = settings.stripe.as_ref().map(|one| Stripe::new(&client, one)).transpose()?;
        let chain: Option<Arc<dyn OnChain>> = match &settings.crypto {
            Some(crypto) => Some(Arc::new(Node::new(&client, crypto)?)),
            None => None,
        };
        Ok(Self(Arc::new(Inner { store: store.clone(), settings, plans, stripe, chain })))
    }

    /// An installation where nothing can be bought.
    #[must_use]
    pub fn none(store: &Store) -> Self {
        let (settings, plans) = (PurchaseSettings::default(), Plans::default());
        let store = store.clone();
        Self(Arc::new(Inner { store, settings, plans, stripe: None, chain: None }))
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn stripe(&self) -> Result<&Stripe, PurchaseError> {
        self.0.stripe.as_ref().ok_or(PurchaseError::NotSetUp(Method::Card))
    }

    /// The fees of an account's plan.
    ///
    /// # Errors
    /// [`PurchaseError::NotFound`] for an unknown account; [`PurchaseError::Frozen`].
    async fn terms(&self, account: &AccountId) -> Result<FeeTerms, PurchaseError> {
        let standing = self.store().standing(account).await?;
        let standing = standing.ok_or(PurchaseError::NotFound("account"))?;
        if standing.frozen.is_some() {
            return Err(PurchaseError::Frozen);
        }
        let plan = self.0.plans.of(&standing);
        Ok(FeeTerms {
            card_bps: plan.card_fee_bps,
            card_min: plan.card_fee_min,
            crypto_bps: plan.crypto_fee_bps,
            discount_bps: plan.purchase_discount_bps,
        })
    }

    /// The processor's id of an account's customer, made when there is none.
    async fn customer_of(&self, account: &AccountId) -> Result<String, PurchaseError> {
        if let Some(found) = self.store().customer(account).await? {
            return Ok(found.customer_ref);
        }
        let record = self.store().account(account).await?;
        let record = record.ok_or(PurchaseError::NotFound("account"))?;
        let made = self.stripe()?.make_customer(account.as_str(), &record.email).await?;
        Ok(self.store().name_customer(account, made).await?.customer_ref)
    }
}

/// A new id of ours with this prefix.
fn fresh(prefix: &str) -> String {
    format!("{prefix}_{}", hex::encode(entropy::bytes()))
}

/// Whole cents that a rail told, as money; nothing when they are absurd.
fn usd(cents: i64) -> Usd {
    fee::from_cents(cents).unwrap_or(Usd::ZERO)
}
