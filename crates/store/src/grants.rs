//! Credit that comes in.

use signalbox_core::Timestamp;
use signalbox_ledger::Grant;

use crate::chain::{self, Posting};
use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::sql::{Connection, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// Whether a grant did anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granted {
    /// The credit was added.
    Now,
    /// A grant with this id was there already; nothing changed.
    Before,
}

impl Store {
    /// Adds credit to an account, once for each grant id. Returns when it would survive a power cut.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when the account does not exist, the amount is not above zero or the
    /// balance would leave the range of money.
    pub async fn grant(&self, grant: Grant) -> Result<Granted, StoreError> {
        self.write(Durability::Power, move |connection| Box::pin(post(connection, grant))).await
    }
}

async fn post(connection: &mut Connection, grant: Grant) -> Result<Granted, StoreError> {
    let id = format!("grant:{}", grant.id);
    let known = query("SELECT 1 FROM transfers WHERE id = $1")
        .bind(&id)
        .fetch_optional(&mut *connection)
        .await?;
    if known.is_some() {
        return Ok(Granted::Before);
    }
    let balance = query("SELECT credited FROM balances WHERE account_id = $1")
        .bind(grant.account.as_str())
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(|| StoreError::Constraint("no such account".to_owned()))?;
    let credited: i64 = balance.try_get(0)?;
    let after = credited
        .checked_add(grant.amount.nanos())
        .filter(|after| *after > credited)
        .ok_or_else(|| StoreError::Constraint("not an amount that can be granted".to_owned()))?;
    query("UPDATE balances SET credited = $1 WHERE account_id = $2")
        .bind(after)
        .bind(grant.account.as_str())
        .execute(&mut *connection)
        .await?;
    let posting = Posting {
        id,
        kind: "grant",
        debit: chain::GRANTS.to_owned(),
        credit: format!("acct:{}", grant.account),
        amount: grant.amount,
        generation: None,
        reason: grant.reason,
        operator: Some(grant.operator),
        at: grant.at,
    };
    append(connection, &posting).await?;
    announce(connection, &Change::Account(grant.account), grant.at).await?;
    Ok(Granted::Now)
}

/// The position and hash of the last transfer.
pub(crate) async fn head(connection: &mut Connection) -> Result<(i64, String), StoreError> {
    let row = query("SELECT seq, hash FROM transfers ORDER BY seq DESC LIMIT 1")
        .fetch_optional(connection)
        .await?;
    match row {
        None => Ok((0, chain::GENESIS.to_owned())),
        Some(row) => Ok((row.try_get(0)?, row.try_get(1)?)),
    }
}

async fn append(connection: &mut Connection, posting: &Posting) -> Result<(), StoreError> {
    let (last, previous) = head(connection).await?;
    let seq = last.saturating_add(1);
    let hash = chain::link(&previous, &chain::line(seq, posting));
    query(
        "INSERT INTO transfers (seq, id, kind, debit, credit, amount, generation, reason, operator, \
         at, prev_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(seq)
    .bind(&posting.id)
    .bind(posting.kind)
    .bind(&posting.debit)
    .bind(&posting.credit)
    .bind(posting.amount.nanos())
    .bind(posting.generation.as_ref().map(ToString::to_string))
    .bind(&posting.reason)
    .bind(&posting.operator)
    .bind(Timestamp::micros(posting.at))
    .bind(previous)
    .bind(hash)
    .execute(connection)
    .await?;
    Ok(())
}
