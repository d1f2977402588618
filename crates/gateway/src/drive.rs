//! Stages 7 to 10 in one task, which owns the provider's stream and the reservation.

use std::sync::Arc;

use crate::attempt::{self, Started};
use crate::generation::Generation;
use crate::{record, relay, release};

/// Tries the candidates until one gives content, and sees that answer through.
pub(crate) async fn drive(mut generation: Box<Generation>) {
    let plan = Arc::clone(&generation.given.plan);
    while let Some((index, candidate)) = generation.attempts.next(&plan) {
        match attempt::attempt(&mut generation, index, candidate).await {
            Ok(Started::Answer(answer)) => return relay::deliver(generation, *answer).await,
            Ok(Started::ClientLeft) => return release::abandon(generation).await,
            Err(failure) => {
                record::failure(&mut generation, index, candidate, &failure);
                generation.attempts.failed(index, candidate, failure);
                if generation.sink.has_left() {
                    return release::abandon(generation).await;
                }
            }
        }
    }
    let requested = generation.given.resolved.requirements.requested();
    let error = generation.attempts.error(&plan, requested);
    release::fail(generation, error).await;
}
