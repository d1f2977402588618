//! Sessions: who is signed in, and for which account they act.

use std::time::Duration;

use signalbox_core::id::{AccountId, UserId, random_uuid};
use signalbox_core::{Secret, Timestamp};
use signalbox_runtime::entropy;
use signalbox_store::{Actor, By, Context, Role, SessionRecord, UserRecord};

use super::{People, Visit, digest, token};
use crate::{PlatformError, Reach};

/// How long a session lives at most.
pub(crate) const LIFETIME: Duration = Duration::from_secs(30 * 86_400);
/// How long it lives without being used.
const IDLE: Duration = Duration::from_secs(7 * 86_400);
/// How much later than noted it may have been used.
const NOTED: Duration = Duration::from_secs(300);
/// Most of what a browser says of itself that is kept, in characters.
const AGENT: usize = 200;

/// What the caller hears who shows no session, or one that is over.
pub(crate) const NOBODY: PlatformError = PlatformError::Denied("No cookie auth credentials found");

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who.
    pub user: UserRecord,
    /// The session.
    pub session: SessionRecord,
    /// The accounts that the person may act for, their own first.
    pub contexts: Vec<Context>,
    /// The one of them that the session acts for.
    pub context: Context,
    /// Where this request came from.
    pub address: Option<String>,
}

impl Person {
    /// In whose name something is done to an account.
    #[must_use]
    pub fn by(&self, account: &AccountId) -> By {
        let actor = Actor::User(self.user.id.clone());
        By { account: account.clone(), actor, address: self.address.clone() }
    }

    /// The same for what is the person's own.
    ///
    /// # Errors
    /// [`PlatformError::Denied`] for somebody without an account.
    pub fn own(&self) -> Result<By, PlatformError> {
        self.contexts.first().map(|own| self.by(&own.account)).ok_or(NOBODY)
    }

    /// Refuses whoever has not proven their address.
    ///
    /// # Errors
    /// [`PlatformError::Forbidden`].
    pub fn proven(&self) -> Result<(), PlatformError> {
        match self.user.email_verified_at {
            Some(_) => Ok(()),
            None => Err(PlatformError::forbidden("Verify your e-mail address first")),
        }
    }

    /// How far the person reaches into the account that the session acts for.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match (&self.context.organization, self.context.role) {
            (Some(_), Role::Member) => Reach::Own(self.user.id.clone()),
            (None, _) | (Some(_), Role::Admin) => Reach::Whole,
        }
    }

    /// What the person is in this organization.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for strangers, and for what is no organization.
    pub fn role_in(&self, organization: &AccountId) -> Result<Role, PlatformError> {
        let of = |one: &&Context| one.account == *organization && one.organization.is_some();
        let found = self.contexts.iter().find(of);
        found.map(|one| one.role).ok_or(PlatformError::NotFound("organization"))
    }

    /// In whose name an administrator does something to an organization.
    ///
    /// # Errors
    /// As [`Person::role_in`], and [`PlatformError::Forbidden`] for other members.
    pub fn administers(&self, organization: &AccountId) -> Result<By, PlatformError> {
        match self.role_in(organization)? {
            Role::Admin => Ok(self.by(organization)),
            Role::Member => Err(PlatformError::forbidden("Only admins of the organization may")),
        }
    }
}

/// A session that has just begun.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What the browser shows from now on.
    pub token: Secret<String>,
    /// Whose it is.
    pub person: Person,
}

impl People {
    /// How long a cookie lives, in seconds.
    #[must_use]
    pub const fn session_seconds() -> u64 {
        LIFETIME.as_secs()
    }

    async fn now_person(
        &self,
        user: UserRecord,
        session: SessionRecord,
        address: Option<String>,
    ) -> Result<Person, PlatformError> {
        let contexts = self.platform().store().contexts(&user.id).await?;
        let chosen = contexts.iter().find(|one| one.account == session.account);
        // Whoever left an organization acts for themselves.
        let context = chosen.or(contexts.first()).cloned().ok_or(NOBODY)?;
        Ok(Person { user, session, contexts, context, address })
    }

    /// Begins a session, in place of the one that the browser has.
    pub(crate) async fn open(
        &self,
        user: UserRecord,
        visit: &Visit,
        old: Option<&str>,
    ) -> Result<Opened, PlatformError> {
        let store = self.platform().store();
        let (now, token) = (store.clock().now(), token());
        let agent = visit.agent.as_deref().map(|agent| agent.chars().take(AGENT).collect());
        let session = SessionRecord {
            hash: digest(token.expose()),
            id: random_uuid(entropy::bytes()),
            user: user.id.clone(),
            account: store.account_of(&user.id).await?,
            created_at: now,
            seen_at: now,
            expires_at: now.plus_millis(millis(LIFETIME)),
            address: visit.text(),
            agent,
        };
        let idle_since = now.plus_millis(millis(IDLE).saturating_neg());
        store.open_session(session.clone(), old.map(digest), idle_since).await?;
        let person = self.now_person(user, session, visit.text()).await?;
        Ok(Opened { token, person })
    }

    /// Who shows this token.
    ///
    /// # Errors
    /// [`PlatformError::Denied`] for nobody.
    pub async fn person(&self, token: &str, visit: &Visit) -> Result<Person, PlatformError> {
        let store = self.platform().store();
        let now = store.clock().now();
        let (session, user) = store.session(&digest(token)).await?.ok_or(NOBODY)?;
        let rested: Timestamp = session.seen_at.plus_millis(millis(IDLE));
        if now >= session.expires_at || now >= rested {
            return Err(NOBODY);
        }
        if now >= session.seen_at.plus_millis(millis(NOTED)) {
            store.touch_session(session.hash.clone()).await?;
        }
        self.now_person(user, session, visit.text()).await
    }

    /// Lets the session act for another account.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for one that the person does not belong to.
    pub async fn switch(
        &self,
        person: &Person,
        account: &AccountId,
    ) -> Result<Person, PlatformError> {
        let chosen = person.contexts.iter().find(|one| one.account == *account);
        let context = chosen.cloned().ok_or(PlatformError::NotFound("account"))?;
        let store = self.platform().store();
        store.switch_session(person.session.hash.clone(), account.clone()).await?;
        let session = SessionRecord { account: account.clone(), ..person.session.clone() };
        Ok(Person { session, context, ..person.clone() })
    }

    /// The sessions of a person that are not over.
    ///
    /// # Errors
    /// [`PlatformError::Store`].
    pub async fn sessions(&self, user: &UserId) -> Result<Vec<SessionRecord>, PlatformError> {
        let store = self.platform().store();
        let now = store.clock().now();
        let mut sessions = store.sessions_of(user).await?;
        sessions.retain(|one| now < one.expires_at && now < one.seen_at.plus_millis(millis(IDLE)));
        Ok(sessions)
    }

    /// Ends a session of this person.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for one of somebody else, too.
    pub async fn end_session(&self, person: &Person, id: &str) -> Result<(), PlatformError> {
        let store = self.platform().store();
        let done = store.end_session(person.user.id.clone(), id.to_owned()).await?;
        if done { Ok(()) } else { Err(PlatformError::NotFound("session")) }
    }

    /// Ends all sessions of this person but the present one.
    ///
    /// # Errors
    /// [`PlatformError::Store`].
    pub async fn end_other_sessions(&self, person: &Person) -> Result<(), PlatformError> {
        let (user, id) = (person.user.id.clone(), person.session.id.clone());
        Ok(self.platform().store().end_other_sessions(user, id).await?)
    }
}
