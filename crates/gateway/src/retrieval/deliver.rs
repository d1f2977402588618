//! Stages 8 to 10 of these requests: settled, then written for the client.

use bytes::Bytes;
use signalbox_core::ApiError;
use signalbox_dialect::Identity;

use super::{Retrieval, Retrieved};
use crate::ending::Ending;
use crate::generation::Generation;
use crate::{cache, record, release, settle};

/// Settles an answer, then lets the client see it.
pub(crate) async fn deliver(
    mut generation: Box<Generation>,
    index: usize,
    identity: &Identity,
    retrieved: &Retrieved,
    copy: Option<Bytes>,
) {
    let ending = Ending { index, facts: retrieved.facts(), cancelled: false, error: None };
    let settled = settle::settle(&mut generation, &ending).await;
    let seen = record::success(&generation, retrieved.facts(), 0);
    record::observe(&generation, seen);
    let retrieval = generation.given.resolved.retrieval.as_deref();
    let written = settled.and_then(|report| {
        let body =
            retrieval.and_then(|one| Retrieval::write_answer(one, retrieved, identity, &report));
        body.ok_or_else(|| ApiError::internal("an answer of another task"))
    });
    match written {
        Ok(body) => {
            cache::keep(&generation, index, retrieved.facts(), copy);
            generation.sink.finish(body);
        }
        Err(error) => release::fail(generation, error).await,
    }
}
