//! API keys: made once, shown once, stored as a hash.

use serde::Serialize;
use sha2::{Digest, Sha256};
use signalbox_core::id::{AccountId, KeyHash, UserId, WorkspaceId};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Secret, Timestamp, Usd};
use signalbox_runtime::entropy;
use signalbox_store::KeyRecord;

use crate::{Platform, PlatformError};

/// What keys start with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPrefix(String);

impl Default for KeyPrefix {
    /// `sk-sb-v1-`
    fn default() -> Self {
        Self("sk-sb-v1-".to_owned())
    }
}

impl KeyPrefix {
    /// A prefix of 1 to 32 letters, digits, `-` or `_`.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for anything else.
    pub fn new(text: &str) -> Result<Self, PlatformError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if text.is_empty() || text.len() > 32 || !text.bytes().all(plain) {
            let reason = "a key prefix has 1 to 32 letters, digits, - or _".to_owned();
            return Err(PlatformError::Refused(reason));
        }
        Ok(Self(text.to_owned()))
    }
}

/// What a new key should be.
#[derive(Debug, Clone, Default)]
pub struct NewKey {
    /// The name people see.
    pub name: String,
    /// Most that may be spent in one window, or in all.
    pub limit: Option<Usd>,
    /// When the limit starts again.
    pub limit_reset: Option<ResetInterval>,
    /// Requests per minute; 0 refuses all.
    pub rpm: Option<u32>,
    /// Whether it is a management key.
    pub management: bool,
    /// Whether it starts switched off.
    pub disabled: bool,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Whether spending on own provider keys counts towards the limit.
    pub include_byok_in_limit: bool,
    /// Its workspace; absent for the default one.
    pub workspace: Option<WorkspaceId>,
    /// Who makes it.
    pub creator: Option<UserId>,
}

/// A key as it is shown, once: `{key, hash}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IssuedKey {
    /// The whole key. It can't be shown again.
    pub key: String,
    /// Its public id.
    pub hash: KeyHash,
}

/// The public id of a key: SHA-256 of its whole text in lower-case hex.
#[must_use]
pub fn hash_of(key: &str) -> KeyHash {
    KeyHash::new(hex::encode(Sha256::digest(key.as_bytes())))
}

/// A key that is made but not yet stored.
pub(crate) struct Draft {
    pub key: Secret<String>,
    pub record: KeyRecord,
}

impl Draft {
    pub fn issued(&self) -> IssuedKey {
        IssuedKey { key: self.key.expose().clone(), hash: self.record.hash.clone() }
    }
}

/// The masked form: prefix, first three and last three hex digits.
fn label(prefix: &str, digits: &str) -> String {
    let first = digits.get(..3).unwrap_or_default();
    let last = digits.len().checked_sub(3).and_then(|at| digits.get(at..)).unwrap_or_default();
    format!("{prefix}{first}...{last}")
}

impl Platform {
    pub(crate) fn draft(
        &self,
        account: &AccountId,
        wanted: NewKey,
    ) -> Result<Draft, PlatformError> {
        if wanted.limit.is_some_and(Usd::is_negative) {
            return Err(PlatformError::Refused("a limit is not below zero".to_owned()));
        }
        let digits = hex::encode(entropy::secret());
        let key = format!("{}{digits}", self.prefix.0);
        let record = KeyRecord {
            hash: hash_of(&key),
            account: account.clone(),
            name: wanted.name,
            label: label(&self.prefix.0, &digits),
            limit: wanted.limit,
            limit_reset: wanted.limit_reset,
            rpm: wanted.rpm,
            management: wanted.management,
            disabled: wanted.disabled,
            include_byok_in_limit: wanted.include_byok_in_limit,
            expires_at: wanted.expires_at,
            created_at: self.store.clock().now(),
            updated_at: None,
            workspace: wanted.workspace,
            creator: wanted.creator,
            lineage: None,
        };
        Ok(Draft { key: Secret::new(key), record })
    }

    /// Makes a key for an account.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for an unknown account; [`PlatformError::Refused`] for a limit
    /// below zero.
    pub async fn create_key(
        &self,
        account: &AccountId,
        wanted: NewKey,
    ) -> Result<IssuedKey, PlatformError> {
        if self.store.account(account).await?.is_none() {
            return Err(PlatformError::NotFound("account"));
        }
        let draft = self.draft(account, wanted)?;
        self.store.create_keys(vec![draft.record.clone()]).await?;
        Ok(draft.issued())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_shows_six_digits() {
        assert_eq!(label("sk-sb-v1-", &"0e6a".repeat(16)), "sk-sb-v1-0e6...e6a");
    }

    #[test]
    fn odd_prefixes_are_refused() {
        assert!(KeyPrefix::new("sk-acme-").is_ok());
        for text in ["", "a b", "ü", &"x".repeat(33)] {
            assert!(KeyPrefix::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_hash_covers_the_whole_key() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash_of("abc").as_str(), expected);
    }
}
