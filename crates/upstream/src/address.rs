//! Addresses: made once where nothing depends on the call, else filled in for each.

use std::collections::BTreeMap;

use http::Uri;
use signalbox_catalog::Provider;
use signalbox_catalog::placeholder::{BadPlaceholder, Piece, Placeholder, pieces};

use crate::credential::is_place;

/// Where a request goes.
#[derive(Clone)]
pub(crate) enum Address {
    /// Always there.
    Fixed(Uri),
    /// It depends on the model or the region.
    Written(Box<Template>),
}

/// An address with places that the call fills.
#[derive(Clone)]
pub(crate) struct Template {
    scheme: String,
    host: Line,
    rest: Line,
    hosts: BTreeMap<String, String>,
}

/// A text with places for model and region.
#[derive(Clone, Default)]
pub(crate) struct Line(Vec<Part>);

#[derive(Clone)]
enum Part {
    Text(String),
    Model,
    Region,
}

/// What a call fills in.
#[derive(Clone, Copy)]
pub(crate) struct Fillings<'a> {
    pub model: &'a str,
    pub region: Option<&'a str>,
}

/// What is known when a target is made.
pub(crate) struct Known<'a> {
    pub project: Option<&'a str>,
    pub api_version: Option<&'a str>,
}

/// Why there is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither the provider's row nor the credential has an address.
    #[error("the provider has no base URL and the credential brings none")]
    BaseUrl,
    /// Neither endpoint, credential nor provider names a region, or it is none.
    #[error("the address needs a region")]
    Region,
    /// Neither provider nor credential names a project.
    #[error("the address needs a project")]
    Project,
    /// The address has a version of the API and the provider has none.
    #[error("the address needs an api_version")]
    ApiVersion,
    /// What comes out is no address.
    #[error("the base URL is not an address")]
    Malformed,
}

impl From<BadPlaceholder> for AddressError {
    fn from(_: BadPlaceholder) -> Self {
        Self::Malformed
    }
}

impl Line {
    /// Reads a text and fills in what is known.
    pub(crate) fn read(text: &str, known: &Known<'_>) -> Result<Self, AddressError> {
        let mut line = Self::default();
        for piece in pieces(text)? {
            match piece {
                Piece::Text(text) => line.text(text),
                Piece::Place(Placeholder::Model) => line.0.push(Part::Model),
                Piece::Place(Placeholder::Region) => line.0.push(Part::Region),
                Piece::Place(Placeholder::Project) => {
                    line.text(known.project.ok_or(AddressError::Project)?);
                }
                Piece::Place(Placeholder::ApiVersion) => {
                    line.text(known.api_version.ok_or(AddressError::ApiVersion)?);
                }
            }
        }
        Ok(line)
    }

    pub(crate) fn text(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.0.push(Part::Text(text.to_owned())),
        }
    }

    /// Whether a call has nothing to fill in.
    pub(crate) fn is_fixed(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// Writes the text with the call's values.
    pub(crate) fn fill(&self, values: Fillings<'_>, into: &mut String) -> Result<(), AddressError> {
        for part in &self.0 {
            match part {
                Part::Text(text) => into.push_str(text),
                Part::Model => encode(values.model, into),
                Part::Region => into.push_str(values.region()?),
            }
        }
        Ok(())
    }
}

impl<'a> Fillings<'a> {
    /// The region, when it can stand in a host name.
    pub(crate) fn region(self) -> Result<&'a str, AddressError> {
        let region = self.region.filter(|region| !region.is_empty() && is_place(region));
        region.ok_or(AddressError::Region)
    }
}

impl Address {
    /// The address of a path at a provider. `query` is added to the path's own.
    pub(crate) fn read(
        provider: &Provider,
        base: &str,
        path: &str,
        known: &Known<'_>,
        query: Option<&str>,
    ) -> Result<Self, AddressError> {
        let (scheme, rest) = base.split_once("://").ok_or(AddressError::Malformed)?;
        let (host, folder) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let mut rest = Line::read(&format!("{}{path}", folder.trim_end_matches('/')), known)?;
        if let Some(query) = query {
            rest.text(if path.contains('?') { "&" } else { "?" });
            rest.text(query);
        }
        let host = Line::read(host, known)?;
        let hosts = provider.hosts.clone();
        let fixed = host.is_fixed() && rest.is_fixed() && hosts.is_empty();
        let template = Template { scheme: scheme.to_owned(), host, rest, hosts };
        // Also a check of what calls will make of it.
        let sample = template.fill(Fillings { model: "model", region: Some("region") })?;
        Ok(if fixed { Self::Fixed(sample) } else { Self::Written(Box::new(template)) })
    }
}

impl Template {
    /// The address with the call's values.
    pub(crate) fn fill(&self, values: Fillings<'_>) -> Result<Uri, AddressError> {
        let mut text = String::with_capacity(160);
        text.push_str(&self.scheme);
        text.push_str("://");
        let own = if self.hosts.is_empty() { None } else { self.hosts.get(values.region()?) };
        match own {
            Some(host) => text.push_str(host),
            None => self.host.fill(values, &mut text)?,
        }
        self.rest.fill(values, &mut text)?;
        let uri = Uri::try_from(text).map_err(|_| AddressError::Malformed)?;
        let http = matches!(uri.scheme_str(), Some("http" | "https"));
        if http && uri.authority().is_some() { Ok(uri) } else { Err(AddressError::Malformed) }
    }
}

/// Percent-encodes all that has a meaning of its own in a path or query. `@` is left, as the
/// documentation of those who have it in model ids writes it.
pub(crate) fn encode(text: &str, into: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'));
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'@') {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push(digit(byte >> 4));
            into.push(digit(byte & 15));
        }
    }
}
