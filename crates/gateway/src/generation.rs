//! The state of one generation on its way through stages 7 to 10.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use signalbox_core::Timestamp;
use signalbox_core::id::{GenerationId, RequestId};
use signalbox_dialect::{Identity, Skin, WireDialect};
use signalbox_policy::{Attempts, ByokKey, Candidate, Failure, Plan};
use tokio::sync::{mpsc, oneshot};

use crate::authenticate::Principal;
use crate::cache::Ticket;
use crate::gateway::Gateway;
use crate::inbound::RequestHead;
use crate::own_keys::OwnKey;
use crate::reply::{Reply, ReplyBody};
use crate::reserve::Bound;
use crate::resolve::Resolved;
use crate::retrieval::Form;
use crate::sink::{PIECES, Sink};
use crate::trace::Trace;
use crate::turn::Turn;
use crate::world::{Road, World};

/// What the first stages found out.
#[derive(Debug)]
pub(crate) struct Given {
    pub id: GenerationId,
    pub request_id: RequestId,
    pub principal: Arc<Principal>,
    pub head: RequestHead,
    pub world: Arc<World>,
    pub resolved: Resolved,
    /// Only the candidates that the balance affords.
    pub plan: Arc<Plan>,
    /// When the request arrived.
    pub received: Timestamp,
    /// Where the answer is to be kept.
    pub ticket: Option<Ticket>,
}

impl Given {
    /// What the answer says about itself when this candidate gives it.
    pub(crate) fn identity(&self, candidate: Option<usize>, created: i64) -> Identity {
        let candidate = candidate.and_then(|index| self.plan.candidates.get(index));
        let (model, provider) = match candidate {
            Some(one) => (one.model.id.clone(), one.provider.name.clone()),
            None => (self.requested().to_owned(), String::new()),
        };
        Identity { id: self.id.clone(), model, provider, created }
    }

    /// The first model, as the client wrote it.
    pub(crate) fn requested(&self) -> &str {
        self.resolved.requirements.models.first().map_or("", |one| one.requested.as_str())
    }

    /// The road to a candidate, by the caller's own key if it is a candidate for that.
    ///
    /// # Errors
    /// There is none: the attempt fails without being made.
    pub(crate) fn road(&self, one: &Candidate) -> Result<Way<'_, WireDialect>, Failure> {
        match &one.byok {
            None => self.world.road(&one.endpoint).map(Way::Shared).ok_or_else(not_set_up),
            Some(key) => self.own(key)?.access.road(&self.world, one).map(Way::Own),
        }
    }

    /// The same for a request that is no conversation.
    ///
    /// # Errors
    /// As [`Given::road`].
    pub(crate) fn form(&self, one: &Candidate) -> Result<Way<'_, Form>, Failure> {
        match &one.byok {
            None => self.world.form(&one.endpoint).map(Way::Shared).ok_or_else(not_set_up),
            Some(key) => self.own(key)?.access.form(&self.world, one).map(Way::Own),
        }
    }

    fn own(&self, key: &ByokKey) -> Result<&OwnKey, Failure> {
        let found = self.principal.own.iter().find(|one| one.routing.id == key.id);
        found.ok_or_else(|| Failure::unsent("the key is gone"))
    }

    pub(crate) const fn skin(&self) -> &Skin {
        &self.resolved.skin
    }
}

/// The road to a candidate.
pub(crate) enum Way<'a, D> {
    /// With the operator's credential.
    Shared(&'a Arc<Road<D>>),
    /// With the caller's own.
    Own(Arc<Road<D>>),
}

impl<D> Deref for Way<'_, D> {
    type Target = Road<D>;

    fn deref(&self) -> &Road<D> {
        match self {
            Self::Shared(road) => road,
            Self::Own(road) => road,
        }
    }
}

fn not_set_up() -> Failure {
    Failure::unsent("the provider is not set up")
}

/// One generation on its way.
#[derive(Debug)]
pub(crate) struct Generation {
    pub gateway: Arc<Gateway>,
    pub given: Arc<Given>,
    pub bounds: Vec<Bound>,
    pub hold: Option<signalbox_store::Hold>,
    pub trace: Trace,
    pub attempts: Attempts,
    /// The attempt that `trace` is about, on the health board.
    pub turn: Option<Turn>,
    pub sink: Sink,
}

/// A generation that still holds money when its task lets go of it has not ended: its task panicked
/// or was aborted. It is handed to the supervisor, which ends it.
impl Drop for Generation {
    fn drop(&mut self) {
        if self.hold.is_none() {
            return;
        }
        let left = Self {
            gateway: Arc::clone(&self.gateway),
            given: Arc::clone(&self.given),
            bounds: std::mem::take(&mut self.bounds),
            hold: self.hold.take(),
            trace: std::mem::replace(&mut self.trace, Trace::begin(self.given.received)),
            attempts: Attempts::default(),
            turn: self.turn.take(),
            sink: std::mem::replace(&mut self.sink, Sink::Gone),
        };
        self.gateway.orphanage.take_in(Box::new(left));
    }
}

impl Generation {
    /// The task's state, and the client's end of it. Boxed: it is handed from stage to stage.
    pub(crate) fn begin(
        gateway: Arc<Gateway>,
        given: Given,
        bounds: Vec<Bound>,
        hold: Option<signalbox_store::Hold>,
        trace: Trace,
    ) -> (Box<Self>, Reply) {
        let (sink, body) = if given.resolved.survey.stream {
            let (sender, receiver) = mpsc::channel(PIECES);
            (Sink::Stream(sender), ReplyBody::Stream(receiver))
        } else {
            let (sender, receiver) = oneshot::channel();
            (Sink::Whole(sender), ReplyBody::Whole(receiver))
        };
        let reply = Reply {
            id: given.id.clone(),
            body,
            cache: given.ticket.as_ref().map(Ticket::miss),
            skin: given.skin().clone(),
            identity: given.identity(None, trace.received.seconds()),
        };
        let given = Arc::new(given);
        let (attempts, turn) = (Attempts::default(), None);
        let generation = Self { gateway, given, bounds, hold, trace, attempts, turn, sink };
        (Box::new(generation), reply)
    }

    /// The time that the whole request has left, attempts together.
    pub(crate) fn time_left(&self) -> Duration {
        let timeouts = &self.gateway.timeouts;
        let streamed = self.given.resolved.survey.stream;
        let total = if streamed { timeouts.stream_total } else { timeouts.whole_total };
        total.saturating_sub(self.age())
    }

    /// Whether no time is left for another attempt.
    pub(crate) fn is_late(&self) -> bool {
        self.time_left().is_zero()
    }

    /// How long ago the request arrived.
    pub(crate) fn age(&self) -> Duration {
        Duration::from_millis(self.gateway.clock.now().millis_since(self.trace.received))
    }
}
