//! The ways out without an answer: the reservation is given back.

use signalbox_core::ApiError;

use crate::generation::Generation;
use crate::reply::Failed;
use crate::{metadata, record};

/// Nothing could answer: the money is given back before the client hears of it.
pub(crate) async fn fail(mut generation: Box<Generation>, error: ApiError) {
    let metadata = metadata::metadata(&generation, None);
    release(&mut generation, Some(error.kind.name()), false).await;
    let id = Some(generation.given.id.clone());
    generation.sink.fail(Failed { error, id, metadata }).await;
}

/// The client left before there was any content.
pub(crate) async fn abandon(mut generation: Box<Generation>) {
    release(&mut generation, None, true).await;
}

/// Gives the reservation back and keeps a record of the attempts.
async fn release(generation: &mut Generation, error_type: Option<&'static str>, cancelled: bool) {
    let Some(hold) = generation.hold.take() else { return };
    let row = record::unanswered(generation, error_type, cancelled);
    if let Err(error) = generation.gateway.ledger.release(hold, Some(row)).await {
        tracing::error!(%error, id = %generation.given.id, "a release could not be written");
    }
}
