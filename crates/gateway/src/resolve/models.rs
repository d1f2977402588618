//! The models that a request accepts, from the slugs that it names (inference spec 1.1, 6).

use std::sync::Arc;

use signalbox_catalog::{Lookup, Modality, Model, ModelStatus, Reference, Snapshot, Task};
use signalbox_core::{ApiError, AvailabilityCode};
use signalbox_policy::Wanted;
use signalbox_policy::router::{Router, RouterChoice};

use super::missing::{Missing, unavailable, wrong_endpoint};
use super::router::{self, Answer, Question};
use super::tiers;
use super::variants::{self, Ways};

/// A model that was asked for, or that a router chose.
#[derive(Debug)]
pub(super) struct Found {
    pub wanted: Wanted,
    /// Reasoning is on by its variant.
    pub thinking: bool,
    /// The place of its router among those that were asked.
    router: Option<usize>,
}

/// What was asked for, with what routers made of it.
pub(super) struct Asked {
    pub models: Vec<Found>,
    routers: Vec<Answer>,
}

impl Asked {
    /// What each router chose, by the places that its models have in the end.
    pub(super) fn choices(routers: Vec<Answer>, models: &[Found]) -> Vec<RouterChoice> {
        let place = |number: usize| {
            let own = |one: &Found| one.router == Some(number);
            let first = models.iter().position(own).unwrap_or(models.len());
            first..first.saturating_add(models.iter().filter(|one| own(one)).count())
        };
        let choice = |(number, answer): (usize, Answer)| RouterChoice {
            router: answer.router,
            models: place(number),
            task: answer.task,
            quality_floor: answer.quality_floor,
            reasons: answer.chosen.into_iter().map(|one| one.reason).collect(),
        };
        routers.into_iter().enumerate().map(choice).collect()
    }

    /// Takes it apart.
    pub(super) fn parts(self) -> (Vec<Found>, Vec<Answer>) {
        (self.models, self.routers)
    }
}

/// The models in order: `model` first, then `models` (inference spec 6). An unknown one is an error
/// at once; one that nobody serves any more, or a router without a choice, is one only when it is the
/// last hope.
pub(super) fn wanted(question: Question<'_>, task: Task) -> Result<Asked, ApiError> {
    let mut slugs: Vec<&String> = Vec::new();
    for slug in question.survey.model.iter().chain(&question.survey.models) {
        if !slugs.contains(&slug) {
            slugs.push(slug);
        }
    }
    if slugs.is_empty() {
        return Err(ApiError::invalid("model: required, such as \"author/name\""));
    }
    let mut asked = Asked { models: Vec::new(), routers: Vec::new() };
    let mut ended = None;
    for slug in slugs {
        match add(slug, question, task, &mut asked) {
            Ok(()) => {}
            Err(Missing::Ended(error)) => ended = ended.or(Some(error)),
            Err(Missing::Wrong(error)) => return Err(*error),
        }
    }
    match ended {
        Some(error) if asked.models.is_empty() => Err(*error),
        _ => Ok(asked),
    }
}

/// Adds what a slug stands for.
fn add(slug: &str, question: Question<'_>, task: Task, asked: &mut Asked) -> Result<(), Missing> {
    let (model, ways) = find(slug, question.around.catalog, task)?;
    if model.status != ModelStatus::Router {
        push(asked, slug, model, ways, question);
        return Ok(());
    }
    let Some(router) = Router::from_id(&model.id) else {
        let message = format!("{slug}: this router is not available yet; name a model");
        let error = unavailable(AvailabilityCode::NoEndpoints, slug, Vec::new(), message);
        return Err(Missing::Wrong(error));
    };
    let answer = router::ask(router, slug, ways, question).map_err(|error| {
        let nobody = error.availability.is_some();
        let error = Box::new(error);
        if nobody { Missing::Ended(error) } else { Missing::Wrong(error) }
    })?;
    asked.routers.push(answer);
    let number = asked.routers.len().saturating_sub(1);
    let chosen = asked.routers.last().map(|answer| answer.chosen.clone()).unwrap_or_default();
    for one in &chosen {
        let before = asked.models.len();
        push(asked, slug, &one.model, ways, question);
        for found in asked.models.iter_mut().skip(before) {
            found.router = Some(number);
        }
    }
    Ok(())
}

/// Adds a model, behind its fast twin when that is asked for: the model itself is what there is when
/// the twin fails.
fn push(asked: &mut Asked, slug: &str, model: &Arc<Model>, ways: Ways, question: Question<'_>) {
    let found = |model: &Arc<Model>| {
        let (requested, model) = (slug.to_owned(), Arc::clone(model));
        let wanted = Wanted { requested, model, sort: ways.sort, admits: ways.admits };
        Found { wanted, thinking: ways.thinking, router: None }
    };
    let catalog = question.around.catalog;
    let twin = tiers::is_fast(question.survey).then(|| tiers::fast_twin(catalog, model)).flatten();
    asked.models.extend(twin.map(found));
    if twin.is_none() || question.base.provider.allow_fallbacks {
        asked.models.push(found(model));
    }
}

fn find<'a>(
    slug: &str,
    catalog: &'a Snapshot,
    task: Task,
) -> Result<(&'a Arc<Model>, Ways), Missing> {
    let Reference::Model(name) = Reference::parse(slug) else {
        let error = ApiError::invalid(format!("{slug}: a preset can only be named in `model`"));
        return Err(Missing::Wrong(Box::new(error)));
    };
    let found = match (catalog.lookup(name), catalog.native(name)) {
        (Lookup::Unknown, Some(model)) => Lookup::Found { model, variants: Vec::new() },
        (found, _) => found,
    };
    match found {
        Lookup::Found { model, variants } => {
            usable(slug, model, task)?;
            Ok((model, variants::read(slug, model, &variants)?))
        }
        Lookup::Deprecated(_) => {
            let message = format!("{slug} is no longer served by any provider.");
            let hints = catalog.models_named_like(name);
            let code = AvailabilityCode::ModelDeprecated;
            Err(Missing::Ended(unavailable(code, slug, hints, message)))
        }
        Lookup::FreeEnded { paid } => {
            let message = format!("The free variant of {} has ended.", paid.id);
            let hints = vec![paid.id.clone()];
            let code = AvailabilityCode::FreeVariantEnded;
            Err(Missing::Ended(unavailable(code, slug, hints, message)))
        }
        Lookup::Unknown => {
            let hints = catalog.models_named_like(name);
            let message = format!("{slug} is not a valid model ID");
            let code = AvailabilityCode::ModelNotFound;
            Err(Missing::Wrong(unavailable(code, slug, hints, message)))
        }
    }
}

/// Whether the model can be asked on this road.
fn usable(slug: &str, model: &Model, task: Task) -> Result<(), Missing> {
    let (fits, what) = match task {
        Task::Chat => (model.writes(Modality::Text), "text"),
        Task::Embeddings => (model.writes(Modality::Embeddings), "embeddings"),
        Task::Rerank => (model.writes(Modality::Rerank), "rankings"),
    };
    if fits { Ok(()) } else { Err(Missing::Wrong(wrong_endpoint(slug, model, what))) }
}
