//! Floor 1, pure: secrets that have to be had back, each sealed with a key of its own.
//!
//! A secret is encrypted with a random data key, which is encrypted with the key-encryption key of
//! the installation ([`Kek`]). Both are bound to what the secret is for ([`Label`]): a row that was
//! changed, or put in the place of another one, doesn't open. Another key-encryption key needs new
//! data-key boxes alone. `docs/decisions/0012-secrets.md` says why it is so.

mod cipher;
mod kek;
mod label;
mod vault;

pub use kek::{Kek, KekError};
pub use label::Label;
pub use vault::{Sealed, Vault, VaultError};
