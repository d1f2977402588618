//! Small documents of identity providers: bounded, in time, without redirects.

use std::time::Duration;

use signalbox_core::Secret;
use signalbox_upstream::{Client, Document, Method, Service};

use super::Trouble;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

const NO_ADDRESS: Trouble = Trouble::Unreachable("its address may not be called");

/// How a client proves itself.
#[derive(Debug, Clone, Copy)]
pub(super) enum Proof<'a> {
    /// It does not.
    None,
    /// By the token that it was given for a person.
    Bearer(&'a Secret<String>),
    /// By its name and its secret.
    Basic(&'a str, &'a Secret<String>),
}

/// The way to identity providers.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    client: Client,
    /// Whether addresses are tenants' words, so that none may lead into the operator's own network.
    for_tenants: bool,
}

/// Whether this looks like a host on the internet: `https` at its own port, and a name.
fn is_public(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let last = host.rsplit('.').next().unwrap_or_default();
    let named = host.contains('.') && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    named && !last.is_empty() && !["local", "internal", "localhost"].contains(&last)
}

/// An address and its query, with the question mark.
fn split(url: &str) -> (&str, &str) {
    url.find('?').map_or((url, ""), |at| url.split_at(at))
}

impl Outside {
    /// To where the operator says.
    pub fn for_operator() -> Self {
        Self { client: Client::new(), for_tenants: false }
    }

    /// To where tenants say.
    pub fn for_tenants(&self) -> Self {
        Self { client: self.client.clone(), for_tenants: true }
    }

    /// Whether this is an address that is called at all: `https`, or `http` on this machine, with
    /// neither credentials nor a fragment.
    pub fn may_call(url: &str) -> bool {
        let plain =
            url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#' && byte != b'\\');
        plain && Service::new(&Client::new(), split(url).0, PATIENCE).is_ok()
    }

    async fn ask(
        &self,
        method: Method,
        url: &str,
        proof: Proof<'_>,
        form: Option<Document>,
    ) -> Result<Told, Trouble> {
        if self.for_tenants && !is_public(url) {
            return Err(NO_ADDRESS);
        }
        let (base, query) = split(url);
        let service = Service::new(&self.client, base, PATIENCE).map_err(|_| NO_ADDRESS)?;
        let service = match proof {
            Proof::None => Ok(service),
            Proof::Bearer(token) => service.with_bearer(token),
            Proof::Basic(name, secret) => service.with_basic(name, secret),
        };
        let service = service.map_err(|_| NO_ADDRESS)?;
        let service = service.with("accept", "application/json").with("user-agent", "signalbox");
        let told = service.call(method, query, form, None).await;
        let told = told.map_err(|_| Trouble::Unreachable("it does not answer"))?;
        Ok(Told { status: told.status, body: told.body.to_vec() })
    }

    /// A document.
    pub(super) async fn get(&self, url: &str, proof: Proof<'_>) -> Result<Vec<u8>, Trouble> {
        let told = self.ask(Method::GET, url, proof, None).await?;
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
        let form = Document::form(form.iter().copied());
        self.ask(Method::POST, url, proof, Some(form)).await
    }
}

/// An answer.
pub(super) struct Told {
    pub status: u16,
    pub body: Vec<u8>,
}
