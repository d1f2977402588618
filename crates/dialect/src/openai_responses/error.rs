//! Errors in this dialect (inference spec 4.8).

use signalbox_core::{ApiError, ErrorKind};

use crate::document::quoted;
use crate::openai_chat::error::ErrorContext;

/// The few codes that the dialect knows. What is no mistake of the client's prompt is the server's.
#[must_use]
pub const fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::RateLimitExceeded => "rate_limit_exceeded",
        ErrorKind::ContextLengthExceeded | ErrorKind::InvalidRequest => "invalid_prompt",
        ErrorKind::ContentPolicyViolation => "image_content_policy_violation",
        _ => "server_error",
    }
}

/// Whether an error of a running answer is about a length: then the answer is incomplete, not failed.
#[must_use]
pub const fn is_about_length(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ContextLengthExceeded
            | ErrorKind::MaxTokensExceeded
            | ErrorKind::TokenLimitExceeded
            | ErrorKind::StringTooLong
    )
}

/// The `error` object of a response: code and message alone.
pub(super) fn error_object(error: &ApiError) -> String {
    let (code, message) = (quoted(code(error.kind)), quoted(error.public_message()));
    format!("{{\"code\":{code},\"message\":{message}}}")
}

/// The body that answers a request which failed before its answer began.
#[must_use]
pub fn error_body(error: &ApiError, context: &ErrorContext<'_>) -> Vec<u8> {
    let mut body = error_object(error);
    let is_public = error.kind.is_public();
    if let Some(availability) = error.availability.as_deref().filter(|_| is_public) {
        let url = format!("{}/docs/errors#{}", context.docs_base, availability.code.name());
        let mut object = serde_json::to_value(availability).unwrap_or_default();
        if let Some(members) = object.as_object_mut() {
            members.insert("docs_url".into(), url.into());
        }
        body.truncate(body.len().saturating_sub(1));
        body.push_str(",\"availability\":");
        body.push_str(&object.to_string());
        body.push('}');
    }
    let mut metadata = error.metadata.clone();
    if let Some(code) = &error.provider_code {
        metadata.insert("provider_code".into(), code.clone().into());
    }
    let metadata = if metadata.is_empty() || !is_public {
        "null".to_owned()
    } else {
        serde_json::Value::Object(metadata).to_string()
    };
    let error_type = quoted(error.kind.name());
    body = format!("{{\"error\":{body},\"error_type\":{error_type},\"metadata\":{metadata}");
    if let Some(metadata) = context.openrouter_metadata.filter(|_| is_public) {
        body.push_str(",\"openrouter_metadata\":");
        body.push_str(metadata);
    }
    if let Some(user) = context.user_id {
        body.push_str(",\"user_id\":");
        body.push_str(&quoted(user));
    }
    body.push('}');
    body.into_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn body(error: &ApiError) -> Value {
        let context = ErrorContext {
            docs_base: "http://sb",
            openrouter_metadata: Some("{\"attempt\":0}"),
            user_id: None,
        };
        serde_json::from_slice(&error_body(error, &context)).unwrap()
    }

    #[test]
    fn kinds_become_the_few_codes_of_the_dialect() {
        for (kind, expected) in [
            (ErrorKind::RateLimitExceeded, "rate_limit_exceeded"),
            (ErrorKind::ContextLengthExceeded, "invalid_prompt"),
            (ErrorKind::InvalidRequest, "invalid_prompt"),
            (ErrorKind::InvalidPrompt, "server_error"),
            (ErrorKind::Authentication, "server_error"),
            (ErrorKind::ProviderOverloaded, "server_error"),
            (ErrorKind::Timeout, "server_error"),
            (ErrorKind::ContentPolicyViolation, "image_content_policy_violation"),
        ] {
            assert_eq!(code(kind), expected, "{kind:?}");
        }
    }

    #[test]
    fn an_error_before_the_answer_has_its_type_beside_it() {
        assert_eq!(
            body(&ApiError::new(ErrorKind::Authentication, "no \"key\"")),
            json!({"error":{"code":"server_error","message":"no \"key\""},
                "error_type":"authentication","metadata":null,"openrouter_metadata":{"attempt":0}})
        );
    }

    #[test]
    fn a_500_tells_nothing() {
        let mut error = ApiError::internal("disk full").with_metadata("path", "/var");
        error.provider_code = Some("p".into());
        assert_eq!(
            body(&error),
            json!({"error":{"code":"server_error","message":"Internal Server Error"},
                "error_type":"server","metadata":null})
        );
    }
}
