//! The Responses dialect as clients see it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "openai_responses/answers.rs"]
mod answers;
#[path = "openai_responses/reading.rs"]
mod reading;
#[path = "openai_responses/requests.rs"]
mod requests;
