//! How a dialect travels to a provider: address and authentication, made once per provider.

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use signalbox_catalog::{Dialect, Provider, Transport};
use signalbox_core::Secret;

/// Where to send a request and with which headers. Its debug output shows no credential.
#[derive(Debug, Clone)]
pub struct Target {
    /// The whole address.
    pub uri: Uri,
    /// Every header; the one with the credential is marked sensitive.
    pub headers: HeaderMap,
}

/// Why a provider row can't be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The row has no base URL and the configuration gives none.
    #[error("provider {0} has no base URL")]
    NoBaseUrl(String),
    /// The base URL or path is no address.
    #[error("provider {0}: the base URL is not an address")]
    BadUrl(String),
    /// The provider needs a credential and there is none.
    #[error("provider {0} has no credential")]
    NoCredential(String),
    /// The credential can't be sent in a header.
    #[error("provider {0}: the credential has characters that no header may have")]
    BadCredential(String),
    /// The row does not speak this dialect, or by a transport that is not built yet.
    #[error("provider {0} can't be called in this dialect")]
    NotSpoken(String),
}

impl Target {
    /// An address without authentication, such as a local server's list of models.
    ///
    /// # Errors
    /// [`TransportError::BadUrl`].
    pub fn plain(url: &str) -> Result<Self, TransportError> {
        let uri = url.parse().map_err(|_| TransportError::BadUrl(url.to_owned()))?;
        Ok(Self { uri, headers: HeaderMap::new() })
    }

    /// The target of a provider for one dialect.
    ///
    /// # Errors
    /// See [`TransportError`].
    pub fn new(
        provider: &Provider,
        dialect: Dialect,
        key: Option<&Secret<String>>,
    ) -> Result<Self, TransportError> {
        let slug = || provider.slug.clone();
        let speaks = provider
            .speaks
            .iter()
            .find(|speaks| speaks.dialect == dialect)
            .ok_or_else(|| TransportError::NotSpoken(slug()))?;
        let base = provider.base_url.as_deref().ok_or_else(|| TransportError::NoBaseUrl(slug()))?;
        let uri: Uri = format!("{}{}", base.trim_end_matches('/'), speaks.path())
            .parse()
            .map_err(|_| TransportError::BadUrl(slug()))?;
        if uri.authority().is_none() || !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(TransportError::BadUrl(slug()));
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("signalbox"));
        authenticate(&mut headers, &speaks.transport, provider, key)?;
        Ok(Self { uri, headers })
    }
}

fn authenticate(
    headers: &mut HeaderMap,
    transport: &Transport,
    provider: &Provider,
    key: Option<&Secret<String>>,
) -> Result<(), TransportError> {
    let slug = || provider.slug.clone();
    if *transport == Transport::None {
        return Ok(());
    }
    let key = key.ok_or_else(|| TransportError::NoCredential(slug()))?;
    let sensitive = |text: &str| {
        let mut value =
            HeaderValue::from_str(text).map_err(|_| TransportError::BadCredential(slug()))?;
        value.set_sensitive(true);
        Ok(value)
    };
    match transport {
        Transport::Bearer => {
            let value = sensitive(&format!("Bearer {}", key.expose()))?;
            headers.insert(header::AUTHORIZATION, value);
        }
        Transport::HeaderKey { header } => {
            let name = HeaderName::try_from(header.as_str())
                .map_err(|_| TransportError::NotSpoken(slug()))?;
            headers.insert(name, sensitive(key.expose())?);
        }
        _ => return Err(TransportError::NotSpoken(slug())),
    }
    Ok(())
}
