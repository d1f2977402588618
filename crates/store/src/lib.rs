//! Floor 3: the only crate with SQL.

pub mod accounts;
pub mod audit;
mod chain;
pub mod changes;
pub mod error;
pub mod generations;
pub mod grants;
pub mod health;
pub mod idempotency;
pub mod invoices;
pub mod keys;
pub mod ledger;
pub mod lots;
mod migrate;
pub mod movements;
mod open;
pub mod payments;
pub mod plans;
mod sql;
pub mod store;
pub mod terms;
pub mod transfers;
pub mod vouchers;
mod writer;

pub use accounts::{AccountRecord, Balance};
pub use changes::Change;
pub use error::StoreError;
pub use generations::GenerationRow;
pub use grants::Granted;
pub use health::HealthRow;
pub use keys::KeyRecord;
pub use ledger::{Hold, Ledger, LedgerError};
pub use movements::{ChargedBack, Dispute, House, Kind, Movement, Posted, Refused};
pub use plans::Agreement;
pub use store::Store;
pub use terms::AccountTerms;
