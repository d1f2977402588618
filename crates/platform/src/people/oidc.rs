//! OpenID Connect as a relying party: the code flow with PKCE, and nothing else of it (OpenID Connect Core
//! 1.0, Discovery 1.0, RFC 7636, RFC 9207). One way to sign in by plain OAuth 2.0 is here too, for
//! services that have no ID tokens.

mod claims;
mod idp;
mod jws;
mod metadata;
mod outside;
mod profile;

pub use idp::{Idp, Vouched};
pub(crate) use idp::{Known, Return};
pub(crate) use outside::Outside;

use std::fmt;

use signalbox_core::Secret;

/// Where a person of a service without ID tokens is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainEndpoints {
    /// Where people agree.
    pub authorization: String,
    /// Where codes become tokens.
    pub token: String,
    /// Who the person is: a JSON object with `id`.
    pub user: String,
    /// The person's addresses: a JSON array of `email`, `primary`, `verified`.
    pub emails: String,
}

/// How an identity provider is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// OpenID Connect; its endpoints are at `<issuer>/.well-known/openid-configuration`.
    Oidc,
    /// Plain OAuth 2.0 with fixed endpoints.
    Plain(PlainEndpoints),
}

/// An identity provider that the operator configured.
#[derive(Clone, PartialEq, Eq)]
pub struct Provider {
    /// What it is called in addresses: letters, digits, `-`.
    pub id: String,
    /// What people know it as.
    pub name: String,
    /// The issuer, as its metadata spell it.
    pub issuer: String,
    /// Who this installation is there.
    pub client_id: String,
    /// Its secret; a public client has none.
    pub client_secret: Option<Secret<String>>,
    /// What is asked for.
    pub scopes: String,
    /// How it is spoken to.
    pub manner: Manner,
}

impl Provider {
    /// Whether an issuer may be at this address: `https`, or `http` on this machine.
    #[must_use]
    pub fn may_be_at(address: &str) -> bool {
        Outside::may_call(address) && !address.contains('?')
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("id", &self.id).field("issuer", &self.issuer).finish()
    }
}

/// What goes wrong between here and an identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It did not answer, or answered what it may not.
    #[error("{0}")]
    Unreachable(&'static str),
    /// Its word is no good.
    #[error("{0}")]
    Token(&'static str),
}
