//! Errors in the `openai-chat` shape: what providers send, and what clients get.

use signalbox_core::{ApiError, Availability, Flagged};

use crate::document::{Document, Kind, Raw, quoted};
use crate::{Identity, ProviderError};

/// Most of a body that is no JSON is read up to here; error pages say the matter early.
const MAX_PLAIN_BYTES: usize = 8192;
/// Most reasons of a moderation that are read.
const MAX_REASONS: usize = 64;

/// Reads the body of an answer with an error status. Any bytes give an error.
#[must_use]
pub fn read_error(status: u16, body: &[u8]) -> ProviderError {
    let Some(document) = object(body) else {
        return ProviderError::new(Some(status), None, &plain_text(body));
    };
    let root = Raw::new(&document);
    match root.get("error").or_else(|| root.get("errors")) {
        Some(error) if !error.is_null() => read_value(Some(status), error),
        _ => read_value(Some(status), root),
    }
}

/// Reads the `error` member of a chunk, or of a body that came with status 200.
#[must_use]
pub fn read_inband(error_json: &str) -> ProviderError {
    let value = Raw::new(error_json);
    let status = ["code", "status", "status_code", "http_status"]
        .iter()
        .filter_map(|key| number(value.get(key)?))
        .find_map(|code| u16::try_from(code).ok().filter(|code| (400..=599).contains(code)));
    read_value(status, value)
}

/// A JSON object inside the bytes of a body: some servers wrap it in an array.
fn object(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let raw = Raw::new(text);
    let raw = match raw.kind() {
        Kind::Array => raw.elements().next()?.1,
        _ => raw,
    };
    let bytes = bytes::Bytes::copy_from_slice(raw.text().as_bytes());
    Document::parse(bytes).ok().map(|_| raw.text().to_owned())
}

fn read_value(status: Option<u16>, error: Raw<'_>) -> ProviderError {
    match error.kind() {
        Kind::String => {
            return ProviderError::new(status, None, &error.string().unwrap_or_default());
        }
        Kind::Object => {}
        Kind::Array => {
            return error.elements().next().map_or_else(
                || ProviderError::new(status, None, ""),
                |(_, first)| read_value(status, first),
            );
        }
        _ => return ProviderError::new(status, None, error.text()),
    }
    let message = ["message", "detail", "msg", "error", "title", "reason", "status_msg"]
        .iter()
        .find_map(|key| text(error.get(key)?))
        .unwrap_or_default();
    // A code that only repeats the status says nothing; the type or an inner code may.
    let inner = || error.get("innererror").or_else(|| error.get("inner_error"))?.get("code");
    let code = [error.get("code"), inner(), error.get("type"), error.get("status")]
        .into_iter()
        .flatten()
        .filter(|value| value.kind() == Kind::String)
        .filter_map(Raw::string)
        .find(|code| !code.is_empty() && code.parse::<u16>().is_err());
    let read = ProviderError::new(status, code.as_deref(), &message);
    match error.get("metadata").and_then(flagged) {
        Some(flagged) => read.with_flagged(flagged),
        None => read,
    }
}

/// What a gateway like this one says of a prompt that its moderation flagged.
fn flagged(metadata: Raw<'_>) -> Option<Flagged> {
    let reasons = metadata.get("reasons").filter(|reasons| reasons.kind() == Kind::Array)?;
    let reasons: Vec<_> =
        reasons.elements().take(MAX_REASONS).filter_map(|(_, one)| one.string()).collect();
    let input = metadata.get("flagged_input").and_then(Raw::string).unwrap_or_default();
    Some(Flagged::new(reasons.iter().map(AsRef::as_ref), &input))
}

/// A message member as text: a string, or what is nested in a list or object as its JSON.
fn text(value: Raw<'_>) -> Option<String> {
    match value.kind() {
        Kind::String => {
            value.string().map(|text| text.into_owned()).filter(|text| !text.is_empty())
        }
        Kind::Object => value
            .get("message")
            .and_then(Raw::string)
            .map_or_else(|| Some(value.text().to_owned()), |message| Some(message.into_owned())),
        Kind::Array => value.elements().next().and_then(|(_, first)| {
            let message = first.get("msg").or_else(|| first.get("message")).unwrap_or(first);
            message.string().map(|text| text.into_owned())
        }),
        _ => None,
    }
}

fn number(value: Raw<'_>) -> Option<i128> {
    value.integer().or_else(|| value.string()?.parse().ok())
}

/// What a body that is no JSON says: the title of a page, or the text.
fn plain_text(body: &[u8]) -> String {
    let body = body.get(..MAX_PLAIN_BYTES).unwrap_or(body);
    let text = String::from_utf8_lossy(body);
    if !text.trim_start().starts_with('<') {
        return text.into_owned();
    }
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|at| {
        let rest = text.get(at + "<title>".len()..)?;
        rest.get(..rest.find('<')?).map(str::to_owned)
    });
    title.unwrap_or_default()
}

/// What an error body needs besides the error.
#[derive(Debug, Clone, Copy, Default)]
pub struct ErrorContext<'a> {
    /// The public address of this installation, without a slash at the end.
    pub docs_base: &'a str,
    /// The `openrouter_metadata` object as raw JSON, when the client asked for it.
    pub openrouter_metadata: Option<&'a str>,
    /// The account's public user id.
    pub user_id: Option<&'a str>,
}

/// The JSON body of an answer that failed before any output (inference spec 4.1, 4.3, 4.7). The HTTP
/// status is `error.status()`. A 500 tells nothing but that.
#[must_use]
pub fn error_body(error: &ApiError, context: &ErrorContext<'_>) -> Vec<u8> {
    let status = error.status();
    let mut out = format!(
        "{{\"error\":{{\"code\":{status},\"message\":{},\"http_status\":{status},\"error_type\":\"{}\"",
        quoted(error.public_message()),
        error.kind.name(),
    );
    if let Some(availability) = error.availability.as_deref().filter(|_| error.kind.is_public()) {
        out.push_str(",\"availability\":");
        out.push_str(&availability_object(availability, context.docs_base));
    }
    out.push_str(",\"metadata\":");
    out.push_str(&metadata_object(error));
    out.push('}');
    if let Some(metadata) = context.openrouter_metadata.filter(|_| error.kind.is_public()) {
        out.push_str(",\"openrouter_metadata\":");
        out.push_str(metadata);
    }
    if let Some(user) = context.user_id {
        out.push_str(",\"user_id\":");
        out.push_str(&quoted(user));
    }
    out.push('}');
    out.into_bytes()
}

/// The frame that reports an error after the status line went out (inference spec 3.2).
#[must_use]
pub fn error_chunk(error: &ApiError, id: &Identity) -> Vec<u8> {
    format!(
        "data: {{\"id\":{},\"object\":\"chat.completion.chunk\",\"created\":{},\"model\":{},\
         \"provider\":{},\"error\":{},\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"\"}},\
         \"finish_reason\":\"error\",\"native_finish_reason\":null}}]}}\n\n",
        quoted(id.id.as_str()),
        id.created,
        quoted(&id.model),
        quoted(&id.provider),
        inband_object(error),
    )
    .into_bytes()
}

/// The `error` object of a chunk, or of a choice that failed after partial output (4.1). It may come
/// after keep-alive comments alone, so it tells as much as [`error_body`] does: availability (4.7,
/// without its link) and all metadata, and as little about a 500.
#[must_use]
pub fn inband_object(error: &ApiError) -> String {
    let availability = error.availability.as_deref().filter(|_| error.kind.is_public());
    let availability = availability
        .and_then(|availability| serde_json::to_string(availability).ok())
        .map(|object| format!(",\"availability\":{object}"));
    format!(
        "{{\"code\":{},\"message\":{}{},\"metadata\":{}}}",
        error.status(),
        quoted(error.public_message()),
        availability.unwrap_or_default(),
        metadata_object(error),
    )
}

fn metadata_object(error: &ApiError) -> String {
    let mut out = format!("{{\"error_type\":\"{}\"", error.kind.name());
    if error.kind.is_public() {
        if let Some(code) = &error.provider_code {
            out.push_str(",\"provider_code\":");
            out.push_str(&quoted(code));
        }
        let own = |key: &str| matches!(key, "error_type" | "provider_code");
        for (key, value) in error.metadata.iter().filter(|(key, _)| !own(key)) {
            out.push(',');
            out.push_str(&quoted(key));
            out.push(':');
            out.push_str(&value.to_string());
        }
    }
    out.push('}');
    out
}

/// The availability object with its `docs_url`.
pub(crate) fn availability_object(availability: &Availability, docs_base: &str) -> String {
    let url = format!("{docs_base}/docs/errors#{}", availability.code.name());
    let mut object = serde_json::to_value(availability).unwrap_or_default();
    if let Some(members) = object.as_object_mut() {
        members.insert("docs_url".into(), url.into());
    }
    object.to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use signalbox_core::id::GenerationId;
    use signalbox_core::{AvailabilityCode, ErrorKind};

    use super::*;

    #[test]
    fn the_known_shapes_of_provider_errors_are_read() {
        let cases: &[(u16, &str, Option<&str>, &str, ErrorKind)] = &[
            (
                429,
                r#"{"error":{"message":"Slow down","type":"requests","code":"rate_limit_exceeded"}}"#,
                Some("rate_limit_exceeded"),
                "Slow down",
                ErrorKind::RateLimitExceeded,
            ),
            (
                400,
                r#"{"error":{"message":"bad","type":"invalid_request_error","code":null}}"#,
                Some("invalid_request_error"),
                "bad",
                ErrorKind::InvalidRequest,
            ),
            (
                404,
                r#"{"message":"no such model","type":"not_found","code":404}"#,
                Some("not_found"),
                "no such model",
                ErrorKind::NotFound,
            ),
            (
                422,
                r#"{"detail":"field required"}"#,
                None,
                "field required",
                ErrorKind::Unprocessable,
            ),
            (
                422,
                r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#,
                None,
                "field required",
                ErrorKind::Unprocessable,
            ),
            (500, r#"{"error":"boom"}"#, None, "boom", ErrorKind::ProviderUnavailable),
            (
                400,
                r#"[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]"#,
                Some("INVALID_ARGUMENT"),
                "bad",
                ErrorKind::InvalidRequest,
            ),
            (
                400,
                r#"{"error":{"code":"content_filter","message":"m","innererror":{"code":"X"}}}"#,
                Some("content_filter"),
                "m",
                ErrorKind::ContentPolicyViolation,
            ),
            (
                502,
                "<html><head><title>502 Bad Gateway</title></head></html>",
                None,
                "502 Bad Gateway",
                ErrorKind::ProviderUnavailable,
            ),
            (
                503,
                "no healthy upstream",
                None,
                "no healthy upstream",
                ErrorKind::ProviderOverloaded,
            ),
            (500, "{\"error\":", None, "{\"error\":", ErrorKind::ProviderUnavailable),
        ];
        for (status, body, code, message, kind) in cases {
            let error = read_error(*status, body.as_bytes());
            assert_eq!(
                (error.code.as_deref(), error.message.as_str(), error.kind, error.status),
                (*code, *message, *kind, Some(*status)),
                "{body}"
            );
        }
        assert_eq!(read_error(400, b"\xff\xfe").message, "\u{fffd}\u{fffd}");
    }

    #[test]
    fn an_inband_error_takes_its_status_from_its_code() {
        let error = read_inband(r#"{"code":429,"message":"busy"}"#);
        assert_eq!((error.status, error.kind), (Some(429), ErrorKind::RateLimitExceeded));
        let error = read_inband(r#"{"type":"overloaded_error","message":"Overloaded"}"#);
        assert_eq!((error.status, error.kind), (None, ErrorKind::ProviderOverloaded));
        assert_eq!(read_inband("\"gone\"").message, "gone");
        assert_eq!(read_inband("").kind, ErrorKind::ProviderUnavailable);
    }

    fn body(error: &ApiError) -> Value {
        let context = ErrorContext {
            docs_base: "http://sb",
            openrouter_metadata: Some("{\"attempt\":0}"),
            user_id: Some("user_1"),
        };
        serde_json::from_slice(&error_body(error, &context)).unwrap()
    }

    #[test]
    fn an_error_names_its_kind_in_all_documented_places() {
        let mut error =
            ApiError::invalid("say \"please\"").with_metadata("previous_errors", json!([]));
        error.provider_code = Some("p".into());
        assert_eq!(
            body(&error),
            json!({"error":{"code":400,"message":"say \"please\"","http_status":400,
                "error_type":"invalid_request","metadata":{"error_type":"invalid_request",
                "provider_code":"p","previous_errors":[]}},
                "openrouter_metadata":{"attempt":0},"user_id":"user_1"})
        );
    }

    #[test]
    fn a_500_tells_nothing() {
        let mut error = ApiError::internal("disk full").with_metadata("path", "/var");
        error.provider_code = Some("p".into());
        assert_eq!(
            body(&error),
            json!({"error":{"code":500,"message":"Internal Server Error","http_status":500,
                "error_type":"server","metadata":{"error_type":"server"}},"user_id":"user_1"})
        );
    }

    #[test]
    fn an_availability_links_to_its_explanation() {
        let shown = body(&refused());
        assert_eq!(
            shown["error"]["availability"],
            json!({"code":"privacy_restricted","retryable":false,"requested_models":["acme/m1"],
                "excluded_by":["data_policy:zdr"],"docs_url":"http://sb/docs/errors#privacy_restricted"})
        );
    }

    fn refused() -> ApiError {
        let availability = Availability {
            code: AvailabilityCode::PrivacyRestricted,
            retryable: false,
            retry_after: None,
            requested_models: vec!["acme/m1".into()],
            affected_providers: vec![],
            excluded_by: vec!["data_policy:zdr".into()],
            fallback_models: vec![],
            constraint: None,
        };
        ApiError::unavailable(availability, "none")
            .with_metadata("previous_errors", json!([{"code":429}]))
    }

    #[test]
    fn an_error_after_keep_alives_still_says_what_is_available_and_what_was_tried() {
        let mut error = refused();
        let inband =
            |error: &ApiError| -> Value { serde_json::from_str(&inband_object(error)).unwrap() };
        assert_eq!(
            inband(&error)["availability"],
            json!({"code":"privacy_restricted","retryable":false,"requested_models":["acme/m1"],
                "excluded_by":["data_policy:zdr"]})
        );
        assert_eq!(inband(&error)["metadata"]["previous_errors"], json!([{"code":429}]));
        error.kind = ErrorKind::Server;
        assert_eq!(
            inband(&error),
            json!({"code":500,"message":"Internal Server Error","metadata":{"error_type":"server"}})
        );
    }

    #[test]
    fn an_error_in_a_stream_is_one_frame() {
        let id = Identity {
            id: GenerationId::new("gen-1-a"),
            model: "acme/m1".into(),
            provider: "Acme".into(),
            created: 7,
        };
        let frame = error_chunk(&ApiError::internal("secret"), &id);
        let text = String::from_utf8(frame).unwrap();
        let json = text.strip_prefix("data: ").and_then(|text| text.strip_suffix("\n\n")).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(json).unwrap(),
            json!({"id":"gen-1-a","object":"chat.completion.chunk","created":7,"model":"acme/m1",
                "provider":"Acme","error":{"code":500,"message":"Internal Server Error",
                "metadata":{"error_type":"server"}},"choices":[{"index":0,"delta":{"content":""},
                "finish_reason":"error","native_finish_reason":null}]})
        );
    }
}
