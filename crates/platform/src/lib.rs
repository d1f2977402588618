//! Floor 4, the control plane: accounts, keys, grants, the audit, and the JSON that describes them.
//!
//! It writes rows; the gateway sees them through the store's news within a second. It never imports
//! the gateway.

pub mod accounts;
pub mod audit;
pub mod error;
pub mod grants;
pub mod keys;
pub mod purchase;
pub mod v1;

use signalbox_store::Store;

pub use accounts::{IssuedAccount, RevokeOld};
pub use error::PlatformError;
pub use grants::GrantDone;
pub use keys::{IssuedKey, KeyPrefix, NewKey};
pub use purchase::{PurchaseError, PurchaseSettings, Purchases};

/// The control plane over one store. Clones share the store.
#[derive(Debug, Clone)]
pub struct Platform {
    store: Store,
    prefix: KeyPrefix,
}

impl Platform {
    /// A control plane whose new keys start with `prefix`.
    #[must_use]
    pub fn new(store: &Store, prefix: KeyPrefix) -> Self {
        Self { store: store.clone(), prefix }
    }

    /// The rows underneath.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }
}
