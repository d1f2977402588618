//! One failed attempt, and what it means for the others.

use signalbox_core::{ErrorKind, Flagged, Timestamp};
use signalbox_dialect::ProviderError;

use crate::health::Observation;

/// What may be tried after a failure (reliability design 5.2, inference spec appendix B).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another endpoint of the same model may do better.
    Endpoint,
    /// Every endpoint of this model would say the same; another model may not.
    Model,
}

/// One failed attempt, before any content reached the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// The provider's HTTP status, if it answered.
    pub status: Option<u16>,
    /// The provider's own code.
    pub code: Option<String>,
    /// What a client may be told.
    pub message: String,
    /// Seconds that the provider asked for.
    pub retry_after: Option<u64>,
    /// What may be tried next.
    pub next: Next,
    /// Whether it counts against the endpoint's uptime: neither the caller's faults nor limits on
    /// requests nor refusals by region do (inference spec 5.3).
    pub counts: bool,
    /// Whether nothing was sent, because the request could not be said in the provider's language.
    pub unfit: bool,
    /// Whether the same endpoint may do better in a moment: nothing was sent to it, or it answered
    /// with a status that says so (reliability design 5.2).
    pub passing: bool,
    /// Whether the provider may have worked, and will charge for it.
    pub worked: bool,
    /// What the provider's own moderation flagged.
    pub flagged: Option<Box<Flagged>>,
}

impl Failure {
    /// The provider answered with an error status.
    #[must_use]
    pub fn reported(error: &ProviderError) -> Self {
        let status = error.status.unwrap_or_else(|| error.kind.status());
        let refused = matches!(
            error.kind,
            ErrorKind::Authentication | ErrorKind::PaymentRequired | ErrorKind::PermissionDenied
        );
        let next = match error.kind {
            _ if refused => Next::Endpoint,
            ErrorKind::ContextLengthExceeded
            | ErrorKind::MaxTokensExceeded
            | ErrorKind::ContentPolicyViolation
            | ErrorKind::Refusal => Next::Model,
            _ if matches!(status, 400 | 405..=407 | 410..=424 | 426..=428) => Next::Model,
            _ => Next::Endpoint,
        };
        // What a provider says to a credential may repeat the credential.
        let message = if refused {
            "the provider refused the operator's credential".to_owned()
        } else {
            error.message.clone()
        };
        let limited = error.kind == ErrorKind::RateLimitExceeded;
        Self {
            kind: error.kind,
            status: error.status,
            code: if refused { None } else { error.code.clone() },
            message,
            retry_after: error.retry_after,
            next,
            counts: next == Next::Endpoint && !limited && error.kind != ErrorKind::PermissionDenied,
            unfit: false,
            passing: next == Next::Endpoint
                && !limited
                && matches!(error.status, Some(408 | 409 | 425 | 500..)),
            worked: false,
            flagged: error.flagged.clone(),
        }
    }

    /// The provider answered with status 200 and an error inside.
    #[must_use]
    pub fn inside(error: &ProviderError) -> Self {
        Self { passing: false, worked: true, ..Self::reported(error) }
    }

    /// There was no connection: nothing was sent, so that another try is safe.
    #[must_use]
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { passing: true, ..Self::unsent(message) }
    }

    /// Nothing was sent, and nothing will be.
    #[must_use]
    pub fn unsent(message: impl Into<String>) -> Self {
        Self { worked: false, ..Self::unavailable(message) }
    }

    /// The provider broke off, or sent what is not its dialect.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::without_answer(ErrorKind::ProviderUnavailable, message)
    }

    /// The provider was too slow.
    #[must_use]
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::without_answer(ErrorKind::Timeout, message)
    }

    /// The provider's language can't carry what the request insists on; nothing was sent.
    #[must_use]
    pub fn unfit(message: impl Into<String>) -> Self {
        let failure = Self::without_answer(ErrorKind::NotFound, message);
        Self { counts: false, unfit: true, worked: false, ..failure }
    }

    fn without_answer(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            code: None,
            message: message.into(),
            retry_after: None,
            next: Next::Endpoint,
            counts: true,
            unfit: false,
            passing: false,
            worked: true,
            flagged: None,
        }
    }

    /// What the health board learns of it.
    #[must_use]
    pub fn observed(&self, now: Timestamp) -> Observation {
        if self.is_rate_limited() {
            let wait = self.retry_after.map(|seconds| seconds.saturating_mul(1000));
            let wait = wait.and_then(|millis| i64::try_from(millis).ok());
            Observation::RateLimited { until: wait.map(|millis| now.plus_millis(millis)) }
        } else if self.counts {
            Observation::Fault
        } else {
            Observation::Neutral
        }
    }

    /// Whether the provider asks for patience. It may say so with a status or inside a 200.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.kind == ErrorKind::RateLimitExceeded
    }

    /// Whether the provider knows the credential and will have none of it, for whatever model: it
    /// is unknown, or has no money.
    #[must_use]
    pub fn refuses_credential(&self) -> bool {
        matches!(self.kind, ErrorKind::Authentication | ErrorKind::PaymentRequired)
    }

    /// Whether the provider does not let this credential have this model.
    #[must_use]
    pub fn refuses_endpoint(&self) -> bool {
        self.kind == ErrorKind::PermissionDenied
    }

    /// The same when the credential was the caller's own: who is refused learns which key it was.
    #[must_use]
    pub fn with_own_key(mut self, label: &str) -> Self {
        if self.refuses_credential() || self.refuses_endpoint() {
            self.message = format!("the provider refused the caller's own key {label:?}");
        }
        self
    }

    pub(super) fn is_not_found(&self) -> bool {
        self.status == Some(404)
    }

    /// The status that a list of attempts shows.
    #[must_use]
    pub fn shown_status(&self) -> u16 {
        self.status.unwrap_or_else(|| self.kind.status())
    }
}
