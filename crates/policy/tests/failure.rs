//! What follows from one failed attempt, by what the provider said.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use signalbox_core::ErrorKind;
use signalbox_dialect::ProviderError;
use signalbox_policy::Failure;
use signalbox_policy::attempt::Next;

fn reported(status: Option<u16>, code: Option<&str>, message: &str) -> Failure {
    Failure::reported(&ProviderError::new(status, code, message))
}

#[test]
fn a_refused_credential_is_never_repeated_and_the_next_endpoint_is_tried() {
    for (status, code) in [
        (Some(401), Some("invalid_api_key")),
        (Some(403), None),
        (Some(402), None),
        (Some(400), Some("invalid_api_key")),
        (Some(400), None),
        (None, Some("authentication_error")),
    ] {
        let failure = reported(status, code, "Incorrect API key provided: sk-secret");
        assert!(!failure.message.contains("sk-secret"), "{status:?}");
        assert_eq!((failure.code, failure.next), (None, Next::Endpoint), "{status:?} {code:?}");
    }
}

#[test]
fn a_refusal_for_content_keeps_its_words() {
    let failure = reported(Some(403), Some("content_filter"), "Flagged by our content policy.");
    assert_eq!(failure.kind, ErrorKind::ContentPolicyViolation);
    assert_eq!(failure.message, "Flagged by our content policy.");
    assert_eq!(failure.code.as_deref(), Some("content_filter"));
    assert_eq!((failure.next, failure.counts), (Next::Model, false));
}

#[test]
fn only_what_the_provider_caused_counts_against_it() {
    let long = "This model's maximum context length is 8192 tokens.";
    for (status, message, counts) in [
        (Some(500), "no", true),
        (Some(500), long, false),
        (None, long, false),
        (Some(503), "busy", true),
        (Some(504), "slow", true),
        (Some(408), "slow", true),
        (Some(404), "no such model", true),
        (Some(401), "no", true),
        (Some(402), "no", true),
        (Some(403), "not in your country", false),
        (Some(400), "messages: required", false),
        (Some(413), "too large", false),
        (Some(422), "no", false),
        (Some(429), "slow down", false),
    ] {
        let failure = reported(status, None, message);
        assert_eq!(failure.counts, counts, "{status:?} {message}");
        assert!(!(failure.counts && failure.next == Next::Model), "{status:?} {message}");
        assert_eq!(failure.is_rate_limited(), status == Some(429));
    }
    assert!(Failure::timeout("slow").counts && Failure::unavailable("gone").counts);
}

#[test]
fn a_rate_limit_inside_a_200_is_one_too() {
    let failure = reported(None, Some("rate_limit_exceeded"), "slow down");
    assert!(failure.is_rate_limited() && !failure.counts);
    assert_eq!((failure.status, failure.next), (None, Next::Endpoint));
}
