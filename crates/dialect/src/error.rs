//! What a provider said went wrong, whatever its dialect.

use signalbox_core::{ApiError, ErrorKind, Flagged};

/// Longest message that is kept, in characters.
const MAX_MESSAGE_CHARS: usize = 2000;
/// Longest provider code that is kept, in characters.
const MAX_CODE_CHARS: usize = 128;

/// A provider's error in our words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderError {
    /// The HTTP status: of the answer, or what the error object names as its code.
    pub status: Option<u16>,
    /// The provider's own code.
    pub code: Option<String>,
    /// The provider's text: at most 2000 characters, without control characters.
    pub message: String,
    /// What the provider says it is. `Authentication`, `PaymentRequired` and `PermissionDenied` are
    /// about our credential at the provider, not about the client's key.
    pub kind: ErrorKind,
    /// Seconds after which to try again, from the headers.
    pub retry_after: Option<u64>,
    /// What the provider's own moderation flagged, where it says so (inference spec 4.5).
    pub flagged: Option<Box<Flagged>>,
}

impl ProviderError {
    /// An error from a status, a code and a text as the provider wrote them. The kind follows from
    /// all three, the text's wording included: there is no common vocabulary of codes.
    #[must_use]
    pub fn new(status: Option<u16>, code: Option<&str>, message: &str) -> Self {
        let message = cleaned(message, MAX_MESSAGE_CHARS);
        let code = code.map(|code| cleaned(code, MAX_CODE_CHARS)).filter(|code| !code.is_empty());
        let kind = kind(status, code.as_deref().unwrap_or_default(), &message);
        let message = if message.is_empty() { described(status) } else { message };
        Self { status, code, message, kind, retry_after: None, flagged: None }
    }

    /// The same, where the provider's moderation flagged the prompt: whatever its status, nobody's credential
    /// is in trouble.
    #[must_use]
    pub(crate) fn with_flagged(mut self, flagged: Flagged) -> Self {
        if !flagged.reasons.is_empty() {
            self.kind = ErrorKind::ContentPolicyViolation;
            self.flagged = Some(Box::new(flagged));
        }
        self
    }

    /// The error as the client may see it when no other endpoint can answer. Trouble with our own
    /// credential becomes `provider_unavailable` with a text that does not quote the provider,
    /// because such texts quote keys. With the client's own provider key, pass `own_key`: then the
    /// provider's words are theirs to read.
    #[must_use]
    pub fn for_client(self, own_key: bool) -> ApiError {
        let ours = matches!(
            self.kind,
            ErrorKind::Authentication | ErrorKind::PaymentRequired | ErrorKind::PermissionDenied
        );
        let mut error = if ours && !own_key {
            ApiError::new(ErrorKind::ProviderUnavailable, "The provider refused the request.")
        } else {
            ApiError::new(self.kind, self.message)
        };
        error.provider_code = self.code;
        error.retry_after = self.retry_after;
        error
    }
}

/// The text without control characters, with runs of white space as one space, cut to `limit`.
fn cleaned(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit));
    let mut kept = 0_usize;
    let mut gap = false;
    for letter in text.chars() {
        if letter.is_control() || letter.is_whitespace() {
            gap = kept > 0;
            continue;
        }
        if kept.saturating_add(usize::from(gap)) >= limit {
            break;
        }
        if std::mem::take(&mut gap) {
            out.push(' ');
            kept += 1;
        }
        out.push(letter);
        kept += 1;
    }
    out
}

fn described(status: Option<u16>) -> String {
    status.map_or_else(
        || "The provider reported an error.".into(),
        |status| format!("The provider answered with status {status}."),
    )
}

const CONTEXT_CODES: &[&str] = &["context_length_exceeded", "context_window_exceeded"];
const CONTEXT_WORDS: &[&str] = &[
    "maximum context length",
    "context length exceeded",
    "exceeds the context",
    "exceed context",
    "exceeds context",
    "exceed the context",
    "context window",
    "context size",
    "prompt is too long",
    "input is too long",
    "too many input tokens",
    "maximum number of tokens",
    "maximum prompt length",
    "maximum input length",
    "maximum allowed input length",
    "input token count",
    "reduce the length of the messages",
    "reduce the length of the prompt",
];
const POLICY_CODES: &[&str] = &[
    "content_filter",
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "safety",
    "sensitive_words_detected",
    "data_inspection_failed",
    "datainspectionfailed",
];
const POLICY_WORDS: &[&str] = &[
    "content management policy",
    "content policy",
    "content filter",
    "usage policies",
    "usage policy",
    "safety system",
    "flagged as potentially",
    "inappropriate content",
];
/// Our key is refused; some providers say so with a 400.
const KEY_CODES: &[&str] =
    &["invalid_api_key", "api_key_invalid", "authentication", "unauthorized"];
const KEY_WORDS: &[&str] = &[
    "incorrect api key",
    "invalid api key",
    "invalid api-key",
    "api key not valid",
    "api key expired",
];
/// Our account there is empty; some say so with a 400.
const PAYMENT_CODES: &[&str] = &["insufficient_quota", "insufficient_balance", "billing"];
const PAYMENT_WORDS: &[&str] = &["credit balance is too low", "insufficient balance"];
const OUTPUT_WORDS: &[&str] = &["max_tokens is too large", "max_completion_tokens is too large"];

/// Codes and type words that several providers use in the same sense.
const KIND_BY_CODE: &[(&str, ErrorKind)] = &[
    ("rate_limit", ErrorKind::RateLimitExceeded),
    ("ratelimit", ErrorKind::RateLimitExceeded),
    ("too_many_requests", ErrorKind::RateLimitExceeded),
    ("resource_exhausted", ErrorKind::RateLimitExceeded),
    ("overloaded", ErrorKind::ProviderOverloaded),
    ("capacity", ErrorKind::ProviderOverloaded),
    ("insufficient_quota", ErrorKind::PaymentRequired),
    ("insufficient_balance", ErrorKind::PaymentRequired),
    ("billing", ErrorKind::PaymentRequired),
    ("authentication", ErrorKind::Authentication),
    ("invalid_api_key", ErrorKind::Authentication),
    ("unauthorized", ErrorKind::Authentication),
    ("permission", ErrorKind::PermissionDenied),
    ("not_found", ErrorKind::NotFound),
    ("timeout", ErrorKind::Timeout),
    ("invalid_request", ErrorKind::InvalidRequest),
    ("invalid_argument", ErrorKind::InvalidRequest),
    ("bad_request", ErrorKind::InvalidRequest),
];

fn kind(status: Option<u16>, code: &str, message: &str) -> ErrorKind {
    let code = code.to_ascii_lowercase();
    let says = |words: &[&str]| {
        let message = message.to_ascii_lowercase();
        words.iter().any(|word| message.contains(word))
    };
    if matches!(status, Some(400 | 422)) {
        let named = |words: &[&str]| words.iter().any(|word| code.contains(word));
        if named(KEY_CODES) || says(KEY_WORDS) {
            return ErrorKind::Authentication;
        }
        if named(PAYMENT_CODES) || says(PAYMENT_WORDS) {
            return ErrorKind::PaymentRequired;
        }
    }
    // A mistake in the request may hide behind any 4xx but those that have a meaning of their own.
    if matches!(status, None | Some(400 | 403 | 413 | 422 | 500)) {
        if CONTEXT_CODES.contains(&code.as_str()) || (status != Some(403) && says(CONTEXT_WORDS)) {
            return ErrorKind::ContextLengthExceeded;
        }
        if POLICY_CODES.contains(&code.as_str()) || (status != Some(500) && says(POLICY_WORDS)) {
            return ErrorKind::ContentPolicyViolation;
        }
        if says(OUTPUT_WORDS) {
            return ErrorKind::MaxTokensExceeded;
        }
    }
    status.map_or_else(|| kind_by_code(&code), kind_by_status)
}

fn kind_by_code(code: &str) -> ErrorKind {
    KIND_BY_CODE
        .iter()
        .find(|(word, _)| code.contains(word))
        .map_or(ErrorKind::ProviderUnavailable, |(_, kind)| *kind)
}

const fn kind_by_status(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Authentication,
        402 => ErrorKind::PaymentRequired,
        403 => ErrorKind::PermissionDenied,
        404 | 410 => ErrorKind::NotFound,
        408 | 504 | 524 => ErrorKind::Timeout,
        412 => ErrorKind::PreconditionFailed,
        413 => ErrorKind::PayloadTooLarge,
        422 => ErrorKind::Unprocessable,
        429 => ErrorKind::RateLimitExceeded,
        503 | 529 => ErrorKind::ProviderOverloaded,
        400..=499 => ErrorKind::InvalidRequest,
        _ => ErrorKind::ProviderUnavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_decides_when_nothing_better_is_known() {
        let kinds = [
            (400, ErrorKind::InvalidRequest),
            (401, ErrorKind::Authentication),
            (402, ErrorKind::PaymentRequired),
            (403, ErrorKind::PermissionDenied),
            (404, ErrorKind::NotFound),
            (408, ErrorKind::Timeout),
            (413, ErrorKind::PayloadTooLarge),
            (418, ErrorKind::InvalidRequest),
            (429, ErrorKind::RateLimitExceeded),
            (500, ErrorKind::ProviderUnavailable),
            (502, ErrorKind::ProviderUnavailable),
            (503, ErrorKind::ProviderOverloaded),
            (504, ErrorKind::Timeout),
            (529, ErrorKind::ProviderOverloaded),
        ];
        for (status, kind) in kinds {
            let error = ProviderError::new(Some(status), None, "");
            assert_eq!((status, error.kind), (status, kind));
            assert_eq!(error.message, format!("The provider answered with status {status}."));
        }
    }

    #[test]
    fn a_too_long_prompt_is_known_by_code_or_wording() {
        let by_code = ProviderError::new(Some(400), Some("context_length_exceeded"), "no");
        let words = "This model's maximum context length is 8192 tokens.";
        let by_words = ProviderError::new(Some(400), None, words);
        assert_eq!(by_code.kind, ErrorKind::ContextLengthExceeded);
        assert_eq!(by_words.kind, ErrorKind::ContextLengthExceeded);
        let busy = ProviderError::new(Some(429), None, "context window tokens per minute");
        assert_eq!(busy.kind, ErrorKind::RateLimitExceeded);
    }

    #[test]
    fn trouble_with_our_account_may_hide_behind_a_400() {
        for (code, message, kind) in [
            (Some("invalid_api_key"), "no", ErrorKind::Authentication),
            (Some("authentication_error"), "no", ErrorKind::Authentication),
            (
                Some("INVALID_ARGUMENT"),
                "API key not valid. Pass another.",
                ErrorKind::Authentication,
            ),
            (None, "Incorrect API key provided: sk-abc", ErrorKind::Authentication),
            (None, "Your credit balance is too low", ErrorKind::PaymentRequired),
            (Some("invalid_request_error"), "messages: required", ErrorKind::InvalidRequest),
        ] {
            let error = ProviderError::new(Some(400), code, message);
            assert_eq!(error.kind, kind, "{code:?} {message}");
        }
    }

    #[test]
    fn messages_are_short_and_clean() {
        let error = ProviderError::new(None, Some(" a\u{7}b "), "\n\u{1b}[31mred \t\r\n text\0");
        assert_eq!((error.message.as_str(), error.code.as_deref()), ("[31mred text", Some("a b")));
        let long = ProviderError::new(None, None, &"é".repeat(5000));
        assert_eq!(long.message.chars().count(), MAX_MESSAGE_CHARS);
    }

    #[test]
    fn our_credential_is_not_the_clients_trouble() {
        let error = ProviderError::new(Some(401), Some("invalid_api_key"), "Incorrect key sk-abc");
        let shown = error.clone().for_client(false);
        assert_eq!(shown.kind, ErrorKind::ProviderUnavailable);
        assert!(!shown.message.contains("sk-abc"));
        assert_eq!(error.for_client(true).kind, ErrorKind::Authentication);
    }
}
