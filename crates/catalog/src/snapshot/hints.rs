//! Which models an unknown slug may have meant.

use std::collections::HashSet;

use super::Snapshot;
use crate::model::ModelStatus;
use crate::slug::MAX_SLUG_CHARS;

/// Most hints.
const MOST: usize = 3;
/// Share of common letter triples, in percent, below which two names are strangers.
const LIKENESS: usize = 30;

pub(super) fn similar(snapshot: &Snapshot, slug: &str) -> Vec<String> {
    let end = slug.char_indices().nth(MAX_SLUG_CHARS).map_or(slug.len(), |(at, _)| at);
    let slug = slug.get(..end).unwrap_or(slug);
    let wanted = triples(slug.split(':').next().unwrap_or(slug));
    let live = snapshot.models.iter().filter(|model| {
        model.status == ModelStatus::Live && matches!(model.variant.as_str(), "standard" | "free")
    });
    let mut scored: Vec<(usize, &str)> = live
        .map(|model| (likeness(&wanted, &triples(&model.base)), model.id.as_str()))
        .filter(|(score, _)| *score >= LIKENESS)
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.into_iter().take(MOST).map(|(_, id)| id.to_owned()).collect()
}

/// The letter triples of a slug. The part after the author also counts alone, so that a slug
/// without an author still finds its model.
fn triples(slug: &str) -> HashSet<[u8; 3]> {
    let text: Vec<u8> = slug
        .rsplit('/')
        .next()
        .unwrap_or(slug)
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| byte.to_ascii_lowercase())
        .collect();
    text.windows(3).filter_map(|window| window.try_into().ok()).collect()
}

fn likeness(a: &HashSet<[u8; 3]>, b: &HashSet<[u8; 3]>) -> usize {
    let common = a.intersection(b).count();
    let all = a.len().saturating_add(b.len()).saturating_sub(common);
    common.saturating_mul(100).checked_div(all).unwrap_or(0)
}
