//! A bank takes a payment back: what the account still has goes, the rest is owed, and it is frozen.

use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};

use super::{Movement, Posted, Refused, post, take};
use crate::changes::{Change, announce};
use crate::error::StoreError;
use crate::sql::{Connection, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// A payment that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// The rail's event: it has one effect, for ever.
    pub event: String,
    /// Whose payment it was.
    pub account: AccountId,
    /// How much was taken back. Above zero.
    pub amount: Usd,
    /// For the statement.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What a chargeback did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChargedBack {
    /// Whether it happened now.
    pub posted: Posted,
    /// What was taken from the account.
    pub taken: Usd,
    /// What the account no longer had, and owes.
    pub owed: Usd,
}

/// Whether a chargeback may take less than the account has, because processes lease the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leased {
    WaitFor,
    LeaveOut,
}

impl Store {
    /// Freezes the account and takes back what it has of the amount, once for the event. What
    /// processes still hold for running requests after three seconds counts as spent.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for an unknown account or an amount that is not above zero.
    pub async fn charge_back(&self, dispute: Dispute) -> Result<ChargedBack, StoreError> {
        let account = dispute.account.clone();
        let attempt = |leased| {
            let dispute = dispute.clone();
            self.write(Durability::Power, move |connection| {
                Box::pin(async move { charge_back(connection, &dispute, leased).await })
            })
        };
        // Frozen first, in a commit of its own: no process may lease any more of it.
        self.freeze(&account, &dispute.reason).await?;
        match self.patiently(&account, || attempt(Leased::WaitFor)).await {
            Err(StoreError::Refused(Refused::InUse { .. })) => attempt(Leased::LeaveOut).await,
            done => done,
        }
    }
}

async fn charge_back(
    connection: &mut Connection,
    dispute: &Dispute,
    leased: Leased,
) -> Result<ChargedBack, StoreError> {
    if let Some(before) = known(connection, dispute).await? {
        return Ok(before);
    }
    if dispute.amount <= Usd::ZERO {
        return Err(Refused::Amount.into());
    }
    let (own, free) = take::takeable(connection, &dispute.account).await?;
    let wanted = own.min(dispute.amount);
    if free < wanted && leased == Leased::WaitFor {
        return Err(Refused::InUse { leased: wanted.saturating_sub(free) }.into());
    }
    let taken = free.min(wanted);
    let owed = dispute.amount.saturating_sub(taken);
    let Dispute { event, account, reason, at, .. } = dispute;
    if taken > Usd::ZERO {
        let movement = Movement::chargeback(event, account, taken, *at).because(reason);
        post(connection, &movement).await?;
    }
    if owed > Usd::ZERO {
        let movement = Movement::receivable(event, owed, *at).because(reason);
        post(connection, &movement).await?;
    }
    announce(connection, &Change::Account(account.clone()), *at).await?;
    Ok(ChargedBack { posted: Posted::Now, taken, owed })
}

/// What this event did before.
async fn known(
    connection: &mut Connection,
    dispute: &Dispute,
) -> Result<Option<ChargedBack>, StoreError> {
    let amount = async |connection: &mut Connection, id: String| -> Result<Usd, StoreError> {
        let row = query("SELECT amount FROM transfers WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.map_or(Usd::ZERO, Usd::from_nanos))
    };
    let taken = amount(connection, format!("chargeback:{}", dispute.event)).await?;
    let owed = amount(connection, format!("chargeback:{}:receivable", dispute.event)).await?;
    let done = taken > Usd::ZERO || owed > Usd::ZERO;
    Ok(done.then_some(ChargedBack { posted: Posted::Before, taken, owed }))
}
