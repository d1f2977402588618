//! Single sign-on as the operator sets it up: by whose word no DNS record and no test is needed.

use signalbox_core::Secret;
use signalbox_core::id::AccountId;
use signalbox_store::{Actor, By, SsoChange, SsoConnection, SsoOrigin, SsoStatus};

use crate::people::connections::{blank, checked_domain};
use crate::people::oidc::Provider;
use crate::v1::sso::OperatorConnection;
use crate::{Platform, PlatformError};

/// A connection that the operator wants.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// Of which organization.
    pub organization: AccountId,
    /// The domain of its people's addresses.
    pub domain: String,
    /// The issuer of the identity provider.
    pub issuer: String,
    /// Who this installation is there.
    pub client_id: String,
    /// Its secret there; a public client has none.
    pub client_secret: Option<Secret<String>>,
}

const GONE: PlatformError = PlatformError::NotFound("connection");

fn by(account: &AccountId) -> By {
    By { account: account.clone(), actor: Actor::Operator("admin".to_owned()), address: None }
}

fn settled(change: SsoChange) -> Result<(), PlatformError> {
    match change {
        SsoChange::Done => Ok(()),
        SsoChange::NotThere | SsoChange::Moved => Err(GONE),
        SsoChange::Taken => {
            Err(PlatformError::Conflict("the domain has a connection already".to_owned()))
        }
    }
}

impl Platform {
    /// Makes a connection of an organization, active at once: from then on its domain's people sign in
    /// through the identity provider alone.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for what is no organization, [`PlatformError::Refused`] for what can't
    /// be, [`PlatformError::Conflict`] for a domain twice.
    pub async fn connect_sso(
        &self,
        wanted: NewConnection,
    ) -> Result<OperatorConnection, PlatformError> {
        let store = self.store();
        let account = wanted.organization;
        store.organization(&account).await?.ok_or(PlatformError::NotFound("organization"))?;
        let domain = checked_domain(&wanted.domain)?;
        if !Provider::may_be_at(&wanted.issuer) || wanted.client_id.trim().is_empty() {
            return Err(PlatformError::Refused(
                "issuer: an https address; client_id: one".to_owned(),
            ));
        }
        let (by, now) = (by(&account), store.clock().now());
        let mut one = blank(&account, domain, SsoOrigin::Operator, &by, now);
        one.verified_at = Some(now);
        one.issuer = Some(wanted.issuer);
        one.client_id = Some(wanted.client_id);
        settled(store.add_sso_connection(by.clone(), one.clone()).await?)?;
        let active = SsoConnection { status: SsoStatus::Active, ..one.clone() };
        let secret = wanted.client_secret.map(Some);
        settled(store.set_sso_connection(by, &one, active, secret).await?)?;
        Ok(store.sso_connection(&one.id).await?.ok_or(GONE)?.into())
    }

    /// The connections of an organization, whoever made them.
    ///
    /// # Errors
    /// [`PlatformError::Store`].
    pub async fn sso_connections(
        &self,
        account: &AccountId,
    ) -> Result<Vec<OperatorConnection>, PlatformError> {
        let all = self.store().sso_connections_of(account).await?;
        Ok(all.into_iter().map(OperatorConnection::from).collect())
    }

    /// Makes a connection active or not: the way out when an identity provider is.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`]; [`PlatformError::Conflict`] for one that is not ready.
    pub async fn switch_sso(
        &self,
        id: &str,
        on: bool,
    ) -> Result<OperatorConnection, PlatformError> {
        let store = self.store();
        let old = store.sso_connection(id).await?.ok_or(GONE)?;
        if on && (old.verified_at.is_none() || old.issuer.is_none() || old.client_id.is_none()) {
            return Err(PlatformError::Conflict("the connection is not ready".to_owned()));
        }
        let status = if on { SsoStatus::Active } else { SsoStatus::Disabled };
        let new = SsoConnection { status, ..old.clone() };
        settled(store.set_sso_connection(by(&old.account), &old, new, None).await?)?;
        Ok(store.sso_connection(id).await?.ok_or(GONE)?.into())
    }

    /// Deletes a connection.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`].
    pub async fn drop_sso(&self, id: &str) -> Result<(), PlatformError> {
        let old = self.store().sso_connection(id).await?.ok_or(GONE)?;
        settled(self.store().delete_sso_connection(by(&old.account), old.id).await?)
    }
}
