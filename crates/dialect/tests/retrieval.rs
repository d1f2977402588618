//! Embeddings and reranks: requests for every form, answers of every form, and the laws.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "retrieval/embeddings.rs"]
mod embeddings;

#[path = "retrieval/rerank.rs"]
mod rerank;

#[path = "retrieval/laws.rs"]
mod laws;
