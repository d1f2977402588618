//! Whom an identity provider's word lets in, and as whom.

use signalbox_core::id::{AccountId, random_uuid};
use signalbox_runtime::entropy;
use signalbox_store::{
    AccountRecord, Actor, By, IdentityRecord, NewPerson, Seated, SignedUp, SsoConnection,
    StoreError, Unlinked, UserRecord,
};

use super::journey::Door;
use super::oidc::Vouched;
use super::refusal::Refusal;
use super::session::Person;
use super::{People, SignUp, Visit};
use crate::PlatformError;
use crate::accounts::checked_email;
use crate::v1::Data;
use crate::v1::sign_in::IdentityObject;

/// Longest part of a name that is taken over, in characters.
const NAME: usize = 100;

/// The domain of an address in lower case.
pub(super) fn domain(email: &str) -> &str {
    email.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// A name as it may be kept; what may not be is left out.
fn name(told: Option<String>) -> Option<String> {
    let name: String = told?.trim().chars().filter(|one| !one.is_control()).take(NAME).collect();
    (!name.is_empty()).then_some(name)
}

/// The address that somebody has by this word, in lower case. A connection's domain belongs to whoever
/// runs its identity provider, so that saying nothing about an address of it is enough.
pub(super) fn address(door: &Door, vouched: &Vouched) -> Result<String, Refusal> {
    let told = vouched.email.as_deref().ok_or(Refusal::NoEmail)?;
    let email = checked_email(told).map_err(|_| Refusal::NoEmail)?.to_lowercase();
    let verified = match &door.connection {
        None => vouched.email_verified == Some(true),
        Some(connection) if connection.domain != domain(&email) => {
            return Err(Refusal::WrongDomain);
        }
        Some(_) => vouched.email_verified != Some(false),
    };
    if verified { Ok(email) } else { Err(Refusal::EmailUnverified) }
}

impl People {
    /// The active connection that people with this address have to use.
    pub(super) async fn sso_for(
        &self,
        email: &str,
    ) -> Result<Option<SsoConnection>, PlatformError> {
        if self.settings().break_glass.iter().any(|one| one == email) {
            return Ok(None);
        }
        Ok(self.platform().store().sso_connection_for(domain(email)).await?)
    }

    /// Refuses a password for an address of a domain with single sign-on.
    ///
    /// # Errors
    /// [`PlatformError::SsoRequired`].
    pub(super) async fn without_sso(&self, email: &str) -> Result<(), PlatformError> {
        match self.sso_for(email).await? {
            None => Ok(()),
            Some(connection) => Err(PlatformError::SsoRequired(connection.id)),
        }
    }

    /// Who is let in.
    pub(super) async fn admit(
        &self,
        visit: &Visit,
        door: &Door,
        vouched: Vouched,
    ) -> Result<UserRecord, Refusal> {
        let store = self.platform().store();
        let known = store.identity(door.source(), &vouched.issuer, &vouched.subject).await?;
        let user = match known {
            Some(identity) => {
                if let (Some(_), Some(_)) = (&door.connection, &vouched.email) {
                    address(door, &vouched)?;
                }
                let user = store.user(&identity.user).await?.ok_or(Refusal::Closed)?;
                self.not_elsewhere(door, &user.email).await?;
                store.touch_identity(identity.id, vouched.email).await?;
                user
            }
            None => self.newcomer(visit, door, vouched).await?,
        };
        self.seat(visit, door, &user).await?;
        Ok(user)
    }

    /// A domain with single sign-on is no other provider's.
    async fn not_elsewhere(&self, door: &Door, email: &str) -> Result<(), Refusal> {
        let required = match &door.connection {
            Some(_) => None,
            None => self.sso_for(email).await?,
        };
        if required.is_some() { Err(Refusal::SsoRequired) } else { Ok(()) }
    }

    /// Somebody whom this provider never sent before.
    async fn newcomer(
        &self,
        visit: &Visit,
        door: &Door,
        vouched: Vouched,
    ) -> Result<UserRecord, Refusal> {
        let email = address(door, &vouched)?;
        self.not_elsewhere(door, &email).await?;
        let store = self.platform().store();
        let Some(user) = store.user_of_email(&email).await? else {
            return self.first_visit(visit, door, vouched, email).await;
        };
        if let (Some(connection), Some(_)) = (&door.connection, user.email_verified_at) {
            // Before anything is linked: whoever was switched off stays away.
            self.not_off(connection, &user).await?;
        }
        let account = store.account_of(&user.id).await?;
        let by = By { account, actor: Actor::User(user.id.clone()), address: visit.text() };
        let identity = self.identity(door, &vouched, &user);
        match (user.email_verified_at, &door.connection) {
            (Some(_), _) => {
                if !store.add_identity(by, identity).await? {
                    return Err(Refusal::State);
                }
                Ok(user)
            }
            (None, None) => Err(Refusal::AddressUnproven),
            (None, Some(connection)) => {
                let actor = Actor::Directory(connection.id.clone());
                store.claim_by_identity(By { actor, ..by }, identity).await?;
                Ok(store.user(&user.id).await?.ok_or(Refusal::Closed)?)
            }
        }
    }

    fn identity(&self, door: &Door, vouched: &Vouched, user: &UserRecord) -> IdentityRecord {
        let now = self.now();
        IdentityRecord {
            id: random_uuid(entropy::bytes()),
            source: door.source().to_owned(),
            issuer: vouched.issuer.clone(),
            subject: vouched.subject.clone(),
            user: user.id.clone(),
            provider: door.provider().to_owned(),
            email: vouched.email.clone(),
            created_at: now,
            used_at: now,
        }
    }

    /// Whether somebody with this proven address may make an account, and whether only as the first.
    async fn may_come(&self, door: &Door, email: &str) -> Result<bool, Refusal> {
        if door.connection.is_some() {
            return Ok(false);
        }
        let store = self.platform().store();
        match self.settings().sign_up {
            SignUp::Open => Ok(false),
            SignUp::Closed => Err(Refusal::Closed),
            SignUp::Invited if store.is_invited(email).await? => Ok(false),
            SignUp::Invited if store.has_people().await? => Err(Refusal::Closed),
            SignUp::Invited => Ok(true),
        }
    }

    async fn first_visit(
        &self,
        visit: &Visit,
        door: &Door,
        vouched: Vouched,
        email: String,
    ) -> Result<UserRecord, Refusal> {
        let only_first = self.may_come(door, &email).await?;
        let store = self.platform().store();
        let id = AccountId::generate(entropy::bytes());
        let account = AccountRecord { id, email: email.clone(), created_at: self.now() };
        let owner = account.owner();
        let actor = match &door.connection {
            Some(connection) => Actor::Directory(connection.id.clone()),
            None => Actor::User(owner.clone()),
        };
        let by = By { account: account.id.clone(), actor, address: visit.text() };
        let now = self.now();
        let identity = IdentityRecord {
            id: random_uuid(entropy::bytes()),
            source: door.source().to_owned(),
            issuer: vouched.issuer,
            subject: vouched.subject,
            user: owner.clone(),
            provider: door.provider().to_owned(),
            email: vouched.email,
            created_at: now,
            used_at: now,
        };
        let person = NewPerson {
            password: None,
            identity: Some(identity),
            first_name: name(vouched.first_name),
            last_name: name(vouched.last_name),
            verified: true,
            only_first,
            promo: self.platform().settings.promo,
            account,
        };
        match store.sign_up(by, person).await {
            Ok(SignedUp::Done) => Ok(store.user(&owner).await?.ok_or(Refusal::Closed)?),
            Ok(SignedUp::NotFirst) => Err(Refusal::Closed),
            // Somebody signed up with that address this very moment.
            Err(StoreError::Constraint(_)) => Err(Refusal::State),
            Err(error) => Err(error.into()),
        }
    }

    async fn not_off(&self, connection: &SsoConnection, user: &UserRecord) -> Result<(), Refusal> {
        let member = self.platform().store().member(&connection.account, &user.id).await?;
        match member.and_then(|member| member.deactivated_at) {
            Some(_) => Err(Refusal::Deactivated),
            None => Ok(()),
        }
    }

    /// Makes whoever comes through a connection a member of its organization.
    async fn seat(&self, visit: &Visit, door: &Door, user: &UserRecord) -> Result<(), Refusal> {
        let Some(connection) = &door.connection else { return Ok(()) };
        let most = self.most_members(&connection.account).await?;
        let actor = Actor::Directory(connection.id.clone());
        let by = By { account: connection.account.clone(), actor, address: visit.text() };
        match self.platform().store().seat_by_sso(by, user.id.clone(), most).await? {
            Seated::Done => Ok(()),
            Seated::Deactivated => Err(Refusal::Deactivated),
            Seated::Full => Err(Refusal::Full),
        }
    }

    /// Links an identity to somebody who is signed in, whatever address it has.
    pub(super) async fn link(
        &self,
        person: &Person,
        door: &Door,
        vouched: Vouched,
    ) -> Result<(), Refusal> {
        person.proven()?;
        let store = self.platform().store();
        let known = store.identity(door.source(), &vouched.issuer, &vouched.subject).await?;
        match known {
            Some(identity) if identity.user == person.user.id => return Ok(()),
            Some(_) => return Err(Refusal::Taken),
            None => {}
        }
        let identity = self.identity(door, &vouched, &person.user);
        if store.add_identity(person.own()?, identity).await? {
            Ok(())
        } else {
            Err(Refusal::Taken)
        }
    }

    /// The identities of a person.
    ///
    /// # Errors
    /// [`PlatformError::Store`].
    pub async fn identities(
        &self,
        person: &Person,
    ) -> Result<Data<Vec<IdentityObject>>, PlatformError> {
        let all = self.platform().store().identities_of(&person.user.id).await?;
        Ok(Data { data: all.into_iter().map(IdentityObject::from).collect() })
    }

    /// Unlinks one.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for somebody else's too; [`PlatformError::Conflict`] for the only way
    /// to sign in.
    pub async fn unlink(&self, person: &Person, id: String) -> Result<(), PlatformError> {
        let user = person.user.id.clone();
        match self.platform().store().remove_identity(person.own()?, user, id).await? {
            Unlinked::Done => Ok(()),
            Unlinked::NotThere => Err(PlatformError::NotFound("identity")),
            Unlinked::LastWayIn => {
                let text = "There is no other way to sign in: set a password first";
                Err(PlatformError::Conflict(text.to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_what_stands_behind_the_last_at_sign() {
        for (email, expected) in
            [("a@b.example", "b.example"), ("\"a@evil\"@b.example", "b.example"), ("nobody", "")]
        {
            assert_eq!(domain(email), expected);
        }
    }

    #[test]
    fn a_name_is_taken_over_as_far_as_it_may_be_kept() {
        assert_eq!(name(Some(" Ada\u{0}\n ".to_owned())).as_deref(), Some("Ada"));
        assert_eq!(name(Some(" \u{7} ".to_owned())), None);
        assert_eq!(name(Some("x".repeat(1_000))).unwrap().len(), NAME);
        assert_eq!(name(None), None);
    }
}
