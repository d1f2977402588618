//! Conversations that stay where their prompt is cached (inference spec 14.2), and with the model that a
//! router chose for them (8.1, 8.3).
//!
//! An account's conversation is remembered by endpoint for each model, and by model for each router.
//! An entry ends ten minutes after the last success; a failure does not keep it alive. It is a wish:
//! the planner puts the endpoint first when it is permitted and fit, and plans as ever when not.

mod conversation;

use std::sync::Arc;

use signalbox_catalog::Endpoint;
use signalbox_core::id::AccountId;
use signalbox_core::{PriceKind, Timestamp, limits};
use signalbox_dialect::Facts;
use signalbox_policy::Candidate;

use crate::gateway::Gateway;
use crate::generation::Generation;
use crate::resolve::Resolved;
use crate::shelf::{Owned, Shelf};
use crate::world::World;

pub use conversation::Conversation;

/// What is remembered of conversations.
#[derive(Debug)]
pub struct Sticky(Shelf<Place, Arc<str>>);

/// One conversation of one account, as far as it is about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    account: AccountId,
    about: About,
    conversation: Conversation,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum About {
    /// The endpoint of this model.
    Model(Box<str>),
    /// The model of this router.
    Router(Box<str>),
}

impl Owned for Place {}

impl Default for Sticky {
    fn default() -> Self {
        Self(Shelf::new(limits::MAX_STICKY))
    }
}

impl Sticky {
    /// The model that a router chose for this conversation before.
    #[must_use]
    pub fn model(
        &self,
        account: &AccountId,
        router: &str,
        conversation: Conversation,
        now: Timestamp,
    ) -> Option<Arc<str>> {
        let about = About::Router(router.into());
        self.0.get(&Place { account: account.clone(), about, conversation }, now)
    }

    /// Remembers the model that a router chose and that answered.
    pub fn keep_model(
        &self,
        account: &AccountId,
        router: &str,
        conversation: Conversation,
        model: &str,
        now: Timestamp,
    ) {
        let about = About::Router(router.into());
        self.keep(Place { account: account.clone(), about, conversation }, model, now);
    }

    fn endpoint(
        &self,
        account: &AccountId,
        model: &str,
        conversation: Conversation,
        now: Timestamp,
    ) -> Option<Arc<str>> {
        let about = About::Model(model.into());
        self.0.get(&Place { account: account.clone(), about, conversation }, now)
    }

    fn keep_endpoint(
        &self,
        account: &AccountId,
        model: &str,
        conversation: Conversation,
        endpoint: &str,
        now: Timestamp,
    ) {
        let about = About::Model(model.into());
        self.keep(Place { account: account.clone(), about, conversation }, endpoint, now);
    }

    fn keep(&self, place: Place, what: &str, now: Timestamp) {
        let idle = i64::try_from(limits::STICKY_IDLE.as_millis()).unwrap_or(i64::MAX);
        self.0.put(place, what.into(), 1, now.plus_millis(idle), now);
    }
}

/// Whether staying saves money: reading the prompt from the endpoint's cache costs less than sending it
/// anew.
fn rewards(endpoint: &Endpoint) -> bool {
    let rates = &endpoint.prices.rates;
    match (rates.get(PriceKind::InputCacheRead), rates.get(PriceKind::Prompt)) {
        (Some(read), Some(prompt)) => read < prompt,
        _ => false,
    }
}

/// Whether the request takes part at all: a conversation whose caller did not order the providers.
fn takes_part(resolved: &Resolved) -> bool {
    resolved.retrieval.is_none() && resolved.requirements.provider.order.is_empty()
}

/// Notes in the requirements where the conversation was: the entry of the first model that has one.
pub(crate) fn stay(
    gateway: &Gateway,
    account: &AccountId,
    world: &World,
    resolved: &mut Resolved,
    now: Timestamp,
) {
    if gateway.sticky.0.is_empty() || !takes_part(resolved) {
        return;
    }
    let models = resolved.requirements.models.iter().map(|one| one.model.id.as_str());
    let mut rewarding = models
        .filter(|id| world.catalog.endpoints(id).iter().any(|endpoint| rewards(endpoint)))
        .peekable();
    if rewarding.peek().is_none() {
        return;
    }
    let Some(conversation) = resolved.conversation() else { return };
    let found = rewarding.find_map(|id| gateway.sticky.endpoint(account, id, conversation, now));
    drop(rewarding);
    resolved.requirements.sticky = found;
}

/// Notes that an endpoint answered: a conversation with a session stays from now on, any other as soon
/// as something came from the endpoint's cache.
pub(crate) fn note(generation: &Generation, index: usize, facts: &Facts) {
    let given = &generation.given;
    let resolved = &given.resolved;
    let Some(candidate) = given.plan.candidates.get(index) else { return };
    keep_choice(generation, candidate);
    let endpoint = &candidate.endpoint;
    if !takes_part(resolved) || !rewards(endpoint) {
        return;
    }
    let hit = facts.usage_plausible && facts.usage.is_some_and(|usage| usage.cache_read > 0);
    let stayed = resolved.requirements.sticky.as_deref() == Some(endpoint.id.as_str());
    if resolved.session_id.is_none() && !hit && !stayed {
        return;
    }
    if let Some(conversation) = resolved.conversation() {
        let (account, model) = (&given.principal.key.account, &candidate.model.id);
        let now = generation.gateway.clock.now();
        generation.gateway.sticky.keep_endpoint(account, model, conversation, &endpoint.id, now);
    }
}

/// A conversation stays with the model that a router chose for it, from its first answer on.
fn keep_choice(generation: &Generation, candidate: &Candidate) {
    let given = &generation.given;
    let choice = given.resolved.requirements.router_of(candidate.model_index);
    let Some(router) = choice.map(|one| one.router).filter(|one| one.is_sticky()) else { return };
    if let Some(conversation) = given.resolved.conversation() {
        let (account, model) = (&given.principal.key.account, &candidate.model.id);
        let now = generation.gateway.clock.now();
        generation.gateway.sticky.keep_model(account, router.id(), conversation, model, now);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use signalbox_dialect::document::Document;

    use super::*;

    fn session(id: &str) -> Conversation {
        let document = Document::parse(Bytes::from_static(b"{}")).unwrap();
        Conversation::of(Some(id), None, &document).unwrap()
    }

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_conversation_is_remembered_for_ten_idle_minutes() {
        let (sticky, ann) = (Sticky::default(), AccountId::new("ann"));
        let find = |now| sticky.endpoint(&ann, "a/b", session("s"), at(now));
        sticky.keep_endpoint(&ann, "a/b", session("s"), "e1", at(0));
        assert_eq!(find(599).as_deref(), Some("e1"), "looking does not keep it alive");
        assert_eq!(find(600), None);
        sticky.keep_endpoint(&ann, "a/b", session("s"), "e1", at(1_000));
        sticky.keep_endpoint(&ann, "a/b", session("s"), "e2", at(1_500));
        assert_eq!(find(2_099).as_deref(), Some("e2"), "a success does");
        assert_eq!(find(2_100), None);
    }

    #[test]
    fn accounts_models_routers_and_conversations_are_apart() {
        let (sticky, ann, bob) = (Sticky::default(), AccountId::new("ann"), AccountId::new("bob"));
        sticky.keep_endpoint(&ann, "a/b", session("s"), "e1", at(0));
        sticky.keep_model(&ann, "openrouter/auto", session("s"), "a/b", at(0));
        assert_eq!(sticky.endpoint(&bob, "a/b", session("s"), at(1)), None);
        assert_eq!(sticky.endpoint(&ann, "a/c", session("s"), at(1)), None);
        assert_eq!(sticky.endpoint(&ann, "a/b", session("t"), at(1)), None);
        assert_eq!(sticky.endpoint(&ann, "openrouter/auto", session("s"), at(1)), None);
        assert_eq!(sticky.model(&ann, "a/b", session("s"), at(1)), None);
        assert_eq!(sticky.model(&bob, "openrouter/auto", session("s"), at(1)), None);
        let model = sticky.model(&ann, "openrouter/auto", session("s"), at(1));
        assert_eq!(model.as_deref(), Some("a/b"));
    }
}
