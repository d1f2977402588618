//! How a dialect travels to a provider: address, headers and authentication. What no call changes
//! is made once.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use signalbox_catalog::{Dialect, Provider, Speaks, Transport};
use signalbox_core::{Secret, Timestamp};

use crate::address::{Address, AddressError, Fillings, Known, Line, encode};
use crate::client::CallError;
use crate::credential::{Credential, Kind, Part, Place, SigningKeys};
use crate::sigv4;
use crate::token::TokenSource;

/// The one service whose requests are signed.
const SIGNED_SERVICE: &str = "bedrock";

/// Where requests of one dialect go at one provider, and what makes them welcome there. Its debug
/// output shows no credential.
#[derive(Clone)]
pub struct Target {
    whole: Address,
    stream: Address,
    /// The headers that no call changes; the one with the credential is marked sensitive.
    headers: HeaderMap,
    /// Headers that depend on the call.
    written: Vec<(HeaderName, Line)>,
    /// What each call has to be signed with.
    signing: Option<SigningKeys>,
    /// Where each call's access token comes from.
    pub(crate) tokens: Option<Arc<TokenSource>>,
    /// The region of calls that name none; the one of all calls with a tenant's credential.
    region: Option<String>,
    /// Whether calls go to that region whatever the endpoint's is.
    is_placed: bool,
    /// Who says where it leads.
    pub(crate) origin: Origin,
    /// The id of the model, where it is not the catalogue's.
    model: Option<String>,
    /// For debug output: the base URL as the row has it, and the transport.
    shown: (String, &'static str),
}

/// Who says where a target leads, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The operator: row and credential.
    Row,
    /// The operator's row with a tenant's credential.
    Credential,
    /// A tenant: address and credential.
    Tenant,
}

/// One request to a provider.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// The provider's id of the model, for addresses that have it.
    pub model: &'a str,
    /// The endpoint's region; `None` is the credential's or the provider's.
    pub region: Option<&'a str>,
    /// Whether the answer is to come in pieces.
    pub stream: bool,
    /// Further headers. They replace those of the same name, but never a credential.
    pub headers: &'a HeaderMap,
    /// The body, as the dialect has it, in pieces.
    pub body: Vec<Bytes>,
    /// The time of day, for what is signed and what expires.
    pub now: Timestamp,
}

/// Why a provider row can't be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The row has no base URL and the configuration gives none.
    #[error("provider {0} has no base URL")]
    NoBaseUrl(String),
    /// Base URL and path give no address.
    #[error("provider {0}: {1}")]
    BadUrl(String, AddressError),
    /// The provider needs a credential and there is none.
    #[error("provider {0} has no credential")]
    NoCredential(String),
    /// The credential is of a kind that the transport has no use for.
    #[error("provider {0}: the credential is of another kind than its transport {1} needs")]
    BadCredential(String, &'static str),
    /// A header of the row can't be sent.
    #[error("provider {0}: the header {1} can't be sent")]
    BadHeader(String, String),
    /// The provider has no host for such a resource.
    #[error("the provider has no host for such a resource")]
    BadResource,
    /// The row does not speak this dialect, or by a transport that is not built yet.
    #[error("provider {0} can't be called in this dialect")]
    NotSpoken(String),
}

/// What is sent, but for the body.
pub(crate) struct Prepared<'a> {
    pub uri: Cow<'a, Uri>,
    pub headers: Cow<'a, HeaderMap>,
}

impl Target {
    /// An address without authentication, such as a local server's list of models.
    ///
    /// # Errors
    /// [`TransportError::BadUrl`].
    pub fn plain(url: &str) -> Result<Self, TransportError> {
        let bad = |_| TransportError::BadUrl(url.to_owned(), AddressError::Malformed);
        let address = Address::Fixed(url.parse().map_err(bad)?);
        Ok(Self {
            whole: address.clone(),
            stream: address,
            headers: HeaderMap::new(),
            written: Vec::new(),
            signing: None,
            tokens: None,
            region: None,
            is_placed: false,
            origin: Origin::Row,
            model: None,
            shown: (url.to_owned(), Transport::None.name()),
        })
    }

    /// The target of a provider for one dialect.
    ///
    /// # Errors
    /// See [`TransportError`].
    pub fn new(
        provider: &Provider,
        dialect: Dialect,
        credential: Option<&Credential>,
    ) -> Result<Self, TransportError> {
        let slug = || provider.slug.clone();
        let speaks =
            provider.in_dialect(dialect).ok_or_else(|| TransportError::NotSpoken(slug()))?;
        let base = provider.base_url.as_deref().ok_or_else(|| TransportError::NoBaseUrl(slug()))?;
        let project = credential.and_then(|one| one.project.as_deref());
        let known = Known {
            project: provider.project.as_deref().or(project),
            api_version: provider.api_version.as_deref(),
        };
        Self::made(provider, speaks, base, &known, credential)
    }

    /// The target of a provider for one dialect with part of a caller's own credential. It brings its
    /// project and region, which are called wherever the endpoint is, and may bring the address.
    ///
    /// # Errors
    /// See [`TransportError`].
    pub fn own(
        provider: &Provider,
        dialect: Dialect,
        credential: &Credential,
        part: Part,
    ) -> Result<Self, TransportError> {
        let slug = || provider.slug.clone();
        let speaks =
            provider.in_dialect(dialect).ok_or_else(|| TransportError::NotSpoken(slug()))?;
        let unversioned = Known { project: None, api_version: None };
        let made = match credential.entry(part).map(|entry| (entry, &entry.place)) {
            None => {
                let base = provider.base_url.as_deref();
                let base = base.ok_or_else(|| TransportError::NoBaseUrl(slug()))?;
                let project = credential.project.as_deref().or(provider.project.as_deref());
                let known = Known { project, api_version: provider.api_version.as_deref() };
                Self::made(provider, speaks, base, &known, Some(credential))?
            }
            Some((entry, Place::Resource { name, kind })) => {
                let base = provider.resource(kind.as_deref(), name);
                let base = base.ok_or(TransportError::BadResource)?;
                let alone = Credential::alone(entry);
                Self::made(provider, speaks, &base, &unversioned, Some(&alone))?
            }
            Some((entry, Place::Deployment { address, model, .. })) => {
                if dialect != Dialect::OpenaiChat {
                    return Err(TransportError::NotSpoken(slug()));
                }
                let there = Address::Fixed(address.uri().clone());
                let alone = Credential::alone(entry);
                let made =
                    Self::to(provider, speaks, [there.clone(), there], &unversioned, &alone)?;
                let (origin, model) = (Origin::Tenant, Some(model.clone()));
                return Ok(Self { origin, model, ..made });
            }
        };
        let is_placed = credential.region.is_some();
        Ok(Self { origin: Origin::Credential, is_placed, ..made })
    }

    /// The provider's id of the model: the catalogue's, unless the target knows another one.
    #[must_use]
    pub fn model<'a>(&'a self, catalogued: &'a str) -> &'a str {
        self.model.as_deref().unwrap_or(catalogued)
    }

    fn made(
        provider: &Provider,
        speaks: &Speaks,
        base: &str,
        known: &Known<'_>,
        credential: Option<&Credential>,
    ) -> Result<Self, TransportError> {
        let access = Access::new(provider, &speaks.transport, credential)?;
        let address = |path: &str| {
            Address::read(provider, base, path, known, access.query.as_deref())
                .map_err(|error| TransportError::BadUrl(provider.slug.clone(), error))
        };
        let versioned = speaks.versioned_path.as_deref().filter(|_| known.api_version.is_some());
        let whole = address(versioned.unwrap_or_else(|| speaks.path()))?;
        let stream = address(versioned.unwrap_or_else(|| speaks.stream_path()))?;
        let region = credential.and_then(|one| one.region.clone()).or(provider.region.clone());
        Self::complete(provider, speaks, [whole, stream], known, access, (region, base))
    }

    /// To addresses that are there already.
    fn to(
        provider: &Provider,
        speaks: &Speaks,
        addresses: [Address; 2],
        known: &Known<'_>,
        credential: &Credential,
    ) -> Result<Self, TransportError> {
        let access = Access::new(provider, &speaks.transport, Some(credential))?;
        Self::complete(provider, speaks, addresses, known, access, (None, "a tenant's"))
    }

    fn complete(
        provider: &Provider,
        speaks: &Speaks,
        [whole, stream]: [Address; 2],
        known: &Known<'_>,
        access: Access,
        (region, base): (Option<String>, &str),
    ) -> Result<Self, TransportError> {
        let (mut headers, written) = row_headers(provider, speaks, known)?;
        if let Some((name, value)) = access.header {
            headers.insert(name, value);
        }
        // Else the client would write it anew for each call.
        if let Some(host) = host_of(&whole).filter(|host| Some(host) == host_of(&stream).as_ref()) {
            headers.insert(header::HOST, host);
        }
        Ok(Self {
            whole,
            stream,
            headers,
            written,
            signing: access.signing,
            tokens: access.tokens,
            region,
            is_placed: false,
            origin: Origin::Row,
            model: None,
            shown: (base.to_owned(), speaks.transport.name()),
        })
    }

    /// What is sent for a call.
    pub(crate) fn prepare<'a>(&'a self, call: &Call<'a>) -> Result<Prepared<'a>, CallError> {
        let own = self.region.as_deref();
        let region = if self.is_placed { own } else { call.region.or(own) };
        let values = Fillings { model: call.model, region };
        let address = if call.stream { &self.stream } else { &self.whole };
        let uri = match address {
            Address::Fixed(uri) => Cow::Borrowed(uri),
            Address::Written(template) => {
                Cow::Owned(template.fill(values).map_err(CallError::Address)?)
            }
        };
        let mut headers = Cow::Borrowed(&self.headers);
        for (name, line) in &self.written {
            let mut value = String::new();
            line.fill(values, &mut value).map_err(CallError::Address)?;
            let value = HeaderValue::try_from(value);
            let value = value.map_err(|_| CallError::Address(AddressError::Malformed))?;
            headers.to_mut().insert(name.clone(), value);
        }
        if !call.headers.is_empty() {
            merge(headers.to_mut(), call.headers);
        }
        if let Some(keys) = &self.signing {
            let region = values.region().map_err(CallError::Address)?;
            let scope = sigv4::Scope { region, service: SIGNED_SERVICE, now: call.now };
            sigv4::sign(keys, scope, &uri, headers.to_mut(), &call.body)
                .ok_or(CallError::Address(AddressError::Malformed))?;
        }
        Ok(Prepared { uri, headers })
    }

    /// What is sent for a call, for eyes: its address, and its headers without a secret.
    ///
    /// # Errors
    /// As [`crate::Client::post`] before it sends anything.
    pub fn shown(&self, call: &Call<'_>) -> Result<(String, Vec<(String, String)>), CallError> {
        let prepared = self.prepare(call)?;
        let mut shown = Vec::new();
        for (name, value) in prepared.headers.iter().filter(|(name, _)| *name != header::HOST) {
            let text = if value.is_sensitive() { "***" } else { value.to_str().unwrap_or("?") };
            shown.push((name.as_str().to_owned(), text.to_owned()));
        }
        if self.tokens.is_some() {
            shown.push((header::AUTHORIZATION.as_str().to_owned(), "***".to_owned()));
        }
        shown.sort();
        Ok((prepared.uri.to_string(), shown))
    }

    /// The address and headers of a request that is no call.
    pub(crate) fn bare(&self) -> Option<(&Uri, &HeaderMap)> {
        match &self.whole {
            Address::Fixed(uri) => Some((uri, &self.headers)),
            Address::Written(_) => None,
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (base, transport) = &self.shown;
        f.debug_struct("Target")
            .field("base_url", base)
            .field("transport", transport)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// The `host` header of an address that no call changes.
fn host_of(address: &Address) -> Option<HeaderValue> {
    match address {
        Address::Fixed(uri) => HeaderValue::try_from(sigv4::host(uri)?).ok(),
        Address::Written(_) => None,
    }
}

/// Puts a call's headers over the target's; a credential stays.
fn merge(headers: &mut HeaderMap, further: &HeaderMap) {
    for name in further.keys() {
        if headers.get(name).is_some_and(HeaderValue::is_sensitive) {
            continue;
        }
        headers.remove(name);
        for value in further.get_all(name) {
            headers.append(name.clone(), value.clone());
        }
    }
}

type RowHeaders = (HeaderMap, Vec<(HeaderName, Line)>);

/// The headers of a row: those that are always the same, and those that a call fills in.
fn row_headers(
    provider: &Provider,
    speaks: &Speaks,
    known: &Known<'_>,
) -> Result<RowHeaders, TransportError> {
    let mut headers = HeaderMap::new();
    let mut written = Vec::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("signalbox"));
    for (name, value) in &speaks.headers {
        let bad = || TransportError::BadHeader(provider.slug.clone(), name.clone());
        let name = HeaderName::try_from(name.as_str()).map_err(|_| bad())?;
        let line = Line::read(value, known)
            .map_err(|error| TransportError::BadUrl(provider.slug.clone(), error))?;
        if line.is_fixed() {
            let mut value = String::new();
            let nothing = Fillings { model: "", region: None };
            line.fill(nothing, &mut value).map_err(|_| bad())?;
            headers.insert(name, HeaderValue::try_from(value).map_err(|_| bad())?);
        } else {
            written.push((name, line));
        }
    }
    Ok((headers, written))
}

/// What a credential becomes when a target is made.
#[derive(Default)]
struct Access {
    header: Option<(HeaderName, HeaderValue)>,
    query: Option<String>,
    signing: Option<SigningKeys>,
    tokens: Option<Arc<TokenSource>>,
}

impl Access {
    fn new(
        provider: &Provider,
        transport: &Transport,
        credential: Option<&Credential>,
    ) -> Result<Self, TransportError> {
        let slug = || provider.slug.clone();
        if *transport == Transport::None {
            return Ok(Self::default());
        }
        let credential = credential.ok_or_else(|| TransportError::NoCredential(slug()))?;
        let other = || TransportError::BadCredential(slug(), transport.name());
        let key = match (&credential.kind, transport) {
            (Kind::Key(key), _) => key,
            (Kind::Signing(keys), Transport::Sigv4 | Transport::BedrockInvoke) => {
                return Ok(Self { signing: Some(keys.clone()), ..Self::default() });
            }
            (Kind::Tokens(source), Transport::Vertex | Transport::Bearer) => {
                return Ok(Self { tokens: Some(Arc::clone(source)), ..Self::default() });
            }
            _ => return Err(other()),
        };
        let header = |name: HeaderName, prefix: &str| {
            let value = sensitive(prefix, key).ok_or_else(other)?;
            Ok(Self { header: Some((name, value)), ..Self::default() })
        };
        match transport {
            // A key of the signed service, or a token of the cloud, goes where all tokens go.
            Transport::Bearer | Transport::Sigv4 | Transport::BedrockInvoke | Transport::Vertex => {
                header(header::AUTHORIZATION, "Bearer ")
            }
            Transport::HeaderKey { header: name } => {
                let name = HeaderName::try_from(name.as_str());
                header(name.map_err(|_| TransportError::NotSpoken(slug()))?, "")
            }
            Transport::Azure => header(HeaderName::from_static("api-key"), ""),
            Transport::QueryKey { parameter } => {
                let mut query = format!("{parameter}=");
                encode(key.expose(), &mut query);
                Ok(Self { query: Some(query), ..Self::default() })
            }
            Transport::None => Ok(Self::default()),
        }
    }
}

fn sensitive(prefix: &str, key: &Secret<String>) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("{prefix}{}", key.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}
