//! Stages 8 to 10 of these requests: settled, then written for the client.

use bytes::Bytes;
use signalbox_core::ApiError;
use signalbox_dialect::Identity;

use super::{Retrieval, Retrieved};
use crate::ending::Ending;
use crate::exit::Exit;
use crate::failpoint::{self, Failpoint};
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
    let seen = record::success(&generation, retrieved.facts(), 0);
    record::observe(&generation, seen);
    match written(&mut generation, &ending, identity, retrieved).await {
        Ok(body) => {
            generation.gateway.exits.note(Exit::Answered);
            cache::keep(&generation, index, retrieved.facts(), copy);
            generation.sink.finish(body);
        }
        Err(error) => release::fail(generation, error, Exit::Unsettled).await,
    }
}

/// The answer as the client will see it, once its charge is durable.
async fn written(
    generation: &mut Generation,
    ending: &Ending<'_>,
    identity: &Identity,
    retrieved: &Retrieved,
) -> Result<Bytes, ApiError> {
    let priced = settle::priced(generation, ending)?;
    failpoint::reached(Failpoint::Encode, &generation.given);
    let retrieval = generation.given.resolved.retrieval.as_deref();
    let body = retrieval
        .and_then(|one| Retrieval::write_answer(one, retrieved, identity, &priced.report))
        .ok_or_else(|| ApiError::internal("an answer of another task"))?;
    settle::post(generation, priced).await?;
    Ok(body)
}
