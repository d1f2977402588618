//! The response cache (inference spec 14.3): a complete answer is kept for the key that paid for it and
//! given again to the same request, free of charge.
//!
//! What is kept is the provider's own answer, byte for byte. To give it again it goes through the same
//! reading and writing as when it came, with a new id and without counts, so that every dialect of the
//! client is served alike.

mod compact;
mod key;
mod replay;
mod wish;

use std::sync::Arc;

use bytes::Bytes;
use signalbox_core::id::GenerationId;
use signalbox_core::{Timestamp, limits};
use signalbox_dialect::openai_chat::finish::FinishReason;
use signalbox_dialect::watch::Watch;
use signalbox_dialect::{AnswerStream, Facts, WireDialect};
use signalbox_policy::account::ZdrGroups;
use signalbox_policy::{AccountPolicy, Candidate, Plan};

use self::key::{Asked, CacheKey, Tenant};
use crate::authenticate::Principal;
use crate::generation::{Generation, Given};
use crate::inbound::{RequestHead, Surface};
use crate::resolve::Resolved;
use crate::retrieval::Form;
use crate::shelf::Shelf;

pub(crate) use replay::replay;
pub use wish::{CacheHeaders, PresetCache};

/// What an entry weighs besides its answer: its key, its place and what it names.
const ENTRY_BYTES: usize = 1024;

/// All kept answers.
#[derive(Debug)]
pub(crate) struct ResponseCache(Shelf<CacheKey, Arc<Kept>>);

/// An answer that can be given again.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The generation that paid for it.
    source: GenerationId,
    /// Who answered.
    candidate: Candidate,
    language: Language,
    /// What the provider sent: a document, or a stream.
    body: Bytes,
    since: Timestamp,
    until: Timestamp,
}

/// How a kept answer is read.
#[derive(Debug)]
enum Language {
    Conversation { dialect: WireDialect, watch: Option<Arc<Watch>>, is_invoke: bool },
    Retrieval(Form),
}

/// The place of the answer to one request, for as long as it is to be kept.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    key: CacheKey,
    /// Seconds.
    ttl: u32,
    clear: bool,
}

/// How the cache took part in an answer, for `X-OpenRouter-Cache-*`. Times are seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheStatus {
    /// The answer was given before.
    Hit {
        /// Since when it is kept.
        age: u64,
        /// For how long it will be.
        left: u64,
        /// The generation that paid for it.
        source: GenerationId,
    },
    /// The answer is new, and kept when it is complete.
    Miss {
        /// For how long.
        ttl: u32,
    },
}

/// The ticket of a request whose answer may be kept or given again; `None` when the caller did not ask
/// for that, the route has no cache, or the account keeps nothing.
pub(crate) fn ticket(
    principal: &Principal,
    surface: Surface,
    resolved: &Resolved,
    head: &RequestHead,
    preset: Option<PresetCache>,
) -> Option<Ticket> {
    if !has_cache(surface) || !may_keep(&resolved.requirements.account) {
        return None;
    }
    let wish = wish::wish(&head.cache, preset)?;
    // As written: what a router chooses is part of the answer.
    let survey = &resolved.survey;
    let models: Vec<&str> = survey.model.iter().chain(&survey.models).map(String::as_str).collect();
    let asked = Asked {
        surface,
        region: head.region,
        stream: resolved.survey.stream,
        models: &models,
        betas: &head.betas,
        body: resolved.document.bytes(),
    };
    let (account, key) = (principal.key.account.clone(), principal.key.hash.clone());
    let key = CacheKey::new(Tenant { account, key }, &asked);
    Some(Ticket { key, ttl: wish.ttl, clear: wish.clear })
}

/// The routes with a cache (inference spec 14.3).
const fn has_cache(surface: Surface) -> bool {
    match surface {
        Surface::Chat
        | Surface::Cursor
        | Surface::Messages
        | Surface::Responses
        | Surface::Embeddings => true,
        Surface::Completions | Surface::Rerank => false,
    }
}

/// Zero data retention that the account enforces, for whichever models, is for our memory too. A
/// request's own `provider.zdr` is about providers only.
fn may_keep(policy: &AccountPolicy) -> bool {
    policy.zdr == ZdrGroups::default()
}

impl Default for ResponseCache {
    fn default() -> Self {
        Self(Shelf::new(limits::RESPONSE_CACHE_BYTES))
    }
}

impl ResponseCache {
    /// What is kept for a request; nothing when it asked for a new answer, and from then on nothing
    /// is there.
    pub(crate) fn find(&self, ticket: &Ticket, now: Timestamp) -> Option<Arc<Kept>> {
        if ticket.clear {
            self.0.remove(&ticket.key);
            return None;
        }
        self.0.get(&ticket.key, now)
    }

    fn put(&self, key: CacheKey, kept: Kept, now: Timestamp) {
        let weight = kept.body.len().saturating_add(ENTRY_BYTES);
        let until = kept.until;
        self.0.put(key, Arc::new(kept), weight, until, now);
    }
}

impl Ticket {
    /// What the reply to a request says that nothing was kept for.
    pub(crate) const fn miss(&self) -> CacheStatus {
        CacheStatus::Miss { ttl: self.ttl }
    }
}

impl Kept {
    /// The plan that was carried out long ago.
    pub(crate) fn plan(&self) -> Plan {
        Plan { candidates: vec![self.candidate.clone()], ..Plan::default() }
    }

    fn hit(&self, now: Timestamp) -> CacheStatus {
        let ttl = self.until.millis_since(self.since) / 1000;
        let age = (now.millis_since(self.since) / 1000).min(ttl);
        CacheStatus::Hit { age, left: ttl.saturating_sub(age), source: self.source.clone() }
    }
}

/// A copy of an answer that came in one piece, when it is to be kept and can be.
pub(crate) fn copy(given: &Given, body: &Bytes) -> Option<Bytes> {
    let fits = given.ticket.is_some() && body.len() <= limits::MAX_CACHED_ANSWER_BYTES;
    // Not a second handle: what it came in may be larger.
    fits.then(|| Bytes::copy_from_slice(body))
}

/// The stream, recorded when its answer is to be kept.
pub(crate) fn recorded(given: &Given, stream: AnswerStream) -> AnswerStream {
    if given.ticket.is_none() {
        return stream;
    }
    stream.recorded(limits::MAX_CACHED_ANSWER_BYTES)
}

/// Keeps an answer that was settled and is complete. One that failed or was broken off must not get
/// here.
pub(crate) fn keep(generation: &Generation, index: usize, facts: &Facts, body: Option<Bytes>) {
    let given = &generation.given;
    let (Some(ticket), Some(body)) = (&given.ticket, body) else { return };
    let Some(candidate) = given.plan.candidates.get(index) else { return };
    let language = if given.resolved.retrieval.is_some() {
        given.form(candidate).ok().map(|road| Language::Retrieval(road.dialect))
    } else if facts.finish.is_some_and(|reason| reason != FinishReason::Error) {
        given.road(candidate).ok().map(|road| Language::Conversation {
            dialect: road.dialect,
            watch: road.watch.clone(),
            is_invoke: road.is_invoke,
        })
    } else {
        None
    };
    let Some(language) = language else { return };
    let now = generation.gateway.clock.now();
    let kept = Kept {
        source: given.id.clone(),
        candidate: candidate.clone(),
        language,
        body,
        since: now,
        until: now.plus_millis(i64::from(ticket.ttl).saturating_mul(1000)),
    };
    generation.gateway.answers.put(ticket.key.clone(), kept, now);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g75_an_account_that_enforces_zero_retention_keeps_nothing() {
        assert!(may_keep(&AccountPolicy::default()));
        let all = AccountPolicy { zdr: ZdrGroups::ALL, ..AccountPolicy::default() };
        assert!(!may_keep(&all));
        let some = ZdrGroups { other: true, ..ZdrGroups::default() };
        assert!(!may_keep(&AccountPolicy { zdr: some, ..AccountPolicy::default() }));
        let denying = AccountPolicy { deny_paid_training: true, ..AccountPolicy::default() };
        assert!(may_keep(&denying), "training is another matter");
    }

    #[test]
    fn chat_messages_responses_and_embeddings_have_a_cache() {
        use Surface::{Chat, Completions, Cursor, Embeddings, Messages, Rerank, Responses};
        for surface in [Chat, Cursor, Messages, Responses, Embeddings] {
            assert!(has_cache(surface), "{surface:?}");
        }
        assert!(!has_cache(Completions) && !has_cache(Rerank));
    }
}
