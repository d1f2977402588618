//! A connection that is deleted: nobody is provisioned over it any more.

use std::collections::BTreeSet;

use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId};

use crate::error::StoreError;
use crate::manage::Deed;
use crate::sql::{Connection, Line, Row, query};
use crate::workspaces::entitle;

/// Forgets what a connection provisioned. People stay members as if they had been invited; what groups
/// gave them goes.
pub(crate) async fn forget(
    connection: &mut Connection,
    account: &AccountId,
    id: &str,
    now: Timestamp,
) -> Result<Vec<Deed>, StoreError> {
    let rows = query("SELECT user_id FROM scim_users WHERE connection_id = $1").bind(id);
    let user = |row: &Line| Ok(UserId::new(row.try_get::<String, _>(0)?));
    let users: BTreeSet<UserId> = rows
        .fetch_all(&mut *connection)
        .await?
        .iter()
        .map(user)
        .collect::<Result<_, StoreError>>()?;
    query("UPDATE scim_tokens SET revoked_at = $1 WHERE connection_id = $2 AND revoked_at IS NULL")
        .bind(now.micros())
        .bind(id)
        .execute(&mut *connection)
        .await?;
    for sql in [
        "UPDATE members SET source = 'manual' WHERE source = 'scim' \
         AND EXISTS (SELECT 1 FROM scim_users WHERE connection_id = $1 \
         AND scim_users.account_id = members.account_id AND scim_users.user_id = members.user_id)",
        "DELETE FROM scim_mappings WHERE group_id IN \
         (SELECT id FROM scim_groups WHERE connection_id = $1)",
        "DELETE FROM scim_group_members WHERE group_id IN \
         (SELECT id FROM scim_groups WHERE connection_id = $1)",
        "DELETE FROM scim_groups WHERE connection_id = $1",
        "DELETE FROM scim_users WHERE connection_id = $1",
    ] {
        query(sql).bind(id).execute(&mut *connection).await?;
    }
    entitle(connection, account, &users, now).await
}
