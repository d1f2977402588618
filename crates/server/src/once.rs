//! The `Idempotency-Key` of a request.

use http::HeaderMap;
use signalbox_core::ApiError;
use signalbox_core::id::AccountId;
use signalbox_platform::once::{self, Once};

/// What the header says, for this account, route and body; `None` without one.
///
/// # Errors
/// 400 for a key that is no key.
pub(crate) fn of(
    headers: &HeaderMap,
    account: &AccountId,
    route: &str,
    body: &[u8],
) -> Result<Option<Once>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    // Not text is no key, as is an empty one.
    once::request(account, value.to_str().unwrap_or_default(), route, body).map(Some)
}
