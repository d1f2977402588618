//! AWS Signature Version 4 of a request's headers, as the IAM user guide describes it under
//! "Create a signed AWS API request". Why it is our own: `docs/decisions/0005`.

use std::fmt::Write as _;

use aws_lc_rs::{digest, hmac};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Uri, header};
use signalbox_core::Timestamp;

use crate::credential::SigningKeys;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: &str = "x-amz-date";
const TOKEN: &str = "x-amz-security-token";

/// What a signature is good for.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub region: &'a str,
    pub service: &'a str,
    pub now: Timestamp,
}

/// Adds date, session token and signature to the headers of a POST. Host and content type are
/// signed too, so neither may change afterwards. `None`: a value that no header may have.
pub(crate) fn sign(
    keys: &SigningKeys,
    scope: Scope<'_>,
    uri: &Uri,
    headers: &mut HeaderMap,
    body: &[Bytes],
) -> Option<()> {
    let stamp = stamp(scope.now);
    let host = host(uri)?;
    headers.insert(DATE, HeaderValue::try_from(&stamp).ok()?);
    if let Some(token) = &keys.session_token {
        headers.insert(TOKEN, sensitive(token.expose())?);
    }
    let mut signed = vec![("host", host.as_str())];
    for name in ["content-type", DATE, TOKEN] {
        if let Some(value) = headers.get(name) {
            signed.push((name, value.to_str().ok()?));
        }
    }
    signed.sort_unstable();
    let request = Request {
        method: "POST",
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers: &signed,
        payload: &sha256(body.iter().map(Bytes::as_ref)),
    };
    let authorization = authorization(keys, scope, &stamp, &request);
    headers.insert(header::AUTHORIZATION, sensitive(&authorization)?);
    Some(())
}

/// A request as it is signed. The headers are sorted and their names are in lower case.
struct Request<'a> {
    method: &'a str,
    /// As it is sent.
    path: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
    /// The hash of the body in hexadecimal.
    payload: &'a str,
}

impl Request<'_> {
    fn names(&self) -> String {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        names.join(";")
    }

    fn canonical(&self) -> String {
        let mut text = format!("{}\n", self.method);
        encode_path(self.path, &mut text);
        text.push('\n');
        text.push_str(&canonical_query(self.query));
        text.push('\n');
        for (name, value) in self.headers {
            let words: Vec<&str> = value.split_ascii_whitespace().collect();
            text.push_str(name);
            text.push(':');
            text.push_str(&words.join(" "));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.names());
        text.push('\n');
        text.push_str(self.payload);
        text
    }
}

fn authorization(
    keys: &SigningKeys,
    scope: Scope<'_>,
    stamp: &str,
    request: &Request<'_>,
) -> String {
    let day = stamp.get(..8).unwrap_or_default();
    let place = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let canonical = sha256([request.canonical().as_bytes()]);
    let to_sign = format!("{ALGORITHM}\n{stamp}\n{place}\n{canonical}");
    let secret = format!("AWS4{}", keys.secret_access_key.expose());
    let mut key = mac(secret.as_bytes(), day);
    for part in [scope.region, scope.service, "aws4_request"] {
        key = mac(key.as_ref(), part);
    }
    let signature = hexadecimal(mac(key.as_ref(), &to_sign).as_ref());
    let id = keys.access_key_id.expose();
    let names = request.names();
    format!("{ALGORITHM} Credential={id}/{place}, SignedHeaders={names}, Signature={signature}")
}

/// `20150830T123600Z`.
fn stamp(now: Timestamp) -> String {
    let text = now.to_rfc3339();
    let seconds = text.get(..19).unwrap_or_default();
    let mut stamp: String = seconds.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    stamp.push('Z');
    stamp
}

/// The host as the client sends it: a scheme's usual port is left out.
pub(crate) fn host(uri: &Uri) -> Option<String> {
    let host = uri.host()?;
    let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    Some(match uri.port_u16().filter(|port| *port != usual) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// The path, encoded once more than it is sent: what all services but S3 expect.
fn encode_path(path: &str, into: &mut String) {
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            into.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

/// The parameters, which are sent encoded, in order and each with a '='.
fn canonical_query(query: &str) -> String {
    let parameters = query.split('&').filter(|one| !one.is_empty());
    let mut pairs: Vec<(&str, &str)> =
        parameters.map(|one| one.split_once('=').unwrap_or((one, ""))).collect();
    pairs.sort_unstable();
    let written: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    written.join("&")
}

fn sha256<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut sum = digest::Context::new(&digest::SHA256);
    pieces.into_iter().for_each(|piece| sum.update(piece));
    hexadecimal(sum.finish().as_ref())
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
#[path = "sigv4/tests.rs"]
mod tests;
