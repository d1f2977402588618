//! Accounts, and the first one.

use serde::Serialize;
use signalbox_core::id::AccountId;
use signalbox_runtime::entropy;
use signalbox_store::{AccountRecord, StoreError};

use crate::keys::{Draft, NewKey};
use crate::{Platform, PlatformError};

/// Address of the account that `bootstrap` makes.
const FIRST_EMAIL: &str = "owner@localhost";

/// Whether keys that were issued before stay valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokeOld {
    /// They stay valid.
    No,
    /// They end for ever.
    Yes,
}

/// An account with its fresh keys, as the command line prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IssuedAccount {
    /// The account.
    pub account_id: AccountId,
    /// Its address.
    pub user_email: String,
    /// A new key for inference.
    pub api_key: String,
    /// A new management key.
    pub management_key: String,
}

/// A plausible address: something, an at sign, something, no blanks; at most 254 bytes (RFC 5321).
pub(crate) fn checked_email(text: &str) -> Result<&str, PlatformError> {
    let text = text.trim();
    let parts = text.split_once('@').filter(|(user, host)| !user.is_empty() && !host.is_empty());
    let parts = parts.filter(|(_, host)| !host.contains('@'));
    // Some letters beyond ASCII have a small one within it: the Kelvin sign would be somebody's `k`.
    let disguised =
        |letter: char| !letter.is_ascii() && letter.to_lowercase().any(|small| small.is_ascii());
    let odd = |letter: char| letter.is_whitespace() || letter.is_control() || disguised(letter);
    if parts.is_none() || text.len() > 254 || text.chars().any(odd) {
        return Err(PlatformError::Refused("not an e-mail address".to_owned()));
    }
    Ok(text)
}

impl Platform {
    /// The first account, made when there is none, with a fresh API key and a fresh management key.
    /// Grants nothing.
    ///
    /// # Errors
    /// [`PlatformError::Store`].
    pub async fn bootstrap(&self, revoke_old: RevokeOld) -> Result<IssuedAccount, PlatformError> {
        let account = match self.store.first_account().await? {
            Some(account) => account,
            None => self.make_first().await?,
        };
        self.issue(account, revoke_old).await
    }

    /// A new account with its promotional credit, of which there is none unless it is configured, and
    /// its first two keys.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] when the address is malformed or taken.
    pub async fn create_account(&self, email: &str) -> Result<IssuedAccount, PlatformError> {
        let email = &checked_email(email)?.to_lowercase();
        let (id, promo) = (AccountId::generate(entropy::bytes()), self.settings.promo);
        let made = self.store.create_account_with(id, email, promo).await;
        let account = match made {
            Err(StoreError::Constraint(_)) => {
                return Err(PlatformError::Refused(format!("there is an account for {email}")));
            }
            made => made?,
        };
        self.issue(account, RevokeOld::No).await
    }

    /// Two processes may both find no account: the address decides who is first.
    async fn make_first(&self) -> Result<AccountRecord, PlatformError> {
        let id = AccountId::generate(entropy::bytes());
        match self.store.create_account(id, FIRST_EMAIL).await {
            Err(StoreError::Constraint(_)) => {
                self.store.first_account().await?.ok_or(PlatformError::NotFound("account"))
            }
            made => Ok(made?),
        }
    }

    async fn issue(
        &self,
        account: AccountRecord,
        revoke_old: RevokeOld,
    ) -> Result<IssuedAccount, PlatformError> {
        let old = match revoke_old {
            RevokeOld::No => Vec::new(),
            RevokeOld::Yes => self.store.keys_of(&account.id).await?,
        };
        let draft = |name: &str, management| -> Result<Draft, PlatformError> {
            self.draft(
                &account.id,
                NewKey { name: name.to_owned(), management, ..NewKey::default() },
            )
        };
        let api = draft("Default key", false)?;
        let management = draft("Management key", true)?;
        self.store.create_keys(vec![api.record.clone(), management.record.clone()]).await?;
        for key in old {
            self.store.delete_key(key.hash).await?;
        }
        Ok(IssuedAccount {
            account_id: account.id,
            user_email: account.email,
            api_key: api.issued().key,
            management_key: management.issued().key,
        })
    }
}
