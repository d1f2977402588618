//! Credit from one account to another.

use serde_json::json;
use signalbox_core::Usd;
use signalbox_core::id::AccountId;

use crate::accounts::{Balance, read_balance};
use crate::error::StoreError;
use crate::idempotency::{Answer, Once, Remembered};
use crate::lots;
use crate::manage::{By, Deed, Managed};
use crate::movements::{self, Movement, Posted, Refused};
use crate::sql::{Connection, Row, query};
use crate::store::Store;

/// A transfer that is wished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Its identity.
    pub id: String,
    /// Who gives.
    pub from: AccountId,
    /// Who gets.
    pub to: AccountId,
    /// How much.
    pub amount: Usd,
    /// Why.
    pub reason: String,
    /// In whose name, for the account that gives.
    pub by: By,
    /// Whether credit that nobody paid for may be given, too.
    pub any_credit: bool,
}

impl Store {
    /// Moves credit to another account. Only what was purchased may be given away, unless the wish
    /// says otherwise. Where processes lease it, they are asked for it, for up to three seconds. With
    /// `once`, the answer that `tell` makes of the giver's balance is remembered in the same commit.
    ///
    /// # Errors
    /// [`StoreError::Refused`]: nothing has changed.
    pub async fn transfer<F>(
        &self,
        wish: Wish,
        once: Option<Once>,
        tell: F,
    ) -> Result<Remembered, StoreError>
    where
        F: Fn(Balance) -> Answer + Clone + Send + 'static,
    {
        let now = self.clock().now();
        let from = wish.from.clone();
        self.patiently(&from, || {
            let (wish, once, tell) = (wish.clone(), once.clone(), tell.clone());
            self.manage(wish.by.clone(), "credit.transfer", move |connection| {
                Box::pin(async move {
                    if let Some(known) = Once::look(connection, once.as_ref()).await? {
                        return Ok(Managed::nothing(known));
                    }
                    let movement =
                        Movement::transfer(&wish.id, &wish.from, &wish.to, wish.amount, now);
                    let movement = movement.because(&wish.reason).by(wish.by.actor.name());
                    transfer(connection, &wish, &movement).await?;
                    let balance = balance(connection, &wish.from).await?;
                    let answer = tell(balance);
                    let answer = Once::keep(connection, once.as_ref(), answer, now).await?;
                    let after =
                        json!({"to": wish.to, "amount": wish.amount, "reason": wish.reason});
                    let (id, after) = (wish.id, Some(after));
                    Ok(Managed::one(answer, Deed { kind: "transfer", id, before: None, after }))
                })
            })
        })
        .await
    }
}

async fn transfer(
    connection: &mut Connection,
    wish: &Wish,
    movement: &Movement,
) -> Result<Posted, StoreError> {
    if wish.from == wish.to {
        return Err(Refused::Itself.into());
    }
    movements::refuse_frozen(connection, &wish.from).await?;
    let line = query("SELECT line FROM balances WHERE account_id = $1")
        .bind(wish.to.as_str())
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(|| Refused::UnknownAccount(wish.to.to_string()))?
        .try_get::<i64, _>(0)?;
    if line > 0 {
        return Err(Refused::Invoiced.into());
    }
    let posted = movements::is_known(connection, movement).await?;
    if !posted && !wish.any_credit {
        let available = lots::purchased_left(connection, &wish.from).await?;
        if available < wish.amount {
            return Err(Refused::Insufficient { available }.into());
        }
    }
    movements::post(connection, movement).await
}

async fn balance(connection: &mut Connection, account: &AccountId) -> Result<Balance, StoreError> {
    let row =
        query("SELECT credited, charged, withdrawn, line FROM balances WHERE account_id = $1")
            .bind(account.as_str())
            .fetch_one(connection)
            .await?;
    read_balance(&row)
}
