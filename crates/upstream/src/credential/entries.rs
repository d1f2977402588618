//! A list of what somebody has in a cloud: resources, which serve many models at a host of their own,
//! and deployments, each of one model at an address of its own (platform spec 5.4).

use std::sync::Arc;

use serde::Deserialize;
use signalbox_catalog::Dialect;
use signalbox_core::Secret;

use super::{Credential, CredentialError, Kind, key};
use crate::web_address::WebAddress;

/// Most entries of a list, as of the other lists of a key.
const MOST: usize = 100;
/// Longest name of a resource, model or deployment.
const MAX_NAME: usize = 200;

/// One of a list.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub key: Secret<String>,
    pub place: Place,
}

/// Where an entry leads.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// To the host of a resource; the provider's row has the hosts by the kind of resource.
    Resource { name: String, kind: Option<String> },
    /// To one deployment of one model, in the dialect of chats.
    Deployment { slug: String, address: Box<WebAddress>, model: String },
}

/// The part of a credential that a call is made with: the one there is, or one of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part(pub(super) Option<usize>);

#[derive(Deserialize)]
struct Written {
    api_key: String,
    resource_name: Option<String>,
    resource_type: Option<String>,
    model_slug: Option<String>,
    endpoint_url: Option<String>,
    model_id: Option<String>,
}

pub(super) fn read(text: &str) -> Result<Arc<[Entry]>, CredentialError> {
    let written: Vec<Written> = serde_json::from_str(text).map_err(|_| CredentialError::Entries)?;
    if !(1..=MOST).contains(&written.len()) {
        return Err(CredentialError::Entries);
    }
    written.into_iter().map(entry).collect()
}

fn entry(written: Written) -> Result<Entry, CredentialError> {
    let named = |text: String| {
        let fine = !text.is_empty() && text.len() <= MAX_NAME && !text.contains(char::is_control);
        fine.then_some(text).ok_or(CredentialError::Entries)
    };
    let place = match written {
        Written { resource_name: Some(name), resource_type: kind, .. } => {
            if !is_label(&name) {
                return Err(CredentialError::ResourceName);
            }
            Place::Resource { name, kind }
        }
        Written {
            model_slug: Some(slug), endpoint_url: Some(url), model_id: Some(model), ..
        } => {
            let address = WebAddress::parse(&url).map_err(CredentialError::Url)?;
            let (slug, model) = (named(slug)?, named(model)?);
            Place::Deployment { slug, address: Box::new(address), model }
        }
        _ => return Err(CredentialError::Entries),
    };
    Ok(Entry { key: key(&written.api_key)?, place })
}

/// Whether a text is one part of a host name.
pub(super) fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-')
}

impl Credential {
    /// The region that comes with it.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Whether it brings the address of the service.
    #[must_use]
    pub const fn is_addressed(&self) -> bool {
        matches!(self.kind, Kind::Entries(_))
    }

    /// The models that it is for, when it has nothing but deployments; `None` is any.
    #[must_use]
    pub fn deployed(&self) -> Option<Vec<String>> {
        let Kind::Entries(entries) = &self.kind else { return None };
        let slug = |entry: &Entry| match &entry.place {
            Place::Resource { .. } => None,
            Place::Deployment { slug, .. } => Some(slug.clone()),
        };
        entries.iter().map(slug).collect()
    }

    /// The part for a model that `names` knows by its slug: a deployment of it before a resource.
    ///
    /// # Errors
    /// [`CredentialError::NoEntry`].
    pub fn part(
        &self,
        dialect: Dialect,
        names: &dyn Fn(&str) -> bool,
    ) -> Result<Part, CredentialError> {
        let Kind::Entries(entries) = &self.kind else { return Ok(Part(None)) };
        let deployed = |entry: &Entry| match &entry.place {
            Place::Deployment { slug, .. } => dialect == Dialect::OpenaiChat && names(slug),
            Place::Resource { .. } => false,
        };
        let shared = |entry: &Entry| matches!(entry.place, Place::Resource { .. });
        let found = entries.iter().position(deployed).or_else(|| entries.iter().position(shared));
        found.map(|at| Part(Some(at))).ok_or(CredentialError::NoEntry)
    }

    /// The entry of a part.
    pub(crate) fn entry(&self, part: Part) -> Option<&Entry> {
        match &self.kind {
            Kind::Entries(entries) => entries.get(part.0?),
            _ => None,
        }
    }

    /// The same as a credential of its own.
    pub(crate) fn alone(entry: &Entry) -> Self {
        Self { kind: Kind::Key(entry.key.clone()), region: None, project: None }
    }
}
