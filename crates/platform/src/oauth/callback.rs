//! Where a person is sent back to with a code. The URL is the only thing that tells one app from
//! another, so it has one spelling, and nothing in it may be read in two ways.

use crate::PlatformError;

/// Longest URL, in bytes.
const LONGEST: usize = 2_048;

/// A callback URL in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The whole URL: scheme and host in lower case, no default port.
    pub url: String,
    /// Scheme, host and port: which app it is.
    pub origin: String,
    /// What people are shown as the name of the app: the host, with the port of a local one.
    pub title: String,
}

impl Callback {
    /// Reads a URL: `https` to a named host, or `http` to `localhost` or `127.0.0.1`, on any port.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for any other scheme, for credentials, fragments, backslashes, double
    /// slashes, hosts with a dot at the end, hosts that are numbers, and what is no URL.
    pub fn read(text: &str) -> Result<Self, PlatformError> {
        parse(text).map_err(|why| PlatformError::Refused(format!("callback_url: {why}")))
    }

    /// The URL with the code, behind whatever it asks already.
    #[must_use]
    pub fn with_code(&self, code: &str) -> String {
        let mark = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{mark}code={code}", self.url)
    }
}

fn parse(text: &str) -> Result<Callback, &'static str> {
    if text.len() > LONGEST {
        return Err("it is too long");
    }
    let odd = |byte: u8| !byte.is_ascii_graphic() || b"\\\"<>^`{|}".contains(&byte);
    if text.bytes().any(odd) {
        return Err("only characters that URLs have, and no backslash");
    }
    if text.contains('#') {
        return Err("no fragment");
    }
    let (scheme, rest) = text.split_once("://").ok_or("an absolute URL")?;
    let scheme = scheme.to_ascii_lowercase();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end).ok_or("an absolute URL")?;
    let path = tail.split('?').next().unwrap_or_default();
    if path.contains("//") {
        return Err("no double slash in the path");
    }
    if authority.contains('@') {
        return Err("no user name or password");
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(number(port)?)),
        None => (authority, None),
    };
    let host = host.to_ascii_lowercase();
    let standard = match scheme.as_str() {
        "https" => 443,
        "http" if host == "localhost" || host == "127.0.0.1" => 80,
        "http" => return Err("https, or http to localhost or 127.0.0.1"),
        _ => return Err("https, or http to localhost"),
    };
    check_host(&host)?;
    let port = port.filter(|port| *port != standard);
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let origin = format!("{scheme}://{host}{port}");
    let tail = if path.is_empty() { format!("/{tail}") } else { tail.to_owned() };
    Ok(Callback { url: format!("{origin}{tail}"), title: format!("{host}{port}"), origin })
}

fn number(port: &str) -> Result<u16, &'static str> {
    let plain = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = plain.then(|| port.parse().ok()).flatten().filter(|port| *port > 0);
    port.ok_or("a port is a number from 1 to 65535")
}

/// A name, or the one address that is allowed.
fn check_host(host: &str) -> Result<(), &'static str> {
    if host == "127.0.0.1" {
        return Ok(());
    }
    if host.is_empty() || host.len() > 253 {
        return Err("a host");
    }
    let fits = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let edge = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && !edge && label.bytes().all(inner)
    };
    if !host.split('.').all(fits) {
        return Err("a host name without a dot at its end");
    }
    // What ends in a number is read as an address, in any of several notations.
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a host name, not an address");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_one_spelling() {
        for (text, url, title) in [
            ("https://app.example", "https://app.example/", "app.example"),
            ("HTTPS://App.Example:443/Cb?A=b", "https://app.example/Cb?A=b", "app.example"),
            ("https://app.example?x=1", "https://app.example/?x=1", "app.example"),
            ("https://a.b:8443/?u=https://c//d", "https://a.b:8443/?u=https://c//d", "a.b:8443"),
            ("http://localhost:3000/cb", "http://localhost:3000/cb", "localhost:3000"),
            ("http://LOCALHOST:80/cb", "http://localhost/cb", "localhost"),
            ("http://127.0.0.1:1/", "http://127.0.0.1:1/", "127.0.0.1:1"),
            (
                "https://xn--bcher-kva.example/",
                "https://xn--bcher-kva.example/",
                "xn--bcher-kva.example",
            ),
        ] {
            let callback = Callback::read(text).unwrap();
            assert_eq!((callback.url.as_str(), callback.title.as_str()), (url, title), "{text}");
            assert_eq!(Callback::read(url).unwrap(), callback);
        }
        let with = |url: &str| Callback::read(url).unwrap().with_code("c");
        assert_eq!(with("https://a.b/cb"), "https://a.b/cb?code=c");
        assert_eq!(with("https://a.b/cb?x=1"), "https://a.b/cb?x=1&code=c");
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for text in [
            "",
            "app.example",
            "//app.example/",
            "/cb",
            "https:app.example",
            "https:/app.example",
            "https:///app.example",
            "https://",
            "https://?x",
            "javascript:alert(1)",
            "javascript://app.example/%0aalert(1)",
            "data:text/html,x",
            "ftp://app.example/",
            "file:///etc/passwd",
            "app://callback",
            "http://app.example/",
            "http://[::1]/",
            "https://[::1]/",
            "http://localhost.app.example/",
            "http://127.0.0.1.app.example/",
            "http://localhost@app.example/",
            "https://user:pass@app.example/",
            "https://app.example@evil.example/",
            "https://app.example\\@evil.example/",
            "https:\\\\app.example/",
            "https://app.example\\.evil.example/",
            "https://app.example./",
            "http://localhost./cb",
            "https://.example/",
            "https://a..b/",
            "https://app.example/#x",
            "https://app.example//evil.example",
            "https://app.example:0/",
            "https://app.example:65536/",
            "https://app.example:/",
            "https://app.example:+1/",
            "https://app.example:80:80/",
            "https://app.example:x@b/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://127.1/",
            "https://10.0.0.1/",
            "http://0.0.0.0:1/",
            "http://127.0.0.2/",
            "https://app%2eexample/",
            "https://app.example /",
            "https://app.example/\n",
            "https://äpp.example/",
            "https://-app.example/",
            "http://LOCALHOST\u{130}/",
        ] {
            assert!(Callback::read(text).is_err(), "{text}");
        }
        assert!(Callback::read(&format!("https://a.b/{}", "x".repeat(2_048))).is_err());
    }
}
