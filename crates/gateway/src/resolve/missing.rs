//! Errors about a slug that stands for nothing that can be asked.

use signalbox_catalog::{Modality, Model};
use signalbox_core::{ApiError, AvailabilityCode, Constraint};
use signalbox_policy::explain;

/// Why a slug stands for no model.
pub(super) enum Missing {
    /// Nobody there now: other models of the list may do.
    Ended(Box<ApiError>),
    /// The request is wrong.
    Wrong(Box<ApiError>),
}

/// The typed error of one slug; `hints` are models to ask instead.
pub(super) fn unavailable(
    code: AvailabilityCode,
    slug: &str,
    hints: Vec<String>,
    message: String,
) -> Box<ApiError> {
    let mut answer = explain::availability(code, vec![slug.to_owned()]);
    answer.fallback_models = hints;
    Box::new(ApiError::unavailable(answer, message))
}

/// The model is called at another path.
pub(super) fn wrong_endpoint(slug: &str, model: &Model, what: &str) -> Box<ApiError> {
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
