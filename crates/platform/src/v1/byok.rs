//! `/api/v1/byok`: provider keys that an account brings along (platform spec 5.1, 5.4, 5.5).

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use signalbox_catalog::{Lookup, Provider, Snapshot};
use signalbox_core::Secret;
use signalbox_core::id::{AccountId, KeyHash, UserId, WorkspaceId, is_uuid, random_uuid};
use signalbox_runtime::entropy;
use signalbox_store::byok::MAX_KEYS;
use signalbox_store::{By, ByokEdit, ByokPage, ByokRecord};
use signalbox_upstream::Credential;

use super::guardrails::refused;
use super::{Data, Deleted, Listed, Page, given};
use crate::{Platform, PlatformError};

/// Most entries of a filter, and of an order.
const MAX_LIST: usize = 100;
/// Longest name, in characters.
const MAX_NAME: usize = 255;
/// Longest credential, in bytes.
const MAX_SECRET: usize = 32 * 1024;

/// A provider key as its account sees it. The key itself is never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct ByokObject {
    pub id: String,
    pub provider: String,
    /// Null for all workspaces of the account.
    pub workspace_id: Option<WorkspaceId>,
    /// The masked key.
    pub label: String,
    pub name: Option<String>,
    pub disabled: bool,
    pub is_fallback: bool,
    /// Whether the provider's shared capacity is never used for requests that may use this key
    /// ("always use"). This and the next two are members of newer official clients.
    pub is_required: bool,
    /// Always false: shared capacity is kept away by model alone.
    pub is_byok_only: bool,
    /// Always null: nobody declares what a provider keeps.
    pub declared_zdr: Option<bool>,
    /// Always null: where a key leads is in the key. Newer official clients require the member.
    pub declared_region: Option<String>,
    pub sort_order: u32,
    pub allowed_models: Option<Vec<String>>,
    pub allowed_api_key_hashes: Option<Vec<KeyHash>>,
    pub allowed_user_ids: Option<Vec<UserId>>,
    pub created_at: String,
}

impl From<ByokRecord> for ByokObject {
    fn from(one: ByokRecord) -> Self {
        Self {
            id: one.id,
            provider: one.provider,
            workspace_id: one.workspace,
            label: one.label,
            name: one.name,
            disabled: one.disabled,
            is_fallback: one.is_fallback,
            is_required: one.always_use,
            is_byok_only: false,
            declared_zdr: None,
            declared_region: None,
            sort_order: one.sort_order,
            allowed_models: one.allowed_models,
            allowed_api_key_hashes: one.allowed_api_key_hashes,
            allowed_user_ids: one.allowed_user_ids,
            created_at: one.created_at.to_rfc3339(),
        }
    }
}

/// A credential in a body. What is no text is refused without being repeated.
fn credential<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Secret<String>>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    match value {
        serde_json::Value::String(text) => Ok(Some(Secret::new(text))),
        _ => {
            Err(serde::de::Error::custom("key: a text; a JSON credential is written as a text too"))
        }
    }
}

/// What can be said of a provider key when it is made and later.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct UpdateByok {
    #[serde(default, deserialize_with = "credential")]
    pub key: Option<Secret<String>>,
    #[serde(default, deserialize_with = "given")]
    pub name: Option<Option<String>>,
    pub disabled: Option<bool>,
    pub is_fallback: Option<bool>,
    pub is_required: Option<bool>,
    pub is_byok_only: Option<bool>,
    pub declared_zdr: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    pub allowed_models: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    pub allowed_api_key_hashes: Option<Option<Vec<KeyHash>>>,
    #[serde(default, deserialize_with = "given")]
    pub allowed_user_ids: Option<Option<Vec<UserId>>>,
}

/// `POST /byok`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct CreateByok {
    pub provider: String,
    #[serde(default, deserialize_with = "credential")]
    pub key: Option<Secret<String>>,
    /// Null, which is ours, is all workspaces; absent is the default one.
    #[serde(default, deserialize_with = "given")]
    pub workspace_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub name: Option<Option<String>>,
    pub disabled: Option<bool>,
    pub is_fallback: Option<bool>,
    pub is_required: Option<bool>,
    pub is_byok_only: Option<bool>,
    pub declared_zdr: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    pub allowed_models: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    pub allowed_api_key_hashes: Option<Option<Vec<KeyHash>>>,
    #[serde(default, deserialize_with = "given")]
    pub allowed_user_ids: Option<Option<Vec<UserId>>>,
}

/// `POST /byok/probe`: a key that is tried before it is kept. Nothing of it is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeWish {
    /// The provider's slug.
    pub provider: String,
    /// The key, in the form that the provider's keys have.
    #[serde(deserialize_with = "credential")]
    #[schemars(with = "String")]
    pub key: Option<Secret<String>>,
}

/// What a provider said to a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProbeObject {
    /// Whether requests with it are answered.
    pub ok: bool,
    /// The provider's HTTP status; null when there was no answer.
    pub status: Option<u16>,
    /// The model that was asked; null when the key leads to none, and nothing was sent.
    pub model: Option<String>,
    /// Why there was no answer.
    pub problem: Option<String>,
    /// Milliseconds until the answer began.
    pub latency_ms: u64,
}

/// `PUT /byok/order`: keys of one provider, in the order that they are tried in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByokOrder {
    /// Their ids. Keys that are not named come after them.
    pub ids: Vec<String>,
}

/// `GET /byok?offset&limit&workspace_id&provider`.
#[derive(Debug, Clone, Default, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct ListByok {
    pub offset: Option<u32>,
    pub limit: Option<u32>,
    pub workspace_id: Option<String>,
    pub provider: Option<String>,
}

const NONE: PlatformError = PlatformError::NotFound("provider key");

/// The slug of a provider that there is, here or elsewhere.
fn provider(catalog: &Snapshot, named: &str) -> Result<String, PlatformError> {
    let slug = named.to_ascii_lowercase();
    let is_known = catalog.provider(&slug).is_some() || Provider::is_known_elsewhere(&slug);
    if is_known { Ok(slug) } else { Err(refused(format!("provider: there is no {named:?}"))) }
}

/// The credential as it is kept, with its masked form. It is not tried out.
fn checked(
    catalog: &Snapshot,
    provider: &str,
    key: &Secret<String>,
) -> Result<(Secret<String>, String), PlatformError> {
    let text = key.expose().trim();
    if text.is_empty() || text.len() > MAX_SECRET {
        return Err(refused(format!("key: 1 to {MAX_SECRET} bytes")));
    }
    let key = Secret::new(text.to_owned());
    let problem = match catalog.provider(provider) {
        Some(row) => Credential::check(row, &key),
        None => Credential::parse(&key).map(drop),
    };
    problem.map_err(|problem| refused(format!("key: {problem}")))?;
    let label = Credential::label(&key);
    Ok((key, label))
}

fn entries<T>(name: &str, list: Option<&Vec<T>>) -> Result<(), PlatformError> {
    match list.map(Vec::len) {
        Some(0) => {
            Err(refused(format!("{name}: an empty list would let nobody use the key; null is all")))
        }
        Some(count) if count > MAX_LIST => Err(refused(format!("{name}: at most {MAX_LIST}"))),
        _ => Ok(()),
    }
}

impl ProbeWish {
    /// The provider's slug and the key, as they would be kept.
    ///
    /// # Errors
    /// As [`Platform::make_byok`].
    pub fn checked(self, catalog: &Snapshot) -> Result<(String, Secret<String>), PlatformError> {
        let slug = provider(catalog, &self.provider)?;
        let key = self.key.ok_or_else(|| refused("key: required"))?;
        let (key, _) = checked(catalog, &slug, &key)?;
        Ok((slug, key))
    }
}

impl UpdateByok {
    /// Refuses what can't be, and calls models by their ids.
    fn check(&mut self, catalog: &Snapshot) -> Result<(), PlatformError> {
        if let Some(Some(name)) = &self.name
            && name.chars().count() > MAX_NAME
        {
            return Err(refused(format!("name: at most {MAX_NAME} characters")));
        }
        if self.is_byok_only == Some(true) {
            return Err(refused("is_byok_only: not available; is_required is, by allowed_models"));
        }
        if self.declared_zdr.is_some() {
            let why = "not available; what a provider keeps is read from the catalogue";
            return Err(refused(format!("declared_zdr: {why}")));
        }
        entries("allowed_models", self.allowed_models.as_ref().and_then(Option::as_ref))?;
        for name in self.allowed_models.iter_mut().flatten().flatten() {
            let (Lookup::Found { model, .. } | Lookup::Deprecated(model)) = catalog.lookup(name)
            else {
                return Err(refused(format!("allowed_models: there is no {name:?}")));
            };
            name.clone_from(&model.id);
        }
        entries("allowed_user_ids", self.allowed_user_ids.as_ref().and_then(Option::as_ref))?;
        let hashes = self.allowed_api_key_hashes.as_ref().and_then(Option::as_ref);
        entries("allowed_api_key_hashes", hashes)?;
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let hash = |one: &KeyHash| one.as_str().len() == 64 && one.as_str().bytes().all(digit);
        if !hashes.into_iter().flatten().all(hash) {
            return Err(refused("allowed_api_key_hashes: 64 lower-case hexadecimal digits each"));
        }
        Ok(())
    }

    fn edit(self, secret: Option<(Secret<String>, String)>) -> ByokEdit {
        ByokEdit {
            name: self.name,
            disabled: self.disabled,
            is_fallback: self.is_fallback,
            always_use: self.is_required,
            allowed_models: self.allowed_models,
            allowed_api_key_hashes: self.allowed_api_key_hashes,
            allowed_user_ids: self.allowed_user_ids,
            secret,
        }
    }
}

impl CreateByok {
    /// Where the key is to be, if that is said, and the rest.
    fn split(self) -> (String, Option<Option<String>>, UpdateByok) {
        let rest = UpdateByok {
            key: self.key,
            name: self.name,
            disabled: self.disabled,
            is_fallback: self.is_fallback,
            is_required: self.is_required,
            is_byok_only: self.is_byok_only,
            declared_zdr: self.declared_zdr,
            allowed_models: self.allowed_models,
            allowed_api_key_hashes: self.allowed_api_key_hashes,
            allowed_user_ids: self.allowed_user_ids,
        };
        (self.provider, self.workspace_id, rest)
    }
}

impl Platform {
    /// The filters name API keys and people of the account alone. What another account has is not
    /// told from what nobody has.
    async fn check_filters(
        &self,
        account: &AccountId,
        wish: &UpdateByok,
    ) -> Result<(), PlatformError> {
        if let Some(Some(hashes)) = &wish.allowed_api_key_hashes
            && !self.store().has_api_keys(account, hashes).await?
        {
            return Err(refused("allowed_api_key_hashes: not all are keys of this account"));
        }
        let owner = self.store().owner(account).await?;
        for user in wish.allowed_user_ids.iter().flatten().flatten() {
            let known =
                owner.as_ref() == Some(user) || self.store().member(account, user).await?.is_some();
            if !known {
                return Err(refused("allowed_user_ids: not all are members of this account"));
            }
        }
        Ok(())
    }

    /// The provider keys that requests of a workspace may use, by provider and order.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for a workspace that the account has not.
    pub async fn list_byok(
        &self,
        account: &AccountId,
        asked: ListByok,
    ) -> Result<Listed<ByokObject>, PlatformError> {
        let (offset, limit) = Page { offset: asked.offset, limit: asked.limit }.checked()?;
        let workspace = self.workspace_or_default(account, asked.workspace_id.as_deref()).await?;
        let provider = asked.provider.map(|slug| slug.to_ascii_lowercase());
        let page = ByokPage { workspace: workspace.id, provider, offset, limit };
        let (found, total_count) = self.store().byok_page(account, &page).await?;
        Ok(Listed { data: found.into_iter().map(Into::into).collect(), total_count })
    }

    /// One provider key.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for one of somebody else, too.
    pub async fn get_byok(
        &self,
        account: &AccountId,
        id: &str,
    ) -> Result<Data<ByokObject>, PlatformError> {
        let found = self.store().byok(account, id).await?;
        Ok(Data { data: found.ok_or(NONE)?.into() })
    }

    /// A new provider key, after the account's others of the provider. Nobody is asked whether it works.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] that names what can't be; [`PlatformError::NotFound`] for a workspace
    /// that the account has not.
    pub async fn make_byok(
        &self,
        by: By,
        wish: CreateByok,
        catalog: &Snapshot,
    ) -> Result<Data<ByokObject>, PlatformError> {
        let (slug, named, mut wish) = wish.split();
        let provider = provider(catalog, &slug)?;
        wish.check(catalog)?;
        let key = wish.key.take().ok_or_else(|| refused("key: required"))?;
        let (secret, label) = checked(catalog, &provider, &key)?;
        self.check_filters(&by.account, &wish).await?;
        let workspace = match named {
            Some(None) => None,
            named => {
                let named = named.flatten();
                Some(self.workspace_or_default(&by.account, named.as_deref()).await?.id)
            }
        };
        let one = ByokRecord {
            id: random_uuid(entropy::bytes()),
            account: by.account.clone(),
            workspace,
            provider,
            label,
            name: wish.name.flatten(),
            disabled: wish.disabled.unwrap_or(false),
            is_fallback: wish.is_fallback.unwrap_or(false),
            always_use: wish.is_required.unwrap_or(false),
            sort_order: 0,
            allowed_models: wish.allowed_models.flatten(),
            allowed_api_key_hashes: wish.allowed_api_key_hashes.flatten(),
            allowed_user_ids: wish.allowed_user_ids.flatten(),
            version: 1,
            created_at: self.store().clock().now(),
            updated_at: None,
        };
        let made = self.store().make_byok(by, one, secret).await?;
        let full = || refused(format!("an account has at most {MAX_KEYS} provider keys"));
        Ok(Data { data: made.ok_or_else(full)?.into() })
    }

    /// Changes a provider key; `key` takes the place of the one that is there.
    ///
    /// # Errors
    /// As [`Platform::make_byok`] and [`Platform::get_byok`].
    pub async fn update_byok(
        &self,
        by: By,
        id: String,
        mut wish: UpdateByok,
        catalog: &Snapshot,
    ) -> Result<Data<ByokObject>, PlatformError> {
        let found = self.store().byok(&by.account, &id).await?.ok_or(NONE)?;
        wish.check(catalog)?;
        let secret = match wish.key.take() {
            None => None,
            Some(key) => Some(checked(catalog, &found.provider, &key)?),
        };
        self.check_filters(&by.account, &wish).await?;
        let one = self.store().edit_byok(by, id, wish.edit(secret)).await?;
        Ok(Data { data: one.ok_or(NONE)?.into() })
    }

    /// Puts keys of a provider in order: all of the provider's, as they are tried now.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] when one is not there; [`PlatformError::Refused`] for no list of ids.
    pub async fn order_byok(
        &self,
        by: By,
        wish: ByokOrder,
    ) -> Result<Data<Vec<ByokObject>>, PlatformError> {
        let mut ids = wish.ids;
        if !(1..=MAX_LIST).contains(&ids.len()) || !ids.iter().all(|id| is_uuid(id)) {
            return Err(refused(format!("ids: 1 to {MAX_LIST} ids of keys of one provider")));
        }
        let mut seen = std::collections::HashSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        let all = self.store().order_byok(by, ids).await?.ok_or(NONE)?;
        Ok(Data { data: all.into_iter().map(Into::into).collect() })
    }

    /// Deletes a provider key; the key itself is erased.
    ///
    /// # Errors
    /// As [`Platform::get_byok`].
    pub async fn delete_byok(&self, by: By, id: String) -> Result<Deleted, PlatformError> {
        if self.store().end_byok(by, id).await? { Ok(Deleted::TRUE) } else { Err(NONE) }
    }
}
