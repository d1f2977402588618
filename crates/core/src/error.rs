//! What a client is told when something went wrong.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The public `error_type` vocabulary, the same for all dialects (inference spec 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is its own name on the wire")]
pub enum ErrorKind {
    ContextLengthExceeded,
    MaxTokensExceeded,
    TokenLimitExceeded,
    StringTooLong,
    Authentication,
    PermissionDenied,
    PaymentRequired,
    RateLimitExceeded,
    ProviderOverloaded,
    ProviderUnavailable,
    InvalidRequest,
    InvalidPrompt,
    NotFound,
    PreconditionFailed,
    PayloadTooLarge,
    Unprocessable,
    ContentPolicyViolation,
    Refusal,
    InvalidImage,
    ImageTooLarge,
    ImageTooSmall,
    UnsupportedImageFormat,
    ImageNotFound,
    ImageDownloadFailed,
    Server,
    Timeout,
    Unmapped,
}

impl ErrorKind {
    /// The HTTP status that goes with the kind.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::ContextLengthExceeded
            | Self::MaxTokensExceeded
            | Self::TokenLimitExceeded
            | Self::StringTooLong
            | Self::InvalidRequest
            | Self::InvalidPrompt
            | Self::ContentPolicyViolation
            | Self::Refusal
            | Self::InvalidImage
            | Self::ImageTooLarge
            | Self::ImageTooSmall
            | Self::UnsupportedImageFormat
            | Self::ImageDownloadFailed => 400,
            Self::Authentication => 401,
            Self::PaymentRequired => 402,
            Self::PermissionDenied => 403,
            Self::NotFound | Self::ImageNotFound => 404,
            Self::PreconditionFailed => 412,
            Self::PayloadTooLarge => 413,
            Self::Unprocessable => 422,
            Self::RateLimitExceeded => 429,
            Self::Server | Self::Unmapped => 500,
            Self::ProviderUnavailable => 502,
            Self::ProviderOverloaded => 503,
            Self::Timeout => 504,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ContextLengthExceeded => "context_length_exceeded",
            Self::MaxTokensExceeded => "max_tokens_exceeded",
            Self::TokenLimitExceeded => "token_limit_exceeded",
            Self::StringTooLong => "string_too_long",
            Self::Authentication => "authentication",
            Self::PermissionDenied => "permission_denied",
            Self::PaymentRequired => "payment_required",
            Self::RateLimitExceeded => "rate_limit_exceeded",
            Self::ProviderOverloaded => "provider_overloaded",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidPrompt => "invalid_prompt",
            Self::NotFound => "not_found",
            Self::PreconditionFailed => "precondition_failed",
            Self::PayloadTooLarge => "payload_too_large",
            Self::Unprocessable => "unprocessable",
            Self::ContentPolicyViolation => "content_policy_violation",
            Self::Refusal => "refusal",
            Self::InvalidImage => "invalid_image",
            Self::ImageTooLarge => "image_too_large",
            Self::ImageTooSmall => "image_too_small",
            Self::UnsupportedImageFormat => "unsupported_image_format",
            Self::ImageNotFound => "image_not_found",
            Self::ImageDownloadFailed => "image_download_failed",
            Self::Server => "server",
            Self::Timeout => "timeout",
            Self::Unmapped => "unmapped",
        }
    }

    /// Whether the message may be shown. Only status 500 is masked (inference spec 4.3).
    #[must_use]
    pub const fn is_public(self) -> bool {
        self.status() != 500
    }
}

/// Why no endpoint could answer (inference spec 4.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is its own name on the wire")]
pub enum AvailabilityCode {
    ModelNotFound,
    WrongEndpoint,
    NoEndpoints,
    ModelDeprecated,
    ModelUnavailableUpstream,
    CapacityExhausted,
    TemporarilyUnavailable,
    RegionRestricted,
    PrivacyRestricted,
    ConstraintFiltered,
    FreeVariantEnded,
}

impl AvailabilityCode {
    /// The error kind, and by it the HTTP status.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        match self {
            Self::ModelNotFound | Self::WrongEndpoint => ErrorKind::InvalidRequest,
            Self::NoEndpoints
            | Self::ModelDeprecated
            | Self::ModelUnavailableUpstream
            | Self::PrivacyRestricted
            | Self::ConstraintFiltered
            | Self::FreeVariantEnded => ErrorKind::NotFound,
            Self::CapacityExhausted => ErrorKind::RateLimitExceeded,
            Self::TemporarilyUnavailable => ErrorKind::ProviderOverloaded,
            Self::RegionRestricted => ErrorKind::PermissionDenied,
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(self, Self::CapacityExhausted | Self::TemporarilyUnavailable)
    }

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ModelNotFound => "model_not_found",
            Self::WrongEndpoint => "wrong_endpoint",
            Self::NoEndpoints => "no_endpoints",
            Self::ModelDeprecated => "model_deprecated",
            Self::ModelUnavailableUpstream => "model_unavailable_upstream",
            Self::CapacityExhausted => "capacity_exhausted",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::RegionRestricted => "region_restricted",
            Self::PrivacyRestricted => "privacy_restricted",
            Self::ConstraintFiltered => "constraint_filtered",
            Self::FreeVariantEnded => "free_variant_ended",
        }
    }
}

/// The request field that ruled everything out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraint {
    /// The field as a path, such as `provider.max_price`.
    pub field: String,
    /// What it asked and what there is.
    pub detail: String,
}

/// The `error.availability` object, without `docs_url`, which the server adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// What kind of shortage it is.
    pub code: AvailabilityCode,
    /// Whether trying again later makes sense.
    pub retryable: bool,
    /// Seconds to wait, when any provider said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The models as the request named them.
    pub requested_models: Vec<String>,
    /// Providers that serve the model but were ruled out or failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected_providers: Vec<String>,
    /// The rules that ruled them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded_by: Vec<String>,
    /// Cheap hints at what to ask for instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback_models: Vec<String>,
    /// The field of the request that is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<Constraint>,
}

/// Figures of a request limit, sent as `X-RateLimit-*` with the platform's own 429s only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests allowed in the window.
    pub limit: u32,
    /// Requests left.
    pub remaining: u32,
    /// When the window ends, in milliseconds since the epoch.
    pub reset_millis: i64,
}

/// An error as a client will see it, before a dialect gives it its shape.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    /// What kind it is; decides the status.
    pub kind: ErrorKind,
    /// What happened and what to do, for a person. Masked when the kind is not public.
    pub message: String,
    /// Extra members of `error.metadata`.
    pub metadata: Map<String, Value>,
    /// The provider's own code, when it sent one.
    pub provider_code: Option<String>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u64>,
    /// Why no endpoint could answer.
    pub availability: Option<Box<Availability>>,
    /// The limit that was hit, for the platform's own 429s.
    pub rate_limit: Option<RateLimit>,
    /// A status that says more than the kind's own, such as 405 or 408.
    pub exact_status: Option<u16>,
}

impl ApiError {
    /// An error with a message and nothing else.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            metadata: Map::new(),
            provider_code: None,
            retry_after: None,
            availability: None,
            rate_limit: None,
            exact_status: None,
        }
    }

    /// A mistake in the request.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }

    /// Our own fault. The message is for the log; the client sees a generic one.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Server, message)
    }

    /// No endpoint could answer.
    #[must_use]
    pub fn unavailable(availability: Availability, message: impl Into<String>) -> Self {
        let mut error = Self::new(availability.code.kind(), message);
        error.retry_after = availability.retry_after;
        error.availability = Some(Box::new(availability));
        error
    }

    /// With a member in `error.metadata`.
    #[must_use]
    pub fn with_metadata(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }

    /// With a status that says more than the kind's own.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.exact_status = Some(status);
        self
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.exact_status.unwrap_or_else(|| self.kind.status())
    }

    /// The message that may leave the process.
    #[must_use]
    pub fn public_message(&self) -> &str {
        if self.kind.is_public() { &self.message } else { "Internal Server Error" }
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_errors_are_masked() {
        let error = ApiError::internal("disk full at /var/lib");
        assert_eq!(error.public_message(), "Internal Server Error");
        assert_eq!(ApiError::invalid("no").public_message(), "no");
    }

    #[test]
    fn an_availability_code_decides_the_status() {
        let availability = Availability {
            code: AvailabilityCode::CapacityExhausted,
            retryable: true,
            retry_after: Some(7),
            requested_models: vec!["a/b".into()],
            affected_providers: vec![],
            excluded_by: vec![],
            fallback_models: vec![],
            constraint: None,
        };
        let error = ApiError::unavailable(availability, "busy");
        assert_eq!((error.kind.status(), error.retry_after), (429, Some(7)));
        let json = serde_json::to_value(error.availability).unwrap();
        assert_eq!(json.as_object().unwrap().len(), 4, "empty members are left out: {json}");
    }
}
