//! Signing up and signing in.

use signalbox_core::id::AccountId;
use signalbox_core::{Secret, Timestamp};
use signalbox_runtime::entropy;
use signalbox_store::{
    AccountRecord, Actor, By, NewPerson, Purpose, SignedUp, StoreError, UserRecord,
};

use super::session::Opened;
use super::{Limit, People, SignUp, Visit, digest, password};
use crate::PlatformError;
use crate::accounts::checked_email;
use crate::v1::session::{SignInWish, SignUpWish};

const WRONG: PlatformError = PlatformError::Denied("Wrong e-mail address or password");
fn closed() -> PlatformError {
    PlatformError::forbidden("Signing up needs an invitation")
}
/// Longest part of a name, in characters.
const NAME: usize = 100;

fn checked_name(name: Option<String>) -> Result<Option<String>, PlatformError> {
    let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let odd = |name: &String| name.chars().count() > NAME || name.chars().any(char::is_control);
    match name {
        Some(name) if odd(&name) => {
            Err(PlatformError::Refused(format!("a name has at most {NAME} characters")))
        }
        name => Ok(name),
    }
}

impl People {
    /// Whether the address may sign up: whether an invitation proves that it is theirs, and whether they
    /// may come only as the first.
    async fn admitted(
        &self,
        email: &str,
        invitation: Option<&str>,
    ) -> Result<(bool, bool), PlatformError> {
        let store = self.platform().store();
        if let Some(token) = invitation {
            let found = store.invitation(&digest(token)).await?;
            let fits = found.is_some_and(|one| one.email == email);
            return match self.settings().sign_up {
                SignUp::Closed => Err(closed()),
                _ if fits => Ok((true, false)),
                _ => Err(closed()),
            };
        }
        match self.settings().sign_up {
            SignUp::Open => Ok((false, false)),
            SignUp::Invited if !store.has_people().await? => Ok((false, true)),
            SignUp::Invited | SignUp::Closed => Err(closed()),
        }
    }

    /// Makes an account, or tells its owner by mail that somebody tried. Both look the same from here.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for an address, a name or a password that can't be;
    /// [`PlatformError::Forbidden`] for whoever may not sign up.
    pub async fn sign_up(&self, visit: &Visit, wish: SignUpWish) -> Result<(), PlatformError> {
        self.may(Limit::MailFrom, &visit.network()).await?;
        let email = checked_email(&wish.email)?.to_lowercase();
        password::checked(&wish.password, &email)?;
        let (first_name, last_name) =
            (checked_name(wish.first_name)?, checked_name(wish.last_name)?);
        self.without_sso(&email).await?;
        let (verified, only_first) = self.admitted(&email, wish.invitation.as_deref()).await?;
        self.may(Limit::MailTo, &email).await?;
        let hashed = self.0.passwords.hash(Secret::new(wish.password)).await?;
        let store = self.platform().store();
        if let Some(user) = store.user_of_email(&email).await? {
            return self.remind(&user).await;
        }
        let created_at = store.clock().now();
        let id = AccountId::generate(entropy::bytes());
        let account = AccountRecord { id, email: email.clone(), created_at };
        let by = By {
            account: account.id.clone(),
            actor: Actor::User(account.owner()),
            address: visit.text(),
        };
        let person = NewPerson {
            password: Some(hashed),
            identity: None,
            only_first,
            first_name,
            last_name,
            verified,
            promo: self.platform().settings.promo,
            account,
        };
        match store.sign_up(by, person).await {
            // Somebody else was first, this very moment: with the same address, or with any.
            Err(StoreError::Constraint(_)) => {}
            Ok(SignedUp::NotFirst) => return Err(closed()),
            done => drop(done?),
        }
        match store.user_of_email(&email).await? {
            Some(user) => self.greet(&user).await,
            None => Ok(()),
        }
    }

    async fn greet(&self, user: &UserRecord) -> Result<(), PlatformError> {
        let token = self.mailed_token(user, Purpose::Verify).await?;
        self.deliver(
            user,
            "Verify your e-mail address",
            format!(
                "Welcome. This link proves that the address is yours; open it where you signed up, \
                 within a day:\n{}/verify-email#token={}",
                self.public_url(),
                token.expose()
            ),
        );
        Ok(())
    }

    /// Somebody signs up who has an account.
    async fn remind(&self, user: &UserRecord) -> Result<(), PlatformError> {
        let token = self.mailed_token(user, Purpose::Reset).await?;
        self.deliver(
            user,
            "You have an account",
            format!(
                "Somebody, probably you, wanted to sign up with this address, which has an account. \
                 Sign in, or set a new password within an hour:\n{}/reset-password#token={}",
                self.public_url(),
                token.expose()
            ),
        );
        Ok(())
    }

    /// Sends the link that proves an address again.
    ///
    /// # Errors
    /// [`PlatformError::Conflict`] when it is proven; [`PlatformError::TooOften`].
    pub async fn send_verification(&self, user: &UserRecord) -> Result<(), PlatformError> {
        if user.email_verified_at.is_some() {
            return Err(PlatformError::Conflict("The address is verified".to_owned()));
        }
        self.may(Limit::MailTo, &user.email).await?;
        self.greet(user).await
    }

    /// Begins a session for whoever knows the password, and a code of the second factor if they have
    /// one. `old` is the token that the browser shows; it is no good afterwards.
    ///
    /// # Errors
    /// [`PlatformError::Denied`], [`PlatformError::NeedsCode`], [`PlatformError::TooOften`],
    /// [`PlatformError::SsoRequired`].
    pub async fn sign_in(
        &self,
        visit: &Visit,
        old: Option<&str>,
        wish: SignInWish,
    ) -> Result<Opened, PlatformError> {
        self.may(Limit::TriesFrom, &visit.network()).await?;
        let email = wish.email.trim().to_lowercase();
        self.may(Limit::TriesAt, &email).await?;
        self.without_sso(&email).await?;
        let store = self.platform().store();
        let user = store.user_of_email(&email).await?;
        let stored = user.as_ref().and_then(|user| user.password.clone());
        let right = self.0.passwords.matches(Secret::new(wish.password), stored).await?;
        let user = user.filter(|_| right).ok_or(WRONG)?;
        if user.totp_confirmed_at.is_some() {
            let code = wish.code.ok_or(PlatformError::NeedsCode)?;
            if !self.second_factor(&user, &code).await? {
                return Err(PlatformError::Denied("Wrong code"));
            }
        }
        self.forgive(&email).await?;
        self.open(user, visit, old, None).await
    }

    /// Whether this is the password of somebody who is signed in. It counts as a try, which is forgiven
    /// when all else is right, too.
    pub(crate) async fn knows_password(
        &self,
        user: &UserRecord,
        password: String,
    ) -> Result<(), PlatformError> {
        self.may(Limit::TriesAt, &user.email).await?;
        let right = self.0.passwords.matches(Secret::new(password), user.password.clone()).await?;
        if !right {
            return Err(PlatformError::forbidden("Wrong password"));
        }
        Ok(())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.platform().store().clock().now()
    }
}
