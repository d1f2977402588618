//! The ways out without an answer: the reservation is given back.

use bytes::Bytes;
use signalbox_core::ApiError;
use signalbox_dialect::AnswerStyle;
use signalbox_dialect::answer::{error_chunk_of, error_document};
use signalbox_dialect::openai_responses::error::is_about_length;

use crate::exit::Exit;
use crate::generation::Generation;
use crate::reply::Failed;
use crate::sink::Sink;
use crate::{metadata, record, waste};

/// Nothing could answer: the money is given back before the client hears of it.
pub(crate) async fn fail(mut generation: Box<Generation>, error: ApiError, exit: Exit) {
    let metadata = metadata::metadata(&generation, None);
    generation.gateway.exits.note(exit);
    release(&mut generation, Some(error.kind.name()), false).await;
    if let Some(answer) = incomplete(&generation, &error) {
        return match &generation.sink {
            Sink::Stream(_) => generation.sink.end(answer).await,
            _ => generation.sink.finish(answer),
        };
    }
    let id = Some(generation.given.id.clone());
    generation.sink.fail(Failed { error, id, metadata }).await;
}

/// A Responses client is told of a length that no provider takes by an answer that is incomplete
/// (inference spec 4.8).
fn incomplete(generation: &Generation, error: &ApiError) -> Option<Bytes> {
    let skin = generation.given.skin();
    if skin.style != AnswerStyle::Responses || !is_about_length(error.kind) {
        return None;
    }
    let identity = generation.given.identity(None, generation.trace.received.seconds());
    Some(if matches!(generation.sink, Sink::Stream(_)) {
        let mut events = error_chunk_of(skin, error, &identity);
        events.extend_from_slice(skin.style.end_marker());
        Bytes::from(events)
    } else {
        error_document(skin, error, &identity)
    })
}

/// The client left before there was any content.
pub(crate) async fn abandon(mut generation: Box<Generation>) {
    generation.gateway.exits.note(Exit::Abandoned);
    release(&mut generation, None, true).await;
}

/// An answer that could not be paid: what is still held is given back.
pub(crate) async fn unsettled(generation: &mut Generation, error: &ApiError) {
    generation.gateway.exits.note(Exit::Unsettled);
    release(generation, Some(error.kind.name()), false).await;
}

/// Gives the reservation back and keeps a record of the attempts.
async fn release(generation: &mut Generation, error_type: Option<&'static str>, cancelled: bool) {
    let Some(hold) = generation.hold.take() else { return };
    let row = record::unanswered(generation, error_type, cancelled);
    let waste = waste::posted(generation);
    if let Err(error) = generation.gateway.ledger.release(hold, waste, Some(row)).await {
        tracing::error!(%error, id = %generation.given.id, "a release could not be written");
    }
}
