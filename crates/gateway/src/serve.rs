//! The stages in order. Each takes the previous one's product; the last four run in a task that
//! owns the provider's stream and the reservation, so that a client may leave at any moment.

use std::sync::Arc;

use signalbox_core::id::{GenerationId, RequestId};
use signalbox_runtime::{entropy, task};

use crate::authenticate::Principal;
use crate::gateway::Gateway;
use crate::generation::{Generation, Given};
use crate::inbound::Inbound;
use crate::reply::{Failed, Reply};
use crate::trace::Trace;
use crate::{plan, reserve, resolve};

impl Gateway {
    /// Serves one inference request: the reply's channel carries the answer.
    ///
    /// # Errors
    /// Whatever is known before an attempt: a bad request, an unknown model, no endpoint, no money.
    pub async fn serve(
        self: &Arc<Self>,
        principal: Arc<Principal>,
        inbound: Inbound,
    ) -> Result<Reply, Failed> {
        let now = self.clock.now();
        let trace = Trace::begin(now);
        principal.admit(now)?;
        reserve::warm(&self.ledger, &principal).await?;
        reserve::allowed(&self.ledger, &principal, now, &self.public_url)?;
        let world = self.world.load_full();
        let resolved = resolve::resolve(&inbound, &world.catalog)?;
        let plan = plan::plan(&resolved.requirements, &world, &self.health, &self.clock)?;
        let id = GenerationId::generate(now, entropy::bytes());
        let held =
            reserve::reserve(&self.ledger, &id, &principal, &resolved, &plan, now, self).await?;
        let given = Given {
            id,
            request_id: RequestId::generate(now, entropy::bytes()),
            principal,
            head: inbound.head,
            world,
            resolved,
            plan: Arc::new(plan),
        };
        let (generation, reply) = Generation::begin(Arc::clone(self), given, held, trace);
        // From here on nothing depends on the client: this future may be dropped.
        let run = self.running.track_future(generation.run());
        drop(task::spawn("generation", run));
        Ok(reply)
    }
}
