//! Automatic top-ups (platform spec 4.3): a rule buys credit when the balance falls below a threshold.

use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};
use signalbox_store::By;
use signalbox_store::payments::{Claimed, Payment, Rail, Rule, Status};

use super::body::RuleBody;
use super::fee::{self, Method, Quote};
use super::stripe::{Intent, RailError};
use super::{PurchaseError, Purchases, fresh};

/// Failures in a row after which a rule is switched off.
const MOST_FAILURES: i64 = 3;
/// How long a rule rests after its first and its second failure, in milliseconds.
const RESTS: [i64; 2] = [10 * 60 * 1000, 60 * 60 * 1000];
/// For how long the processor remembers an idempotency key, with some to spare, in milliseconds.
const REMEMBERED: i64 = 20 * 60 * 60 * 1000;

/// How a rule is to be.
#[derive(Debug, Clone)]
pub struct RuleWish {
    /// Below which balance.
    pub threshold: Usd,
    /// How much is bought.
    pub amount: Usd,
    /// Whether it is on.
    pub enabled: bool,
    /// The processor's id of the card; `None` for the one that is kept.
    pub method: Option<String>,
}

/// What a look at an account came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Nothing is to be done.
    Fine,
    /// An attempt was made.
    Tried,
}

/// After how many failures a rule ends, and until when it rests before.
pub(super) fn patience(now: Timestamp) -> (i64, Vec<Timestamp>) {
    (MOST_FAILURES, RESTS.iter().map(|millis| now.plus_millis(*millis)).collect())
}

/// Whether a payment in this state will not succeed by itself.
pub(super) fn is_over(status: &str) -> bool {
    matches!(status, "canceled" | "requires_payment_method" | "requires_action")
}

impl Purchases {
    /// The rule of an account.
    ///
    /// # Errors
    /// [`PurchaseError::NotSetUp`], [`PurchaseError::NotFound`] when there is none.
    pub async fn rule(&self, account: &AccountId) -> Result<RuleBody, PurchaseError> {
        self.stripe()?;
        let rule = self.store().top_up_rule(account).await?;
        let rule = rule.ok_or(PurchaseError::NotFound("rule"))?;
        let customer = self.store().customer(account).await?;
        Ok(RuleBody::new(&rule, customer.as_ref()))
    }

    /// Sets the rule of an account.
    ///
    /// # Errors
    /// [`PurchaseError::Refused`] without a card, with somebody else's, or for figures out of bounds.
    pub async fn set_rule(&self, by: &By, wish: RuleWish) -> Result<RuleBody, PurchaseError> {
        let account = &by.account;
        let stripe = self.stripe()?;
        let terms = self.terms(account).await?;
        fee::quote(wish.amount, Method::Card, &terms, &self.0.settings.bounds)?;
        if wish.threshold.is_negative() {
            return Err(PurchaseError::Refused("threshold: not below zero".to_owned()));
        }
        let customer = self.store().customer(account).await?;
        let kept = customer.as_ref().and_then(|customer| customer.method_ref.clone());
        let no_card = || {
            let text = "There is no card to charge: buy once with \"auto_top_up\": true";
            PurchaseError::Refused(text.to_owned())
        };
        let customer = customer.ok_or_else(no_card)?;
        let method = wish.method.or(kept).ok_or_else(no_card)?;
        let (owner, label) = match stripe.method(&method).await {
            Err(RailError::Refused { status: 404, .. }) => (None, None),
            found => found?,
        };
        if owner.as_deref() != Some(customer.customer_ref.as_str()) {
            let text = "payment_method: no card of this account";
            return Err(PurchaseError::Refused(text.to_owned()));
        }
        self.store().keep_method(&customer.customer_ref, method, label).await?;
        let RuleWish { threshold, amount, enabled, .. } = wish;
        self.store().set_top_up_rule(by.clone(), threshold, amount, enabled).await?;
        self.rule(account).await
    }

    /// Removes the rule of an account. Removing one that is not there is fine.
    ///
    /// # Errors
    /// [`PurchaseError::Store`]
    pub async fn drop_rule(&self, by: &By) -> Result<(), PurchaseError> {
        self.store().drop_top_up_rule(by.clone()).await?;
        Ok(())
    }

    /// Looks whether an account needs credit, and buys it. However many look at once, in however many
    /// processes, one buys.
    ///
    /// # Errors
    /// [`PurchaseError`]
    pub async fn look(&self, account: &AccountId) -> Result<Look, PurchaseError> {
        let now = self.store().clock().now();
        let wanted = |rule: &Rule| rule.enabled && rule.attempt.is_none() && rule.not_before <= now;
        let Some(rule) = self.store().top_up_rule(account).await?.filter(wanted) else {
            return Ok(Look::Fine);
        };
        let balance = self.store().balance(account).await?.unwrap_or_default();
        if balance.posted() >= rule.threshold {
            return Ok(Look::Fine);
        }
        self.buy(account, &rule).await
    }

    async fn buy(&self, account: &AccountId, rule: &Rule) -> Result<Look, PurchaseError> {
        self.stripe()?;
        let quote = match self.automatic_quote(account, rule.amount).await {
            Ok(quote) => quote,
            Err(PurchaseError::Frozen) => return self.stop(account, "the account is frozen").await,
            Err(PurchaseError::Quote(_)) => {
                return self.stop(account, "the amount is out of bounds").await;
            }
            Err(error) => return Err(error),
        };
        let customer = self.store().customer(account).await?;
        if customer.and_then(|customer| customer.method_ref).is_none() {
            return self.stop(account, "there is no card to charge").await;
        }
        let order = self.order(fresh("pay"), account, quote, Rail::Stripe);
        let payment = Payment { automatic: true, ..order };
        if self.store().begin_top_up(payment.clone()).await? == Claimed::No {
            return Ok(Look::Fine);
        }
        self.charge(&payment).await?;
        Ok(Look::Tried)
    }

    async fn automatic_quote(
        &self,
        account: &AccountId,
        amount: Usd,
    ) -> Result<Quote, PurchaseError> {
        let terms = self.terms(account).await?;
        Ok(fee::quote(amount, Method::Card, &terms, &self.0.settings.bounds)?)
    }

    async fn stop(&self, account: &AccountId, why: &'static str) -> Result<Look, PurchaseError> {
        tracing::warn!(%account, why, "an automatic top-up was switched off");
        self.store().stop_top_up_rule(account, why).await?;
        Ok(Look::Fine)
    }

    /// Charges the card for a payment. What the processor answers only ends an attempt; that it was
    /// paid is told by its event.
    async fn charge(&self, payment: &Payment) -> Result<(), PurchaseError> {
        let customer = self.store().customer(&payment.account).await?;
        let card = customer.and_then(|one| one.method_ref.map(|card| (one.customer_ref, card)));
        let Some((customer, card)) = card else {
            self.give_up(&payment.id, Status::Failed, "there is no card to charge").await?;
            return Ok(());
        };
        let total = payment.amount.saturating_add(payment.fee);
        match self.stripe()?.charge(&payment.id, &customer, &card, total).await {
            Ok(intent) => self.charged(payment, intent).await,
            Err(RailError::Unsure { reason }) => {
                tracing::warn!(payment = %payment.id, reason, "a top-up is asked for again later");
                Ok(())
            }
            Err(RailError::Declined { code, intent, .. }) => {
                if intent.is_some() {
                    self.store().name_payment(&payment.id, None, intent).await?;
                }
                self.give_up(&payment.id, Status::Failed, &code).await?;
                Ok(())
            }
            Err(error @ RailError::Refused { .. }) => {
                self.give_up(&payment.id, Status::Failed, &error.to_string()).await?;
                Ok(())
            }
        }
    }

    async fn charged(&self, payment: &Payment, intent: Intent) -> Result<(), PurchaseError> {
        self.store().name_payment(&payment.id, None, Some(intent.id)).await?;
        if is_over(&intent.status) {
            let reason = format!("the payment {}", intent.status.replace('_', " "));
            self.give_up(&payment.id, Status::Failed, &reason).await?;
        }
        Ok(())
    }

    /// Goes on with an attempt whose end nobody told: asks how far it is, or makes it again under the
    /// same name.
    pub(super) async fn resume_attempt(&self, id: &str, age: i64) -> Result<(), PurchaseError> {
        let Some(payment) = self.store().any_payment(id).await? else { return Ok(()) };
        let now = self.store().clock().now();
        if payment.created_at > now.plus_millis(-age) {
            return Ok(());
        }
        if payment.intent_ref.is_some() || payment.status != Status::Open {
            self.reconcile_payment(&payment).await?;
            return Ok(());
        }
        if payment.created_at < now.plus_millis(-REMEMBERED)
            && let Some(customer) = self.store().customer(&payment.account).await?
        {
            let known = self.stripe()?.intents_of(&customer.customer_ref).await?;
            let ours = |one: &Intent| one.payment.as_deref() == Some(payment.id.as_str());
            if let Some(intent) = known.into_iter().find(ours) {
                self.store().name_payment(&payment.id, None, Some(intent.id.clone())).await?;
                let payment = Payment { intent_ref: Some(intent.id), ..payment };
                self.reconcile_payment(&payment).await?;
                return Ok(());
            }
        }
        self.charge(&payment).await
    }
}
