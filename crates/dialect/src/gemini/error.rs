//! Errors: `{"error": {code, message, status, details}}`, alone or as the first of an array.

use signalbox_core::ErrorKind;

use crate::ProviderError;
use crate::document::{Kind, Raw};
use crate::openai_chat;
pub(super) use crate::scan::is_json;

/// The HTTP status that goes with a status word.
fn http_status(word: &str) -> Option<u16> {
    Some(match word {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "ABORTED" | "ALREADY_EXISTS" => 409,
        "RESOURCE_EXHAUSTED" => 429,
        "CANCELLED" => 499,
        "INTERNAL" | "UNKNOWN" | "DATA_LOSS" => 500,
        "UNIMPLEMENTED" => 501,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        _ => return None,
    })
}

/// Reads the body of an answer with an error status. Any bytes give an error.
#[must_use]
pub fn read_error(status: u16, body: &[u8]) -> ProviderError {
    std::str::from_utf8(body)
        .ok()
        .map(|text| text.trim_start_matches('\u{feff}'))
        .filter(|text| is_json(text))
        .and_then(|text| member(Raw::new(text)))
        .map_or_else(
            || openai_chat::error::read_error(status, body),
            |error| read_value(Some(status), error),
        )
}

/// Reads the `error` member of a chunk, or of a body that came with status 200.
#[must_use]
pub fn read_inband(error: Raw<'_>) -> ProviderError {
    read_value(None, error)
}

/// The answer to a prompt that was refused: `promptFeedback` with a `blockReason`.
#[must_use]
pub fn blocked(feedback: Raw<'_>) -> Option<ProviderError> {
    let reason = feedback.get("blockReason").and_then(Raw::string)?;
    let is_block =
        !matches!(&*reason, "" | "BLOCK_REASON_UNSPECIFIED" | "BLOCKED_REASON_UNSPECIFIED");
    is_block.then(|| {
        let said = feedback.get("blockReasonMessage").and_then(Raw::string);
        let message = said
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| format!("The provider blocked the prompt: {reason}.").into());
        let error = ProviderError::new(None, Some(&reason), &message);
        ProviderError { kind: ErrorKind::ContentPolicyViolation, ..error }
    })
}

/// The error object of a body.
pub(super) fn member(body: Raw<'_>) -> Option<Raw<'_>> {
    let object = match body.kind() {
        Kind::Array => body.elements().next()?.1,
        _ => body,
    };
    object.get("error").filter(|error| error.kind() == Kind::Object)
}

fn read_value(status: Option<u16>, error: Raw<'_>) -> ProviderError {
    if error.kind() != Kind::Object {
        return openai_chat::error::read_inband(error.text());
    }
    let word = error.get("status").and_then(Raw::string);
    let code = error.get("code").and_then(Raw::integer).and_then(|code| u16::try_from(code).ok());
    let status = status
        .or_else(|| code.filter(|code| (400..=599).contains(code)))
        .or_else(|| http_status(word.as_deref()?));
    let message = error.get("message").and_then(Raw::string).unwrap_or_default();
    let mut reason = None;
    let mut retry_after = None;
    for (_, detail) in error.get("details").into_iter().flat_map(Raw::elements) {
        let kind = detail.get("@type").and_then(Raw::inner).unwrap_or_default();
        if kind.ends_with("google.rpc.ErrorInfo") {
            reason = detail.get("reason").and_then(Raw::string).or(reason);
        } else if kind.ends_with("google.rpc.RetryInfo") {
            retry_after = detail.get("retryDelay").and_then(Raw::inner).and_then(seconds);
        }
    }
    let read = ProviderError::new(status, reason.or(word.clone()).as_deref(), &message);
    let kind = match (word.as_deref(), read.kind) {
        // Where our account is or what it may do, and never the client's mistake.
        (Some("FAILED_PRECONDITION"), ErrorKind::InvalidRequest) => ErrorKind::PermissionDenied,
        (Some("CANCELLED" | "ABORTED"), _) => ErrorKind::ProviderUnavailable,
        (_, kind) => kind,
    };
    ProviderError { kind, retry_after, ..read }
}

/// Whole seconds of a duration such as `22.5s`, rounded up.
fn seconds(text: &str) -> Option<u64> {
    let number = text.strip_suffix('s')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let more = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    whole.parse::<u64>().ok()?.checked_add(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_say_when_to_try_again() {
        let body =
            br#"{"error":{"code":429,"message":"Quota is used up.","status":"RESOURCE_EXHAUSTED",
            "details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[]},
            {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"22.4s"}]}}"#;
        let error = read_error(429, body);
        assert_eq!((error.kind, error.retry_after), (ErrorKind::RateLimitExceeded, Some(23)));
        assert_eq!(error.code.as_deref(), Some("RESOURCE_EXHAUSTED"));
        for (text, read) in [("3s", Some(3)), ("3.000s", Some(3)), ("s", None), ("x", None)] {
            assert_eq!(seconds(text), read, "{text}");
        }
    }

    #[test]
    fn a_bad_key_comes_with_status_400_and_maybe_in_an_array() {
        let body = br#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT",
            "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}]"#;
        let error = read_error(400, body);
        assert_eq!(error.kind, ErrorKind::Authentication);
        assert_eq!(error.code.as_deref(), Some("API_KEY_INVALID"));
    }

    #[test]
    fn kinds_follow_the_words() {
        for (status, word, message, kind) in [
            (400, "INVALID_ARGUMENT", "Unknown name.", ErrorKind::InvalidRequest),
            (
                400,
                "INVALID_ARGUMENT",
                "The input token count (9) exceeds the maximum number of tokens allowed (8).",
                ErrorKind::ContextLengthExceeded,
            ),
            (400, "FAILED_PRECONDITION", "Not in this place.", ErrorKind::PermissionDenied),
            (403, "PERMISSION_DENIED", "no", ErrorKind::PermissionDenied),
            (404, "NOT_FOUND", "no model", ErrorKind::NotFound),
            (499, "CANCELLED", "gone", ErrorKind::ProviderUnavailable),
            (500, "INTERNAL", "broken", ErrorKind::ProviderUnavailable),
            (503, "UNAVAILABLE", "busy", ErrorKind::ProviderOverloaded),
            (504, "DEADLINE_EXCEEDED", "late", ErrorKind::Timeout),
        ] {
            let error = format!(r#"{{"message":"{message}","status":"{word}"}}"#);
            let body = format!(r#"{{"error":{error}}}"#);
            assert_eq!(read_error(status, body.as_bytes()).kind, kind, "{word}");
            assert_eq!(read_inband(Raw::new(&error)).kind, kind, "{word} inside");
        }
    }

    #[test]
    fn any_bytes_are_an_error() {
        for body in ["", "{", "<html><title>Sorry</title>", "[]", r#"{"error":"x"}"#, "\u{feff}{}"]
        {
            assert_eq!(read_error(502, body.as_bytes()).kind, ErrorKind::ProviderUnavailable);
        }
    }

    #[test]
    fn a_blocked_prompt_breaks_the_content_policy() {
        let error = blocked(Raw::new(r#"{"blockReason":"SAFETY"}"#)).unwrap();
        assert_eq!(error.kind, ErrorKind::ContentPolicyViolation);
        assert_eq!(error.code.as_deref(), Some("SAFETY"));
        assert_eq!(blocked(Raw::new(r#"{"safetyRatings":[]}"#)), None);
    }
}
