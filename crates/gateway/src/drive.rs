//! Stages 7 to 10 in one task, which owns the provider's stream and the reservation.

use std::sync::Arc;
use std::time::Duration;

use signalbox_policy::attempt::Step;

use crate::exit::Exit;
use crate::generation::Generation;
use crate::race::{self, Raced};
use crate::turn::{Door, Turn};
use crate::{relay, release};

/// Tries the candidates until one gives content, and sees that answer through.
pub(crate) async fn drive(mut generation: Box<Generation>) {
    let plan = Arc::clone(&generation.given.plan);
    let gateway = Arc::clone(&generation.gateway);
    let streamed = generation.given.resolved.survey.stream;
    gateway.retries.request(gateway.clock.monotonic());
    if streamed {
        gateway.hedges.request();
    }
    while !generation.is_late() {
        let now = gateway.clock.now();
        let door = Door { gateway: &gateway, streamed, now };
        match generation.attempts.next(&plan, &door) {
            Step::Stop => break,
            Step::Pause(pause) => {
                if left_during(&generation, pause).await {
                    return release::abandon(generation).await;
                }
            }
            Step::Try(choice) => {
                let turn = Turn::new(&gateway, &generation.given, choice.index, now);
                match race::run(&mut generation, &plan, turn).await {
                    Raced::Answer(answer) => return relay::deliver(generation, *answer).await,
                    Raced::ClientLeft => return release::abandon(generation).await,
                    Raced::Failed if generation.sink.has_left() => {
                        return release::abandon(generation).await;
                    }
                    Raced::Failed => {}
                }
            }
        }
    }
    let requested = generation.given.resolved.requirements.requested();
    let error = generation.attempts.error(&plan, requested);
    release::fail(generation, error, Exit::Exhausted).await;
}

/// Waits, unless a streaming client leaves first.
async fn left_during(generation: &Generation, pause: Duration) -> bool {
    tokio::time::timeout(pause, generation.sink.client().left()).await.is_ok()
}
