//! Addresses that are proven and passwords that are set anew, by tokens that were mailed.

use std::time::Duration;

use signalbox_core::Secret;
use signalbox_store::{Actor, By, MailToken, Purpose, UserRecord};

use super::mail::Letter;
use super::session::{Opened, Person};
use super::{Limit, People, Visit, digest, password, token};
use crate::PlatformError;
use crate::accounts::checked_email;
use crate::v1::session::{ChangePassword, ResetPassword};

const SPENT: &str = "token: it is unknown, used or too old";

const fn lifetime(purpose: Purpose) -> Duration {
    match purpose {
        Purpose::Verify => Duration::from_secs(86_400),
        Purpose::Reset => Duration::from_secs(3_600),
    }
}

impl People {
    pub(crate) fn deliver(&self, user: &UserRecord, subject: &'static str, text: String) {
        self.0.mail.send(Letter { to: user.email.clone(), subject, text });
    }

    pub(crate) fn deliver_to(&self, address: &str, subject: &'static str, text: String) {
        self.0.mail.send(Letter { to: address.to_owned(), subject, text });
    }

    /// A token that is about to be mailed.
    pub(crate) async fn mailed_token(
        &self,
        user: &UserRecord,
        purpose: Purpose,
    ) -> Result<Secret<String>, PlatformError> {
        let token = token();
        let millis = i64::try_from(lifetime(purpose).as_millis()).unwrap_or(i64::MAX);
        let stored = MailToken {
            hash: digest(token.expose()),
            purpose,
            user: user.id.clone(),
            expires_at: self.now().plus_millis(millis),
        };
        self.platform().store().add_mail_token(stored).await?;
        Ok(token)
    }

    /// Takes an address as proven: by a token that came there, shown by whoever signed up with it.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for a token that is no good, or somebody else's.
    pub async fn verify_email(&self, person: &Person, token: &str) -> Result<(), PlatformError> {
        let (by, user) = (person.own()?, person.user.id.clone());
        let done = self.platform().store().verify_email(by, user, digest(token)).await?;
        if done { Ok(()) } else { Err(PlatformError::Refused(SPENT.to_owned())) }
    }

    /// Mails a link that sets a new password, if there is an account. Whoever asks can't tell: the work
    /// is done after the answer.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for what is no address; [`PlatformError::TooOften`].
    pub async fn forgot_password(&self, visit: &Visit, email: &str) -> Result<(), PlatformError> {
        self.may(Limit::MailFrom, &visit.network()).await?;
        let email = checked_email(email)?.to_lowercase();
        self.may(Limit::MailTo, &email).await?;
        let this = self.clone();
        drop(signalbox_runtime::task::spawn("password reset", async move {
            if let Err(error) = this.mail_reset(&email).await {
                tracing::warn!(%error, "a password reset could not be mailed");
            }
        }));
        Ok(())
    }

    async fn mail_reset(&self, email: &str) -> Result<(), PlatformError> {
        let Some(user) = self.platform().store().user_of_email(email).await? else {
            return Ok(());
        };
        if self.sso_for(email).await?.is_some() {
            // A password would be good for nothing.
            return Ok(());
        }
        let token = self.mailed_token(&user, Purpose::Reset).await?;
        self.deliver(
            &user,
            "Set a new password",
            format!(
                "With this link you set a new password within an hour. If you did not ask for it, do \
                 nothing.\n{}/reset-password#token={}",
                self.public_url(),
                token.expose()
            ),
        );
        Ok(())
    }

    /// Sets a password by a mailed token. All sessions end.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for a token that is no good, or a password that can't be.
    pub async fn reset_password(
        &self,
        visit: &Visit,
        wish: ResetPassword,
    ) -> Result<(), PlatformError> {
        self.may(Limit::TriesFrom, &visit.network()).await?;
        let store = self.platform().store();
        let spent = || PlatformError::Refused(SPENT.to_owned());
        let hash = digest(&wish.token);
        let user = store.mail_token(Purpose::Reset, &hash).await?.ok_or_else(spent)?;
        let user = store.user(&user).await?.ok_or_else(spent)?;
        password::checked(&wish.password, &user.email)?;
        let hashed = self.0.passwords.hash(Secret::new(wish.password)).await?;
        let account = store.account_of(&user.id).await?;
        let by = By { account, actor: Actor::User(user.id.clone()), address: visit.text() };
        if !store.reset_password(by, user.id.clone(), hash, hashed).await? {
            return Err(spent());
        }
        self.forgive(&user.email).await?;
        self.deliver(&user, "Your password was changed", CHANGED.to_owned());
        Ok(())
    }

    /// Sets another password. All sessions end but for the browser's, which gets a new one.
    ///
    /// # Errors
    /// [`PlatformError::Forbidden`] for a wrong password, [`PlatformError::Refused`] for one that can't
    /// be.
    pub async fn change_password(
        &self,
        visit: &Visit,
        person: &Person,
        wish: ChangePassword,
    ) -> Result<Opened, PlatformError> {
        password::checked(&wish.new_password, &person.user.email)?;
        self.knows_password(&person.user, wish.password).await?;
        self.forgive(&person.user.email).await?;
        let hashed = self.0.passwords.hash(Secret::new(wish.new_password)).await?;
        let store = self.platform().store();
        store.set_password(person.own()?, person.user.id.clone(), hashed).await?;
        self.deliver(&person.user, "Your password was changed", CHANGED.to_owned());
        let user = store.user(&person.user.id).await?.ok_or(PlatformError::NotFound("user"))?;
        self.open(user, visit, None, person.session.source.clone()).await
    }
}

const CHANGED: &str = "The password of your account was changed. If that was not you, set a new one \
     at once: \"forgot password\" on the page for signing in.";
