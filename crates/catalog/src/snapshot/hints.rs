//! Which models an unknown slug may have meant.

use super::Snapshot;
use crate::model::ModelStatus;
use crate::slug::MAX_SLUG_CHARS;

/// Most hints.
const MOST: usize = 3;
/// Share of common letter triples, in percent, below which two names are strangers.
const LIKENESS: usize = 30;

/// Three letters.
type Triple = [u8; 3];

/// The name of a live model, ready to be compared.
#[derive(Debug)]
pub(super) struct Name {
    /// The model's place in the snapshot.
    model: usize,
    /// Its letter triples, sorted, each once.
    triples: Vec<Triple>,
}

pub(super) fn similar(snapshot: &Snapshot, slug: &str) -> Vec<String> {
    if slug.len() > MAX_SLUG_CHARS {
        return Vec::new();
    }
    let wanted = triples(slug.split(':').next().unwrap_or(slug));
    let names = snapshot.names.get_or_init(|| names(snapshot));
    let mut scored: Vec<(usize, &str)> = names
        .iter()
        .map(|name| (likeness(&wanted, &name.triples), name.model))
        .filter(|(score, _)| *score >= LIKENESS)
        .filter_map(|(score, at)| Some((score, snapshot.models.get(at)?.id.as_str())))
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.into_iter().take(MOST).map(|(_, id)| id.to_owned()).collect()
}

fn names(snapshot: &Snapshot) -> Vec<Name> {
    let rows = snapshot.models.iter().enumerate();
    let live = rows.filter(|(_, model)| {
        model.status == ModelStatus::Live && matches!(model.variant.as_str(), "standard" | "free")
    });
    live.map(|(at, model)| Name { model: at, triples: triples(&model.base) }).collect()
}

/// The letter triples of the part after the author, so that a slug without an author still finds
/// its model.
fn triples(slug: &str) -> Vec<Triple> {
    let text: Vec<u8> = slug
        .rsplit('/')
        .next()
        .unwrap_or(slug)
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| byte.to_ascii_lowercase())
        .collect();
    let mut triples: Vec<Triple> =
        text.windows(3).filter_map(|window| window.try_into().ok()).collect();
    triples.sort_unstable();
    triples.dedup();
    triples
}

/// The share of common triples among all, in percent.
fn likeness(a: &[Triple], b: &[Triple]) -> usize {
    let common = a.iter().filter(|triple| b.binary_search(triple).is_ok()).count();
    let all = a.len().saturating_add(b.len()).saturating_sub(common);
    common.saturating_mul(100).checked_div(all).unwrap_or(0)
}
