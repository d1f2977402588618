//! Reading short request bodies: documents of the platform and webhooks.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use signalbox_core::{ApiError, ErrorKind};

/// Longest time that a short body takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest document of the platform.
pub(crate) const MAX_DOCUMENT: usize = 64 * 1024;

/// A body of at most `limit` bytes. One that says it is larger is not read at all.
///
/// # Errors
/// 413, 408 for one that stalls, 400 for one that breaks off.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let too_large = || ApiError::new(ErrorKind::PayloadTooLarge, "Request payload too large");
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let declared = declared.and_then(|value| value.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    match tokio::time::timeout(PATIENCE, Limited::new(body, limit).collect()).await {
        Err(_) => {
            let message = "The request body did not arrive in time";
            Err(ApiError::invalid(message).with_status(408))
        }
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
        Ok(Err(_)) => Err(ApiError::invalid("The request body broke off")),
    }
}

/// A JSON document of a known form.
///
/// # Errors
/// As [`read`], and 400 that names what is wrong.
pub(crate) async fn document<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
) -> Result<T, ApiError> {
    let bytes = read(headers, body, MAX_DOCUMENT).await?;
    serde_json::from_slice(&bytes).map_err(|error| ApiError::invalid(error.to_string()))
}
