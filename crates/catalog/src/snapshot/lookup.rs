//! What a slug stands for (inference spec 1.1, 7, 8.6).

use std::sync::Arc;

use super::{Lookup, Snapshot, alias};
use crate::model::ModelStatus;
use crate::slug::Parts;
use crate::{Model, Variant};

pub(super) fn lookup<'a>(snapshot: &'a Snapshot, slug: &str) -> Lookup<'a> {
    let Some(parts) = Parts::parse(slug) else { return Lookup::Unknown };
    let base = concrete(snapshot, parts.base);
    // A suffix that is part of a row's id names that row; the others change the routing.
    let static_at = parts.suffixes.iter().position(|suffix| {
        let of_base = base.map_or(parts.base, |model| model.base.as_str());
        row(snapshot, &format!("{of_base}:{suffix}")).is_some()
            || row(snapshot, &format!("{}:{suffix}", parts.base)).is_some()
    });
    let model = match static_at.and_then(|at| parts.suffixes.get(at)) {
        Some(suffix) => {
            let of_base = base.map_or(parts.base, |model| model.base.as_str());
            row(snapshot, &format!("{of_base}:{suffix}"))
                .or_else(|| row(snapshot, &format!("{}:{suffix}", parts.base)))
        }
        None => base,
    };
    let Some(model) = model else { return Lookup::Unknown };
    let mut variants = Vec::new();
    for (at, suffix) in parts.suffixes.iter().enumerate() {
        if Some(at) == static_at {
            continue;
        }
        match Variant::from_suffix(suffix) {
            Some(variant) if variants.contains(&variant) => {}
            Some(variant) => variants.push(variant),
            None if *suffix == "free" => match model.status {
                ModelStatus::Router => variants.push(Variant::Free),
                ModelStatus::Retired | ModelStatus::Alias { .. } => {
                    return Lookup::Deprecated(model);
                }
                _ => return Lookup::FreeEnded { paid: model },
            },
            None => return Lookup::Unknown,
        }
    }
    match model.status {
        ModelStatus::Retired | ModelStatus::Alias { .. } => Lookup::Deprecated(model),
        _ => Lookup::Found { model, variants },
    }
}

/// The row with this id, canonical slug or legacy slug.
fn row<'a>(snapshot: &'a Snapshot, slug: &str) -> Option<&'a Arc<Model>> {
    snapshot.by_id.get(slug).or_else(|| snapshot.by_id.get(snapshot.slugs.get(slug)?))
}

/// The same, with a moving alias replaced by the model that it stands for.
fn concrete<'a>(snapshot: &'a Snapshot, slug: &str) -> Option<&'a Arc<Model>> {
    let model = row(snapshot, slug)?;
    match &model.status {
        ModelStatus::Alias { target } => {
            // An alias that nothing is eligible for stands for itself, which can't be called.
            let target = snapshot.by_id.get(target).filter(|one| alias::is_eligible(one));
            Some(target.unwrap_or(model))
        }
        _ => Some(model),
    }
}
