//! The stages in order. Each takes the previous one's product; the last four run in a task that
//! owns the provider's stream and the reservation, so that a client may leave at any moment.

use std::sync::Arc;

use bytes::Bytes;
use signalbox_catalog::Lookup;
use signalbox_core::id::{GenerationId, RequestId};
use signalbox_core::{ApiError, Timestamp};
use signalbox_dialect::anthropic_messages;
use signalbox_policy::router::Router;
use signalbox_runtime::{entropy, task};

use crate::authenticate::{Admitted, Principal};
use crate::gateway::Gateway;
use crate::generation::{Generation, Given};
use crate::inbound::{Inbound, RequestHead, Surface};
use crate::open::Opened;
use crate::reply::{Failed, Reply};
use crate::resolve::{Around, Resolved};
use crate::screen::Filters;
use crate::sticky::Conversation;
use crate::trace::Trace;
use crate::world::World;
use crate::{cache, drive, estimate, free, plan, region, reserve, resolve, retrieval, sticky};

impl Gateway {
    /// Stage 2's second half, before the body is read: may this caller ask at all, and what may it
    /// spend?
    ///
    /// # Errors
    /// 403 for a management key or a used-up limit, 429 above the request limit, 402 without credit.
    pub async fn admit(&self, principal: Arc<Principal>) -> Result<Admitted, ApiError> {
        let now = self.clock.now();
        principal.admit(now)?;
        reserve::warm(&self.ledger, &principal, &principal.spender, now).await?;
        let budget = reserve::spendable(&self.ledger, &principal, now, &self.public_url)?;
        Ok(Admitted { principal, budget, received: now })
    }

    /// The tokens of a `/messages` body, estimated.
    ///
    /// # Errors
    /// 400 for a body that could not be sent either, 404 for a preset that can't be used.
    pub async fn count_tokens(&self, caller: &Principal, body: Bytes) -> Result<u64, ApiError> {
        let (surface, head) = (Surface::Messages, RequestHead::default());
        let opened = self.open(caller, Inbound { surface, head, body, id: None }).await?;
        let survey = anthropic_messages::survey::survey(&opened.document)?;
        let world = self.world.load();
        let model = survey.model.as_deref().map(|slug| world.catalog.lookup(slug));
        let family = match &model {
            Some(Lookup::Found { model, .. }) => model.tokenizer.as_str(),
            _ => "",
        };
        Ok(estimate::prompt(&survey, |bytes| self.ratios.tokens(family, bytes)))
    }

    /// Serves one inference request: the reply's channel carries the answer.
    ///
    /// # Errors
    /// Whatever is known before an attempt: a bad request, an unknown model, no endpoint, no money.
    pub async fn serve(
        self: &Arc<Self>,
        admitted: Admitted,
        opened: Opened,
    ) -> Result<Reply, Failed> {
        let now = admitted.received;
        let world = self.world.load_full();
        let surface = opened.surface;
        let account = admitted.principal.key.account.clone();
        let known = opened.id.clone();
        // One throw decides the draws of routers and of the plan.
        let dice = entropy::dice();
        let (mut resolved, head) =
            self.resolved(&world, &admitted.principal, opened, now, dice).await?;
        if let Some(refused) = self.blocked(&world, &mut resolved, &head, now, dice) {
            return Err(refused);
        }
        let preset = resolved.preset.as_ref().map(|used| used.cache);
        let ticket = cache::ticket(&admitted.principal, surface, &resolved, &head, preset);
        let id = known.unwrap_or_else(|| match &resolved.retrieval {
            Some(retrieval) => retrieval.id(now, entropy::bytes()),
            None => GenerationId::generate(now, entropy::bytes()),
        });
        let request_id = RequestId::generate(now, entropy::bytes());
        if let Some(kept) = ticket.as_ref().and_then(|ticket| self.answers.find(ticket, now)) {
            let (principal, plan) = (admitted.principal, Arc::new(kept.plan()));
            let (ticket, received) = (None, now);
            let given =
                Given { id, request_id, principal, head, world, resolved, plan, received, ticket };
            return Ok(cache::replay(self, given, kept, now));
        }
        sticky::stay(self, &account, &world, &mut resolved, now);
        let mut plan = plan::plan(&resolved.requirements, &world, &self.health, now, dice)?;
        if let Some(retrieval) = &resolved.retrieval {
            retrieval::keep_fitting(retrieval, &world, &mut plan)?;
        }
        self.moderate(surface, &mut resolved, &mut plan).await?;
        let held = free::reserve(self, &id, &admitted, &resolved, plan).await?;
        self.apps.note(&head, &self.clock).await;
        let given = Given {
            id,
            request_id,
            principal: admitted.principal,
            head,
            world,
            resolved,
            plan: Arc::new(held.plan),
            received: now,
            ticket,
        };
        let trace = Trace::begin(now);
        let (generation, reply) =
            Generation::begin(Arc::clone(self), given, held.bounds, Some(held.hold), trace);
        // From here on nothing depends on the client: this future may be dropped.
        let run = Box::pin(drive::drive(generation));
        drop(task::spawn("generation", self.running.track_future(run)));
        Ok(reply)
    }

    /// Stage 3, with what routers know of the account's conversations, and what a recogniser finds where
    /// guardrails want to know.
    pub(crate) async fn resolved(
        &self,
        world: &World,
        caller: &Principal,
        opened: Opened,
        now: Timestamp,
        dice: u64,
    ) -> Result<(Resolved, RequestHead), ApiError> {
        let named = match (&self.recognition, caller.screen.as_deref()) {
            (Some(recognition), Some(screen)) => recognition.find(screen, &opened).await,
            _ => Vec::new(),
        };
        let region = opened.head.region;
        let policy = region::policy(caller, region);
        let before = |router: Router, conversation: Conversation| {
            self.sticky.model(&caller.key.account, router.id(), conversation, now)
        };
        let around = Around {
            catalog: &world.catalog,
            policy: &policy,
            health: &self.health,
            now,
            dice,
            classifier: self.tasks.classifier(),
            before: &before,
            screen: caller.screen.as_deref().map(|screen| Filters { screen, named: &named }),
        };
        let resolved = resolve::resolve(opened, &around);
        region::entitled(caller, region, &resolved)?;
        resolved
    }
}
