//! Stage 3: a body becomes requirements. Defaults are merged, slugs and variants resolved.

use std::sync::Arc;

use signalbox_catalog::{Lookup, Modality, Model, ModelStatus, Reference, Snapshot, Task, Variant};
use signalbox_core::{ApiError, AvailabilityCode, Constraint, limits};
use signalbox_dialect::document::Document;
use signalbox_dialect::openai_chat::survey::{PromptStyle, Survey};
use signalbox_dialect::openai_responses::response::Asked;
use signalbox_dialect::{
    AnswerStyle, RelayOptions, Skin, anthropic_messages, openai_chat, openai_completions,
    openai_responses,
};
use signalbox_policy::preferences::SortBy;
use signalbox_policy::{Content, ProviderPreferences, Requirements, Wanted, explain};

use crate::estimate;
use crate::inbound::{Inbound, RequestHead, Surface};
use crate::retrieval::Retrieval;
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
}

pub(crate) fn resolve(
    inbound: Inbound,
    catalog: &Snapshot,
) -> Result<(Resolved, RequestHead), ApiError> {
    let Inbound { surface, head, body } = inbound;
    let mut document = Document::parse(body)?;
    if surface == Surface::Cursor {
        document = openai_chat::flat::nested(document)?;
    }
    let retrieval = Retrieval::read(surface, &document)?;
    let survey = match surface {
        Surface::Chat | Surface::Cursor => openai_chat::survey::survey(&document)?,
        Surface::Completions => openai_completions::survey::survey(&document)?,
        Surface::Messages => anthropic_messages::survey::survey(&document)?,
        Surface::Responses => openai_responses::survey::survey(&document)?,
        Surface::Embeddings | Surface::Rerank => {
            retrieval.as_ref().map(|one| one.survey().clone()).unwrap_or_default()
        }
    };
    let skin = skin(surface, &document, &survey);
    let session_id = session(&survey, &head)?;
    let mut provider = ProviderPreferences::from_json(survey.provider.as_deref())?;
    provider.across_models |= survey.route.as_deref() == Some("sort");
    if survey.preset.is_some() {
        return Err(ApiError::invalid("preset: presets are not available yet"));
    }
    let models = wanted(&survey, catalog, surface.task())?;
    let models = reasoning(&survey, models)?;
    let mut content = content(&survey)?;
    if retrieval.is_some() {
        // Inputs have the context to themselves, and what is too long is the provider's to cut.
        content.prompt_tokens_at_least = 0;
    }
    let requirements = Requirements { models, provider, content, ..Requirements::default() };
    let retrieval = retrieval.map(Arc::new);
    Ok((Resolved { document, survey, requirements, skin, session_id, retrieval }, head))
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

fn content(survey: &Survey) -> Result<Content, ApiError> {
    let needs = &survey.needs;
    let inputs = [
        (needs.image, Modality::Image),
        (needs.audio, Modality::Audio),
        (needs.file, Modality::File),
        (needs.video, Modality::Video),
    ];
    let mut outputs = Vec::new();
    for name in needs.output_modalities.iter().filter(|name| name.as_str() != "text") {
        let modality = Modality::from_name(name)
            .ok_or_else(|| ApiError::invalid(format!("modalities: unknown modality {name:?}")))?;
        outputs.push(modality);
    }
    Ok(Content {
        parameters: survey.parameters,
        inputs: inputs.into_iter().filter(|(needed, _)| *needed).map(|(_, one)| one).collect(),
        outputs,
        prompt_tokens_at_least: estimate::prompt_at_least(survey),
        prompt_tokens_expected: estimate::prompt_expected(survey),
        max_output: survey.max_output,
    })
}

/// The models in order: `model` first, then `models` (inference spec 6). An unknown one is an error
/// at once; one that nobody serves any more is one only when it is the last hope.
fn wanted(survey: &Survey, catalog: &Snapshot, task: Task) -> Result<Vec<Wanted>, ApiError> {
    let mut slugs: Vec<&String> = Vec::new();
    for slug in survey.model.iter().chain(&survey.models) {
        if !slugs.contains(&slug) {
            slugs.push(slug);
        }
    }
    if slugs.is_empty() {
        return Err(ApiError::invalid("model: required, such as \"author/name\""));
    }
    let mut wanted = Vec::new();
    let mut ended = None;
    for slug in slugs {
        match find(slug, catalog, task) {
            Ok(found) => wanted.push(found),
            Err(Missing::Ended(error)) => ended = ended.or(Some(error)),
            Err(Missing::Wrong(error)) => return Err(*error),
        }
    }
    match ended {
        Some(error) if wanted.is_empty() => Err(*error),
        _ => Ok(wanted),
    }
}

/// The models that do what is asked about reasoning: those that can't stop are no answer to a request
/// without it, unless a moving alias was asked for (inference spec 8.6, 9.3). One that is left out is
/// an error only when it is the last hope.
fn reasoning(survey: &Survey, models: Vec<Wanted>) -> Result<Vec<Wanted>, ApiError> {
    if !survey.reasoning.is_some_and(|request| request.is_off()) {
        return Ok(models);
    }
    let must = |one: &Wanted| {
        !one.requested.starts_with('~')
            && one.model.reasoning.as_ref().is_some_and(|facts| facts.mandatory)
    };
    let (refused, kept): (Vec<_>, Vec<_>) = models.into_iter().partition(must);
    match refused.first() {
        Some(one) if kept.is_empty() => Err(ApiError::invalid(format!(
            "{}: reasoning is mandatory for this model and can't be disabled; leave it out, or ask \
             for an effort",
            one.requested
        ))),
        _ => Ok(kept),
    }
}

enum Missing {
    /// It was there once: other models of the list may do.
    Ended(Box<ApiError>),
    /// The request is wrong.
    Wrong(Box<ApiError>),
}

fn missing(
    code: AvailabilityCode,
    slug: &str,
    hints: Vec<String>,
    message: String,
) -> Box<ApiError> {
    let mut answer = explain::availability(code, vec![slug.to_owned()]);
    answer.fallback_models = hints;
    Box::new(ApiError::unavailable(answer, message))
}

fn find(slug: &str, catalog: &Snapshot, task: Task) -> Result<Wanted, Missing> {
    let Reference::Model(name) = Reference::parse(slug) else {
        let error = ApiError::invalid(format!("{slug}: presets are not available yet"));
        return Err(Missing::Wrong(Box::new(error)));
    };
    let found = match (catalog.lookup(name), catalog.native(name)) {
        (Lookup::Unknown, Some(model)) => Lookup::Found { model, variants: Vec::new() },
        (found, _) => found,
    };
    match found {
        Lookup::Found { model, variants } => {
            let usable = usable(slug, model, &variants, task)?;
            Ok(Wanted {
                requested: slug.to_owned(),
                model: model.clone(),
                sort: usable,
                admits: None,
            })
        }
        Lookup::Deprecated(_) => {
            let message = format!("{slug} is no longer served by any provider.");
            let hints = catalog.models_named_like(name);
            Err(Missing::Ended(missing(AvailabilityCode::ModelDeprecated, slug, hints, message)))
        }
        Lookup::FreeEnded { paid } => {
            let message = format!("The free variant of {} has ended.", paid.id);
            let hints = vec![paid.id.clone()];
            Err(Missing::Ended(missing(AvailabilityCode::FreeVariantEnded, slug, hints, message)))
        }
        Lookup::Unknown => {
            let hints = catalog.models_named_like(name);
            let message = format!("{slug} is not a valid model ID");
            Err(Missing::Wrong(missing(AvailabilityCode::ModelNotFound, slug, hints, message)))
        }
    }
}

/// The order that the variants ask for, if the model and they can be used on this road.
fn usable(
    slug: &str,
    model: &Model,
    variants: &[Variant],
    task: Task,
) -> Result<Option<SortBy>, Missing> {
    if model.status == ModelStatus::Router {
        let message = format!("{slug}: routers are not available yet; name a model");
        let error = missing(AvailabilityCode::NoEndpoints, slug, Vec::new(), message);
        return Err(Missing::Wrong(error));
    }
    let (fits, what) = match task {
        Task::Chat => (model.writes(Modality::Text), "text"),
        Task::Embeddings => (model.writes(Modality::Embeddings), "embeddings"),
        Task::Rerank => (model.writes(Modality::Rerank), "rankings"),
    };
    if !fits {
        return Err(Missing::Wrong(wrong_endpoint(slug, model, what)));
    }
    let mut sort = None;
    for variant in variants {
        sort = match variant {
            Variant::Nitro => Some(SortBy::Throughput),
            Variant::Floor => Some(SortBy::Price),
            Variant::Exacto => Some(SortBy::Exacto),
            other => {
                let message = format!("{slug}: the variant :{} is not available yet", other.name());
                let code = AvailabilityCode::ModelNotFound;
                return Err(Missing::Wrong(missing(code, slug, vec![model.id.clone()], message)));
            }
        };
    }
    Ok(sort)
}

fn wrong_endpoint(slug: &str, model: &Model, what: &str) -> Box<ApiError> {
    let path = match model.output_modalities.first() {
        _ if model.writes(Modality::Text) => "/api/v1/chat/completions",
        Some(Modality::Embeddings) => "/api/v1/embeddings",
        Some(Modality::Rerank) => "/api/v1/rerank",
        Some(Modality::Speech | Modality::Audio) => "/api/v1/audio/speech",
        Some(Modality::Transcription) => "/api/v1/audio/transcriptions",
        Some(Modality::Video) => "/api/v1/videos",
        _ => "/api/v1/images",
    };
    let mut answer = explain::availability(AvailabilityCode::WrongEndpoint, vec![slug.to_owned()]);
    let detail = format!("{slug} does not write {what}; it is called at {path}");
    answer.constraint = Some(Constraint { field: "model".into(), detail: detail.clone() });
    Box::new(ApiError::unavailable(answer, detail))
}
