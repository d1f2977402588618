//! Plans of accounts, and whether an account may spend.

use serde::Serialize;
use signalbox_core::id::AccountId;
use signalbox_core::plan::{Frozen, Plan, PlanTerms, Plans, Standing, Tier};
use signalbox_core::{Timestamp, Usd};
use signalbox_store::Agreement;

use crate::{Platform, PlatformError};

/// What an account has, as the command line prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountPlan {
    /// The account.
    pub account_id: AccountId,
    /// What it ever purchased.
    pub purchased: Usd,
    /// Whether it shares its data, for a discount.
    pub shares_data: bool,
    /// What it may owe.
    pub credit_line: Usd,
    /// Why it may not spend, if so.
    pub frozen: Option<FrozenSince>,
    /// Everything that holds for it.
    pub plan: Plan,
}

/// Why an account may not spend, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FrozenSince {
    /// RFC 3339.
    pub at: String,
    /// Why.
    pub reason: String,
}

impl From<Frozen> for FrozenSince {
    fn from(frozen: Frozen) -> Self {
        Self { at: Timestamp::to_rfc3339(frozen.at), reason: frozen.reason }
    }
}

/// What is to be agreed with an account. What is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewAgreement {
    /// The plan by contract; `Some(None)` lets it follow from purchases again.
    pub contract: Option<Option<Tier>>,
    /// The account's own terms as JSON, replaced as a whole.
    pub terms: Option<String>,
    /// Whether it shares its data.
    pub shares_data: Option<bool>,
    /// What it may owe; 0 makes it prepaid.
    pub line: Option<Usd>,
}

impl Platform {
    /// The plans of this installation.
    #[must_use]
    pub fn plans(&self) -> &Plans {
        &self.settings.plans
    }

    /// What decides an account's plan.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for an unknown account.
    pub async fn standing(&self, account: &AccountId) -> Result<Standing, PlatformError> {
        self.store().standing(account).await?.ok_or(PlatformError::NotFound("account"))
    }

    /// What holds for an account.
    ///
    /// # Errors
    /// As [`Platform::standing`].
    pub async fn plan(&self, account: &AccountId) -> Result<AccountPlan, PlatformError> {
        let standing = self.standing(account).await?;
        Ok(AccountPlan {
            account_id: account.clone(),
            purchased: standing.purchased,
            shares_data: standing.shares_data,
            credit_line: standing.line,
            plan: self.plans().of(&standing),
            frozen: standing.frozen.map(Into::into),
        })
    }

    /// Changes what was agreed with an account. Running servers see it within a second.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for terms without sense; [`PlatformError::NotFound`];
    /// [`PlatformError::Store`] when more than the new line is owed.
    pub async fn agree(
        &self,
        account: &AccountId,
        wanted: NewAgreement,
    ) -> Result<AccountPlan, PlatformError> {
        let terms = wanted.terms.as_deref().map(read_terms).transpose()?;
        let agreement =
            Agreement { contract: wanted.contract, terms, shares_data: wanted.shares_data };
        if !self.store().agree(account, agreement).await? {
            return Err(PlatformError::NotFound("account"));
        }
        if let Some(line) = wanted.line {
            self.store().set_line(account, line).await?;
        }
        self.plan(account).await
    }

    /// Stops an account from spending.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for an unknown account.
    pub async fn freeze(
        &self,
        account: &AccountId,
        reason: &str,
    ) -> Result<AccountPlan, PlatformError> {
        self.store().freeze(account, reason).await?;
        self.plan(account).await
    }

    /// Lets an account spend again.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for an unknown account.
    pub async fn unfreeze(&self, account: &AccountId) -> Result<AccountPlan, PlatformError> {
        self.store().unfreeze(account).await?;
        self.plan(account).await
    }
}

fn read_terms(text: &str) -> Result<PlanTerms, PlatformError> {
    let terms: PlanTerms = serde_json::from_str(text)
        .map_err(|error| PlatformError::Refused(format!("terms: {error}")))?;
    terms.check().map_err(|reason| PlatformError::Refused(format!("terms: {reason}")))?;
    Ok(terms)
}
