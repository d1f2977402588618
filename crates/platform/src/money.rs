//! Money that moves by somebody's decision: transfers, corrections, invoices, credit that is too old.

use serde::Serialize;
use signalbox_core::id::AccountId;
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_runtime::entropy;
use signalbox_store::idempotency::{Answer, Once};
use signalbox_store::invoices::InvoiceRow;
use signalbox_store::transfers::Wish;
use signalbox_store::{Balance, By, Movement};

use crate::{Platform, PlatformError};

/// A transfer that is wished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTransfer {
    /// Who gives.
    pub from: AccountId,
    /// Who gets.
    pub to: AccountId,
    /// How much.
    pub amount: Usd,
    /// Why.
    pub reason: String,
    /// In whose name, for the account that gives.
    pub by: By,
    /// Whether credit that nobody paid for may be given, too: the operator's choice.
    pub any_credit: bool,
}

/// A correction as the command line prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdjustmentDone {
    /// The transfer's own id.
    pub adjustment_id: String,
    /// Whose balance it was.
    pub account_id: AccountId,
    /// What it did to the balance.
    pub amount: Usd,
    /// The balance after it.
    pub balance: Usd,
}

/// An invoice as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invoice {
    /// Its id.
    pub id: String,
    /// Who owes.
    pub account_id: AccountId,
    /// The first moment that it is for.
    pub period_start: String,
    /// The first moment that it is no longer for.
    pub period_end: String,
    /// How much.
    pub amount: Usd,
    /// `open`, `paid` or `void`.
    pub status: String,
    /// When it was made.
    pub issued_at: String,
    /// When it was paid.
    pub settled_at: Option<String>,
}

impl From<InvoiceRow> for Invoice {
    fn from(row: InvoiceRow) -> Self {
        Self {
            id: row.id,
            account_id: row.account,
            period_start: row.period_start.to_rfc3339(),
            period_end: row.period_end.to_rfc3339(),
            amount: row.amount,
            status: row.status,
            issued_at: row.issued_at.to_rfc3339(),
            settled_at: row.settled_at.map(Timestamp::to_rfc3339),
        }
    }
}

/// Credit that ended because of its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ExpiryDone {
    /// How many credits.
    pub credits: u64,
    /// What was left of them.
    pub amount: Usd,
    /// Accounts whose credit is in use: the next run will see to them.
    pub accounts_in_use: u64,
}

/// Days that are surely in the next month, counted from the first of one.
const INTO_NEXT_MONTH: i64 = 35 * 86_400_000;

/// The calendar month (UTC) that a moment lies in.
fn month(at: Timestamp) -> (Timestamp, Timestamp) {
    let start = at.window_start(ResetInterval::Monthly);
    (start, start.plus_millis(INTO_NEXT_MONTH).window_start(ResetInterval::Monthly))
}

impl Platform {
    /// Moves credit to another account; the answer has the giver's balance.
    ///
    /// # Errors
    /// [`PlatformError::Store`] with the refusal.
    pub async fn transfer(
        &self,
        wanted: NewTransfer,
        once: Option<Once>,
    ) -> Result<Answer, PlatformError> {
        let id = hex::encode(entropy::bytes());
        let (amount, to, shown) = (wanted.amount, wanted.to.clone(), id.clone());
        let told = move |balance: Balance| Answer {
            status: 200,
            body: format!(
                r#"{{"data":{{"transfer_id":"{shown}","account_id":"{to}","amount":{amount},"balance":{}}}}}"#,
                balance.posted()
            ),
        };
        let wish = Wish {
            id,
            from: wanted.from,
            to: wanted.to,
            amount: wanted.amount,
            reason: wanted.reason,
            by: wanted.by,
            any_credit: wanted.any_credit,
        };
        Ok(self.store().transfer(wish, once, told).await?.answer())
    }

    /// Corrects a balance: up above zero, down below.
    ///
    /// # Errors
    /// [`PlatformError::Store`] with the refusal.
    pub async fn adjust(
        &self,
        account: &AccountId,
        change: Usd,
        reason: &str,
        operator: &str,
    ) -> Result<AdjustmentDone, PlatformError> {
        let id = hex::encode(entropy::bytes());
        let now = self.store().clock().now();
        let movement = Movement::adjustment(&id, account, change, now);
        self.store().post_movement(movement.because(reason).by(operator)).await?;
        let balance = self.store().balance(account).await?.unwrap_or_default().posted();
        Ok(AdjustmentDone {
            adjustment_id: id,
            account_id: account.clone(),
            amount: change,
            balance,
        })
    }

    /// Bills an account for the calendar month that `at` lies in, once it has ended.
    ///
    /// # Errors
    /// [`PlatformError::Store`] with the refusal.
    pub async fn issue_invoice(
        &self,
        account: &AccountId,
        at: Timestamp,
    ) -> Result<Invoice, PlatformError> {
        let period = month(at);
        let named: String = period.0.to_rfc3339().chars().take(7).collect();
        let id = format!("inv-{named}-{account}");
        Ok(self.store().issue_invoice(&id, account, period).await?.into())
    }

    /// Notes that an invoice was paid.
    ///
    /// # Errors
    /// [`PlatformError::Store`] with the refusal.
    pub async fn settle_invoice(&self, id: &str, operator: &str) -> Result<(), PlatformError> {
        self.store().settle_invoice(id, operator).await?;
        Ok(())
    }

    /// Takes back an open invoice.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] when there is no open one of this id.
    pub async fn void_invoice(&self, id: &str) -> Result<(), PlatformError> {
        if self.store().void_invoice(id).await? {
            return Ok(());
        }
        Err(PlatformError::NotFound("open invoice"))
    }

    /// The invoices of an account, the newest first.
    ///
    /// # Errors
    /// [`PlatformError::Store`].
    pub async fn invoices(&self, account: &AccountId) -> Result<Vec<Invoice>, PlatformError> {
        let rows = self.store().invoices(account).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Ends credit that is older than the configuration allows; nothing when it allows any age.
    ///
    /// # Errors
    /// [`PlatformError::Store`].
    pub async fn expire_credits(&self) -> Result<ExpiryDone, PlatformError> {
        let Some(days) = self.settings.expire_after_days else { return Ok(ExpiryDone::default()) };
        let millis = i64::from(days).saturating_mul(86_400_000);
        let before = self.store().clock().now().plus_millis(millis.saturating_neg());
        let done = self.store().expire_credits(before).await?;
        let (credits, amount) = (done.credits, done.amount);
        Ok(ExpiryDone { credits, amount, accounts_in_use: done.in_use })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_where_the_next_begins() {
        let at = Timestamp::from_seconds(1_786_289_460);
        let (start, end) = month(at);
        let shown = (start.to_rfc3339(), end.to_rfc3339());
        let expected =
            ("2026-08-01T00:00:00.000Z".to_owned(), "2026-09-01T00:00:00.000Z".to_owned());
        assert_eq!(shown, expected);
        assert_eq!(month(end).0, end);
    }
}
