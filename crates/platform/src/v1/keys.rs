//! `/api/v1/keys`: the API keys of an account (platform spec 2.2, 2.3).

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_core::id::{AccountId, KeyHash, UserId, WorkspaceId};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_store::idempotency::{Answer, Once, Remembered};
use signalbox_store::workspaces::default_workspace;
use signalbox_store::{
    Actor, By, KeyEdit, KeyKind, KeyPage, KeyRecord, KeyUsage, Rotated, StoreError,
};

use super::{Data, Deleted, given};
use crate::keys::{Draft, NewKey};
use crate::seal::Opener;
use crate::{Platform, PlatformError, Reach};

/// Keys on one page.
const PAGE: u32 = 100;
/// Longest name of a key, in characters.
const MAX_NAME: usize = 255;
/// Longest time for an old key beside the new one, in seconds.
const MAX_GRACE: u32 = 7 * 86_400;

/// A key as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct KeyObject {
    pub hash: KeyHash,
    pub name: String,
    pub label: String,
    pub disabled: bool,
    pub limit: Option<Usd>,
    /// What is left in the window, never below zero.
    pub limit_remaining: Option<Usd>,
    pub limit_reset: Option<ResetInterval>,
    pub include_byok_in_limit: bool,
    pub usage: Usd,
    pub usage_daily: Usd,
    pub usage_weekly: Usd,
    pub usage_monthly: Usd,
    pub byok_usage: Usd,
    pub byok_usage_daily: Usd,
    pub byok_usage_weekly: Usd,
    pub byok_usage_monthly: Usd,
    pub created_at: String,
    pub updated_at: Option<String>,
    pub expires_at: Option<String>,
    pub creator_user_id: Option<UserId>,
    /// Always null: partners' end users have no keys here. Newer official clients require the member.
    pub external_user: Option<String>,
    /// To the day. Newer official clients require the member.
    pub last_used_at: Option<String>,
    pub workspace_id: WorkspaceId,
}

/// A new key: the only answer that ever shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreatedKey {
    /// What is known of it.
    pub data: KeyObject,
    /// The whole key.
    pub key: String,
}

/// `POST /keys`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct CreateKey {
    pub name: String,
    pub limit: Option<Usd>,
    pub limit_reset: Option<ResetInterval>,
    pub include_byok_in_limit: Option<bool>,
    pub expires_at: Option<String>,
    pub workspace_id: Option<String>,
    /// Null makes a key of the workspace, which is nobody's (platform spec 2.2).
    #[serde(default, deserialize_with = "given")]
    pub creator_user_id: Option<Option<UserId>>,
}

/// `PATCH /keys/{hash}`: what is absent stays, null clears.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct UpdateKey {
    pub name: Option<String>,
    pub disabled: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    pub limit: Option<Option<Usd>>,
    #[serde(default, deserialize_with = "given")]
    pub limit_reset: Option<Option<ResetInterval>>,
    pub include_byok_in_limit: Option<bool>,
}

/// `POST /keys/{hash}/rotate`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// How long the old key is good for beside the new one, in seconds: 0 to 604800, seven days.
    pub grace_seconds: u32,
}

/// `GET /keys?offset&include_disabled&workspace_id`.
#[derive(Debug, Clone, Default, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct ListKeys {
    pub offset: Option<u32>,
    pub include_disabled: Option<bool>,
    pub workspace_id: Option<String>,
}

pub(crate) fn checked_name(name: &str) -> Result<String, PlatformError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(PlatformError::Refused(format!("name: 1 to {MAX_NAME} characters")));
    }
    Ok(name.to_owned())
}

pub(crate) fn checked_limit(limit: Option<Usd>) -> Result<Option<Usd>, PlatformError> {
    match limit {
        Some(limit) if limit.is_negative() => {
            Err(PlatformError::Refused("limit: not below zero".to_owned()))
        }
        limit => Ok(limit),
    }
}

/// A moment in UTC that has not come yet (platform spec 2.3: other zones are refused).
pub(crate) fn checked_end(text: &str, now: Timestamp) -> Result<Timestamp, PlatformError> {
    let refused = |why: &str| PlatformError::Refused(format!("expires_at: {why}"));
    let utc = ["Z", "z", "+00:00", "-00:00"].iter().any(|zone| text.ends_with(zone));
    let end = utc.then(|| text.parse::<Timestamp>().ok()).flatten();
    let end = end.ok_or_else(|| refused("a moment in UTC such as 2027-12-31T23:59:59Z"))?;
    if end > now { Ok(end) } else { Err(refused("it has passed already")) }
}

pub(crate) fn key_object(key: KeyRecord, usage: &KeyUsage) -> KeyObject {
    let counted = usage.counted(key.limit_reset, key.include_byok_in_limit);
    let left = |limit: Usd| limit.saturating_sub(counted).max(Usd::ZERO);
    KeyObject {
        limit_remaining: key.limit.map(left),
        workspace_id: key.workspace.unwrap_or_else(|| default_workspace(&key.account)),
        hash: key.hash,
        name: key.name,
        label: key.label,
        disabled: key.disabled,
        limit: key.limit,
        limit_reset: key.limit_reset,
        include_byok_in_limit: key.include_byok_in_limit,
        usage: usage.credits.total,
        usage_daily: usage.credits.daily,
        usage_weekly: usage.credits.weekly,
        usage_monthly: usage.credits.monthly,
        byok_usage: usage.byok.total,
        byok_usage_daily: usage.byok.daily,
        byok_usage_weekly: usage.byok.weekly,
        byok_usage_monthly: usage.byok.monthly,
        created_at: key.created_at.to_rfc3339(),
        updated_at: key.updated_at.map(Timestamp::to_rfc3339),
        expires_at: key.expires_at.map(Timestamp::to_rfc3339),
        creator_user_id: key.creator,
        external_user: None,
        last_used_at: usage.last_day.map(Timestamp::to_rfc3339),
    }
}

/// The only answer that shows a key, and the same sealed for whoever asks again.
fn shown(
    draft: &Draft,
    usage: &KeyUsage,
    opener: &Opener,
) -> Result<(String, Answer), PlatformError> {
    let key = draft.key.expose().clone();
    let created = CreatedKey { data: key_object(draft.record.clone(), usage), key };
    let body = serde_json::to_string(&created);
    let body = body.map_err(|problem| StoreError::Damaged(problem.to_string()))?;
    let sealed = Answer { status: 201, body: opener.seal(&body)? };
    Ok((body, sealed))
}

/// What is answered now, or was before.
fn told(answer: Remembered, body: String, opener: &Opener) -> Result<Answer, PlatformError> {
    match answer {
        Remembered::Now(_) => Ok(Answer { status: 201, body }),
        Remembered::Before(Answer { status, body }) => {
            let theirs = "This Idempotency-Key was used with another credential";
            let body = opener.open(&body);
            let body = body.ok_or_else(|| PlatformError::Conflict(theirs.to_owned()))?;
            Ok(Answer { status, body })
        }
    }
}

/// Whom a wish names as the creator. A person makes keys of their own unless they say otherwise, and a
/// member no others; what a management key makes is nobody's unless it says so.
fn wished_creator(
    by: &By,
    reach: &Reach,
    wished: Option<Option<UserId>>,
) -> Result<Option<UserId>, PlatformError> {
    let person = match &by.actor {
        Actor::User(user) => Some(user),
        _ => None,
    };
    let creator = wished.unwrap_or_else(|| person.cloned());
    if reach.member().is_some_and(|user| creator.as_ref() != Some(user)) {
        return Err(PlatformError::forbidden("Members make keys of their own alone"));
    }
    Ok(creator)
}

impl Platform {
    async fn key_objects(&self, keys: Vec<KeyRecord>) -> Result<Vec<KeyObject>, PlatformError> {
        let hashes: Vec<&KeyHash> = keys.iter().map(KeyRecord::counted_as).collect();
        let now = self.store().clock().now();
        let usage: HashMap<_, _> = self.store().key_usage(&hashes, now).await?;
        let nothing = KeyUsage::default();
        let object = |key: KeyRecord| {
            let spent = usage.get(key.counted_as()).unwrap_or(&nothing);
            key_object(key, spent)
        };
        Ok(keys.into_iter().map(object).collect())
    }

    async fn one_key(&self, key: KeyRecord) -> Result<Data<KeyObject>, PlatformError> {
        let mut objects = self.key_objects(vec![key]).await?;
        let data = objects.pop().ok_or(PlatformError::NotFound("key"))?;
        Ok(Data { data })
    }

    /// The API keys of a workspace, the newest first, a hundred on a page.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for a workspace that the account has not.
    pub async fn list_keys(
        &self,
        account: &AccountId,
        reach: &Reach,
        asked: ListKeys,
    ) -> Result<Data<Vec<KeyObject>>, PlatformError> {
        let named = asked.workspace_id.as_deref();
        let page = KeyPage {
            workspace: self.workspace_of_keys(account, reach, named).await?,
            include_disabled: asked.include_disabled.unwrap_or(false),
            kind: KeyKind::Api,
            creator: reach.member().cloned(),
            offset: asked.offset.unwrap_or(0),
            limit: PAGE,
        };
        let keys = self.store().keys_page(account, &page).await?;
        Ok(Data { data: self.key_objects(keys).await? })
    }

    /// One API key.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for a key of somebody else, too.
    pub async fn get_key(
        &self,
        account: &AccountId,
        reach: &Reach,
        hash: &KeyHash,
    ) -> Result<Data<KeyObject>, PlatformError> {
        self.one_key(self.key_within(account, reach, hash).await?).await
    }

    /// A new API key. With `once` the answer is remembered in the commit that makes the key, sealed for
    /// the holder of the credential: it is the only one that ever shows it.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for a name, limit or end that can't be; [`PlatformError::NotFound`]
    /// for a workspace or a person that the account has not; [`PlatformError::Conflict`] when another
    /// credential got the answer before.
    pub async fn make_key(
        &self,
        by: By,
        reach: &Reach,
        wish: CreateKey,
        once: Option<Once>,
        opener: &Opener,
    ) -> Result<Answer, PlatformError> {
        let now = self.store().clock().now();
        let expires_at =
            wish.expires_at.as_deref().map(|text| checked_end(text, now)).transpose()?;
        let named = wish.workspace_id.as_deref();
        let workspace = self.workspace_of_keys(&by.account, reach, named).await?;
        let creator = wished_creator(&by, reach, wish.creator_user_id)?;
        let creator = self.creator(&by.account, creator).await?;
        let wanted = NewKey {
            name: checked_name(&wish.name)?,
            limit: checked_limit(wish.limit)?,
            limit_reset: wish.limit_reset,
            include_byok_in_limit: wish.include_byok_in_limit.unwrap_or(false),
            expires_at,
            workspace,
            creator,
            ..NewKey::default()
        };
        let draft = self.draft(&by.account, wanted)?;
        let (body, sealed) = shown(&draft, &KeyUsage::default(), opener)?;
        told(self.store().make_key(by, draft.record, once, sealed).await?, body, opener)
    }

    /// A new API key in the place of another one: same name, limit, end, workspace and creator, disabled
    /// if that one is, and one usage. The old key is good for `grace_seconds` more. `once` is as in
    /// [`Platform::make_key`].
    ///
    /// # Errors
    /// As [`Platform::make_key`]; [`PlatformError::NotFound`] for a key of somebody else, too;
    /// [`PlatformError::Conflict`] for one that has been replaced; [`PlatformError::Refused`] for one
    /// that is over, or a grace beyond seven days.
    pub async fn rotate_key(
        &self,
        by: By,
        reach: &Reach,
        hash: &KeyHash,
        wish: RotateKey,
        once: Option<Once>,
        opener: &Opener,
    ) -> Result<Answer, PlatformError> {
        if wish.grace_seconds > MAX_GRACE {
            return Err(PlatformError::Refused(format!("grace_seconds: 0 to {MAX_GRACE}")));
        }
        let now = self.store().clock().now();
        let old = self.key_within(&by.account, reach, hash).await?;
        self.may_revive(reach, &old).await?;
        if once.is_none() && old.expires_at.is_some_and(|end| end <= now) {
            return Err(PlatformError::Refused("The key is over; make a new one".to_owned()));
        }
        // Whoever made it and is gone is nobody's creator any more.
        let creator = match self.creator(&by.account, old.creator.clone()).await {
            Err(PlatformError::NotFound(_)) => None,
            creator => creator?,
        };
        let wanted = NewKey {
            name: old.name.clone(),
            limit: old.limit,
            limit_reset: old.limit_reset,
            rpm: old.rpm,
            disabled: old.disabled,
            include_byok_in_limit: old.include_byok_in_limit,
            expires_at: old.expires_at,
            workspace: old.workspace.clone(),
            creator,
            ..NewKey::default()
        };
        let mut draft = self.draft(&by.account, wanted)?;
        draft.record.lineage = Some(old.counted_as().clone());
        let usage = self.store().key_usage(&[old.counted_as()], now).await?;
        let usage = usage.get(old.counted_as()).cloned().unwrap_or_default();
        let (body, sealed) = shown(&draft, &usage, opener)?;
        let end = now.plus_millis(i64::from(wish.grace_seconds).saturating_mul(1_000));
        let store = self.store();
        match store.rotate_key(by, old, draft.record, end, once, sealed).await? {
            Rotated::Done(answer) => told(answer, body, opener),
            Rotated::Unknown => Err(PlatformError::NotFound("key")),
            Rotated::Before => {
                Err(PlatformError::Conflict("Another key came in its place already".to_owned()))
            }
            Rotated::Changed => {
                Err(PlatformError::Conflict("The key was changed meanwhile".to_owned()))
            }
        }
    }

    /// Changes an API key.
    ///
    /// # Errors
    /// As [`Platform::make_key`]; [`PlatformError::NotFound`] for a key of somebody else, too;
    /// [`PlatformError::Forbidden`] for a member who switches on what somebody else switched off
    /// (platform spec 2.4: after a deactivation an admin has to).
    pub async fn update_key(
        &self,
        by: By,
        reach: &Reach,
        hash: &KeyHash,
        wish: UpdateKey,
    ) -> Result<Data<KeyObject>, PlatformError> {
        let old = self.key_within(&by.account, reach, hash).await?;
        if wish.disabled == Some(false) {
            self.may_revive(reach, &old).await?;
        }
        let edit = KeyEdit {
            name: wish.name.as_deref().map(checked_name).transpose()?,
            disabled: wish.disabled,
            limit: wish.limit.map(checked_limit).transpose()?,
            limit_reset: wish.limit_reset,
            include_byok_in_limit: wish.include_byok_in_limit,
        };
        let key = self.store().edit_key(by, hash.clone(), KeyKind::Api, edit).await?;
        self.one_key(key.ok_or(PlatformError::NotFound("key"))?).await
    }

    /// Deletes an API key for ever.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for a key of somebody else, too.
    pub async fn delete_key(
        &self,
        by: By,
        reach: &Reach,
        hash: &KeyHash,
    ) -> Result<Deleted, PlatformError> {
        self.key_within(&by.account, reach, hash).await?;
        let done = self.store().end_key(by, hash.clone(), KeyKind::Api).await?;
        if done { Ok(Deleted::TRUE) } else { Err(PlatformError::NotFound("key")) }
    }

    /// Who a new key belongs to: for a person's own account that person, else whom the wish names,
    /// who must be a member.
    async fn creator(
        &self,
        account: &AccountId,
        wished: Option<UserId>,
    ) -> Result<Option<UserId>, PlatformError> {
        let owner = self.store().owner(account).await?;
        match (owner, wished) {
            (Some(owner), Some(wished)) if owner != wished => Err(PlatformError::NotFound("user")),
            (Some(owner), _) => Ok(Some(owner)),
            (None, None) => Ok(None),
            (None, Some(wished)) => {
                let member = self.store().member(account, &wished).await?;
                let member = member.filter(|member| member.deactivated_at.is_none());
                member.map(|member| Some(member.user)).ok_or(PlatformError::NotFound("user"))
            }
        }
    }
}
