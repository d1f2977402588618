//! Errors: a body with a `message`, and the status that it comes with.

use signalbox_core::ErrorKind;

use crate::ProviderError;
use crate::document::{Kind, Raw};
use crate::identity::StreamFault;
use crate::openai_chat;

/// Reads the body of an answer with an error status. Any bytes give an error.
#[must_use]
pub fn read_error(status: u16, body: &[u8]) -> ProviderError {
    refined(openai_chat::error::read_error(status, body))
}

/// The error that a message of a stream, or a body with status 200, is: it says something and has
/// nothing else that an answer has.
pub(super) fn fault(value: Raw<'_>) -> Option<StreamFault> {
    let said = value.get("error").filter(|error| !error.is_null());
    let message = || value.get("message").filter(|text| text.kind() == Kind::String);
    let answered = ["finish_reason", "delta"].iter().any(|name| value.get(name).is_some());
    if answered || (said.is_none() && message().is_none()) {
        return None;
    }
    let error = openai_chat::error::read_inband(said.unwrap_or(value).text());
    Some(StreamFault::InBand(refined(error)))
}

/// What the status and the common words leave open. The texts are those of the provider's reference.
pub(super) fn refined(error: ProviderError) -> ProviderError {
    let text = error.message.to_ascii_lowercase();
    let kind = match error.status {
        None | Some(400 | 422) if text.starts_with("too many tokens") => {
            if text.contains("max tokens must be") {
                ErrorKind::MaxTokensExceeded
            } else {
                ErrorKind::ContextLengthExceeded
            }
        }
        // The key's own statuses: a token that is no longer good, and a request that was given up.
        Some(498) => ErrorKind::Authentication,
        Some(499) => ErrorKind::ProviderUnavailable,
        _ => error.kind,
    };
    ProviderError { kind, ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_the_status_and_the_documented_texts() {
        for (status, message, kind) in [
            (400, "invalid request: tool ids repeat", ErrorKind::InvalidRequest),
            (
                400,
                "too many tokens: the prompt has 9 and 8 are allowed",
                ErrorKind::ContextLengthExceeded,
            ),
            (400, "too many tokens: size limit exceeded by 7", ErrorKind::ContextLengthExceeded),
            (
                400,
                "too many tokens: max tokens must be less than or equal to 4",
                ErrorKind::MaxTokensExceeded,
            ),
            (401, "invalid api token", ErrorKind::Authentication),
            (402, "Please add or update your payment method", ErrorKind::PaymentRequired),
            (404, "model 'x' not found", ErrorKind::NotFound),
            (429, "Please wait and try again later", ErrorKind::RateLimitExceeded),
            (498, "expired", ErrorKind::Authentication),
            (499, "request cancelled", ErrorKind::ProviderUnavailable),
            (500, "internal server error", ErrorKind::ProviderUnavailable),
            (503, "busy", ErrorKind::ProviderOverloaded),
            (504, "late", ErrorKind::Timeout),
        ] {
            let body = format!(r#"{{"id":"e-1","message":"{message}"}}"#);
            let error = read_error(status, body.as_bytes());
            assert_eq!((error.kind, error.message.as_str()), (kind, message), "{status}");
        }
    }

    #[test]
    fn any_bytes_are_an_error() {
        for body in ["", "{", "<html><title>Sorry</title>", "[]", "{}", "\u{feff}{}"] {
            assert_eq!(read_error(502, body.as_bytes()).kind, ErrorKind::ProviderUnavailable);
        }
    }

    #[test]
    fn an_answer_is_no_error() {
        assert!(fault(Raw::new(r#"{"message":"x","finish_reason":"COMPLETE"}"#)).is_none());
        assert!(fault(Raw::new(r#"{"message":{}}"#)).is_none());
        assert!(fault(Raw::new(r#"{"message":"x"}"#)).is_some());
        assert!(fault(Raw::new(r#"{"error":{"message":"x"}}"#)).is_some());
    }
}
