//! A router's slug becomes the models that it chooses (inference spec 8).

use std::sync::Arc;

use signalbox_catalog::Snapshot;
use signalbox_classifier::TaskClassifier;
use signalbox_core::{ApiError, Timestamp};
use signalbox_dialect::document::Document;
use signalbox_dialect::openai_chat::survey::{PromptStyle, Survey};
use signalbox_policy::router::{self, Choosing, Group, Router, Settings, Task};
use signalbox_policy::{AccountPolicy, Health, Requirements};

use super::prompt::Prompt;
use super::variants::Ways;
use crate::screen::Filters;
use crate::sticky::Conversation;

/// What a request is resolved against.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The catalogue.
    pub catalog: &'a Snapshot,
    /// What the caller's account permits, and the provider keys of its own.
    pub policy: &'a Arc<AccountPolicy>,
    /// The recent past.
    pub health: &'a dyn Health,
    /// The present.
    pub now: Timestamp,
    /// What decides the draws of routers; the plan's own.
    pub dice: u64,
    /// What tells tasks apart; `None` leaves routers with their default set.
    pub classifier: Option<&'a dyn TaskClassifier>,
    /// The model that a router chose for this conversation before.
    pub before: &'a Before<'a>,
    /// What the caller's guardrails look for.
    pub screen: Option<Filters<'a>>,
}

/// Looks up the model that a router chose for a conversation.
pub(crate) type Before<'a> = dyn Fn(Router, Conversation) -> Option<Arc<str>> + 'a;

/// Nobody remembers anything: for requests that are not served.
pub(crate) fn forgetful(_: Router, _: Conversation) -> Option<Arc<str>> {
    None
}

/// What a router is asked with.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub around: &'a Around<'a>,
    pub document: &'a Document,
    pub survey: &'a Survey,
    /// The session that the request belongs to.
    pub session: Option<&'a str>,
    /// The request, without its models.
    pub base: &'a Requirements,
}

/// What a router answered.
pub(super) struct Answer {
    pub router: Router,
    pub task: Option<&'static str>,
    pub quality_floor: Option<f64>,
    /// Best first, never empty.
    pub chosen: Vec<router::Chosen>,
}

/// Asks a router.
///
/// # Errors
/// 400 for settings that are wrong and for a prompt without messages; 404 when no model is left.
pub(super) fn ask(
    router: Router,
    slug: &str,
    ways: Ways,
    question: Question<'_>,
) -> Result<Answer, ApiError> {
    let Question { around, document, survey, session, base } = question;
    if router.wants_task() && survey.prompt_style == PromptStyle::Prompt {
        return Err(ApiError::invalid(format!(
            "{slug} needs `messages`; it can't read a `prompt`"
        )));
    }
    let settings = Settings::of(router, survey.plugins.as_deref())?;
    let prompt = router.wants_task().then(|| Prompt::of(document));
    let task = prompt.as_ref().and_then(|prompt| task(around, prompt));
    let key = survey.prompt_cache_key.as_deref();
    let conversation = router.is_sticky().then(|| Conversation::of(session, key, document));
    let before = conversation.flatten().and_then(|one| (around.before)(router, one));
    let choosing = Choosing {
        router,
        requested: slug,
        catalog: around.catalog,
        request: base,
        health: around.health,
        now: around.now,
        dice: around.dice,
        sort: ways.sort,
        admits: ways.admits,
        free_only: ways.free,
        thinking: ways.thinking,
        without_reasoning: survey.reasoning.is_some_and(|one| one.is_off()),
        task,
        before: before.as_deref(),
        last_author: prompt.as_ref().and_then(|prompt| prompt.last_author.as_deref()),
    };
    let chosen = router::choose(&choosing, &settings)?;
    let quality_floor = settings.pareto.min_coding_score;
    Ok(Answer { router, task: task.map(|task| task.tag), quality_floor, chosen })
}

fn task(around: &Around<'_>, prompt: &Prompt<'_>) -> Option<Task> {
    let found = prompt.with_text(|text| around.classifier?.classify(text))?;
    let group = Group::from_key(found.macro_group.as_str());
    Some(Task { tag: found.tag.as_str(), group })
}
