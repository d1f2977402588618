//! Generations whose task ended without an end. The task owns the reservation; when it panics or is
//! aborted, what it owned comes here, and the money is given back and the client told.

use signalbox_core::ApiError;
use signalbox_runtime::task;
use tokio::sync::mpsc;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::exit::Exit;
use crate::generation::Generation;
use crate::{record, release};

/// What was left behind. The token keeps the process from stopping before it is seen to.
#[derive(Debug)]
pub(crate) struct Orphan(Box<Generation>, TaskTrackerToken);

/// Where orphans are brought.
#[derive(Debug, Clone)]
pub(crate) struct Orphanage(mpsc::UnboundedSender<Orphan>);

impl Orphanage {
    /// Opens one. It closes when nobody is left who could bring anything.
    pub(crate) fn open() -> Self {
        let (sender, mut arrivals) = mpsc::unbounded_channel();
        let run = async move {
            while let Some(orphan) = arrivals.recv().await {
                // One that panics again must not keep the others from their end.
                drop(task::spawn("orphan", see_to(orphan)));
            }
        };
        drop(task::spawn("orphans", run));
        Self(sender)
    }

    /// Called while a stack unwinds: it must not panic and does not wait.
    pub(crate) fn take_in(&self, generation: Box<Generation>) {
        let token = generation.gateway.running.token();
        if let Err(refused) = self.0.send(Orphan(generation, token)) {
            // The process is ending; the hold gives itself back.
            let Orphan(mut generation, _token) = refused.0;
            drop(generation.hold.take());
        }
    }
}

async fn see_to(Orphan(mut generation, _token): Orphan) {
    tracing::error!(id = %generation.given.id, "a generation was left behind by its task");
    record::unfinished(&mut generation);
    let error = ApiError::internal("the task of the generation ended without an end");
    release::fail(generation, error, Exit::Orphaned).await;
}
