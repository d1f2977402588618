//! The built-in data: rows under `data/`, compiled in.

mod provider_files;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::family::Family;
use crate::{Catalogue, CatalogueError, Provider, ProviderRow};

const MODELS: &str = include_str!("../data/models.jsonl");
const ENDPOINTS: &str = include_str!("../data/endpoints.jsonl");
const LEGACY: &str = include_str!("../data/legacy.jsonl");
const FAMILIES: &str = include_str!("../data/families.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LegacyRow {
    slug: String,
    id: String,
}

/// Reads all built-in rows. The error names file and line; a test makes sure that there is none.
pub(crate) fn load() -> Result<Catalogue, CatalogueError> {
    let legacy: Vec<LegacyRow> = lines("legacy.jsonl", LEGACY)?;
    Ok(Catalogue {
        models: lines("models.jsonl", MODELS)?,
        endpoints: lines("endpoints.jsonl", ENDPOINTS)?,
        providers: provider_files::PROVIDER_FILES
            .iter()
            .map(|(slug, text)| provider(slug, text))
            .collect::<Result<_, _>>()?,
        legacy: legacy.into_iter().map(|row| (row.slug, row.id)).collect(),
        families: Family::read(FAMILIES)?,
    })
}

fn lines<T: DeserializeOwned>(file: &str, text: &str) -> Result<Vec<T>, CatalogueError> {
    text.lines()
        .enumerate()
        .map(|(at, line)| {
            serde_json::from_str(line).map_err(|error| {
                let row = format!("{file}, line {}", at.saturating_add(1));
                CatalogueError::new(row, "row", error.to_string())
            })
        })
        .collect()
}

fn provider(slug: &str, text: &str) -> Result<Provider, CatalogueError> {
    let file = format!("providers/{slug}.toml");
    let row: ProviderRow = toml::from_str(text)
        .map_err(|error| CatalogueError::new(file.as_str(), "row", error.to_string()))?;
    if row.slug != slug {
        return Err(CatalogueError::new(file, "slug", "differs from the file's name"));
    }
    if row.api_key.is_some() {
        return Err(CatalogueError::new(file, "api_key", "a built-in row has no key"));
    }
    if row.base_url.is_some() == row.base_url_required {
        let problem = "expected either base_url or base_url_required = true";
        return Err(CatalogueError::new(file, "base_url", problem));
    }
    row.apply(None)
}
