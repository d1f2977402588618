//! `/api/v1/guardrails`: what requests may do and contain, and who is under it (platform spec 7).

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use signalbox_core::id::{AccountId, WorkspaceId, random_uuid};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_guard::{Action, Builtin, BuiltinFilter, CustomFilter, Guardrail, ScanScope};
use signalbox_runtime::entropy;
use signalbox_store::workspaces::default_guardrail;
use signalbox_store::{By, GuardrailRecord, WorkspaceRecord};

use super::rules::{Names, RulesWish};
use super::{Data, Deleted, Listed, Page, given};
use crate::{Platform, PlatformError};

/// A built-in filter as it is shown: with what it is called in texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct BuiltinObject {
    pub slug: Builtin,
    pub action: Action,
    pub label: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan_scope: Option<ScanScope>,
}

/// A guardrail as its account sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct GuardrailObject {
    pub id: String,
    pub workspace_id: Option<WorkspaceId>,
    pub name: String,
    pub description: Option<String>,
    pub limit_usd: Option<Usd>,
    pub reset_interval: Option<ResetInterval>,
    pub include_byok_in_budgets: bool,
    #[serde(flatten)]
    pub rules: RulesObject,
    pub created_at: String,
    pub updated_at: Option<String>,
}

/// The rules of a guardrail, or of an account, as they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct RulesObject {
    pub allowed_models: Option<Vec<String>>,
    pub ignored_models: Option<Vec<String>>,
    pub allowed_providers: Option<Vec<String>>,
    pub ignored_providers: Option<Vec<String>>,
    /// Deprecated: what was sent is in the groups.
    pub enforce_zdr: Option<bool>,
    pub enforce_zdr_anthropic: Option<bool>,
    pub enforce_zdr_openai: Option<bool>,
    pub enforce_zdr_google: Option<bool>,
    pub enforce_zdr_xai: Option<bool>,
    pub enforce_zdr_other: Option<bool>,
    pub enable_paid_model_training: Option<bool>,
    pub enable_free_model_training: Option<bool>,
    pub enable_free_model_publication: Option<bool>,
    pub content_filter_builtins: Option<Vec<BuiltinObject>>,
    pub content_filters: Option<Vec<CustomFilter>>,
}

impl From<Guardrail> for RulesObject {
    fn from(rules: Guardrail) -> Self {
        let shown = |one: BuiltinFilter| BuiltinObject {
            slug: one.slug,
            action: one.action,
            label: one.slug.label(),
            scan_scope: one.scan_scope,
        };
        let builtins = rules.content_filter_builtins;
        Self {
            allowed_models: rules.allowed_models,
            ignored_models: rules.ignored_models,
            allowed_providers: rules.allowed_providers,
            ignored_providers: rules.ignored_providers,
            enforce_zdr: rules.enforce_zdr,
            enforce_zdr_anthropic: rules.enforce_zdr_anthropic,
            enforce_zdr_openai: rules.enforce_zdr_openai,
            enforce_zdr_google: rules.enforce_zdr_google,
            enforce_zdr_xai: rules.enforce_zdr_xai,
            enforce_zdr_other: rules.enforce_zdr_other,
            enable_paid_model_training: rules.enable_paid_model_training,
            enable_free_model_training: rules.enable_free_model_training,
            enable_free_model_publication: rules.enable_free_model_publication,
            content_filter_builtins: builtins.map(|all| all.into_iter().map(shown).collect()),
            content_filters: rules.content_filters,
        }
    }
}

impl From<GuardrailRecord> for GuardrailObject {
    fn from(one: GuardrailRecord) -> Self {
        Self {
            id: one.id,
            workspace_id: one.workspace,
            name: one.name,
            description: one.description,
            limit_usd: one.limit,
            reset_interval: one.reset_interval,
            include_byok_in_budgets: one.include_byok,
            rules: one.rules.into(),
            created_at: one.created_at.to_rfc3339(),
            updated_at: one.updated_at.map(Timestamp::to_rfc3339),
        }
    }
}

/// `POST /guardrails`, where `name` is required, and `PATCH /guardrails/{id}`, where `workspace_id` can't
/// be: what is absent stays, null clears, lists replace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct GuardrailFields {
    pub name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub description: Option<Option<String>>,
    pub workspace_id: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub limit_usd: Option<Option<Usd>>,
    #[serde(default, deserialize_with = "given")]
    pub reset_interval: Option<Option<ResetInterval>>,
    pub include_byok_in_budgets: Option<bool>,
}

/// The whole of such a body: one object on the wire.
#[derive(Debug, Clone, Default)]
pub struct GuardrailWish {
    /// What is about the guardrail itself.
    pub own: GuardrailFields,
    /// What it permits and looks for.
    pub rules: RulesWish,
}

impl<'de> Deserialize<'de> for GuardrailWish {
    /// Unknown members are refused, which `serde(flatten)` can't do.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let whole = Map::deserialize(deserializer)?;
        let is_rule = |member: &String| RulesWish::MEMBERS.contains(&member.as_str());
        let (rules, own): (Map<_, _>, Map<_, _>) =
            whole.into_iter().partition(|(member, _)| is_rule(member));
        let own = serde_json::from_value(Value::Object(own)).map_err(D::Error::custom)?;
        let rules = serde_json::from_value(Value::Object(rules)).map_err(D::Error::custom)?;
        Ok(Self { own, rules })
    }
}

pub(super) fn refused(text: impl Into<String>) -> PlatformError {
    PlatformError::Refused(text.into())
}

impl GuardrailWish {
    fn check(&mut self, names: &dyn Names) -> Result<(), PlatformError> {
        let length = self.own.name.as_ref().map(|name| name.chars().count());
        if length.is_some_and(|length| !(1..=200).contains(&length)) {
            return Err(refused("name: 1 to 200 characters"));
        }
        if let Some(Some(text)) = &self.own.description
            && text.chars().count() > 1_000
        {
            return Err(refused("description: at most 1000 characters"));
        }
        if let Some(Some(limit)) = self.own.limit_usd
            && limit.is_negative()
        {
            return Err(refused("limit_usd: not below zero"));
        }
        self.rules.check(names)
    }

    fn apply(self, one: &mut GuardrailRecord) {
        one.name = self.own.name.unwrap_or_else(|| one.name.clone());
        one.description = self.own.description.unwrap_or_else(|| one.description.clone());
        one.limit = self.own.limit_usd.unwrap_or(one.limit);
        one.reset_interval = self.own.reset_interval.unwrap_or(one.reset_interval);
        one.include_byok = self.own.include_byok_in_budgets.unwrap_or(one.include_byok);
        self.rules.apply(&mut one.rules);
    }
}

/// `?workspace_id&offset&limit`.
#[derive(Debug, Clone, Default, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct ListGuardrails {
    pub workspace_id: Option<String>,
    pub offset: Option<u32>,
    pub limit: Option<u32>,
}

/// The default guardrail of a workspace before anybody has set it: it restricts nothing.
fn unset(workspace: &WorkspaceRecord) -> GuardrailRecord {
    GuardrailRecord {
        id: default_guardrail(&workspace.id),
        account: workspace.account.clone(),
        workspace: Some(workspace.id.clone()),
        name: format!("Workspace {} Default", workspace.id),
        description: None,
        rules: Guardrail::default(),
        limit: None,
        reset_interval: None,
        include_byok: false,
        created_at: workspace.created_at,
        updated_at: None,
    }
}

pub(super) const NONE: PlatformError = PlatformError::NotFound("guardrail");

impl Platform {
    /// The default guardrail of one of the account's workspaces, if this is the id of one.
    async fn unset_default(
        &self,
        account: &AccountId,
        id: &str,
    ) -> Result<Option<GuardrailRecord>, PlatformError> {
        let found = self.store().workspace_of_guardrail(account, id).await?;
        Ok(found.as_ref().map(unset))
    }

    /// The guardrails that are kept in a workspace.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for a workspace that the account has not.
    pub async fn list_guardrails(
        &self,
        account: &AccountId,
        asked: ListGuardrails,
    ) -> Result<Listed<GuardrailObject>, PlatformError> {
        let (offset, limit) = Page { offset: asked.offset, limit: asked.limit }.checked()?;
        let workspace = self.workspace_or_default(account, asked.workspace_id.as_deref()).await?;
        let (found, total_count) =
            self.store().guardrails_page(&workspace.id, offset, limit).await?;
        Ok(Listed { data: found.into_iter().map(Into::into).collect(), total_count })
    }

    /// One guardrail; the default one of a workspace is there before it is set.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for one of somebody else, too.
    pub async fn get_guardrail(
        &self,
        account: &AccountId,
        id: &str,
    ) -> Result<Data<GuardrailObject>, PlatformError> {
        let found = match self.store().guardrail(account, id).await? {
            Some(found) => Some(found),
            None => self.unset_default(account, id).await?,
        };
        Ok(Data { data: found.ok_or(NONE)?.into() })
    }

    /// A new guardrail. It enforces nothing until it is assigned.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] that names what can't be.
    pub async fn make_guardrail(
        &self,
        by: By,
        mut wish: GuardrailWish,
        names: &dyn Names,
    ) -> Result<Data<GuardrailObject>, PlatformError> {
        let name = wish.own.name.clone().ok_or_else(|| refused("name: required"))?;
        wish.check(names)?;
        let named = wish.own.workspace_id.take();
        let workspace = self.workspace_or_default(&by.account, named.as_deref()).await?;
        let created_at = self.store().clock().now();
        let id = random_uuid(entropy::bytes());
        let mut one = GuardrailRecord { id, name, created_at, ..unset(&workspace) };
        wish.apply(&mut one);
        self.store().make_guardrail(by, one.clone()).await?;
        Ok(Data { data: one.into() })
    }

    /// Changes a guardrail, or sets a workspace's default one for the first time.
    ///
    /// # Errors
    /// As [`Platform::make_guardrail`] and [`Platform::get_guardrail`].
    pub async fn update_guardrail(
        &self,
        by: By,
        id: String,
        mut wish: GuardrailWish,
        names: &dyn Names,
    ) -> Result<Data<GuardrailObject>, PlatformError> {
        if wish.own.workspace_id.is_some() {
            return Err(refused("workspace_id: can't be changed"));
        }
        wish.check(names)?;
        let unset = self.unset_default(&by.account, &id).await?;
        let edit = move |one: &mut GuardrailRecord| wish.apply(one);
        let one = self.store().edit_guardrail(by, id, unset, edit).await?;
        Ok(Data { data: one.ok_or(NONE)?.into() })
    }

    /// Deletes a guardrail with its assignments.
    ///
    /// # Errors
    /// As [`Platform::get_guardrail`].
    pub async fn delete_guardrail(&self, by: By, id: String) -> Result<Deleted, PlatformError> {
        if self.store().end_guardrail(by, id).await? { Ok(Deleted::TRUE) } else { Err(NONE) }
    }
}
