//! Stage 2: a key becomes a principal.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use sha2::{Digest, Sha256};
use signalbox_core::discount::Discount;
use signalbox_core::id::{AccountId, KeyHash, hex};
use signalbox_core::plan::Plans;
use signalbox_core::{ApiError, ErrorKind, Timestamp, Usd};
use signalbox_guard::{Allowlist, Policy, Screen};
use signalbox_ledger::{Draw, Spender};
use signalbox_policy::preferences::SortBy;
use signalbox_policy::{AccountPolicy, ByokKey};
use signalbox_runtime::{Clock, task};
use signalbox_store::{Change, KeyPolicy, KeyRecord, Store, StoreError};

use crate::account::{Account, Terms};
use crate::defaults::Defaults;
use crate::free;
use crate::limit::{self, Window};
use crate::own_keys::{OwnKey, OwnKeys};

/// Who is calling.
#[derive(Debug)]
pub struct Principal {
    /// The key and its policy.
    pub key: KeyRecord,
    /// The account that pays.
    pub account: Arc<Account>,
    /// What its requests draw on.
    pub(crate) spender: Arc<Spender>,
    /// The same with the account's requests to free models of a day.
    pub(crate) free_spender: Arc<Spender>,
    /// What its account permits, and the provider keys of its own.
    pub(crate) policy: Arc<AccountPolicy>,
    /// What these are called with.
    pub(crate) own: Vec<OwnKey>,
    /// What it may use of them in a month before the fee begins.
    pub(crate) allowance: Option<Draw>,
    /// The news of the account when it was loaded.
    version: u64,
    window: Arc<Window>,
    /// What its guardrails look for in texts.
    pub(crate) screen: Option<Arc<Screen>>,
    /// What its workspace presets.
    pub(crate) defaults: Option<Defaults>,
    /// Whether its workspace lets its data be used, for a discount.
    shares_data: bool,
}

/// A caller that may ask, with what it may spend.
#[derive(Debug)]
pub struct Admitted {
    pub(crate) principal: Arc<Principal>,
    pub(crate) budget: Usd,
    pub(crate) received: Timestamp,
}

impl Admitted {
    /// Who it is.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }
}

/// Most keys kept in memory.
const MAX_KEYS: u64 = 100_000;
/// How long a key is kept without being asked for again. Changes end it at once.
const KEEP: Duration = Duration::from_secs(600);
/// How long it is kept at all: should news of a change be missed, this is the longest it can live on.
const KEEP_AT_MOST: Duration = Duration::from_secs(900);

/// How long a key's count of requests is kept: longer than any principal that counts with it.
const KEEP_COUNT: Duration = Duration::from_secs(1_000);

/// Looks keys up, each once, and keeps the answers, the negative ones too.
#[derive(Debug, Clone)]
pub struct Authenticator {
    keys: Cache<KeyHash, Option<Arc<Principal>>>,
    /// The counts of keys with a request limit: a change of the key begins no new minute.
    windows: Cache<KeyHash, Arc<Window>>,
    /// The accounts of those keys.
    accounts: Cache<AccountId, Arc<Account>>,
    /// The plans of this installation.
    plans: Arc<Plans>,
    own_keys: OwnKeys,
    /// The page of a caller's policy.
    page: Arc<str>,
    store: Store,
    clock: Clock,
}

impl Authenticator {
    /// An authenticator that forgets a key when the store says that it changed.
    #[must_use]
    pub fn new(
        store: &Store,
        clock: Clock,
        plans: Plans,
        own_keys: OwnKeys,
        page: Arc<str>,
    ) -> Self {
        let keys = Cache::builder()
            .max_capacity(MAX_KEYS)
            .time_to_idle(KEEP)
            .time_to_live(KEEP_AT_MOST)
            .build();
        let windows = Cache::builder().max_capacity(MAX_KEYS).time_to_idle(KEEP_COUNT).build();
        let accounts = Cache::builder().max_capacity(MAX_KEYS).time_to_idle(KEEP_COUNT).build();
        let plans = Arc::new(plans);
        let store = store.clone();
        let this = Self { keys, windows, accounts, plans, own_keys, page, store, clock };
        task::spawn("key changes", this.clone().follow_changes());
        this
    }

    async fn follow_changes(self) {
        let mut changes = self.store.subscribe();
        loop {
            match changes.recv().await {
                Ok(Change::Key(hash)) => self.keys.invalidate(&hash).await,
                Ok(Change::Account(id)) => self.renew(&id).await,
                Ok(Change::Wanted { .. } | Change::Freed(_)) => {}
                // Missed some: forget all.
                Ok(Change::All) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                    self.keys.invalidate_all();
                    self.accounts.invalidate_all();
                }
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    /// Brings what is known of an account up to date. All of its keys are read again when they are next
    /// used, so whatever was committed before holds for requests that come after.
    pub async fn renew(&self, id: &AccountId) {
        let Some(account) = self.accounts.get(id).await else { return };
        match self.store.standing(id).await {
            Ok(standing) => {
                account.learn(Terms::of(&self.plans, &standing.unwrap_or_default()));
            }
            Err(error) => {
                tracing::error!(%error, "the terms of an account could not be read again");
                // Whoever comes next asks again.
                self.accounts.invalidate(id).await;
                self.keys.invalidate_all();
            }
        }
    }

    /// The account of a key, once in memory for all of its keys.
    async fn account(&self, id: &AccountId) -> Result<Arc<Account>, Arc<StoreError>> {
        let load = async {
            let standing = self.store.standing(id).await?.unwrap_or_default();
            Ok(Arc::new(Account::new(Terms::of(&self.plans, &standing))))
        };
        self.accounts.try_get_with_by_ref(id, load).await
    }

    /// The principal of a key. Memory only, once the key is known.
    ///
    /// # Errors
    /// 401 for a key that is missing, unknown, disabled or expired; 503 when the store can't say.
    pub async fn principal(&self, key: Option<&str>) -> Result<Arc<Principal>, ApiError> {
        let denied = |message: &str| ApiError::new(ErrorKind::Authentication, message);
        let key = key.ok_or_else(|| denied("Missing Authentication header"))?;
        let hash = KeyHash::new(hex(&Sha256::digest(key.as_bytes())));
        let found = match self.keys.get(&hash).await {
            Some(Some(old)) if old.version != old.account.version() => {
                self.keys.invalidate(&hash).await;
                self.load(hash).await?
            }
            Some(found) => found,
            None => self.load(hash).await?,
        };
        let principal = found.ok_or_else(|| denied("User not found."))?;
        if principal.key.disabled {
            return Err(denied("This API key is disabled."));
        }
        if !principal.key.is_active(self.clock.now()) {
            return Err(denied("This API key has expired."));
        }
        Ok(principal)
    }

    /// What a caller with these keys of its own, under these guardrails and in this workspace is
    /// permitted.
    fn policy(
        &self,
        byok: Vec<Arc<ByokKey>>,
        guards: &Policy,
        around: &KeyPolicy,
    ) -> AccountPolicy {
        let page = Some(Arc::clone(&self.page));
        let default_sort =
            around.workspace.default_provider_sort.as_deref().and_then(SortBy::from_name);
        let sort_is_final = around.defaults.prevent_sort_overrides;
        let open =
            AccountPolicy { byok, page, default_sort, sort_is_final, ..AccountPolicy::default() };
        open.restricted(&guards.restrictions)
    }

    /// Single flight: callers that ask for the same key at the same time share one look-up.
    async fn load(&self, hash: KeyHash) -> Result<Option<Arc<Principal>>, ApiError> {
        let load = async {
            let Some(key) = self.store.key(&hash).await.map_err(Arc::new)? else { return Ok(None) };
            let account = self.account(&key.account).await?;
            let window = match key.rpm {
                Some(_) => self.windows.get_with(hash.clone(), async { Arc::default() }).await,
                None => Arc::default(),
            };
            // What is read after the version holds until the version changes.
            let version = account.version();
            let Some(key) = self.store.key(&hash).await.map_err(Arc::new)? else { return Ok(None) };
            let around = self.store.policy_of(&key).await?;
            let guards = compiled(&around)?;
            let spender = Arc::new(key.spender(&around.budgets));
            let limits = account.terms().free_limits();
            let read_at = self.clock.now();
            let free_spender = Arc::new(free::spender(&key.account, &spender, limits, read_at));
            let own = self.own_keys.of(&key, &account).await?;
            let byok: Vec<_> = own.iter().map(|one| Arc::clone(&one.routing)).collect();
            let byok_free = account.terms().plan.byok_free;
            let allowance = Some(Draw::allowance(&key.account, byok_free, read_at))
                .filter(|draw| !byok.is_empty() && draw.cap() > Some(Usd::ZERO));
            Ok::<_, Arc<StoreError>>(Some(Arc::new(Principal {
                key,
                account,
                spender,
                free_spender,
                policy: Arc::new(self.policy(byok, &guards, &around)),
                screen: guards.screen,
                own,
                allowance,
                defaults: Defaults::of(&around),
                shares_data: around.workspace.is_data_discount_logging_enabled,
                version,
                window,
            })))
        };
        let result = self.keys.try_get_with(hash.clone(), load).await;
        result.map_err(|error| {
            tracing::error!(%error, "a key could not be looked up");
            out_of_reach()
        })
    }
}

/// The guardrails around a key as one. Rows that can't be enforced let no request through.
fn compiled(around: &KeyPolicy) -> Result<Policy, StoreError> {
    let damaged = |problem: String| StoreError::Damaged(format!("guardrails: {problem}"));
    let phrases = Allowlist::new(around.allowlist.iter().map(String::as_str));
    let phrases = phrases.map_err(|problem| damaged(problem.to_string()))?;
    Policy::merge(&around.layers, phrases).map_err(|problem| damaged(problem.to_string()))
}

/// The store is out of reach: never the client's fault, so never 401 or 402.
pub(crate) fn out_of_reach() -> ApiError {
    let message = "The gateway can't reach its database. Please try again.";
    let mut error = ApiError::new(ErrorKind::ProviderOverloaded, message);
    error.retry_after = Some(1);
    error
}

impl Principal {
    /// What comes off its prices: the account's, or that of who shares data while its workspace does.
    pub(crate) fn discount(&self) -> Discount {
        let terms = self.account.terms();
        if self.shares_data { terms.sharing } else { terms.discount }
    }

    /// Refuses management keys, which can't call models, and counts the request.
    ///
    /// # Errors
    /// 403 for a management key, 429 above the key's own request limit.
    pub(crate) fn admit(&self, now: Timestamp) -> Result<(), ApiError> {
        if self.key.management {
            let message = "Management keys can't call models. Use an API key.";
            return Err(ApiError::new(ErrorKind::PermissionDenied, message));
        }
        match self.key.rpm {
            Some(limit) => {
                let taken = self.window.take(limit, now);
                taken.map_err(|limit| limit::refused(limit, now))
            }
            None => Ok(()),
        }
    }
}
