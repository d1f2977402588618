//! Provider keys that accounts bring along: their rows, and those that a caller may use.

mod managed;
mod open;

pub(crate) use managed::end_of;
pub use managed::{ByokEdit, ByokPage, MAX_KEYS};
pub use open::OpenedKey;

use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, KeyHash, UserId, WorkspaceId};
use signalbox_vault::Label;

use crate::error::StoreError;
use crate::generations::parse;
use crate::keys::KeyRecord;
use crate::sql::{Line, Row};

/// The kind of their secrets.
const KIND: &str = "byok";

/// One provider key of an account (platform spec 5.1). The key itself is a sealed secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByokRecord {
    /// A UUID.
    pub id: String,
    /// Whose it is.
    pub account: AccountId,
    /// The workspace whose requests may use it; all of the account's without one.
    pub workspace: Option<WorkspaceId>,
    /// The provider's slug.
    pub provider: String,
    /// The masked key.
    pub label: String,
    /// What its owner calls it.
    pub name: Option<String>,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Whether it comes after shared capacity.
    pub is_fallback: bool,
    /// Whether shared capacity of the provider is never used for requests that may use it.
    pub always_use: bool,
    /// Its place among the account's keys of the provider.
    pub sort_order: u32,
    /// The models that it may be used for; all without a list.
    pub allowed_models: Option<Vec<String>>,
    /// The API keys whose requests may use it; all without a list.
    pub allowed_api_key_hashes: Option<Vec<KeyHash>>,
    /// The makers of API keys whose requests may use it; all without a list.
    pub allowed_user_ids: Option<Vec<UserId>>,
    /// Which secret it has: 1 for the first.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

impl ByokRecord {
    /// Whether requests with this API key of its account's may use it, whatever model they are for.
    fn serves(&self, key: &KeyRecord) -> bool {
        let hashes = self.allowed_api_key_hashes.as_ref();
        let users = self.allowed_user_ids.as_ref();
        let made_by =
            |users: &Vec<UserId>| key.creator.as_ref().is_some_and(|it| users.contains(it));
        hashes.is_none_or(|hashes| hashes.contains(&key.hash)) && users.is_none_or(made_by)
    }

    /// What its secret is bound to.
    fn secret_label(&self) -> Label {
        Label {
            kind: KIND.to_owned(),
            audience: self.provider.clone(),
            owner: self.account.to_string(),
            id: self.id.clone(),
            version: self.version,
        }
    }
}

const COLUMNS: &str = "byok_keys.id, account_id, workspace_id, provider, label, name, disabled, \
     is_fallback, always_use, sort_order, allowed_models, allowed_api_key_hashes, \
     allowed_user_ids, byok_keys.version, byok_keys.created_at, updated_at";
/// The number of the column after those.
const NEXT: usize = 16;

fn list<T: serde::de::DeserializeOwned>(
    row: &Line,
    at: usize,
) -> Result<Option<Vec<T>>, StoreError> {
    let text: Option<String> = row.try_get(at)?;
    text.map(|text| parse("provider key", &text)).transpose()
}

fn read(row: &Line) -> Result<ByokRecord, StoreError> {
    let order: i64 = row.try_get(9)?;
    Ok(ByokRecord {
        id: row.try_get(0)?,
        account: AccountId::new(row.try_get::<String, _>(1)?),
        workspace: row.try_get::<Option<String>, _>(2)?.map(WorkspaceId::new),
        provider: row.try_get(3)?,
        label: row.try_get(4)?,
        name: row.try_get(5)?,
        disabled: row.try_get(6)?,
        is_fallback: row.try_get(7)?,
        always_use: row.try_get(8)?,
        sort_order: u32::try_from(order).unwrap_or(u32::MAX),
        allowed_models: list(row, 10)?,
        allowed_api_key_hashes: list(row, 11)?,
        allowed_user_ids: list(row, 12)?,
        version: row.try_get(13)?,
        created_at: Timestamp::from_micros(row.try_get(14)?),
        updated_at: row.try_get::<Option<i64>, _>(15)?.map(Timestamp::from_micros),
    })
}
