//! Offers: how a purchase begins.

use sha2::{Digest, Sha256};
use signalbox_core::Usd;
use signalbox_core::id::AccountId;
use signalbox_runtime::entropy;
use signalbox_store::payments::{Effect, Missed, Payment, Rail, Receipt, Refs, Status};
use signalbox_store::{By, StoreError};

use super::body::{CheckoutBody, TransferBody};
use super::fee::{self, CENT, Method, Quote};
use super::settings::CryptoSettings;
use super::stripe::{Offer, RailError};
use super::{PurchaseError, Purchases, fresh, top_up, usd};
use crate::once::Once;

/// Nano-dollars in the smallest unit of a stable coin with six decimals.
pub(super) const UNIT: i64 = 1_000;
/// Crypto orders of one account that may be open at once.
const MAX_OPEN_ORDERS: i64 = 20;
/// How often another total is tried when one is taken.
const TRIES: usize = 8;

/// What somebody wants to buy.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The credit.
    pub amount: Usd,
    /// How it is paid.
    pub method: Method,
    /// Whether the card is kept for automatic top-ups.
    pub keep_card: bool,
    /// The request that wishes it, when it is to be done once: the purchase is named after it.
    pub once: Option<Once>,
}

impl Wish {
    fn id(&self) -> String {
        let Some(once) = &self.once else { return fresh("pay") };
        let mut digest = Sha256::new();
        for part in [once.account.as_str(), &once.key, &once.request_hash] {
            digest.update(part);
            digest.update("\n");
        }
        let name = hex::encode(digest.finalize());
        format!("pay_{}", name.get(..32).unwrap_or(&name))
    }
}

impl Purchases {
    /// Offers a purchase: a page of the card processor, or an order for a transfer on the chain.
    ///
    /// # Errors
    /// [`PurchaseError`]: not set up, out of bounds, frozen, or the processor is out of reach.
    pub async fn checkout(&self, by: &By, wish: Wish) -> Result<CheckoutBody, PurchaseError> {
        match wish.method {
            Method::Card => drop(self.stripe()?),
            Method::Crypto => drop(self.crypto()?),
        }
        let terms = self.terms(&by.account).await?;
        let quote = fee::quote(wish.amount, wish.method, &terms, &self.0.settings.bounds)?;
        match wish.method {
            Method::Card => self.offer_page(by, quote, &wish).await,
            Method::Crypto => self.offer_order(by, quote, &wish).await,
        }
    }

    pub(super) fn order(
        &self,
        id: String,
        account: &AccountId,
        quote: Quote,
        rail: Rail,
    ) -> Payment {
        Payment {
            id,
            account: account.clone(),
            rail,
            status: Status::Open,
            amount: quote.amount,
            fee: quote.fee,
            tax: Usd::ZERO,
            refunded: Usd::ZERO,
            currency: match rail {
                Rail::Stripe => "usd".to_owned(),
                Rail::Crypto => "usdc".to_owned(),
            },
            automatic: false,
            session_ref: None,
            intent_ref: None,
            failure: None,
            receipt_url: None,
            created_at: self.store().clock().now(),
            paid_at: None,
        }
    }

    async fn offer_page(
        &self,
        by: &By,
        quote: Quote,
        wish: &Wish,
    ) -> Result<CheckoutBody, PurchaseError> {
        let customer = self.customer_of(&by.account).await?;
        let payment = self.order(wish.id(), &by.account, quote, Rail::Stripe);
        match self.store().create_payment(by.clone(), payment.clone()).await {
            // The same request before, whose answer nobody got: the same page again.
            Err(StoreError::Constraint(_)) if self.began(&payment).await?.is_some() => {}
            done => done?,
        }
        let offer = Offer {
            payment: &payment.id,
            customer: &customer,
            amount: quote.amount,
            fee: quote.fee,
            keep_card: wish.keep_card,
        };
        let offered = match self.stripe()?.offer(&offer).await {
            Ok(offered) => offered,
            // It may be there: the same request asks for it again.
            Err(error @ RailError::Unsure { .. }) if wish.once.is_some() => {
                return Err(error.into());
            }
            Err(error) => {
                // Nobody was told where to pay, so nothing comes of it.
                self.give_up(&payment.id, Status::Failed, "no page was made").await?;
                return Err(error.into());
            }
        };
        let url = offered.url.ok_or_else(|| RailError::Unsure { reason: "no page".to_owned() })?;
        self.store().name_payment(&payment.id, Some(offered.id), offered.intent).await?;
        Ok(CheckoutBody::new(&payment, Some(url), None))
    }

    /// The open offer that has this one's name and terms.
    async fn began(&self, payment: &Payment) -> Result<Option<Payment>, PurchaseError> {
        let found = self.store().payment(&payment.account, &payment.id).await?;
        Ok(found.filter(|found| {
            found.status == Status::Open
                && found.rail == payment.rail
                && found.amount == payment.amount
                && (found.fee == payment.fee || found.rail == Rail::Crypto)
        }))
    }

    pub(super) async fn give_up(
        &self,
        payment: &str,
        status: Status,
        reason: &str,
    ) -> Result<Effect, PurchaseError> {
        let (most_failures, retry_at) = top_up::patience(self.store().clock().now());
        let refs = Refs { payment: Some(payment.to_owned()), ..Refs::default() };
        let reason = reason.to_owned();
        let missed = Missed { event: None, refs, status, reason, most_failures, retry_at };
        Ok(self.store().miss(missed).await?)
    }

    pub(super) fn crypto(&self) -> Result<&CryptoSettings, PurchaseError> {
        self.0.settings.crypto.as_ref().ok_or(PurchaseError::NotSetUp(Method::Crypto))
    }

    /// An order has a total of its own, a few thousandths of a cent off, and counts transfers in later
    /// blocks only: so a transfer pays the order that it was made for, whoever sees it on the chain.
    async fn offer_order(
        &self,
        by: &By,
        quote: Quote,
        wish: &Wish,
    ) -> Result<CheckoutBody, PurchaseError> {
        let crypto = self.crypto()?;
        let chain = self.0.chain.as_ref().ok_or(PurchaseError::NotSetUp(Method::Crypto))?;
        if self.store().open_orders(&by.account).await? >= MAX_OPEN_ORDERS {
            return Err(PurchaseError::Conflict("too many orders are open".to_owned()));
        }
        let height = chain.height().await?;
        let id = wish.id();
        for _ in 0..TRIES {
            let quote = tagged(quote, entropy::dice())?;
            let mut payment = self.order(id.clone(), &by.account, quote, Rail::Crypto);
            payment.session_ref = Some(format!("block:{height}:{}", payment.id));
            match self.store().create_payment(by.clone(), payment.clone()).await {
                Ok(()) => {
                    let transfer = TransferBody::new(crypto, quote.total);
                    return Ok(CheckoutBody::new(&payment, None, Some(transfer)));
                }
                Err(StoreError::Constraint(_)) => {
                    if let Some(found) = self.began(&payment).await? {
                        let total = found.amount.saturating_add(found.fee);
                        let transfer = TransferBody::new(crypto, total);
                        return Ok(CheckoutBody::new(&found, None, Some(transfer)));
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(PurchaseError::Conflict("too many orders of this amount are open".to_owned()))
    }

    /// Asks the rail how far a purchase is, and does what follows from it: for a webhook that never
    /// came.
    ///
    /// # Errors
    /// [`PurchaseError`]
    pub async fn reconcile(&self, account: &AccountId, id: &str) -> Result<Effect, PurchaseError> {
        let payment = self.store().payment(account, id).await?;
        let payment = payment.ok_or(PurchaseError::NotFound("purchase"))?;
        self.reconcile_payment(&payment).await
    }

    pub(super) async fn reconcile_payment(
        &self,
        payment: &Payment,
    ) -> Result<Effect, PurchaseError> {
        if payment.rail == Rail::Crypto {
            let text = "A crypto purchase is claimed with its transaction";
            return Err(PurchaseError::Conflict(text.to_owned()));
        }
        let mut refs = Refs { payment: Some(payment.id.clone()), ..Refs::default() };
        let (paid, over, currency, total, tax);
        if let Some(session) = &payment.session_ref {
            let offered = self.stripe()?.offered(session).await?;
            (refs.session, refs.intent) = (Some(offered.id), offered.intent);
            (paid, over) = (offered.paid, offered.status == "expired");
            (currency, total, tax) =
                (offered.currency, usd(offered.total_cents), usd(offered.tax_cents));
        } else if let Some(intent) = &payment.intent_ref {
            let intent = self.stripe()?.intent(intent).await?;
            (paid, over) = (intent.status == "succeeded", top_up::is_over(&intent.status));
            (currency, total, tax) = (intent.currency, usd(intent.cents), Usd::ZERO);
            refs.intent = Some(intent.id);
        } else {
            return Ok(Effect::Unknown);
        }
        if paid {
            let rail = Rail::Stripe;
            self.pay(Receipt { event: None, refs, rail, currency, total, tax }).await
        } else if over && payment.status == Status::Open {
            let status = if payment.automatic { Status::Failed } else { Status::Expired };
            self.give_up(&payment.id, status, "it was not paid").await
        } else {
            Ok(Effect::Waits)
        }
    }
}

/// The quote with a total that tells it from others: less than a cent off, in the buyer's favour where
/// there is a fee.
fn tagged(quote: Quote, dice: u64) -> Result<Quote, PurchaseError> {
    let tag = i64::try_from(dice % 9_999).unwrap_or(0).saturating_add(1);
    let tag = Usd::from_nanos(tag.saturating_mul(UNIT));
    let fee = if quote.fee.nanos() >= CENT {
        quote.fee.saturating_sub(tag)
    } else {
        quote.fee.saturating_add(tag)
    };
    let total = quote.amount.checked_add(fee).ok_or(fee::QuoteError::Range)?;
    Ok(Quote { amount: quote.amount, fee, total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_below_a_cent_and_whole_units() {
        let nanos = Usd::from_nanos;
        let quote = |fee| Quote { amount: nanos(100), fee, total: nanos(100).saturating_add(fee) };
        for dice in [0, 1, 9_998, 9_999, u64::MAX] {
            let fee = nanos(5 * CENT);
            let done = tagged(quote(fee), dice).unwrap();
            let off = fee.saturating_sub(done.fee).nanos();
            assert!((UNIT..CENT).contains(&off) && off % UNIT == 0, "{off}");
            assert_eq!(done.total, done.amount.saturating_add(done.fee));
            assert!(tagged(quote(Usd::ZERO), dice).unwrap().fee > Usd::ZERO, "never below nothing");
        }
    }
}
