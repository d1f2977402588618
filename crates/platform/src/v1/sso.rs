//! `/api/v1/session/organizations/{organization_id}/sso`: what an admin of an organization sees of its
//! connections to identity providers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_core::Timestamp;
use signalbox_store::{SsoConnection, SsoOrigin, SsoStatus};

use super::given;

/// The label in front of the domain whose TXT record is looked at.
pub(crate) const LABEL: &str = "_signalbox";

/// `POST …/sso/connections`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionWish {
    /// The domain of the addresses.
    pub domain: String,
}

/// `PATCH …/sso/connections/{connection_id}`. What is absent stays.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionEdit {
    /// The issuer of the identity provider.
    pub issuer: Option<String>,
    /// Who this installation is there.
    pub client_id: Option<String>,
    /// Its secret there; null for a public client.
    #[serde(default, deserialize_with = "given")]
    pub client_secret: Option<Option<String>>,
    /// `active` or `disabled`.
    pub status: Option<WantedStatus>,
}

/// What an admin may make of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WantedStatus {
    /// In use from now on.
    Active,
    /// Out of use.
    Disabled,
}

/// `POST …/sso/connections/{connection_id}/test`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestWish {
    /// The path to come back to.
    pub return_to: Option<String>,
}

/// The record that a domain has to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DnsRecord {
    /// `TXT`
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The whole name.
    pub name: String,
    /// The name as registrars want it that append the domain by themselves.
    pub host: &'static str,
    /// What it says.
    pub value: String,
}

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConnectionObject {
    /// Its id.
    pub id: String,
    /// The domain of the addresses.
    pub domain: String,
    /// Who set it up.
    pub origin: SsoOrigin,
    /// Whether it is in use.
    pub status: SsoStatus,
    /// What proves the domain.
    pub dns: DnsRecord,
    /// When it was proven.
    pub verified_at: Option<String>,
    /// The issuer of the identity provider.
    pub issuer: Option<String>,
    /// Who this installation is there.
    pub client_id: Option<String>,
    /// Whether it has a secret there.
    pub has_client_secret: bool,
    /// What the identity provider has to know as the place to come back to.
    pub redirect_uri: String,
    /// When somebody came back from the identity provider as it is set up now.
    pub tested_at: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// When it was changed last.
    pub updated_at: String,
}

impl ConnectionObject {
    pub(crate) fn new(one: SsoConnection, redirect_uri: String) -> Self {
        let shown = |time: Option<Timestamp>| time.map(Timestamp::to_rfc3339);
        Self {
            dns: DnsRecord {
                kind: "TXT",
                name: format!("{LABEL}.{}", one.domain),
                host: LABEL,
                value: one.dns_token,
            },
            id: one.id,
            domain: one.domain,
            origin: one.origin,
            status: one.status,
            verified_at: shown(one.verified_at),
            issuer: one.issuer,
            client_id: one.client_id,
            has_client_secret: one.secret_version.is_some(),
            redirect_uri,
            tested_at: shown(one.tested_at),
            created_at: one.created_at.to_rfc3339(),
            updated_at: one.updated_at.to_rfc3339(),
        }
    }
}

/// `GET …/sso`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SsoObject {
    /// Since when single sign-on can be set up; nothing else follows from it.
    pub enabled_at: Option<String>,
    /// The connections, by their domains.
    pub connections: Vec<ConnectionObject>,
}

/// A connection as the command line prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorConnection {
    /// Its id.
    pub id: String,
    /// Of which organization.
    pub organization_id: String,
    /// The domain of the addresses.
    pub domain: String,
    /// Who set it up.
    pub origin: SsoOrigin,
    /// Whether it is in use.
    pub status: SsoStatus,
    /// The issuer of the identity provider.
    pub issuer: Option<String>,
    /// Who this installation is there.
    pub client_id: Option<String>,
    /// What the identity provider has to know as the place to come back to, below the public URL.
    pub callback_path: String,
}

impl From<SsoConnection> for OperatorConnection {
    fn from(one: SsoConnection) -> Self {
        Self {
            callback_path: format!("/api/v1/session/callback/{}", one.id),
            id: one.id,
            organization_id: one.account.to_string(),
            domain: one.domain,
            origin: one.origin,
            status: one.status,
            issuer: one.issuer,
            client_id: one.client_id,
        }
    }
}
