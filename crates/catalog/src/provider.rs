//! Who serves models, and in which dialects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use signalbox_core::TimeoutsRow;

use crate::{DataPolicy, Dialect};

/// How a dialect travels to a provider: authentication, URL shape, envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// `Authorization: Bearer <key>`.
    Bearer,
    /// The key in a header of its own.
    HeaderKey {
        /// The header's name, such as `x-api-key`.
        header: String,
    },
    /// The key in the query string.
    QueryKey {
        /// The parameter's name, such as `key`.
        parameter: String,
    },
    /// Azure's `api-key` header.
    Azure,
    /// Google Cloud's OAuth tokens.
    Vertex,
    /// AWS request signatures, or a bearer key of the same service.
    Sigv4,
    /// As `Sigv4`, around a body in another dialect.
    BedrockInvoke,
    /// No authentication: a server on the same machine.
    None,
}

impl Transport {
    /// The name in provider files.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::HeaderKey { .. } => "header-key",
            Self::QueryKey { .. } => "query-key",
            Self::Azure => "azure",
            Self::Vertex => "vertex",
            Self::Sigv4 => "sigv4",
            Self::BedrockInvoke => "bedrock-invoke",
            Self::None => "none",
        }
    }
}

/// How sure we are that a provider row works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verified {
    /// Taken over from a data set.
    #[default]
    None,
    /// Checked against the provider's public documentation.
    Docs,
    /// Checked against a recorded answer.
    Recording,
    /// Checked against the real service.
    Live,
}

/// Where a provider puts what the gateway watches for, as JSON pointers into a delta or an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Watch {
    /// Where reasoning text is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasoning: Vec<String>,
    /// Where an error is: an object or a text, or a number that is not zero.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub error: Vec<String>,
    /// Where counts are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<String>,
    /// Where a list of sources is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
}

/// One dialect that a provider speaks.
#[derive(Debug, Clone, PartialEq)]
pub struct Speaks {
    /// Which.
    pub dialect: Dialect,
    /// The path below the base URL; `None` is the dialect's default.
    pub path: Option<String>,
    /// The path for a streamed answer; `None` is the same path, or the dialect's default when there
    /// is no path either.
    pub stream_path: Option<String>,
    /// The path, streamed or not, when the provider has an `api_version`.
    pub versioned_path: Option<String>,
    /// Headers of every request, the dialect's own included: lower-case names to values.
    pub headers: BTreeMap<String, String>,
    /// How it travels.
    pub transport: Transport,
    /// Edits of the request body, as written in the row; the dialect crate reads and checks them.
    pub patches: Vec<Value>,
    /// What to watch for.
    pub watch: Watch,
}

impl Speaks {
    /// The path below the base URL, for an answer in one piece. May have placeholders and a query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or_else(|| self.dialect.default_path())
    }

    /// The path below the base URL for a streamed answer. May have placeholders and a query.
    #[must_use]
    pub fn stream_path(&self) -> &str {
        let own = self.stream_path.as_deref().or(self.path.as_deref());
        own.or_else(|| self.dialect.default_stream_path())
            .unwrap_or_else(|| self.dialect.default_path())
    }
}

/// Where customers' resources of one kind are: each at a host of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// The kind, as customers' credentials name it.
    pub kind: String,
    /// As a base URL, with `{resource}` for the name.
    pub base_url: String,
}

/// What stands for the name of a resource.
pub(crate) const RESOURCE: &str = "{resource}";

/// One provider: all that shared code may know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// The name in tags and in `provider.order`.
    pub slug: String,
    /// The public name, as in `provider_name`.
    pub name: String,
    /// The name for people.
    pub display_name: String,
    /// Where its API is, without a slash at the end; `None` must be configured. May have
    /// [placeholders](crate::placeholder::Placeholder).
    pub base_url: Option<String>,
    /// The region of endpoints that name none.
    pub region: Option<String>,
    /// Regions whose host is another than the base URL's: region to host.
    pub hosts: BTreeMap<String, String>,
    /// Where the resources of its customers are, by kind; the first is the usual kind.
    pub resources: Vec<Resource>,
    /// The cloud project, when it is not the credential's.
    pub project: Option<String>,
    /// The version of the API that addresses by `versioned_path` name; `None` uses the other paths.
    pub api_version: Option<String>,
    /// Usual names of environment variables that hold its key.
    pub key_env: Vec<String>,
    /// ISO country of its seat.
    pub headquarters: Option<String>,
    /// ISO countries of its data centres.
    pub datacenters: Vec<String>,
    /// Terms of service.
    pub terms_url: Option<String>,
    /// Privacy policy.
    pub privacy_url: Option<String>,
    /// Status page.
    pub status_page: Option<String>,
    /// What it does with prompts unless an endpoint says otherwise.
    pub data_policy: DataPolicy,
    /// Stops, and stops charging, when the connection is closed.
    pub can_abort: bool,
    /// Prompts must be moderated before they are sent.
    pub moderation_required: bool,
    /// Callers may bring their own key.
    pub byok: bool,
    /// Where the row's facts come from.
    pub source: String,
    /// How sure we are that the row works.
    pub verified: Verified,
    /// The times that differ from the process's.
    pub timeouts: TimeoutsRow,
    /// Its dialects; the first is the usual one. Empty when it has only a protocol of its own.
    pub speaks: Vec<Speaks>,
}

impl Provider {
    /// The base URL of a customer's resource, whose name must be one part of a host name; `None` when
    /// it has no resources of this kind.
    #[must_use]
    pub fn resource(&self, kind: Option<&str>, name: &str) -> Option<String> {
        let mut all = self.resources.iter();
        let found = match kind {
            None => all.next(),
            Some(kind) => all.find(|one| one.kind == kind),
        };
        found.map(|one| one.base_url.replace(RESOURCE, name))
    }

    /// How it speaks this dialect, if it does.
    #[must_use]
    pub fn in_dialect(&self, dialect: Dialect) -> Option<&Speaks> {
        self.speaks.iter().find(|one| one.dialect == dialect)
    }
}
