//! The models that a request accepts, from the slugs that it names (inference spec 1.1, 6).

use signalbox_catalog::{Lookup, Modality, Model, ModelStatus, Reference, Snapshot, Task};
use signalbox_core::{ApiError, AvailabilityCode};
use signalbox_dialect::openai_chat::survey::Survey;
use signalbox_policy::{Requirements, Wanted};

use super::missing::{Missing, unavailable, wrong_endpoint};
use super::tiers;
use super::variants::{self, Ways};

/// A model that was asked for.
#[derive(Debug)]
pub(super) struct Found {
    pub wanted: Wanted,
    /// Reasoning is on by its variant.
    pub thinking: bool,
}

/// The models in order: `model` first, then `models` (inference spec 6). An unknown one is an error
/// at once; one that nobody serves any more is one only when it is the last hope.
pub(super) fn wanted(
    survey: &Survey,
    catalog: &Snapshot,
    task: Task,
    base: &Requirements,
) -> Result<Vec<Found>, ApiError> {
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
            Ok(found) => push(&mut wanted, found, survey, catalog, base),
            Err(Missing::Ended(error)) => ended = ended.or(Some(error)),
            Err(Missing::Wrong(error)) => return Err(*error),
        }
    }
    match ended {
        Some(error) if wanted.is_empty() => Err(*error),
        _ => Ok(wanted),
    }
}

/// Adds a model, behind its fast twin when that is asked for: the model itself is what there is when
/// the twin fails.
fn push(
    wanted: &mut Vec<Found>,
    found: Found,
    survey: &Survey,
    catalog: &Snapshot,
    base: &Requirements,
) {
    let twin = tiers::is_fast(survey).then(|| tiers::fast_twin(catalog, &found.wanted.model));
    if let Some(twin) = twin.flatten() {
        let model = twin.clone();
        wanted.push(Found { wanted: Wanted { model, ..found.wanted.clone() }, ..found });
        if !base.provider.allow_fallbacks {
            return;
        }
    }
    wanted.push(found);
}

fn find(slug: &str, catalog: &Snapshot, task: Task) -> Result<Found, Missing> {
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
            usable(slug, model, task)?;
            let Ways { sort, admits, thinking } = variants::read(slug, model, &variants)?;
            let requested = slug.to_owned();
            let wanted = Wanted { requested, model: model.clone(), sort, admits };
            Ok(Found { wanted, thinking })
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
    if model.status == ModelStatus::Router {
        let message = format!("{slug}: routers are not available yet; name a model");
        let error = unavailable(AvailabilityCode::NoEndpoints, slug, Vec::new(), message);
        return Err(Missing::Wrong(error));
    }
    let (fits, what) = match task {
        Task::Chat => (model.writes(Modality::Text), "text"),
        Task::Embeddings => (model.writes(Modality::Embeddings), "embeddings"),
        Task::Rerank => (model.writes(Modality::Rerank), "rankings"),
    };
    if fits { Ok(()) } else { Err(Missing::Wrong(wrong_endpoint(slug, model, what))) }
}
