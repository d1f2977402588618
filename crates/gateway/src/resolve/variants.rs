//! What the suffixes of a slug ask for (inference spec 7).
//!
//! Of several suffixes that order endpoints (`:nitro`, `:floor`, `:exacto`) the last one counts, for
//! the order and for the tier that it lets in.

use signalbox_catalog::{Model, ModelStatus, Variant};
use signalbox_core::{ApiError, AvailabilityCode};
use signalbox_policy::Tier;
use signalbox_policy::preferences::SortBy;

use super::missing::{Missing, unavailable};

/// The wishes of a slug's suffixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ways {
    /// The order of endpoints.
    pub sort: Option<SortBy>,
    /// The tier that takes part on equal terms.
    pub admits: Option<Tier>,
    /// Reasoning is on unless the request says otherwise.
    pub thinking: bool,
    /// Of what a router may choose, only what is free.
    pub free: bool,
}

/// Reads the suffixes of a slug that resolved to this model.
pub(super) fn read(slug: &str, model: &Model, variants: &[Variant]) -> Result<Ways, Missing> {
    let mut ways = Ways::default();
    let chooses = model.status == ModelStatus::Router;
    for variant in variants {
        match variant {
            Variant::Nitro => {
                (ways.sort, ways.admits) = (Some(SortBy::Throughput), Some(Tier::Priority));
            }
            Variant::Floor => (ways.sort, ways.admits) = (Some(SortBy::Price), Some(Tier::Flex)),
            Variant::Exacto => (ways.sort, ways.admits) = (Some(SortBy::Exacto), None),
            Variant::Thinking if chooses || model.reasoning.is_some() => ways.thinking = true,
            Variant::Free if chooses => ways.free = true,
            Variant::Thinking => return Err(none_such(slug, model, *variant)),
            Variant::Extended | Variant::Free => return Err(none_such(slug, model, *variant)),
            Variant::Online => return Err(online(slug)),
        }
    }
    Ok(ways)
}

fn none_such(slug: &str, model: &Model, variant: Variant) -> Missing {
    let what = match variant {
        Variant::Thinking => "does not reason",
        Variant::Extended => "has no variant with a longer window",
        _ => "has no free variant",
    };
    let message = format!("{slug} is not a valid model ID: {} {what}", model.id);
    let code = AvailabilityCode::ModelNotFound;
    Missing::Wrong(unavailable(code, slug, vec![model.id.clone()], message))
}

/// The variant is known; what it stands for is not there yet.
fn online(slug: &str) -> Missing {
    Missing::Wrong(Box::new(ApiError::invalid(format!(
        "{slug}: web search comes with plugins, which are not available yet; leave out :online"
    ))))
}
