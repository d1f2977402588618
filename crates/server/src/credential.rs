//! The key of a request, from its headers.

use std::sync::Arc;

use http::{HeaderMap, header};
use signalbox_core::{ApiError, ErrorKind};
use signalbox_gateway::Principal;

use crate::app::App;

/// The key in `Authorization: Bearer …` or `x-api-key`.
pub(crate) fn key(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then_some(key.trim());
    }
    headers.get("x-api-key")?.to_str().ok().map(str::trim)
}

/// Whether the request names any key at all.
pub(crate) fn is_present(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-api-key")
}

/// Who is calling, with any kind of key.
///
/// # Errors
/// 401, or 503 when the store is out of reach.
pub(crate) async fn any(app: &App, headers: &HeaderMap) -> Result<Arc<Principal>, ApiError> {
    app.gateway().authenticator.principal(key(headers)).await
}

/// Who is calling, with a management key.
///
/// # Errors
/// As [`any`], and 403 for an API key.
pub(crate) async fn management(app: &App, headers: &HeaderMap) -> Result<Arc<Principal>, ApiError> {
    let principal = any(app, headers).await?;
    if principal.key.management {
        return Ok(principal);
    }
    let message = "Only management keys can perform this operation";
    Err(ApiError::new(ErrorKind::PermissionDenied, message))
}

/// Who is calling, with an API key.
///
/// # Errors
/// As [`any`], and 403 for a management key.
pub(crate) async fn inference(app: &App, headers: &HeaderMap) -> Result<Arc<Principal>, ApiError> {
    let principal = any(app, headers).await?;
    if !principal.key.management {
        return Ok(principal);
    }
    let message = "Only API keys can perform this operation";
    Err(ApiError::new(ErrorKind::PermissionDenied, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_carry_a_key() {
        for (name, value, expected) in [
            ("authorization", "Bearer abc", Some("abc")),
            ("authorization", "bearer  abc ", Some("abc")),
            ("authorization", "Basic abc", None),
            ("authorization", "abc", None),
            ("x-api-key", "abc", Some("abc")),
            ("cookie", "abc", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            assert_eq!(key(&headers), expected, "{name}: {value}");
        }
    }
}
