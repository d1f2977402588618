//! Claims of transfers: a buyer says which transaction pays an order, the chain proves it.

use signalbox_core::id::AccountId;
use signalbox_store::payments::{Effect, Payment, Rail, Receipt, Refs, Status};

use super::chain::{self, TransactionId};
use super::checkout::UNIT;
use super::fee::Method;
use super::{PurchaseError, Purchases};

/// A transaction that is said to pay an order.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The order.
    pub payment: String,
    /// The transaction.
    pub transaction: String,
}

impl Purchases {
    /// Puts the credit of an order into its account when the transaction pays it. A transfer pays one
    /// order, for ever. Answers the purchase as it is then.
    ///
    /// # Errors
    /// [`PurchaseError::Chain`] when the chain does not prove it, [`PurchaseError::Conflict`] when the
    /// transfer paid another order.
    pub async fn claim(&self, account: &AccountId, claim: Claim) -> Result<Payment, PurchaseError> {
        let settings = self.crypto()?;
        let chain = self.0.chain.as_ref().ok_or(PurchaseError::NotSetUp(Method::Crypto))?;
        let transaction = TransactionId::read(&claim.transaction).ok_or_else(|| {
            PurchaseError::Refused("transaction: 0x and 64 hex digits".to_owned())
        })?;
        let found = self.store().payment(account, &claim.payment).await?;
        let payment = found.filter(|payment| payment.rail == Rail::Crypto);
        let payment = payment.ok_or(PurchaseError::NotFound("purchase"))?;
        let name = format!("{}:{}", settings.chain_id, transaction.as_str());
        if !matches!(payment.status, Status::Open | Status::Failed | Status::Expired) {
            let same = payment.intent_ref.as_ref().is_some_and(|paid| paid.starts_with(&name));
            let text = "This order was paid with another transaction";
            return if same { Ok(payment) } else { Err(PurchaseError::Conflict(text.to_owned())) };
        }
        let total = payment.amount.saturating_add(payment.fee);
        let units = u128::from(total.nanos().div_euclid(UNIT).unsigned_abs());
        let receipt = chain.receipt(&transaction).await?;
        let paying = chain::paying(&receipt, settings, units, ordered_at(&payment))?;
        let refs = Refs {
            payment: Some(payment.id.clone()),
            session: None,
            intent: Some(format!("{name}:{}", paying.log)),
        };
        let (currency, tax) = (payment.currency.clone(), signalbox_core::Usd::ZERO);
        let rail = Rail::Crypto;
        match self.pay(Receipt { event: None, refs, rail, currency, total, tax }).await? {
            Effect::Done | Effect::Before => {}
            other => return Err(PurchaseError::Conflict(other.name().to_owned())),
        }
        let paid = self.store().payment(account, &payment.id).await?;
        paid.ok_or(PurchaseError::NotFound("purchase"))
    }
}

/// The newest block when the order was made. One that is not noted is after every block.
fn ordered_at(payment: &Payment) -> u64 {
    let noted = payment.session_ref.as_deref().and_then(|noted| noted.strip_prefix("block:"));
    let block = noted.and_then(|rest| rest.split(':').next()).and_then(|block| block.parse().ok());
    block.unwrap_or(u64::MAX)
}
