//! `/api/v1/session`: what people send who sign in, and what they see of themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId};
use signalbox_store::{Context, Role, SessionRecord};

use crate::people::Person;

/// `POST /session/sign-up`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignUpWish {
    /// The address.
    pub email: String,
    /// At least ten characters.
    pub password: String,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The token of an invitation to this address.
    pub invitation: Option<String>,
}

/// `POST /session/sign-in`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInWish {
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
    /// A code of the second factor, or a recovery code.
    pub code: Option<String>,
}

/// `POST /session/password/forgot`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgotPassword {
    /// The address.
    pub email: String,
}

/// `POST /session/password/reset`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// What was mailed.
    pub token: String,
    /// The new password.
    pub password: String,
}

/// `POST /session/password`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The present password.
    pub password: String,
    /// The new one.
    pub new_password: String,
}

/// A token that was mailed: `POST /session/email/verify`, `POST /session/invitations/accept`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailedToken {
    /// It.
    pub token: String,
}

/// `POST /session/second-factor`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferFactor {
    /// The password.
    pub password: String,
}

/// `POST /session/second-factor/confirm`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// A code that the telephone shows.
    pub code: String,
}

/// `POST /session/second-factor/remove`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveFactor {
    /// The password.
    pub password: String,
    /// A code of the second factor, or a recovery code.
    pub code: String,
}

/// `PUT /session/context`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchContext {
    /// The account to act for.
    pub account_id: AccountId,
}

/// A secret for a telephone, shown once.
#[derive(Serialize, JsonSchema)]
pub struct FactorOffer {
    /// In base32, to be typed.
    pub secret: String,
    /// The same as an `otpauth:` address, to be shown as a picture.
    pub uri: String,
}

/// Codes for the day when the telephone is lost, shown once.
#[derive(Serialize, JsonSchema)]
pub struct RecoveryCodes {
    /// Each is good once.
    pub recovery_codes: Vec<String>,
}

/// That something was done.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Done {
    done: bool,
}

impl Done {
    /// `{"done": true}`
    pub const TRUE: Self = Self { done: true };
}

/// An account that a person may act for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContextObject {
    /// The account.
    pub account_id: AccountId,
    /// `personal` or `organization`.
    pub kind: &'static str,
    /// The name of the organization.
    pub name: Option<String>,
    /// What the person may do there.
    pub role: Role,
}

impl From<&Context> for ContextObject {
    fn from(context: &Context) -> Self {
        let name = context.organization.clone();
        let kind = if name.is_some() { "organization" } else { "personal" };
        Self { account_id: context.account.clone(), kind, name, role: context.role }
    }
}

/// Whoever is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UserObject {
    /// Who.
    pub id: UserId,
    /// The address.
    pub email: String,
    /// Whether it is known to be theirs.
    pub email_verified: bool,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// Whether codes are asked for.
    pub second_factor: bool,
    /// Since when there is such a person.
    pub created_at: String,
}

/// `GET /session`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SessionObject {
    /// The id of the session.
    pub id: String,
    /// Who.
    pub user: UserObject,
    /// For which account the session acts.
    pub context: ContextObject,
    /// For which it may.
    pub contexts: Vec<ContextObject>,
    /// When it began.
    pub created_at: String,
    /// When it ends at the latest.
    pub expires_at: String,
}

impl From<&Person> for SessionObject {
    fn from(person: &Person) -> Self {
        let user = &person.user;
        Self {
            id: person.session.id.clone(),
            user: UserObject {
                id: user.id.clone(),
                email: user.email.clone(),
                email_verified: user.email_verified_at.is_some(),
                first_name: user.first_name.clone(),
                last_name: user.last_name.clone(),
                second_factor: user.totp_confirmed_at.is_some(),
                created_at: user.created_at.to_rfc3339(),
            },
            context: (&person.context).into(),
            contexts: person.contexts.iter().map(ContextObject::from).collect(),
            created_at: person.session.created_at.to_rfc3339(),
            expires_at: person.session.expires_at.to_rfc3339(),
        }
    }
}

/// One row of `GET /session/sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SessionRow {
    /// Its id.
    pub id: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// The address that it began from.
    pub address: Option<String>,
    /// What the browser said of itself.
    pub agent: Option<String>,
    /// When it began.
    pub created_at: String,
    /// When it was last used, to a few minutes.
    pub seen_at: String,
    /// When it ends at the latest.
    pub expires_at: String,
}

impl SessionRow {
    /// A session as the person sees it who has `current`.
    #[must_use]
    pub fn of(session: SessionRecord, current: &str) -> Self {
        Self {
            current: session.id == current,
            id: session.id,
            address: session.address,
            agent: session.agent,
            created_at: Timestamp::to_rfc3339(session.created_at),
            seen_at: Timestamp::to_rfc3339(session.seen_at),
            expires_at: Timestamp::to_rfc3339(session.expires_at),
        }
    }
}
