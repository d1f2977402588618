//! Pots that a reservation draws on: the credit of an account, the limit of a key, a budget.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use signalbox_core::id::{AccountId, KeyHash, PurseId};
use signalbox_core::plan::ByokFree;
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};

/// What of a generation a purse counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// What was charged.
    Credits,
    /// What was charged, and the list price of what the caller's own provider key paid for
    /// (platform spec 5.3, the `include_byok_*` flags).
    CreditsAndByok,
    /// One nano-dollar for each request, whether it succeeds or not.
    Requests,
    /// One nano-dollar for each request that the caller's own key answered free of the fee.
    FreeRequests,
    /// The list price of what the caller's own key paid for free of the fee.
    FreeList,
}

impl Counts {
    /// What it counts of one request: of its charge, of that together with the list price of own
    /// keys, and of the part of that list price that is free of the fee.
    #[must_use]
    pub const fn of(self, credits: Usd, together: Usd, free: Option<Usd>) -> Usd {
        match (self, free) {
            (Self::Credits, _) => credits,
            (Self::CreditsAndByok, _) => together,
            (Self::Requests, _) | (Self::FreeRequests, Some(_)) => Usd::from_nanos(1),
            (Self::FreeList, Some(free)) => free,
            (Self::FreeRequests | Self::FreeList, None) => Usd::ZERO,
        }
    }

    /// Whether it is what an account has free of the fee on own keys.
    #[must_use]
    pub const fn is_allowance(self) -> bool {
        matches!(self, Self::FreeRequests | Self::FreeList)
    }

    /// Whether it counts money that is charged.
    #[must_use]
    pub const fn is_money(self) -> bool {
        matches!(self, Self::Credits | Self::CreditsAndByok)
    }
}

/// What fills a purse.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The balance of an account.
    Credit(AccountId),
    /// A limit on what a scope spends in a window.
    Limit {
        /// Whose spending counts, such as `key:<hash>`.
        scope: Arc<str>,
        /// How often it starts again; absent for never.
        interval: Option<ResetInterval>,
        /// The most in one window.
        limit: Usd,
    },
}

/// One purse that a reservation draws on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Draw {
    /// Which purse.
    pub purse: PurseId,
    /// What fills it.
    pub source: Source,
    /// What it counts.
    pub counts: Counts,
    /// When the limit was set; a newer one replaces an older one.
    pub version: Timestamp,
}

impl Draw {
    /// The balance of an account.
    #[must_use]
    pub fn credit(account: &AccountId) -> Self {
        Self {
            purse: PurseId::new(format!("credit:{account}")),
            source: Source::Credit(account.clone()),
            counts: Counts::Credits,
            version: Timestamp::default(),
        }
    }

    /// A limit on a scope. Its purse is named after scope and interval, such as
    /// `key:<hash>/monthly`, so that each interval has a purse of its own.
    #[must_use]
    pub fn limit(
        scope: &str,
        interval: Option<ResetInterval>,
        limit: Usd,
        counts: Counts,
        version: Timestamp,
    ) -> Self {
        let name = interval.map_or("lifetime", ResetInterval::name);
        Self {
            purse: PurseId::new(format!("{scope}/{name}")),
            source: Source::Limit { scope: scope.into(), interval, limit },
            counts,
            version,
        }
    }

    /// What an account may use of its own provider keys in a calendar month before the fee begins
    /// (platform spec 0.2). The two units are purses of their own; what was used is kept in both, so
    /// that a plan may change from one to the other within a month.
    #[must_use]
    pub fn allowance(account: &AccountId, free: ByokFree, version: Timestamp) -> Self {
        let (unit, limit, counts) = match free {
            ByokFree::Requests(most) => {
                let most = Usd::from_nanos(i64::try_from(most).unwrap_or(i64::MAX));
                ("requests", most, Counts::FreeRequests)
            }
            ByokFree::ListPriceUsd(most) => ("list_price", most, Counts::FreeList),
        };
        let scope = format!("byok:{account}");
        let month = Some(ResetInterval::Monthly);
        let draw = Self::limit(&scope, month, limit, counts, version);
        Self { purse: PurseId::new(format!("{scope}/{unit}")), ..draw }
    }

    /// The start of the window that `now` lies in; the epoch for a purse that never starts again.
    #[must_use]
    pub fn window(&self, now: Timestamp) -> Timestamp {
        match &self.source {
            Source::Limit { interval: Some(interval), .. } => now.window_start(*interval),
            Source::Limit { interval: None, .. } | Source::Credit(_) => Timestamp::default(),
        }
    }

    /// The limit, where there is one.
    #[must_use]
    pub const fn cap(&self) -> Option<Usd> {
        match &self.source {
            Source::Limit { limit, .. } => Some(*limit),
            Source::Credit(_) => None,
        }
    }
}

/// Who spends: the purses that every request of a key draws on, in the order in which they are
/// checked, and the scopes whose spending is added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spender {
    /// The purses. The key's limit stands before the credit (platform spec 2.5).
    pub draws: Vec<Draw>,
    /// The scopes: `key:<hash>`, `account:<id>`, `workspace:<id>`, then those of other limits.
    pub scopes: Vec<Arc<str>>,
}

/// The scopes that every spender begins with.
const OWN_SCOPES: usize = 3;

/// The scope of a key.
#[must_use]
pub fn key_scope(key: &KeyHash) -> String {
    format!("key:{key}")
}

/// The scope of an account.
#[must_use]
pub fn account_scope(account: &AccountId) -> String {
    format!("account:{account}")
}

impl Spender {
    /// A key of an account without limits. Its spending counts for both and for `workspace`.
    #[must_use]
    pub fn new(account: &AccountId, key: &KeyHash, workspace: &str) -> Self {
        let scopes = [key_scope(key), account_scope(account), format!("workspace:{workspace}")];
        Self { draws: vec![Draw::credit(account)], scopes: scopes.map(Arc::from).into() }
    }

    /// The same with one more limit, which is checked before the credit when `first`.
    #[must_use]
    pub fn limited(mut self, draw: Draw, first: bool) -> Self {
        // What is free is added up apart: the scope of an allowance counts nothing else.
        if let Source::Limit { scope, .. } = &draw.source
            && !draw.counts.is_allowance()
            && !self.scopes.contains(scope)
        {
            self.scopes.push(scope.clone());
        }
        let place = if first { 0 } else { self.draws.len() };
        self.draws.insert(place, draw);
        self
    }

    /// The scopes besides key, account and workspace: those of budgets.
    #[must_use]
    pub fn budgets(&self) -> &[Arc<str>] {
        self.scopes.get(OWN_SCOPES..).unwrap_or_default()
    }

    /// The draw on a purse.
    #[must_use]
    pub fn draw(&self, purse: &PurseId) -> Option<&Draw> {
        self.draws.iter().find(|draw| &draw.purse == purse)
    }
}
