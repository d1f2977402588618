//! Errors of AWS: a name, which stands in a header, in `__type` or in the type of a message of the
//! stream, and a `message`.

use signalbox_core::ErrorKind;

use crate::document::{Kind, Raw};
use crate::frame::event_stream::{Message, MessageKind};
use crate::scan::is_json;
use crate::{ProviderError, StreamFault, openai_chat};

/// What each name says: its HTTP status, and the kind where the status says too little. From the
/// service's model and the errors that all AWS services have in common.
const NAMES: &[(&str, u16, Option<ErrorKind>)] = &[
    ("throttling", 429, Some(ErrorKind::RateLimitExceeded)),
    ("toomanyrequests", 429, Some(ErrorKind::RateLimitExceeded)),
    ("servicequotaexceeded", 400, Some(ErrorKind::RateLimitExceeded)),
    ("modelnotready", 429, Some(ErrorKind::ProviderOverloaded)),
    ("serviceunavailable", 503, Some(ErrorKind::ProviderOverloaded)),
    ("modeltimeout", 408, Some(ErrorKind::Timeout)),
    ("internalserver", 500, Some(ErrorKind::ProviderUnavailable)),
    ("internalfailure", 500, Some(ErrorKind::ProviderUnavailable)),
    ("modelerror", 424, None),
    ("modelstreamerror", 424, None),
    ("validation", 400, None),
    ("resourcenotfound", 404, Some(ErrorKind::NotFound)),
    ("accessdenied", 403, Some(ErrorKind::PermissionDenied)),
    ("notauthorized", 400, Some(ErrorKind::PermissionDenied)),
    ("optinrequired", 403, Some(ErrorKind::PermissionDenied)),
    ("unrecognizedclient", 403, Some(ErrorKind::Authentication)),
    ("invalidclienttokenid", 403, Some(ErrorKind::Authentication)),
    ("invalidsignature", 403, Some(ErrorKind::Authentication)),
    ("incompletesignature", 400, Some(ErrorKind::Authentication)),
    ("missingauthenticationtoken", 403, Some(ErrorKind::Authentication)),
    ("expiredtoken", 403, Some(ErrorKind::Authentication)),
    ("requestexpired", 400, Some(ErrorKind::Authentication)),
];

/// Reads the body of an answer with an error status. Any bytes give an error.
#[must_use]
pub fn read_error(status: u16, body: &[u8]) -> ProviderError {
    object(body).map_or_else(
        || openai_chat::error::read_error(status, body),
        |object| read_value(Some(status), None, Some(object)),
    )
}

/// Reads an error inside a body that came with status 200: one that has a message and no answer.
pub(super) fn read_inside(body: Raw<'_>) -> Option<ProviderError> {
    let is_error = body.get("output").is_none() && message_of(body).is_some();
    is_error.then(|| read_value(None, None, Some(body)))
}

/// The fault that an exception or an error of a stream is.
pub(crate) fn read_fault(message: &Message<'_>) -> StreamFault {
    StreamFault::InBand(match message.kind() {
        MessageKind::Error { code, message } => ProviderError {
            kind: known(code).and_then(|(_, kind)| kind).unwrap_or(ErrorKind::ProviderUnavailable),
            ..ProviderError::new(known(code).map(|(status, _)| status), Some(code), message)
        },
        MessageKind::Exception(name) => read_value(None, Some(name), object(message.payload)),
        MessageKind::Event(_) | MessageKind::Other => read_value(None, None, None),
    })
}

fn object(body: &[u8]) -> Option<Raw<'_>> {
    let text = std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}');
    Some(text).filter(|text| is_json(text)).map(Raw::new).filter(|raw| {
        // Proxies answer in their own shape.
        raw.kind() == Kind::Object && raw.get("error").is_none_or(Raw::is_null)
    })
}

fn message_of(object: Raw<'_>) -> Option<Raw<'_>> {
    let message = object.get("message").or_else(|| object.get("Message"));
    message.filter(|message| message.kind() == Kind::String)
}

/// The name without what may stand around it: `com.amazon.coral.service#NameException:http://...`.
fn plain(name: &str) -> &str {
    let name = name.rsplit('#').next().unwrap_or(name);
    name.split(':').next().unwrap_or(name)
}

/// What is known of a name, in any case, with or without `Exception` at its end.
fn known(name: &str) -> Option<(u16, Option<ErrorKind>)> {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix("exception").unwrap_or(&name);
    NAMES.iter().find(|(word, ..)| *word == name).map(|(_, status, kind)| (*status, *kind))
}

fn read_value(status: Option<u16>, name: Option<&str>, object: Option<Raw<'_>>) -> ProviderError {
    let text = |key: &str| object.and_then(|object| object.get(key)).and_then(Raw::string);
    let typed = text("__type").or_else(|| text("code"));
    let name = name.or(typed.as_deref()).map(plain).filter(|name| !name.is_empty());
    let known = name.and_then(known);
    let status = status.or(known.map(|(status, _)| status));
    let message = object.and_then(message_of).and_then(Raw::string).unwrap_or_default();
    let error = ProviderError::new(status, name, &message);
    if status != Some(424) {
        let kind = known.and_then(|(_, kind)| kind).unwrap_or(error.kind);
        return ProviderError { kind, ..error };
    }
    // The model failed behind the service, which tells the model's own status and words.
    let original = object.and_then(|object| object.get("originalStatusCode")?.integer());
    let original = original.and_then(|status| u16::try_from(status).ok());
    let original = original.filter(|status| (400..=599).contains(status)).unwrap_or(500);
    let words = text("originalMessage").filter(|words| !words.is_empty()).unwrap_or(message);
    ProviderError { kind: ProviderError::new(Some(original), None, &words).kind, ..error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::event_stream::{EventStreamDecoder, EventStreamFault};
    use crate::laws::bedrock::frame;

    #[test]
    fn kinds_follow_status_name_and_words() {
        for (status, body, kind) in [
            (
                400,
                r#"{"message":"Input is too long for requested model."}"#,
                ErrorKind::ContextLengthExceeded,
            ),
            (
                400,
                r#"{"message":"The model returned the following errors: prompt is too long: 9 tokens > 8 maximum"}"#,
                ErrorKind::ContextLengthExceeded,
            ),
            (400, r#"{"message":"messages: missing"}"#, ErrorKind::InvalidRequest),
            (429, r#"{"message":"Too many requests, please wait."}"#, ErrorKind::RateLimitExceeded),
            (
                403,
                r#"{"Message":"no access","__type":"com.amazon.coral.service#AccessDeniedException"}"#,
                ErrorKind::PermissionDenied,
            ),
            (
                403,
                r#"{"message":"bad token","__type":"UnrecognizedClientException:http://x/"}"#,
                ErrorKind::Authentication,
            ),
            (404, r#"{"message":"Could not resolve the model"}"#, ErrorKind::NotFound),
            (408, r#"{"message":"late"}"#, ErrorKind::Timeout),
            (
                424,
                r#"{"message":"failed","originalStatusCode":500}"#,
                ErrorKind::ProviderUnavailable,
            ),
            (424, r#"{"message":"failed","originalStatusCode":429}"#, ErrorKind::RateLimitExceeded),
            (424, r#"{"message":"failed"}"#, ErrorKind::ProviderUnavailable),
            (429, r#"{"__type":"ModelNotReadyException"}"#, ErrorKind::ProviderOverloaded),
            (
                400,
                r#"{"__type":"ServiceQuotaExceededException","message":"quota"}"#,
                ErrorKind::RateLimitExceeded,
            ),
            (503, "<html><title>Sorry</title>", ErrorKind::ProviderOverloaded),
            (500, "", ErrorKind::ProviderUnavailable),
            (502, r#"{"error":{"message":"proxy"}}"#, ErrorKind::ProviderUnavailable),
        ] {
            let error = read_error(status, body.as_bytes());
            assert_eq!((error.kind, error.status), (kind, Some(status)), "{body}");
            assert!(!error.message.is_empty());
        }
        let body = br#"{"message":"no","__type":"com.amazon.coral.service#AccessDeniedException"}"#;
        assert_eq!(read_error(403, body).code.as_deref(), Some("AccessDeniedException"));
    }

    fn fault(headers: &[(&str, &str)], payload: &str) -> ProviderError {
        let mut read = None;
        let result =
            EventStreamDecoder::default().push(&frame(headers, payload.as_bytes()), |message| {
                read = Some(read_fault(&message));
                Ok::<(), EventStreamFault>(())
            });
        assert_eq!(result, Ok(()));
        match read {
            Some(StreamFault::InBand(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn exceptions_of_a_stream_are_typed() {
        for (name, payload, status, kind) in [
            ("throttlingException", r#"{"message":"slow"}"#, 429, ErrorKind::RateLimitExceeded),
            (
                "serviceUnavailableException",
                r#"{"message":"x"}"#,
                503,
                ErrorKind::ProviderOverloaded,
            ),
            ("internalServerException", "", 500, ErrorKind::ProviderUnavailable),
            (
                "validationException",
                r#"{"message":"Input is too long for requested model."}"#,
                400,
                ErrorKind::ContextLengthExceeded,
            ),
            (
                "modelStreamErrorException",
                r#"{"message":"x","originalStatusCode":400,"originalMessage":"prompt is too long"}"#,
                424,
                ErrorKind::ContextLengthExceeded,
            ),
            ("modelTimeoutException", "{}", 408, ErrorKind::Timeout),
        ] {
            let error =
                fault(&[(":message-type", "exception"), (":exception-type", name)], payload);
            assert_eq!((error.kind, error.status), (kind, Some(status)), "{name}");
            assert_eq!(error.code.as_deref(), Some(name));
        }
        let unmodelled = [
            (":message-type", "error"),
            (":error-code", "InternalFailure"),
            (":error-message", "it broke"),
        ];
        let error = fault(&unmodelled, "");
        assert_eq!(
            (error.kind, error.message.as_str()),
            (ErrorKind::ProviderUnavailable, "it broke")
        );
        let odd = fault(&[(":message-type", "exception")], "not json");
        assert_eq!((odd.kind, odd.status), (ErrorKind::ProviderUnavailable, None));
    }
}
