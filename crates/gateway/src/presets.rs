//! Presets in memory, as principals are: read once, and again after any change of their account.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use moka::future::Cache;
use signalbox_catalog::Reference;
use signalbox_core::id::WorkspaceId;
use signalbox_core::{ApiError, ErrorKind};
use signalbox_dialect::document::{Document, Kind, Raw};
use signalbox_dialect::preset::Preset;
use signalbox_policy::ProviderPreferences;
use signalbox_policy::router::{self, Router};
use signalbox_store::workspaces::default_workspace;
use signalbox_store::{PresetStatus, Store, StoreError};

use crate::account::Account;
use crate::authenticate::{Principal, out_of_reach};
use crate::inbound::Surface;
use crate::screen;

/// Bytes of presets that are kept.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// What an entry weighs besides its texts.
const ENTRY_BYTES: usize = 512;
/// The longest that one is kept: should news of a change be missed, it lives on for so long.
const KEEP_AT_MOST: Duration = Duration::from_secs(900);

/// A preset as requests get it: its designated version.
#[derive(Debug)]
pub(crate) struct Known {
    pub id: Arc<str>,
    pub status: PresetStatus,
    pub preset: Preset,
}

#[derive(Debug)]
struct Kept {
    account: Arc<Account>,
    /// The news of the account when it was read.
    version: u64,
    found: Option<Arc<Known>>,
}

impl Kept {
    fn holds_for(&self, caller: &Principal) -> bool {
        Arc::ptr_eq(&self.account, &caller.account) && self.version == caller.account.version()
    }

    fn weight(&self) -> u32 {
        let texts = self.found.as_ref().map_or(0, |known| {
            let prompt = known.preset.system_prompt().map_or(0, str::len);
            known.preset.config().text().len().saturating_add(prompt)
        });
        u32::try_from(texts.saturating_add(ENTRY_BYTES)).unwrap_or(u32::MAX)
    }
}

type Place = (WorkspaceId, Box<str>);

/// What is known of presets, also that there is none of a slug.
#[derive(Debug)]
pub(crate) struct Presets {
    kept: Cache<Place, Arc<Kept>>,
    store: Store,
}

impl Presets {
    pub(crate) fn new(store: &Store) -> Self {
        let kept = Cache::builder()
            .max_capacity(MOST_BYTES)
            .weigher(|_: &Place, kept: &Arc<Kept>| kept.weight())
            .time_to_live(KEEP_AT_MOST)
            .build();
        Self { kept, store: store.clone() }
    }

    /// The preset that a caller means. Memory only, once it is known.
    ///
    /// # Errors
    /// 404 for one that is not there, in another workspace, or not active; 503 when the store can't say.
    pub(crate) async fn find(
        &self,
        caller: &Principal,
        slug: &str,
    ) -> Result<Arc<Known>, ApiError> {
        let key = &caller.key;
        let workspace = key.workspace.clone().unwrap_or_else(|| default_workspace(&key.account));
        let place: Place = (workspace, slug.into());
        let kept = match self.kept.get(&place).await {
            Some(kept) if kept.holds_for(caller) => kept,
            _ => {
                let kept = self.load(caller, &place).await.map_err(|error| {
                    tracing::error!(%error, "a preset could not be looked up");
                    out_of_reach()
                })?;
                let kept = Arc::new(kept);
                self.kept.insert(place, Arc::clone(&kept)).await;
                kept
            }
        };
        let missing = |what: &str| {
            let shown: String = slug.chars().take(100).collect();
            let message = format!("Preset \"{shown}\" {what}");
            ApiError::new(ErrorKind::NotFound, message)
        };
        let known = kept.found.as_ref().ok_or_else(|| missing("not found"))?;
        match known.status {
            PresetStatus::Active => Ok(Arc::clone(known)),
            PresetStatus::Disabled => Err(missing("is disabled")),
            PresetStatus::Archived => Err(missing("is archived")),
        }
    }

    async fn load(&self, caller: &Principal, place: &Place) -> Result<Kept, StoreError> {
        let (account, (workspace, slug)) = (Arc::clone(&caller.account), place);
        // What is read after the version holds until the version changes.
        let version = account.version();
        let owner = &caller.key.account;
        let Some(record) = self.store.preset(owner, workspace, slug).await? else {
            return Ok(Kept { account, version, found: None });
        };
        let one = self.store.preset_version(&record, record.designated).await?;
        let damaged = || StoreError::Damaged(format!("preset {}", record.id));
        let one = one.ok_or_else(damaged)?;
        let config = Document::parse(Bytes::from(one.config)).map_err(|_| damaged())?;
        let preset = Preset::new(config, one.system_prompt);
        let known = Known { id: record.id.into(), status: record.status, preset };
        Ok(Kept { account, version, found: Some(Arc::new(known)) })
    }
}

/// A preset as a body names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub slug: String,
    /// The model that the body names besides it.
    pub model: Option<String>,
}

/// What a body says of presets: `model: "@preset/slug"`, `model: "a/b@preset/slug"`, or
/// `preset: "slug"` beside any model.
///
/// # Errors
/// 400 for a `preset` that is no name, and for two different ones.
pub(crate) fn named(document: &Document) -> Result<Option<Named>, ApiError> {
    let beside = document.get("preset").map(Raw::new).filter(|raw| !raw.is_null());
    let beside = beside.map(|raw| raw.string().filter(|_| raw.kind() == Kind::String));
    let beside = match beside {
        Some(Some(slug)) if !slug.is_empty() => Some(slug),
        Some(_) => return Err(ApiError::invalid("preset: expected the slug of a preset")),
        None => None,
    };
    let model = document.get("model").map(Raw::new).and_then(Raw::string);
    let (inside, rest) = match model.as_deref().map(Reference::parse) {
        Some(Reference::Preset(slug)) => (Some(slug), None),
        Some(Reference::ModelWithPreset { model, preset }) => (Some(preset), Some(model)),
        Some(Reference::Model(model)) => (None, Some(model)),
        None => (None, None),
    };
    let slug = match (beside.as_deref(), inside) {
        (Some(one), Some(other)) if one != other => {
            return Err(ApiError::invalid("preset: the model names another preset"));
        }
        (Some(slug), _) | (None, Some(slug)) => slug,
        (None, None) => return Ok(None),
    };
    Ok(Some(Named { slug: slug.to_owned(), model: rest.map(str::to_owned) }))
}

/// What a body would keep as a preset.
///
/// # Errors
/// 400 for a body that no request could have, that names a preset itself, or that has nothing to keep.
pub fn kept_of(surface: Surface, body: Bytes) -> Result<Preset, ApiError> {
    let document = Document::parse(body)?;
    let preset = Preset::of(&document, screen::body(surface))?;
    let config = preset.config();
    if config.members().next().is_none() && preset.system_prompt().is_none() {
        return Err(ApiError::invalid("nothing in the body can be kept as a preset"));
    }
    let models = ["model", "models"].into_iter().filter_map(|key| config.get(key));
    let nested = |text: &str| {
        let raw = Raw::new(text);
        let listed = raw.elements().map(|(_, one)| one);
        listed.chain([raw]).filter_map(Raw::string).any(|slug| slug.contains("@preset/"))
    };
    if models.into_iter().any(nested) {
        return Err(ApiError::invalid("model: a preset can't name another preset"));
    }
    ProviderPreferences::from_json(config.get("provider"))?;
    for router in Router::ALL {
        router::Settings::of(router, config.get("plugins"))?;
    }
    Ok(preset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Option<(String, Option<String>)>, u16> {
        let document = Document::parse(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let named = named(&document).map_err(|error| error.status())?;
        Ok(named.map(|one| (one.slug, one.model)))
    }

    #[test]
    fn a_preset_is_named_in_three_ways() {
        let found =
            |slug: &str, model: Option<&str>| Ok(Some((slug.to_owned(), model.map(str::to_owned))));
        assert_eq!(read(r#"{"model":"a/b"}"#), Ok(None));
        assert_eq!(read(r#"{"model":5,"preset":null}"#), Ok(None));
        assert_eq!(read(r#"{"model":"@preset/x"}"#), found("x", None));
        assert_eq!(read(r#"{"model":"\u0040preset/x"}"#), found("x", None));
        assert_eq!(read(r#"{"model":"a/b:nitro@preset/x"}"#), found("x", Some("a/b:nitro")));
        assert_eq!(read(r#"{"model":"a/b","preset":"x"}"#), found("x", Some("a/b")));
        assert_eq!(read(r#"{"preset":"x"}"#), found("x", None));
        assert_eq!(read(r#"{"preset":"x","model":"@preset/x"}"#), found("x", None));
        for wrong in [
            r#"{"preset":5}"#,
            r#"{"preset":""}"#,
            r#"{"preset":["x"]}"#,
            r#"{"preset":"x","model":"@preset/y"}"#,
        ] {
            assert_eq!(read(wrong), Err(400), "{wrong}");
        }
    }
}
