//! Single sign-on of organizations (platform spec 17.1): an admin proves a domain, names the identity
//! provider that its people have, tries it out and makes it the only way in. Whoever may not do that hears
//! that there is no such thing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use signalbox_core::Secret;
use signalbox_core::id::{AccountId, random_uuid};
use signalbox_core::plan::Tier;
use signalbox_runtime::entropy;
use signalbox_store::{By, Errand, Role, SsoChange, SsoConnection, SsoOrigin, SsoStatus};

use super::journey::{Departure, Door};
use super::oidc::{Idp, Manner, Outside, Provider, Vouched};
use super::refusal::Refusal;
use super::session::Person;
use super::vouching::address;
use super::{Limit, People, Visit, token};
use crate::PlatformError;
use crate::v1::Data;
use crate::v1::sso::{
    ConnectionEdit, ConnectionObject, ConnectionWish, LABEL, SsoObject, TestWish, WantedStatus,
};

/// Most connections of one organization.
const MOST: usize = 20;
/// Most identity providers of tenants that are kept in memory.
const KEPT: usize = 256;
/// What a TXT record begins with.
const PREFIX: &str = "signalbox-domain-verification=";
/// Longest issuer, client id and secret, in bytes.
const LONGEST: usize = 2_048;

/// Identity providers of tenants, with what is known of them.
#[derive(Debug, Default)]
pub(super) struct Tenants(Mutex<HashMap<String, (SsoConnection, Arc<Idp>)>>);

impl Tenants {
    /// That of a connection which has not changed since.
    fn of(&self, connection: &SsoConnection) -> Option<Arc<Idp>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.get(&connection.id).filter(|(known, _)| known == connection);
        found.map(|(_, idp)| Arc::clone(idp))
    }

    fn keep(&self, connection: &SsoConnection, idp: &Arc<Idp>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT {
            all.clear();
        }
        all.insert(connection.id.clone(), (connection.clone(), Arc::clone(idp)));
    }
}

/// A domain of the internet in lower case, as DNS writes it.
pub(crate) fn checked_domain(text: &str) -> Result<String, PlatformError> {
    let domain = text.trim().to_ascii_lowercase();
    let label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let edges = !label.starts_with('-') && !label.ends_with('-');
        (1..=63).contains(&label.len()) && label.bytes().all(plain) && edges
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    let named = last.bytes().any(|byte| byte.is_ascii_lowercase());
    let fits = domain.contains('.') && domain.len() <= 253 && named && domain.split('.').all(label);
    let odd = || PlatformError::Refused("domain: such as example.com".to_owned());
    if fits { Ok(domain) } else { Err(odd()) }
}

fn settled(change: SsoChange) -> Result<(), PlatformError> {
    match change {
        SsoChange::Done => Ok(()),
        SsoChange::NotThere => Err(PlatformError::NotFound("connection")),
        SsoChange::Moved => Err(conflict("Somebody else changed it at the same time")),
        SsoChange::Taken => {
            let text = "The domain has a connection already, here or in another organization";
            Err(PlatformError::Conflict(text.to_owned()))
        }
    }
}

fn conflict(text: &str) -> PlatformError {
    PlatformError::Conflict(text.to_owned())
}

/// What RFC 6749, appendix A, allows in the name and the secret of a client.
fn checked(name: &str, text: &str) -> Result<String, PlatformError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if text.is_empty() || text.len() > LONGEST || !plain {
        return Err(PlatformError::Refused(format!("{name}: 1 to {LONGEST} visible characters")));
    }
    Ok(text.to_owned())
}

/// A new connection of this domain, not yet proven.
pub(crate) fn blank(
    account: &AccountId,
    domain: String,
    origin: SsoOrigin,
    by: &By,
    now: signalbox_core::Timestamp,
) -> SsoConnection {
    SsoConnection {
        id: random_uuid(entropy::bytes()),
        account: account.clone(),
        domain,
        origin,
        status: SsoStatus::Pending,
        dns_token: format!("{PREFIX}{}", token().expose()),
        verified_at: None,
        issuer: None,
        client_id: None,
        secret_version: None,
        tested_at: None,
        created_by: Some(by.actor.name().to_owned()),
        created_at: now,
        updated_at: now,
    }
}

/// What an admin wants of the connection as it is: how it will be.
fn edited(old: &SsoConnection, edit: &ConnectionEdit) -> Result<SsoConnection, PlatformError> {
    let mut new = old.clone();
    if old.origin == SsoOrigin::Operator && (edit.issuer.is_some() || edit.client_id.is_some()) {
        return Err(conflict("The operator of this installation set this connection up"));
    }
    if let Some(issuer) = &edit.issuer {
        new.issuer = Some(checked("issuer", issuer)?);
        if !Outside::may_call(issuer) || issuer.contains('?') {
            return Err(PlatformError::Refused("issuer: an https address".to_owned()));
        }
    }
    if let Some(client_id) = &edit.client_id {
        new.client_id = Some(checked("client_id", client_id)?);
    }
    if new.issuer != old.issuer || new.client_id != old.client_id {
        // Another provider, of which nobody knows yet whether it knows anybody.
        new.tested_at = None;
        if new.status == SsoStatus::Active {
            new.status = SsoStatus::Pending;
        }
    }
    match edit.status {
        None => {}
        Some(WantedStatus::Disabled) => new.status = SsoStatus::Disabled,
        Some(WantedStatus::Active) if new.verified_at.is_none() => {
            return Err(conflict("The domain is not verified"));
        }
        Some(WantedStatus::Active) if new.issuer.is_none() || new.client_id.is_none() => {
            return Err(conflict("No identity provider is connected"));
        }
        Some(WantedStatus::Active)
            if new.tested_at.is_none() && new.origin == SsoOrigin::SelfServe =>
        {
            return Err(conflict("Nobody of the domain has tested the connection"));
        }
        Some(WantedStatus::Active) => new.status = SsoStatus::Active,
    }
    Ok(new)
}

impl People {
    /// In whose name single sign-on of an organization is managed.
    async fn keeper(&self, person: &Person, id: &AccountId) -> Result<By, PlatformError> {
        const HIDDEN: PlatformError = PlatformError::NotFound("single sign-on");
        if person.role_in(id)? != Role::Admin {
            return Err(HIDDEN);
        }
        if self.platform().plan(id).await?.plan.tier != Tier::Enterprise {
            return Err(HIDDEN);
        }
        person.proven()?;
        Ok(person.by(id))
    }

    async fn connection_of(
        &self,
        id: &AccountId,
        connection: &str,
    ) -> Result<SsoConnection, PlatformError> {
        let found = self.platform().store().sso_connection(connection).await?;
        let found = found.filter(|one| one.account == *id);
        found.ok_or(PlatformError::NotFound("connection"))
    }

    fn shown(&self, one: SsoConnection) -> ConnectionObject {
        let redirect_uri = self.redirect_uri(&one.id);
        ConnectionObject::new(one, redirect_uri)
    }

    /// Single sign-on of an organization.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for whoever is no admin of it, and where the plan has none.
    pub async fn sso(
        &self,
        person: &Person,
        id: &AccountId,
    ) -> Result<Data<SsoObject>, PlatformError> {
        self.keeper(person, id).await?;
        let store = self.platform().store();
        let enabled_at = store.sso_enabled_at(id).await?.map(signalbox_core::Timestamp::to_rfc3339);
        let connections = store.sso_connections_of(id).await?;
        let connections = connections.into_iter().map(|one| self.shown(one)).collect();
        Ok(Data { data: SsoObject { enabled_at, connections } })
    }

    /// Lets an organization set it up. There is no way back, and nothing else changes.
    ///
    /// # Errors
    /// As [`People::sso`].
    pub async fn enable_sso(
        &self,
        person: &Person,
        id: &AccountId,
    ) -> Result<Data<SsoObject>, PlatformError> {
        let by = self.keeper(person, id).await?;
        self.platform().store().enable_sso(by).await?;
        self.sso(person, id).await
    }

    /// A new connection, pending until its domain is proven.
    ///
    /// # Errors
    /// As [`People::sso`]; [`PlatformError::Conflict`] before it is enabled, and for a domain twice.
    pub async fn add_connection(
        &self,
        person: &Person,
        id: &AccountId,
        wish: ConnectionWish,
    ) -> Result<Data<ConnectionObject>, PlatformError> {
        let by = self.keeper(person, id).await?;
        let domain = checked_domain(&wish.domain)?;
        let store = self.platform().store();
        if store.sso_enabled_at(id).await?.is_none() {
            return Err(conflict("Single sign-on is not enabled"));
        }
        if store.sso_connections_of(id).await?.len() >= MOST {
            return Err(conflict("An organization has at most 20 connections"));
        }
        let one = blank(id, domain, SsoOrigin::SelfServe, &by, self.now());
        settled(store.add_sso_connection(by, one.clone()).await?)?;
        Ok(Data { data: self.shown(one) })
    }

    /// Looks whether the domain says what it has to say.
    ///
    /// # Errors
    /// As [`People::sso`]; [`PlatformError::Conflict`] when it does not, or another organization has
    /// proven it; [`PlatformError::TooOften`].
    pub async fn verify_connection(
        &self,
        person: &Person,
        id: &AccountId,
        connection: &str,
    ) -> Result<Data<ConnectionObject>, PlatformError> {
        let by = self.keeper(person, id).await?;
        let one = self.connection_of(id, connection).await?;
        if one.verified_at.is_none() {
            self.may(Limit::VerifyFor, id.as_str()).await?;
            let name = format!("{LABEL}.{}.", one.domain);
            let texts = self.0.records.texts(&name).await;
            if !texts.iter().any(|text| text.trim() == one.dns_token) {
                return Err(conflict("The TXT record is not there, or not there yet"));
            }
            let (now, token) = (self.now(), one.dns_token);
            let store = self.platform().store();
            let prove = move |one: &mut SsoConnection| {
                if one.dns_token == token {
                    one.verified_at = Some(now);
                }
            };
            settled(store.change_sso_connection(by, one.id, prove).await?)?;
        }
        Ok(Data { data: self.shown(self.connection_of(id, connection).await?) })
    }

    /// Connects an identity provider, and makes the connection active or not.
    ///
    /// # Errors
    /// As [`People::sso`]; [`PlatformError::Conflict`] for one that is not ready to be active.
    pub async fn change_connection(
        &self,
        person: &Person,
        id: &AccountId,
        connection: &str,
        edit: ConnectionEdit,
    ) -> Result<Data<ConnectionObject>, PlatformError> {
        let by = self.keeper(person, id).await?;
        let old = self.connection_of(id, connection).await?;
        let new = edited(&old, &edit)?;
        let secret = match edit.client_secret {
            // What was told to one provider is not shown to another.
            None if new.issuer != old.issuer => Some(None),
            None => None,
            Some(None) => Some(None),
            Some(Some(secret)) => Some(Some(Secret::new(checked("client_secret", &secret)?))),
        };
        let store = self.platform().store();
        settled(store.set_sso_connection(by, &old, new, secret).await?)?;
        Ok(Data { data: self.shown(self.connection_of(id, connection).await?) })
    }

    /// Deletes a connection: its domain's people sign in as they did before.
    ///
    /// # Errors
    /// As [`People::sso`].
    pub async fn delete_connection(
        &self,
        person: &Person,
        id: &AccountId,
        connection: &str,
    ) -> Result<(), PlatformError> {
        let by = self.keeper(person, id).await?;
        let one = self.connection_of(id, connection).await?;
        settled(self.platform().store().delete_sso_connection(by, one.id).await?)
    }

    /// Sends an admin to the identity provider, to come back as somebody of the domain. Nobody is signed
    /// in by that.
    ///
    /// # Errors
    /// As [`People::sso`]; [`PlatformError::Elsewhere`] when the provider is out of reach or out of order.
    pub async fn test_connection(
        &self,
        visit: &Visit,
        kept: Option<&str>,
        person: &Person,
        id: &AccountId,
        (connection, wish): (&str, TestWish),
    ) -> Result<Departure, PlatformError> {
        self.keeper(person, id).await?;
        let one = self.connection_of(id, connection).await?;
        if one.verified_at.is_none() || one.issuer.is_none() || one.client_id.is_none() {
            return Err(conflict(
                "The domain is not verified, or no identity provider is connected",
            ));
        }
        let (back, user) = (wish.return_to.as_deref(), Some(person.user.id.clone()));
        Ok(self.depart_as(visit, kept, connection, back, Errand::Test, user).await?)
    }

    /// Notes that somebody of the domain came back.
    pub(super) async fn note_test(
        &self,
        person: &Person,
        door: &Door,
        vouched: &Vouched,
    ) -> Result<(), Refusal> {
        let Some(connection) = &door.connection else { return Err(Refusal::Unknown) };
        let by = self.keeper(person, &connection.account).await?;
        address(door, vouched)?;
        let (now, tried) = (self.now(), (connection.issuer.clone(), connection.client_id.clone()));
        let note = move |one: &mut SsoConnection| {
            if (one.issuer.clone(), one.client_id.clone()) == tried {
                one.tested_at = Some(now);
            }
        };
        let store = self.platform().store();
        settled(store.change_sso_connection(by, connection.id.clone(), note).await?)?;
        Ok(())
    }

    /// The identity provider of a connection.
    pub(super) async fn idp_of(&self, connection: &SsoConnection) -> Result<Arc<Idp>, Refusal> {
        if let Some(idp) = self.0.tenants.of(connection) {
            return Ok(idp);
        }
        let (issuer, client_id) = match (&connection.issuer, &connection.client_id) {
            (Some(issuer), Some(client_id)) => (issuer.clone(), client_id.clone()),
            _ => return Err(Refusal::Unknown),
        };
        let provider = Provider {
            id: connection.id.clone(),
            name: connection.domain.clone(),
            issuer,
            client_id,
            client_secret: self.platform().store().sso_secret(connection).await?,
            scopes: "openid email profile".to_owned(),
            manner: Manner::Oidc,
        };
        let outside = match connection.origin {
            SsoOrigin::Operator => self.0.outside.clone(),
            SsoOrigin::SelfServe => self.0.outside_of_tenants.clone(),
        };
        let clock = self.platform().store().clock().clone();
        let idp = Arc::new(Idp::new(provider, outside, clock));
        self.0.tenants.keep(connection, &idp);
        Ok(idp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_one_of_the_internet() {
        for (text, expected) in [
            ("Example.COM", "example.com"),
            (" a-b.co.uk ", "a-b.co.uk"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(checked_domain(text).unwrap(), expected);
        }
        for text in [
            "",
            "com",
            ".com",
            "a..com",
            "example.com.",
            "-a.com",
            "a-.com",
            "bücher.example",
            "a b.com",
            "a@b.com",
            "127.0.0.1",
            "a.com/b",
            "*.a.com",
            &format!("{}.com", "a".repeat(64)),
        ] {
            assert!(checked_domain(text).is_err(), "{text}");
        }
    }
}
