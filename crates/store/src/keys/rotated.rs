//! A key in the place of another one.

use signalbox_core::Timestamp;
use signalbox_core::id::{KeyHash, random_uuid};
use signalbox_runtime::entropy;

use super::admission::admit;
use super::managed::{deed, owned};
use super::{KeyKind, KeyRecord, insert};
use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::idempotency::{Answer, Once, Remembered};
use crate::manage::{By, Managed};
use crate::sql::{Connection, Row, query};
use crate::store::Store;

/// What became of a key that was to be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotated {
    /// The new key is there, or was before.
    Done(Remembered),
    /// There is no such key.
    Unknown,
    /// Another key came in its place already.
    Before,
    /// It is no longer what the new one was made from.
    Changed,
}

async fn replaced_by(
    connection: &mut Connection,
    hash: &KeyHash,
) -> Result<Option<String>, StoreError> {
    let row = query("SELECT replaced_by FROM api_keys WHERE hash = $1").bind(hash.as_str());
    row.fetch_one(connection).await?.try_get(0)
}

/// The new key is under the guardrail that the old one is under.
async fn inherit(
    connection: &mut Connection,
    old: &KeyHash,
    new: &KeyHash,
    now: Timestamp,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO guardrail_keys (key_hash, id, account_id, guardrail_id, assigned_by, \
         created_at) SELECT $1, $2, account_id, guardrail_id, assigned_by, $3 \
         FROM guardrail_keys WHERE key_hash = $4",
    )
    .bind(new.as_str())
    .bind(random_uuid(entropy::bytes()))
    .bind(now.micros())
    .bind(old.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Adds `new` in the place of a key of the account of `by`, as `old` was read, which ends at `end` at
    /// the latest. Both have one limit and one usage. With `once` it remembers `answer` as [`Store::make_key`] does.
    ///
    /// # Errors
    /// As [`Store::make_key`].
    pub async fn rotate_key(
        &self,
        by: By,
        old: KeyRecord,
        new: KeyRecord,
        end: Timestamp,
        once: Option<Once>,
        answer: Answer,
    ) -> Result<Rotated, StoreError> {
        let (account, actor) = (by.account.clone(), by.actor.clone());
        let now = self.clock().now();
        self.manage(by, "key.rotate", move |connection| {
            Box::pin(async move {
                if let Some(known) = Once::look(connection, once.as_ref()).await? {
                    return Ok(Managed::nothing(Rotated::Done(known)));
                }
                let Some(before) = owned(connection, &account, &old.hash, KeyKind::Api).await?
                else {
                    return Ok(Managed::nothing(Rotated::Unknown));
                };
                if replaced_by(connection, &old.hash).await?.is_some() {
                    return Ok(Managed::nothing(Rotated::Before));
                }
                if before != old {
                    return Ok(Managed::nothing(Rotated::Changed));
                }
                let end = before.expires_at.map_or(end, |own| own.min(end));
                query(
                    "UPDATE api_keys SET replaced_by = $1, expires_at = $2, updated_at = $3 \
                     WHERE hash = $4",
                )
                .bind(new.hash.as_str())
                .bind(end.micros())
                .bind(now.micros())
                .bind(old.hash.as_str())
                .execute(&mut *connection)
                .await?;
                admit(connection, &actor, &new).await?;
                insert(connection, &new).await?;
                inherit(connection, &old.hash, &new.hash, now).await?;
                for hash in [&old.hash, &new.hash] {
                    announce(connection, &Change::Key(hash.clone()), now).await?;
                }
                let after =
                    KeyRecord { expires_at: Some(end), updated_at: Some(now), ..before.clone() };
                let deeds = vec![
                    deed(&old.hash, Some(&before), Some(&after)),
                    deed(&new.hash, None, Some(&new)),
                ];
                let answer = Once::keep(connection, once.as_ref(), answer, now).await?;
                Ok(Managed { value: Rotated::Done(answer), deeds })
            })
        })
        .await
    }
}
