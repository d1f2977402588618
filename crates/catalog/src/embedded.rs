//! The built-in data: rows under `data/`, compiled in.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::family::Family;
use crate::{Catalogue, CatalogueError, Provider, ProviderRow};

const MODELS: &str = include_str!("../data/models.jsonl");
const ENDPOINTS: &str = include_str!("../data/endpoints.jsonl");
const LEGACY: &str = include_str!("../data/legacy.jsonl");
const FAMILIES: &str = include_str!("../data/families.toml");
/// Slugs of the public API's `BYOKProviderSlug` without a row here, one a line.
const FURTHER: &str = include_str!("../data/further_providers.txt");
/// Slug and text of every file in `data/providers`, by slug; `build.rs` lists them.
const PROVIDERS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/provider_files.rs"));

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
        providers: PROVIDERS
            .iter()
            .map(|(slug, text)| Provider::from_file(slug, text))
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

impl Provider {
    /// Whether the public API knows a provider by this slug that has no built-in row. Callers may keep keys
    /// for it, which nothing uses as long as nobody configures the provider (platform spec 5.5).
    #[must_use]
    pub fn is_known_elsewhere(slug: &str) -> bool {
        FURTHER.lines().any(|line| line == slug)
    }

    /// The provider of the file `data/providers/<slug>.toml` with this text.
    ///
    /// # Errors
    /// No valid row, another slug than the file's name, a key, or a base URL neither there nor said
    /// to be required. The error names the file and the key.
    pub fn from_file(slug: &str, text: &str) -> Result<Self, CatalogueError> {
        let file = format!("providers/{slug}.toml");
        let fail = |key: &str, problem: &str| CatalogueError::new(file.as_str(), key, problem);
        let row: ProviderRow =
            toml::from_str(text).map_err(|error| fail("row", &error.to_string()))?;
        if row.slug != slug {
            return Err(fail("slug", "differs from the file's name"));
        }
        if row.api_key.is_some() {
            return Err(fail("api_key", "a built-in row has no key"));
        }
        if row.base_url.is_some() == row.base_url_required {
            return Err(fail("base_url", "expected either base_url or base_url_required = true"));
        }
        row.apply(None)
    }
}
