//! Keys for apps: a person consents, the app gets a code, and exchanges it for a key (platform spec 3).

mod callback;
mod request;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use signalbox_core::id::{AccountId, UserId, WorkspaceId};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_store::{Actor, By, CodeRecord, KeyKind, StoreError};

use crate::keys::NewKey;
use crate::people::{Limit, People, Person, Visit, digest, token};
use crate::v1::Data;
use crate::v1::keys::{checked_end, checked_limit};
use crate::{PlatformError, Reach};

pub use callback::Callback;
pub use request::{ConsentObject, WorkspaceChoice};

/// How long a code is good.
const LIFETIME: Duration = Duration::from_secs(600);
/// Longest name of a key, in characters.
const LABEL: usize = 100;
/// The app of those who show no callback URL.
const HEADLESS: &str = "headless";
fn invalid() -> PlatformError {
    PlatformError::forbidden("Invalid code or code_verifier")
}

/// How a challenge is made of a verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Method {
    /// Base64 of the SHA-256.
    S256,
    /// It is the verifier.
    #[serde(rename = "plain")]
    Plain,
}

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::S256 => "S256",
            Self::Plain => "plain",
        }
    }
}

/// `POST /auth/keys/code`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct CodeWish {
    pub callback_url: Option<String>,
    pub code_challenge: Option<String>,
    pub code_challenge_method: Option<Method>,
    pub expires_at: Option<String>,
    pub key_label: Option<String>,
    pub limit: Option<Usd>,
    pub usage_limit_type: Option<ResetInterval>,
    pub workspace_id: Option<String>,
    pub spawn_agent: Option<String>,
    pub spawn_cloud: Option<String>,
}

/// A code, the only answer that ever shows it.
#[derive(Clone, Serialize)]
pub struct CodeObject {
    /// The code itself.
    pub id: String,
    /// The number of the app.
    pub app_id: i64,
    /// When it was issued.
    pub created_at: String,
}

/// `POST /auth/keys`. Members that it does not know are passed over: apps send more.
#[derive(Deserialize)]
pub struct ExchangeWish {
    /// The code.
    pub code: String,
    /// What the challenge was made of.
    pub code_verifier: Option<String>,
    /// How, as it was said before.
    pub code_challenge_method: Option<Method>,
}

/// A key for an app, the only answer that ever shows it.
#[derive(Clone, Serialize)]
pub struct ExchangedKey {
    /// The key.
    pub key: String,
    /// Who consented.
    pub user_id: Option<UserId>,
}

/// What an exchange ended in. The account has changed in either case.
pub struct Exchanged {
    /// Whose keys changed; nobody's when the code is unknown.
    pub account: Option<AccountId>,
    /// The key, or why there is none.
    pub result: Result<ExchangedKey, PlatformError>,
}

impl Exchanged {
    fn refused(error: PlatformError) -> Self {
        Self { account: None, result: Err(error) }
    }
}

/// A challenge in the alphabet of URLs without padding, and the method that holds for it.
fn checked_challenge(wish: &CodeWish, weak: bool) -> Result<Option<String>, PlatformError> {
    let refused = |why: &str| Err(PlatformError::Refused(why.to_owned()));
    let method = wish.code_challenge_method;
    let Some(challenge) = wish.code_challenge.as_deref() else {
        return match method {
            Some(_) => refused("code_challenge: it is missing"),
            None if wish.callback_url.is_none() => {
                refused("code_challenge: without a callback_url it is needed")
            }
            None if weak => Ok(None),
            None => refused("code_challenge: this installation needs one"),
        };
    };
    if method == Some(Method::Plain) {
        if !weak {
            return refused("code_challenge_method: this installation takes S256 only");
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !(43..=128).contains(&challenge.len()) || !challenge.bytes().all(plain) {
            return refused("code_challenge: 43 to 128 letters, digits or -._~");
        }
        return Ok(Some(challenge.to_owned()));
    }
    let challenge = challenge.trim_end_matches('=').replace('+', "-").replace('/', "_");
    match URL_SAFE_NO_PAD.decode(&challenge) {
        Ok(bytes) if bytes.len() == 32 => Ok(Some(challenge)),
        _ => refused("code_challenge: base64 of a SHA-256"),
    }
}

/// Whether this is what the challenge was made of. Without a challenge it does not matter.
fn verified(code: &CodeRecord, verifier: Option<&str>) -> bool {
    let Some(challenge) = &code.challenge else { return true };
    let Some(verifier) = verifier else { return false };
    let made = if code.method.as_deref() == Some(Method::Plain.name()) {
        verifier.to_owned()
    } else {
        URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
    };
    aws_lc_rs::constant_time::verify_slices_are_equal(made.as_bytes(), challenge.as_bytes()).is_ok()
}

/// A wish that can be fulfilled.
struct Asked {
    callback_url: Option<String>,
    origin: String,
    title: String,
    challenge: Option<String>,
    key_name: String,
    limit: Option<Usd>,
    end: Option<Timestamp>,
}

fn checked_label(label: Option<&str>, app: &str) -> Result<String, PlatformError> {
    let label = label.map(str::trim).filter(|label| !label.is_empty());
    let label = label.map_or_else(|| app.chars().take(LABEL).collect(), str::to_owned);
    if label.chars().count() > LABEL {
        return Err(PlatformError::Refused(format!("key_label: at most {LABEL} characters")));
    }
    Ok(label)
}

impl People {
    /// A code for an app, by a person who consents. Members of organizations get keys in workspaces
    /// that they belong to.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for a wish that can't be; [`PlatformError::NotFound`] for a workspace
    /// that is not theirs; [`PlatformError::Forbidden`] for whoever has not proven their address.
    pub async fn consent(
        &self,
        person: &Person,
        wish: CodeWish,
    ) -> Result<Data<CodeObject>, PlatformError> {
        person.proven()?;
        let by = person.by(&person.context.account);
        let workspace = self.workspace(&by, &person.reach(), &wish).await?;
        self.issue(by, Some(person.user.id.clone()), workspace, wish).await
    }

    /// The same with a management key, for the account that it manages.
    ///
    /// # Errors
    /// As [`People::consent`].
    pub async fn issue_code(
        &self,
        by: By,
        wish: CodeWish,
    ) -> Result<Data<CodeObject>, PlatformError> {
        let user = self.platform().store().owner(&by.account).await?;
        let workspace = self.workspace(&by, &Reach::Whole, &wish).await?;
        self.issue(by, user, workspace, wish).await
    }

    async fn workspace(
        &self,
        by: &By,
        reach: &Reach,
        wish: &CodeWish,
    ) -> Result<Option<WorkspaceId>, PlatformError> {
        let named = wish.workspace_id.as_deref();
        self.platform().workspace_of_keys(&by.account, reach, named).await
    }

    async fn issue(
        &self,
        by: By,
        user: Option<UserId>,
        workspace: Option<WorkspaceId>,
        wish: CodeWish,
    ) -> Result<Data<CodeObject>, PlatformError> {
        let asked = self.asked(&wish)?;
        let now = self.platform().store().clock().now();
        let id = format!("auth_code_{}", token().expose());
        let millis = i64::try_from(LIFETIME.as_millis()).unwrap_or(i64::MAX);
        let record = CodeRecord {
            hash: digest(&id),
            account: by.account.clone(),
            user,
            callback_url: asked.callback_url,
            challenge: asked.challenge,
            method: wish.code_challenge_method.map(|method| method.name().to_owned()),
            key_name: asked.key_name,
            limit: asked.limit,
            limit_reset: wish.usage_limit_type,
            key_expires_at: asked.end,
            workspace,
            created_at: now,
            expires_at: now.plus_millis(millis),
            used_at: None,
            key: None,
        };
        let (origin, title) = (asked.origin, asked.title);
        let app_id = self.platform().store().add_code(by, record, origin, title).await?;
        Ok(Data { data: CodeObject { id, app_id, created_at: Timestamp::to_rfc3339(now) } })
    }

    /// What a wish for a code comes to, if it can be.
    fn asked(&self, wish: &CodeWish) -> Result<Asked, PlatformError> {
        let callback = wish.callback_url.as_deref().map(Callback::read).transpose()?;
        let challenge = checked_challenge(wish, self.settings().weak_challenges)?;
        let (origin, title) = callback.as_ref().map_or_else(
            || (HEADLESS.to_owned(), "An app".to_owned()),
            |callback| (callback.origin.clone(), callback.title.clone()),
        );
        let now = self.platform().store().clock().now();
        Ok(Asked {
            challenge,
            key_name: checked_label(wish.key_label.as_deref(), &title)?,
            limit: checked_limit(wish.limit)?,
            end: wish.expires_at.as_deref().map(|text| checked_end(text, now)).transpose()?,
            callback_url: callback.map(|callback| callback.url),
            origin,
            title,
        })
    }

    /// A key for a code. Whoever shows a code a second time ends the key that it was exchanged for: one
    /// of the two has stolen it.
    pub async fn exchange(&self, visit: &Visit, wish: ExchangeWish) -> Exchanged {
        if let Err(error) = self.throttle().take(Limit::ExchangeFrom, &visit.network()) {
            return Exchanged::refused(error);
        }
        let code = match self.platform().store().code(&digest(&wish.code)).await {
            Ok(Some(code)) => code,
            Ok(None) => return Exchanged::refused(invalid()),
            Err(error) => return Exchanged::refused(error.into()),
        };
        let account = Some(code.account.clone());
        Exchanged { account, result: self.exchange_known(visit, &code, wish).await }
    }

    async fn exchange_known(
        &self,
        visit: &Visit,
        code: &CodeRecord,
        wish: ExchangeWish,
    ) -> Result<ExchangedKey, PlatformError> {
        if code.used_at.is_some() {
            return self.reused(visit, code).await;
        }
        if self.platform().store().clock().now() >= code.expires_at {
            return Err(PlatformError::forbidden("Authorization code expired"));
        }
        if wish.code_challenge_method.map(Method::name) != code.method.as_deref() {
            return Err(PlatformError::Refused("Invalid code_challenge_method".to_owned()));
        }
        if !verified(code, wish.code_verifier.as_deref()) {
            return Err(invalid());
        }
        let wanted = NewKey {
            name: code.key_name.clone(),
            limit: code.limit,
            limit_reset: code.limit_reset,
            expires_at: code.key_expires_at,
            workspace: code.workspace.clone(),
            creator: code.user.clone(),
            ..NewKey::default()
        };
        let draft = self.platform().draft(&code.account, wanted)?;
        let actor = match &code.user {
            Some(user) => Actor::User(user.clone()),
            None => Actor::Platform("oauth"),
        };
        let by = By { account: code.account.clone(), actor, address: visit.text() };
        let (store, hash) = (self.platform().store(), code.hash.clone());
        match store.exchange_code(by, hash, draft.record.clone()).await {
            Ok(true) => {}
            Ok(false) => return self.reused(visit, code).await,
            // The workspace, or the person's place in it, is gone since they consented.
            Err(StoreError::Constraint(_)) => return Err(invalid()),
            Err(error) => return Err(error.into()),
        }
        Ok(ExchangedKey { key: draft.key.expose().clone(), user_id: code.user.clone() })
    }

    async fn reused(
        &self,
        visit: &Visit,
        code: &CodeRecord,
    ) -> Result<ExchangedKey, PlatformError> {
        let store = self.platform().store();
        let now = store.code(&code.hash).await?;
        if let Some(key) = now.and_then(|code| code.key) {
            let account = code.account.clone();
            let by = By { account, actor: Actor::Platform("oauth"), address: visit.text() };
            if store.end_key(by, key.clone(), KeyKind::Api).await? {
                tracing::warn!(%key, "an authorization code was shown twice; its key has ended");
            }
        }
        Err(invalid())
    }
}
