//! `/api/v1/session/providers` and `/identities`: signing in elsewhere.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_core::Timestamp;
use signalbox_store::IdentityRecord;

/// `GET /session/providers`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct WaysAsked {
    /// An address, or its domain: then single sign-on is looked for.
    pub email: Option<String>,
}

/// A way to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WayIn {
    /// What it is called in addresses.
    pub id: String,
    /// What people know it as.
    pub name: String,
    /// `provider`, or `sso` when it is the only way.
    pub kind: &'static str,
    /// Where a browser goes to begin.
    pub url: String,
}

impl WayIn {
    pub(crate) fn new(id: &str, name: &str, kind: &'static str) -> Self {
        let url = format!("/api/v1/session/begin/{id}");
        Self { id: id.to_owned(), name: name.to_owned(), kind, url }
    }
}

/// `GET /session/begin/{source}`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct BeginAsked {
    /// The path to come back to.
    pub return_to: Option<String>,
}

/// `POST /session/sign-in/code`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorCode {
    /// A code of the second factor, or a recovery code.
    pub code: String,
}

/// `POST /session/identities`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkWish {
    /// The provider.
    pub provider: String,
    /// The path to come back to.
    pub return_to: Option<String>,
}

/// Where a browser has to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Away {
    /// There.
    pub url: String,
}

/// An identity of the person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IdentityObject {
    /// Its id.
    pub id: String,
    /// The provider's id, or a domain with single sign-on.
    pub provider: String,
    /// The address there.
    pub email: Option<String>,
    /// When it was linked.
    pub created_at: String,
    /// When it was used last.
    pub used_at: String,
}

impl From<IdentityRecord> for IdentityObject {
    fn from(record: IdentityRecord) -> Self {
        Self {
            id: record.id,
            provider: record.provider,
            email: record.email,
            created_at: Timestamp::to_rfc3339(record.created_at),
            used_at: Timestamp::to_rfc3339(record.used_at),
        }
    }
}
