//! An OAuth token endpoint: a signed assertion for an access token (RFC 7523, 2.1). The signature is
//! not verified, everything else is.

use serde_json::{Value, json};

use crate::base64;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Longest life of an assertion in seconds.
const LONGEST: i64 = 3600;

/// The token, or the error.
pub(crate) fn grant(body: &[u8], id: &str) -> Result<Value, Value> {
    let body = String::from_utf8_lossy(body);
    let field = |name: &str| {
        let mut pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| unescaped(value))
    };
    if field("grant_type").as_deref() != Some(GRANT) {
        let text = "Invalid grant_type: the form's grant_type is not the JWT bearer's";
        return Err(json!({"error": "unsupported_grant_type", "error_description": text}));
    }
    match claims(&field("assertion").unwrap_or_default()) {
        Ok(()) => Ok(json!({"access_token": format!("sim-access-{id}"), "expires_in": 3599,
            "token_type": "Bearer"})),
        Err(text) => Err(json!({"error": "invalid_grant",
            "error_description": format!("Invalid JWT: {text}")})),
    }
}

fn claims(assertion: &str) -> Result<(), &'static str> {
    let mut parts = assertion.split('.');
    let (Some(head), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("it has not three parts");
    };
    let read =
        |part: &str| -> Option<Value> { serde_json::from_slice(&base64::decode(part)?).ok() };
    let head = read(head).ok_or("the header is no JSON in base64url")?;
    let claims = read(claims).ok_or("the claims are no JSON in base64url")?;
    if head.get("alg").and_then(Value::as_str) != Some("RS256") {
        return Err("alg is not RS256");
    }
    if base64::decode(signature).is_none_or(|bytes| bytes.is_empty()) {
        return Err("the signature is no base64url");
    }
    for name in ["iss", "scope", "aud"] {
        if claims.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err("iss, scope and aud are required");
        }
    }
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    match (time("iat"), time("exp")) {
        (Some(from), Some(to)) if to > from && to.saturating_sub(from) <= LONGEST => Ok(()),
        _ => Err("exp must be at most one hour after iat"),
    }
}

/// A form's value without its percent signs.
fn unescaped(value: &str) -> String {
    crate::dialect::unescaped(&value.replace('+', " "))
}
