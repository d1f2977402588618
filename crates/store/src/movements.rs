//! Every movement of money that is not the cost of a generation.
//!
//! [`Store::post_movement`] is the one way in: guarded, idempotent for ever by the transfer's id, hash
//! chained, with its projections in the same commit, and durable against a power cut.
//!
//! **Invariant:** money goes out of an account only when it is its own and no process has leased it.

mod chargeback;
mod kind;
mod line;
mod register;
mod take;

use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};

use crate::chain::{self, Posting};
use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::sql::{Connection, Row, query};
use crate::vouchers::NotRedeemed;

pub use chargeback::{ChargedBack, Dispute};
pub(crate) use kind::Side;
pub use kind::{House, Kind, Movement};
pub use register::{KindRow, Party};

/// Whether a movement did anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// The money moved.
    Now,
    /// The same movement was there already; nothing changed.
    Before,
}

/// Why money does not move.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such account.
    #[error("there is no account {0}")]
    UnknownAccount(String),
    /// Not above zero, or the balance would be beyond what an amount can hold.
    #[error("not an amount that can be moved")]
    Amount,
    /// The account does not have that much.
    #[error("the account has ${available}")]
    Insufficient {
        /// What it has, running requests not taken off.
        available: Usd,
    },
    /// It has, but running requests may need it.
    #[error("${leased} of the balance is held for running requests; try again in a moment")]
    InUse {
        /// What processes have leased.
        leased: Usd,
    },
    /// This id stands for another movement.
    #[error("{0} was used for something else")]
    Different(String),
    /// The account may not move money.
    #[error("the account is frozen")]
    Frozen,
    /// From and to are the same.
    #[error("an account can't transfer to itself")]
    Itself,
    /// An account that is billed in arrears takes no transfers.
    #[error("the account is invoiced and takes no transfers")]
    Invoiced,
    /// The voucher is worth nothing to this account.
    #[error(transparent)]
    Voucher(#[from] NotRedeemed),
    /// There is no such invoice, or it was taken back.
    #[error("there is no such invoice to be paid")]
    UnknownInvoice,
    /// A period is billed after it has ended.
    #[error("the period has not ended")]
    Period,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    OtherRequest,
}

/// Posts a movement within the running transaction. Anything but `Ok` must end that transaction.
pub(crate) async fn post(
    connection: &mut Connection,
    movement: &Movement,
) -> Result<Posted, StoreError> {
    if is_known(connection, movement).await? {
        return Ok(Posted::Before);
    }
    if movement.amount <= Usd::ZERO {
        return Err(Refused::Amount.into());
    }
    if let Side::Account(account) = &movement.from {
        take::take(connection, account, movement.amount).await?;
    }
    if let Side::Account(account) = &movement.to {
        take::put(connection, account, movement.amount).await?;
        if movement.kind == Kind::Purchase {
            take::count_purchase(connection, account, movement.amount).await?;
        }
    }
    append(connection, &posting(movement)).await?;
    for account in [&movement.from, &movement.to].into_iter().filter_map(Side::account) {
        announce(connection, &Change::Account(account.clone()), movement.at).await?;
    }
    Ok(Posted::Now)
}

fn posting(movement: &Movement) -> Posting {
    Posting {
        id: movement.id.clone(),
        kind: movement.kind.name(),
        debit: movement.from.name(),
        credit: movement.to.name(),
        amount: movement.amount,
        generation: None,
        reason: movement.reason.clone(),
        operator: movement.operator.clone(),
        at: movement.at,
    }
}

/// Refuses for an account that is frozen, or not there.
pub(crate) async fn refuse_frozen(
    connection: &mut Connection,
    account: &AccountId,
) -> Result<(), StoreError> {
    let row = query("SELECT frozen_at FROM accounts WHERE id = $1")
        .bind(account.as_str())
        .fetch_optional(connection)
        .await?;
    let row = row.ok_or_else(|| Refused::UnknownAccount(account.to_string()))?;
    match row.try_get::<Option<i64>, _>(0)? {
        None => Ok(()),
        Some(_) => Err(Refused::Frozen.into()),
    }
}

/// Whether this very movement was posted. An id that stands for another one is an error.
pub(crate) async fn is_known(
    connection: &mut Connection,
    movement: &Movement,
) -> Result<bool, StoreError> {
    let row = query("SELECT kind, debit, credit, amount FROM transfers WHERE id = $1")
        .bind(&movement.id)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(false) };
    let stored: (String, String, String, i64) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
    let wanted = (
        movement.kind.name().to_owned(),
        movement.from.name(),
        movement.to.name(),
        movement.amount.nanos(),
    );
    if stored == wanted { Ok(true) } else { Err(Refused::Different(movement.id.clone()).into()) }
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
