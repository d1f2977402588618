//! The Responses dialect where client and provider both speak it: requests patched, answers spliced.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "responses_relay/answers.rs"]
mod answers;
#[path = "responses_relay/requests.rs"]
mod requests;
