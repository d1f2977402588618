//! Small documents of identity providers: bounded, in time, without redirects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use signalbox_core::Secret;
use signalbox_upstream::service::encoded;
use signalbox_upstream::{
    Client, Fetch, Guarded, HeaderMap, HeaderValue, Method, Net, Reach, WebAddress,
};

use super::Trouble;

const NO_ADDRESS: Trouble = Trouble::Unreachable("its address may not be called");

/// How a client proves itself.
#[derive(Debug, Clone, Copy)]
pub(super) enum Proof<'a> {
    /// It does not.
    None,
    /// By the token that it was given for a person.
    Bearer(&'a Secret<String>),
    /// By its name and its secret, both in the form of a URL (RFC 6749, section 2.3.1).
    Basic(&'a str, &'a Secret<String>),
}

impl Proof<'_> {
    fn header(self) -> Option<Secret<String>> {
        match self {
            Self::None => None,
            Self::Bearer(token) => Some(Secret::new(format!("Bearer {}", token.expose()))),
            Self::Basic(name, secret) => {
                let pair = format!("{}:{}", encoded(name), encoded(secret.expose()));
                Some(Secret::new(format!("Basic {}", STANDARD.encode(pair))))
            }
        }
    }
}

/// The way to identity providers.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    client: Guarded,
}

/// An answer, whatever its status.
pub(super) struct Told {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Outside {
    /// To where the operator says, which may be anywhere.
    pub fn for_operator() -> Self {
        let all: Vec<Net> =
            ["0.0.0.0/0", "::/0"].iter().filter_map(|net| net.parse().ok()).collect();
        Self::within(Reach::also(all))
    }

    /// To where tenants say, as far as that is within reach.
    pub fn within(reach: Reach) -> Self {
        Self { client: Guarded::new(Client::reaching(reach)) }
    }

    /// Whether this is an address that is called at all: `https`, or `http` on this machine, with
    /// neither credentials nor a fragment.
    pub fn may_call(url: &str) -> bool {
        let Ok(address) = WebAddress::parse(url) else { return false };
        let host = address.uri().host().unwrap_or_default();
        address.is_encrypted() || matches!(host, "127.0.0.1" | "localhost" | "[::1]")
    }

    async fn ask(&self, proof: Proof<'_>, mut fetch: Fetch<'_>) -> Result<Told, Trouble> {
        if !Self::may_call(fetch.address) {
            return Err(NO_ADDRESS);
        }
        let headers = &mut fetch.headers;
        headers.insert("accept", HeaderValue::from_static("application/json"));
        headers.insert("user-agent", HeaderValue::from_static("signalbox"));
        if let Some(proof) = proof.header() {
            let odd = |_| Trouble::Token("what it gave can't be shown to it");
            let mut value = HeaderValue::try_from(proof.expose().as_str()).map_err(odd)?;
            value.set_sensitive(true);
            headers.insert("authorization", value);
        }
        let told = self.client.fetch(fetch).await;
        let told = told.map_err(|_| Trouble::Unreachable("it does not answer"))?;
        Ok(Told { status: told.status, body: told.body.to_vec() })
    }

    /// A document.
    pub(super) async fn get(&self, url: &str, proof: Proof<'_>) -> Result<Vec<u8>, Trouble> {
        let told = self.ask(proof, Fetch::get(url)).await?;
        if told.status != 200 {
            return Err(Trouble::Unreachable("it answered with an error"));
        }
        Ok(told.body)
    }

    /// What a form is answered with, whatever the status says.
    pub(super) async fn post(
        &self,
        url: &str,
        proof: Proof<'_>,
        form: &[(&str, &str)],
    ) -> Result<Told, Trouble> {
        let fields = form.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let body = fields.collect::<Vec<_>>().join("&");
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert("content-type", kind);
        let fetch = Fetch { method: Method::POST, headers, body: body.into(), ..Fetch::get(url) };
        self.ask(proof, fetch).await
    }
}
