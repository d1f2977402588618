//! Why somebody who comes from an identity provider does not get in.

use signalbox_store::StoreError;

use super::oidc::Trouble;
use crate::PlatformError;

/// The reasons. Each has a word that pages are told.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// There is no such provider, or its connection is not in use.
    #[error("there is no such provider")]
    Unknown,
    /// The path to come back to is none of ours.
    #[error("return_to: a path that begins with one slash")]
    Path,
    /// Nobody left like that from this browser, or too long ago, or is back already.
    #[error("the state is unknown, used or too old")]
    State,
    /// The provider, or the person there, refused.
    #[error("the identity provider refused")]
    There,
    /// The provider is out of reach or out of order.
    #[error("the identity provider: {0}")]
    Unreachable(&'static str),
    /// The provider's word is no good.
    #[error("the word of the identity provider: {0}")]
    Token(&'static str),
    /// The provider tells no address.
    #[error("the identity provider tells no e-mail address")]
    NoEmail,
    /// The provider does not vouch for the address.
    #[error("the e-mail address is not verified there")]
    EmailUnverified,
    /// Somebody has an account with that address and has not proven it.
    #[error("the account with that e-mail address is not verified")]
    AddressUnproven,
    /// Nobody invited them.
    #[error("signing up needs an invitation")]
    Closed,
    /// The address belongs to a domain with single sign-on.
    #[error("the domain has single sign-on")]
    SsoRequired,
    /// The address is not of the connection's domain.
    #[error("the e-mail address is of another domain")]
    WrongDomain,
    /// Their membership was ended.
    #[error("the membership was deactivated")]
    Deactivated,
    /// The plan allows no more members.
    #[error("the organization has as many members as its plan allows")]
    Full,
    /// The identity is somebody else's already.
    #[error("the identity is linked to another account")]
    Taken,
    /// Whoever left was signed in, and is no more.
    #[error("nobody, or somebody else, is signed in")]
    SignedOut,
    /// Something else.
    #[error(transparent)]
    Platform(#[from] PlatformError),
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Unreachable(why) => Self::Unreachable(why),
            Trouble::Token(why) => Self::Token(why),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Platform(error.into())
    }
}

impl Refusal {
    /// The word that a page is told.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "provider_unknown",
            Self::Path => "return_to_invalid",
            Self::State => "state_invalid",
            Self::There => "provider_refused",
            Self::Unreachable(_) => "provider_unreachable",
            Self::Token(_) => "token_invalid",
            Self::NoEmail => "email_missing",
            Self::EmailUnverified => "email_unverified",
            Self::AddressUnproven => "account_unverified",
            Self::Closed => "sign_up_closed",
            Self::SsoRequired => "sso_required",
            Self::WrongDomain => "wrong_domain",
            Self::Deactivated => "deactivated",
            Self::Full => "organization_full",
            Self::Taken => "identity_taken",
            Self::SignedOut => "signed_out",
            Self::Platform(PlatformError::TooOften(_)) => "too_often",
            Self::Platform(_) => "unavailable",
        }
    }
}

impl From<Refusal> for PlatformError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Platform(error) => error,
            Refusal::Unknown => Self::NotFound("provider"),
            Refusal::Unreachable(_) => Self::Elsewhere(refusal.to_string()),
            Refusal::Path => Self::Refused(refusal.to_string()),
            Refusal::Taken | Refusal::Full => Self::Conflict(refusal.to_string()),
            refusal => Self::Forbidden(refusal.to_string()),
        }
    }
}
