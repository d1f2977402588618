//! Errors as clients of this dialect get them (inference spec 4.9).

use serde_json::Value;
use signalbox_core::id::GenerationId;
use signalbox_core::{ApiError, ErrorKind};

use crate::document::quoted;
use crate::openai_chat::error::{ErrorContext, availability_object};

/// The dialect's word for a kind of error.
#[must_use]
pub const fn error_type(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::PermissionDenied => "permission_error",
        ErrorKind::PaymentRequired => "billing_error",
        ErrorKind::NotFound | ErrorKind::ImageNotFound => "not_found_error",
        ErrorKind::RateLimitExceeded => "rate_limit_error",
        ErrorKind::ProviderOverloaded => "overloaded_error",
        ErrorKind::Timeout => "timeout_error",
        ErrorKind::ProviderUnavailable | ErrorKind::Server | ErrorKind::Unmapped => "api_error",
        ErrorKind::ContextLengthExceeded
        | ErrorKind::MaxTokensExceeded
        | ErrorKind::TokenLimitExceeded
        | ErrorKind::StringTooLong
        | ErrorKind::InvalidRequest
        | ErrorKind::InvalidPrompt
        | ErrorKind::PreconditionFailed
        | ErrorKind::PayloadTooLarge
        | ErrorKind::Unprocessable
        | ErrorKind::ContentPolicyViolation
        | ErrorKind::Refusal
        | ErrorKind::InvalidImage
        | ErrorKind::ImageTooLarge
        | ErrorKind::ImageTooSmall
        | ErrorKind::UnsupportedImageFormat
        | ErrorKind::ImageDownloadFailed => "invalid_request_error",
    }
}

/// The JSON body of an answer that failed before any output. The HTTP status is `error.status()`.
/// The request id is that of the generation, and null when the request did not get that far. A 500
/// tells nothing but that.
#[must_use]
pub fn error_body(
    error: &ApiError,
    context: &ErrorContext<'_>,
    request_id: Option<&GenerationId>,
) -> Vec<u8> {
    let availability = error.availability.as_deref().filter(|_| error.kind.is_public());
    let availability = availability.map(|one| availability_object(one, context.docs_base));
    let mut out = String::from("{");
    push_members(&mut out, error, availability);
    out.push_str(",\"request_id\":");
    match request_id {
        Some(id) => out.push_str(&quoted(id.as_str())),
        None => out.push_str("null"),
    }
    if let Some(metadata) = context.openrouter_metadata.filter(|_| error.kind.is_public()) {
        out.push_str(",\"openrouter_metadata\":");
        out.push_str(metadata);
    }
    out.push('}');
    out.into_bytes()
}

/// The event that reports an error after the status line went out. Nothing follows it. It may come
/// after pings alone, so it tells of availability too, without its link.
#[must_use]
pub fn error_event(error: &ApiError) -> Vec<u8> {
    let availability = error.availability.as_deref().filter(|_| error.kind.is_public());
    let availability = availability.and_then(|one| serde_json::to_string(one).ok());
    let mut out = String::from("event: error\ndata: {");
    push_members(&mut out, error, availability);
    out.push_str("}\n\n");
    out.into_bytes()
}

/// Appends `type`, `error` and, when there is any, `metadata`.
fn push_members(out: &mut String, error: &ApiError, availability: Option<String>) {
    out.push_str("\"type\":\"error\",\"error\":{\"type\":\"");
    out.push_str(error_type(error.kind));
    out.push_str("\",\"message\":");
    out.push_str(&quoted(error.public_message()));
    out.push_str(",\"error_type\":\"");
    out.push_str(error.kind.name());
    out.push('"');
    if let Some(availability) = availability {
        out.push_str(",\"availability\":");
        out.push_str(&availability);
    }
    out.push('}');
    if error.kind.is_public() {
        let mut metadata = error.metadata.clone();
        if let Some(code) = &error.provider_code {
            metadata.insert("provider_code".to_owned(), Value::from(code.as_str()));
        }
        if !metadata.is_empty() {
            out.push_str(",\"metadata\":");
            out.push_str(&Value::from(metadata).to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use signalbox_core::{Availability, AvailabilityCode};

    use super::*;

    fn value(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn a_body_says_what_happened_and_names_the_generation() {
        let mut error = ApiError::new(ErrorKind::RateLimitExceeded, "Slow down");
        error.provider_code = Some("slow".to_owned());
        let id = GenerationId::new("gen-1-a");
        let context = ErrorContext { openrouter_metadata: Some("{\"a\":1}"), ..Default::default() };
        let expected = json!({
            "type": "error",
            "error": {
                "type": "rate_limit_error",
                "message": "Slow down",
                "error_type": "rate_limit_exceeded",
            },
            "metadata": {"provider_code": "slow"},
            "request_id": "gen-1-a",
            "openrouter_metadata": {"a": 1},
        });
        assert_eq!(value(&error_body(&error, &context, Some(&id))), expected);
    }

    #[test]
    fn our_own_fault_is_masked() {
        let mut error = ApiError::internal("disk full").with_metadata("path", "/var");
        error.provider_code = Some("x".to_owned());
        let context = ErrorContext { openrouter_metadata: Some("{}"), ..Default::default() };
        let expected = json!({
            "type": "error",
            "error": {
                "type": "api_error",
                "message": "Internal Server Error",
                "error_type": "server",
            },
            "request_id": null,
        });
        assert_eq!(value(&error_body(&error, &context, None)), expected);
    }

    #[test]
    fn an_event_has_the_same_error_without_an_id() {
        let availability = Availability {
            code: AvailabilityCode::TemporarilyUnavailable,
            retryable: true,
            retry_after: Some(3),
            requested_models: vec!["a/b".into()],
            affected_providers: vec![],
            excluded_by: vec![],
            fallback_models: vec![],
            constraint: None,
        };
        let event = error_event(&ApiError::unavailable(availability, "line\nbreak"));
        let json = event.strip_prefix(b"event: error\ndata: ").unwrap();
        let value = value(json);
        assert_eq!(value["error"]["type"], "overloaded_error");
        assert_eq!(value["error"]["availability"]["code"], "temporarily_unavailable");
        assert_eq!(value.get("request_id"), None);
        assert!(event.ends_with(b"}\n\n"));
        assert_eq!(event.iter().filter(|byte| **byte == b'\n').count(), 3);
    }
}
