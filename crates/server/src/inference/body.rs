//! Reading a request body within its limits, without copying one that arrives in one piece.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use signalbox_core::{ApiError, ErrorKind, limits};

/// Longest silence while a client sends its body.
const IDLE: Duration = Duration::from_secs(30);

/// Bodies below this many bytes are copied out of the buffer that they were read into.
const SHORT: usize = 16 * 1024;

/// The whole body.
///
/// # Errors
/// 413 above the limit, 400 for a body that stalls or breaks off.
pub(crate) async fn read(headers: &HeaderMap, mut body: Body) -> Result<Bytes, ApiError> {
    let too_large = || {
        let most = limits::MAX_BODY_BYTES / (1024 * 1024);
        let message = format!("Request payload too large: at most {most} MiB");
        ApiError::new(ErrorKind::PayloadTooLarge, message)
    };
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limits::MAX_BODY_BYTES) {
        return Err(too_large());
    }
    let Some(first) = data(&mut body).await? else { return Ok(Bytes::new()) };
    if declared == Some(first.len()) {
        // A short body is copied, for it would keep the connection's whole read buffer alive.
        return Ok(if first.len() < SHORT { Bytes::copy_from_slice(&first) } else { first });
    }
    // What is declared is only believed up to a point, so that a header can't take memory.
    let expected = declared.unwrap_or(0).clamp(first.len(), 1024 * 1024);
    let mut whole = BytesMut::with_capacity(expected);
    whole.extend_from_slice(&first);
    while let Some(chunk) = data(&mut body).await? {
        if whole.len().saturating_add(chunk.len()) > limits::MAX_BODY_BYTES {
            return Err(too_large());
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

async fn data(body: &mut Body) -> Result<Option<Bytes>, ApiError> {
    loop {
        let Ok(frame) = tokio::time::timeout(IDLE, body.frame()).await else {
            return Err(
                ApiError::invalid("The request body did not arrive in time").with_status(408)
            );
        };
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(ApiError::invalid("The request body broke off")),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
