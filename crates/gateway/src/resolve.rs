//! Stage 3: a body becomes requirements. Defaults are merged, slugs, variants, tiers and routers
//! resolved.

mod content;
mod missing;
mod models;
mod prompt;
mod reasoning;
mod router;
mod tiers;
mod variants;

use std::sync::Arc;

use signalbox_core::{ApiError, limits};
use signalbox_dialect::document::Document;
use signalbox_dialect::openai_chat::survey::{PromptStyle, Survey};
use signalbox_dialect::openai_responses::response::Asked;
use signalbox_dialect::{
    AnswerStyle, RelayOptions, Skin, anthropic_messages, openai_chat, openai_completions,
    openai_responses,
};
use signalbox_policy::{ProviderPreferences, Requirements};

use self::router::Question;
pub(crate) use self::router::{Around, forgetful};
use crate::inbound::{RequestHead, Surface};
use crate::open::{Opened, Used};
use crate::retrieval::Retrieval;
use crate::screen::{self, Screened};
use crate::sticky::Conversation;

/// The request, read and resolved.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The body.
    pub document: Document,
    /// What was read of it.
    pub survey: Survey,
    /// What the planner needs.
    pub requirements: Requirements,
    /// How the answer is written.
    pub skin: Skin,
    /// The session that the request belongs to.
    pub session_id: Option<String>,
    /// What is asked, when it is no conversation.
    pub retrieval: Option<Arc<Retrieval>>,
    /// What guardrails found in it.
    pub screened: Option<Box<Screened>>,
    /// The preset that was merged into it.
    pub preset: Option<Used>,
    /// How long it was judged, where an endpoint requires moderation.
    pub moderation_ms: Option<u64>,
    /// The same survey with reasoning switched on, for the models that were asked for with
    /// `:thinking`.
    thinking: Option<reasoning::Thinking>,
}

impl Resolved {
    /// `api_type` of the record.
    pub(crate) fn api_type(&self) -> &'static str {
        self.retrieval.as_ref().map_or("completions", |one| one.api_type())
    }

    /// The conversation that the request belongs to, when it can be told.
    pub(crate) fn conversation(&self) -> Option<Conversation> {
        let cache_key = self.survey.prompt_cache_key.as_deref();
        Conversation::of(self.session_id.as_deref(), cache_key, &self.document)
    }

    /// The survey as it counts for one of the wanted models.
    pub(crate) fn survey_for(&self, model_index: usize) -> &Survey {
        let thinking = self.thinking.as_ref().and_then(|one| one.survey_for(model_index));
        thinking.unwrap_or(&self.survey)
    }
}

pub(crate) fn resolve(
    opened: Opened,
    around: &Around<'_>,
) -> Result<(Resolved, RequestHead), ApiError> {
    let Opened { surface, head, mut document, id: _, preset } = opened;
    let mut screened = None;
    if let Some(filters) = around.screen {
        (document, screened) = screen::screen(filters, document, surface);
    }
    let retrieval = Retrieval::read(surface, &document)?;
    let survey = survey(surface, &document, retrieval.as_ref())?;
    let session_id = session(&survey, &head)?;
    let mut provider = ProviderPreferences::from_json(survey.provider.as_deref())?;
    provider.across_models |= survey.route.as_deref() == Some("sort");
    let mut content = content::content(&survey)?;
    if retrieval.is_some() {
        // Inputs have the context to themselves, and what is too long is the provider's to cut.
        content.prompt_tokens_at_least = 0;
    }
    let account = Arc::clone(around.policy);
    let tier = tiers::wish(&survey);
    let base = Requirements { provider, content, tier, account, ..Requirements::default() };
    let session = session_id.as_deref();
    let question = Question { around, document: &document, survey: &survey, session, base: &base };
    let (found, answers) = models::wanted(question, surface.task())?.parts();
    let found = reasoning::fitting(&survey, found)?;
    let thinking = reasoning::thinking(&survey, &found);
    let routers = models::Asked::choices(answers, &found);
    let models = found.into_iter().map(|one| one.wanted).collect();
    let requirements = Requirements { models, routers, ..base };
    let skin = skin(surface, &document, &survey);
    let retrieval = retrieval.map(Arc::new);
    let resolved = Resolved {
        document,
        survey,
        requirements,
        skin,
        session_id,
        retrieval,
        screened,
        preset,
        moderation_ms: None,
        thinking,
    };
    Ok((resolved, head))
}

fn survey(
    surface: Surface,
    document: &Document,
    retrieval: Option<&Retrieval>,
) -> Result<Survey, ApiError> {
    match surface {
        Surface::Chat | Surface::Cursor => openai_chat::survey::survey(document),
        Surface::Completions => openai_completions::survey::survey(document),
        Surface::Messages => anthropic_messages::survey::survey(document),
        Surface::Responses => openai_responses::survey::survey(document),
        Surface::Embeddings | Surface::Rerank => {
            Ok(retrieval.map(|one| one.survey().clone()).unwrap_or_default())
        }
    }
}

fn skin(surface: Surface, document: &Document, survey: &Survey) -> Skin {
    let style = match survey.prompt_style {
        PromptStyle::Messages => surface.style(),
        PromptStyle::Prompt => AnswerStyle::Completions,
    };
    let exclude_reasoning = survey.reasoning.is_some_and(|one| one.exclude);
    let asked = (style == AnswerStyle::Responses).then(|| Arc::new(Asked::of(document)));
    Skin { style, options: RelayOptions { exclude_reasoning, replayed: false }, asked }
}

/// The body's session wins over the header's (inference spec 0.2).
fn session(survey: &Survey, head: &RequestHead) -> Result<Option<String>, ApiError> {
    let header = head.session_id.as_ref();
    if header.is_some_and(|id| id.chars().count() > limits::MAX_SESSION_ID_CHARS) {
        return Err(ApiError::invalid("x-session-id: at most 256 characters"));
    }
    Ok(survey.session_id.clone().or_else(|| header.cloned()))
}
