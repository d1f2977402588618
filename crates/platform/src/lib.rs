//! Floor 4, the control plane: accounts, keys, grants, the audit, and the JSON that describes them.
//!
//! It writes rows; the gateway sees them through the store's news within a second. It never imports
//! the gateway.

pub mod accounts;
pub mod audit;
pub mod error;
pub mod grants;
pub mod housekeeping;
pub mod keys;
pub mod money;
pub mod oauth;
pub mod once;
pub mod people;
pub mod plans;
pub mod purchase;
pub mod reach;
pub mod scim;
pub mod seal;
pub mod sso;
pub mod statement;
pub mod v1;
pub mod vouchers;
pub mod workspaces;

use std::sync::Arc;

use signalbox_core::Usd;
use signalbox_core::plan::Plans;
use signalbox_store::Store;

pub use accounts::{IssuedAccount, RevokeOld};
pub use error::PlatformError;
pub use grants::GrantDone;
pub use housekeeping::Housekeeping;
pub use keys::{IssuedKey, KeyPrefix, NewKey};
pub use money::NewTransfer;
pub use people::{People, PeopleSettings, SignUp};
pub use plans::NewAgreement;
pub use purchase::{PurchaseError, PurchaseSettings, Purchases};
pub use reach::Reach;
pub use signalbox_store::{Actor, By};
pub use sso::NewConnection;
pub use statement::Statement;
pub use vouchers::NewVoucher;

/// The control plane over one store. Clones share the store.
#[derive(Debug, Clone)]
pub struct Platform {
    store: Store,
    prefix: KeyPrefix,
    settings: Arc<Settings>,
}

/// What the operator decided about money.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The plans.
    pub plans: Plans,
    /// What every new account gets for nothing.
    pub promo: Usd,
    /// Days after which credit ends; `None` is never.
    pub expire_after_days: Option<u32>,
}

impl Platform {
    /// A control plane whose new keys start with `prefix`.
    #[must_use]
    pub fn new(store: &Store, prefix: KeyPrefix) -> Self {
        Self { store: store.clone(), prefix, settings: Arc::default() }
    }

    /// The same with these settings.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = Arc::new(settings);
        self
    }

    /// The rows underneath.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }
}
