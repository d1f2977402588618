//! `service_tier` and `speed`, which mean the same on every surface (inference spec 18.1).
//!
//! A tier is a pool of endpoints. A few models have their fast pool under an id of their own, `…-fast`:
//! the catalogue shows it when both rows name the same model of the same provider.

use std::sync::Arc;

use signalbox_catalog::{Model, ModelStatus, Snapshot};
use signalbox_dialect::openai_chat::survey::Survey;
use signalbox_policy::{Tier, TierWish};

/// Ends the id of a model's fast twin.
const FAST: &str = "-fast";

/// The tier that is asked for. A `service_tier` that names one decides; `speed` says the rest. `auto`
/// and `scale` are the provider's to decide, so they ask for nothing.
pub(super) fn wish(survey: &Survey) -> TierWish {
    match (survey.service_tier.as_deref(), survey.speed.as_deref()) {
        (Some("default"), _) => TierWish::Default,
        (Some("flex"), _) => TierWish::Tier(Tier::Flex),
        (Some("priority" | "fast"), _) | (_, Some("fast")) => TierWish::Tier(Tier::Priority),
        (_, Some("standard")) => TierWish::Default,
        _ => TierWish::Unsaid,
    }
}

/// Whether the fast twin of a model is asked for, by either of the two members.
pub(super) fn is_fast(survey: &Survey) -> bool {
    matches!(survey.service_tier.as_deref(), Some("priority" | "fast"))
        || survey.speed.as_deref() == Some("fast")
}

/// The row under which the model is served faster: live, and somewhere the same model of the same
/// provider.
pub(super) fn fast_twin<'a>(catalog: &'a Snapshot, model: &Model) -> Option<&'a Arc<Model>> {
    if model.variant != "standard" {
        return None;
    }
    let twin = catalog.model(&format!("{}{FAST}", model.id))?;
    let slow = catalog.endpoints(&model.id);
    let same = catalog.endpoints(&twin.id).iter().any(|fast| {
        slow.iter().any(|one| {
            one.provider == fast.provider && one.provider_model_id == fast.provider_model_id
        })
    });
    (twin.status == ModelStatus::Live && same).then_some(twin)
}
