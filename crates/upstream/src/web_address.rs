//! Addresses that tenants give, read so strictly that nobody can read them otherwise: what one parser
//! takes for a name and another for a number is how filters are passed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

/// Longest address that is read.
const MAX_LENGTH: usize = 2048;
/// Longest host name, and longest part of one (RFC 1035).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// Why a text is not taken for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebAddressError {
    /// Not `https://` or `http://`, in these letters.
    #[error("the address does not begin with https://")]
    Scheme,
    /// Letters beyond ASCII, spaces, backslashes, or more than 2048 of them.
    #[error("the address has characters that none may have, or too many")]
    Characters,
    /// A user or a password before the host.
    #[error("the address has a user or a password")]
    User,
    /// No host name and no IP address in its usual form.
    #[error("the address has no plain host")]
    Host,
    /// A port that is none.
    #[error("the address has no plain port")]
    Port,
    /// A fragment, or a path that is none.
    #[error("the address has no plain path")]
    Path,
}

/// A host as it stands in an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Name(String),
    Literal(IpAddr),
}

/// An address with one reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAddress {
    uri: Uri,
    host: Host,
}

impl WebAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// See [`WebAddressError`].
    pub fn parse(text: &str) -> Result<Self, WebAddressError> {
        let plain = |byte: u8| matches!(byte, b'!'..=b'~') && byte != b'\\';
        if text.len() > MAX_LENGTH || !text.bytes().all(plain) {
            return Err(WebAddressError::Characters);
        }
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or(WebAddressError::Scheme)?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(WebAddressError::User);
        }
        if path.contains('#') {
            return Err(WebAddressError::Path);
        }
        let (host, port) = split(authority)?;
        if let Some(port) = port {
            let digits = !port.starts_with('0') && port.bytes().all(|one| one.is_ascii_digit());
            port.parse::<u16>().ok().filter(|_| digits).ok_or(WebAddressError::Port)?;
        }
        let host = read_host(host)?;
        let uri: Uri = text.parse().map_err(|_| WebAddressError::Path)?;
        Ok(Self { uri, host })
    }

    /// The address, for a request.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) const fn host(&self) -> &Host {
        &self.host
    }

    /// Whether what is sent there is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }
}

fn split(authority: &str) -> Result<(&str, Option<&str>), WebAddressError> {
    let end = match authority.strip_prefix('[') {
        Some(_) => authority.find(']').ok_or(WebAddressError::Host)?.saturating_add(1),
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(end);
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(WebAddressError::Host),
    }
}

fn read_host(text: &str) -> Result<Host, WebAddressError> {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let literal = inner.parse::<Ipv6Addr>().map_err(|_| WebAddressError::Host)?;
        return Ok(Host::Literal(IpAddr::V6(literal)));
    }
    if let Ok(literal) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Literal(IpAddr::V4(literal)));
    }
    let letters = |label: &str| {
        label.bytes().all(|one| one.is_ascii_alphanumeric() || matches!(one, b'-' | b'_'))
    };
    let fine = |label: &str| {
        !label.is_empty() && label.len() <= MAX_LABEL && letters(label) && !label.starts_with('-')
    };
    // A name whose last part may be read as a number is an IPv4 address to some (url.spec.whatwg.org).
    let last = text.rsplit('.').next().unwrap_or_default();
    let number = last.bytes().next().is_some_and(|one| one.is_ascii_digit());
    if text.len() > MAX_NAME || number || !text.split('.').all(fine) {
        return Err(WebAddressError::Host);
    }
    Ok(Host::Name(text.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_read() {
        for (text, host) in [
            ("https://a.example/x?y=1", Host::Name("a.example".to_owned())),
            ("https://A.Example", Host::Name("a.example".to_owned())),
            ("http://localhost:8080/", Host::Name("localhost".to_owned())),
            ("https://xn--bcher-kva.example/", Host::Name("xn--bcher-kva.example".to_owned())),
            ("https://127.0.0.1:1/", Host::Literal("127.0.0.1".parse().unwrap())),
            ("https://[::1]:443/", Host::Literal("::1".parse().unwrap())),
            ("https://[::ffff:127.0.0.1]", Host::Literal("::ffff:127.0.0.1".parse().unwrap())),
        ] {
            assert_eq!(WebAddress::parse(text).map(|one| one.host), Ok(host), "{text}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_read() {
        use WebAddressError::{Characters, Host, Path, Port, Scheme, User};
        for (text, error) in [
            ("", Scheme),
            ("file:///etc/passwd", Scheme),
            ("gopher://127.0.0.1/", Scheme),
            ("data:text/plain,x", Scheme),
            ("HTTPS://a.example", Scheme),
            ("//a.example", Scheme),
            ("https:/a.example", Scheme),
            ("https://", Host),
            ("https:///path", Host),
            ("https://u@a.example", User),
            ("https://a.example@127.0.0.1/", User),
            ("https://a.example\\@127.0.0.1/", Characters),
            ("https://a.example\\.b", Characters),
            ("https://a.example/ x", Characters),
            ("https://a.example/\u{0}", Characters),
            ("https://b\u{fc}cher.example/", Characters),
            ("https://\u{2460}27.0.0.1/", Characters),
            ("https://a%2eexample/", Host),
            ("https://%31%32%37.0.0.1/", Host),
            ("https://localhost./", Host),
            ("https://127.0.0.1./", Host),
            ("https://2130706433/", Host),
            ("https://0x7f000001/", Host),
            ("https://0x7f.0.0.1/", Host),
            ("https://0177.0.0.1/", Host),
            ("https://127.1/", Host),
            ("https://127.0.1/", Host),
            ("https://127.0.0.01/", Host),
            ("https://a.example.0x1/", Host),
            ("https://a..example/", Host),
            ("https://-a.example/", Host),
            ("https://[::1/", Host),
            ("https://[::1%25eth0]/", Host),
            ("https://[::1]x/", Host),
            ("https://::1/", Port),
            ("https://a.example:0/", Port),
            ("https://a.example:/", Port),
            ("https://a.example:+1/", Port),
            ("https://a.example:65536/", Port),
            ("https://a.example:443:1/", Port),
            ("https://a.example/#x", Path),
            ("https://a.example#@127.0.0.1/", Path),
        ] {
            assert_eq!(WebAddress::parse(text), Err(error), "{text}");
        }
    }
}
