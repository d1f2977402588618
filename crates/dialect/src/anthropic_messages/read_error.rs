//! Errors as Messages endpoints tell them.

use crate::ProviderError;
use crate::document::Raw;
use crate::openai_chat::error::read_error as read_any_error;

/// Reads the body of an answer with an error status. Any bytes give an error: between us and the
/// endpoint there may be others who answer in their own shape.
#[must_use]
pub fn read_error(status: u16, body: &[u8]) -> ProviderError {
    read_any_error(status, body)
}

/// Reads an error inside a stream, or in a body that came with status 200: the object with
/// `type` and `message`. Its status is the one that goes with the type.
#[must_use]
pub fn read_inband(error_json: &str) -> ProviderError {
    let error = Raw::new(error_json);
    let kind = error.get("type").and_then(Raw::string).unwrap_or_default();
    let message = error.get("message").and_then(Raw::string).or_else(|| error.string());
    let message = message.unwrap_or_default();
    ProviderError::new(status_of(&kind), Some(&kind), &message)
}

fn status_of(kind: &str) -> Option<u16> {
    Some(match kind {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "api_error" => 500,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalbox_core::ErrorKind;

    #[test]
    fn every_type_has_its_kind() {
        for (kind, message, expected) in [
            ("overloaded_error", "Overloaded", ErrorKind::ProviderOverloaded),
            ("rate_limit_error", "slow down", ErrorKind::RateLimitExceeded),
            ("authentication_error", "no key", ErrorKind::Authentication),
            ("billing_error", "no money", ErrorKind::PaymentRequired),
            ("permission_error", "not you", ErrorKind::PermissionDenied),
            ("not_found_error", "model: m", ErrorKind::NotFound),
            ("timeout_error", "too slow", ErrorKind::Timeout),
            ("request_too_large", "too large", ErrorKind::PayloadTooLarge),
            ("invalid_request_error", "max_tokens: must be set", ErrorKind::InvalidRequest),
            (
                "invalid_request_error",
                "prompt is too long: 9 > 8",
                ErrorKind::ContextLengthExceeded,
            ),
            ("invalid_request_error", "Your credit balance is too low", ErrorKind::PaymentRequired),
        ] {
            let inner = format!(r#"{{"type":"{kind}","message":"{message}"}}"#);
            let error = read_inband(&inner);
            assert_eq!((error.kind, error.code.as_deref()), (expected, Some(kind)), "{inner}");
            let body = format!(r#"{{"type":"error","error":{inner},"request_id":"req_1"}}"#);
            let status = error.status.unwrap();
            assert_eq!(read_error(status, body.as_bytes()), error);
        }
    }

    #[test]
    fn other_shapes_are_errors_too() {
        assert_eq!(read_inband("\"broken\"").message, "broken");
        assert_eq!(read_inband("{}").status, None);
        assert_eq!(read_error(502, b"<html><title>Bad gateway</title>").message, "Bad gateway");
    }
}
