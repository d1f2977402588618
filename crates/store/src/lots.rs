//! Which credit is left: what goes out uses up the oldest credit first.
//!
//! A refund or a chargeback takes from its own purchase and an expiry from its own credit, by their ids;
//! a refund that did not happen after all gives back to its own.

use std::collections::HashMap;

use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};

use crate::error::StoreError;
use crate::movements::{self, Movement, Posted, Refused};
use crate::sql::{Connection, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// One credit that came in, with what is left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// The transfer that brought it.
    pub id: String,
    /// Its kind, such as `purchase`.
    pub kind: String,
    /// What it was.
    pub amount: Usd,
    /// What is left of it.
    pub left: Usd,
    /// When it came.
    pub at: Timestamp,
}

/// Kinds of credit that become too old.
const AGING: &[&str] = &["purchase", "grant", "promo", "voucher", "transfer"];

/// The credits of an account, the oldest first, and what is left of each.
pub(crate) async fn lots(
    connection: &mut Connection,
    account: &AccountId,
) -> Result<Vec<Lot>, StoreError> {
    let name = format!("acct:{account}");
    let rows = query(
        "SELECT id, kind, amount, at FROM transfers WHERE credit = $1 \
         AND kind NOT IN ('charge', 'byok_fee', 'waste') ORDER BY at, seq",
    )
    .bind(&name)
    .fetch_all(&mut *connection)
    .await?;
    let mut lots = Vec::with_capacity(rows.len());
    let mut returned: Vec<(String, i64)> = Vec::new();
    for row in &rows {
        let amount = Usd::from_nanos(row.try_get(2)?);
        let id: String = row.try_get(0)?;
        if let Some(rest) = id.strip_prefix("adjustment:reversal:") {
            returned.push((purchase(rest), amount.nanos()));
            continue;
        }
        lots.push(Lot {
            id,
            kind: row.try_get(1)?,
            amount,
            left: amount,
            at: Timestamp::from_micros(row.try_get(3)?),
        });
    }
    let out = query("SELECT charged + withdrawn FROM balances WHERE account_id = $1")
        .bind(account.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    let mut out: i64 = out.map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
    let mut aimed = aimed(connection, &name).await?;
    for (lot, amount) in returned {
        out = out.saturating_sub(amount);
        let taken = aimed.entry(lot).or_default();
        *taken = taken.saturating_sub(amount);
    }
    Ok(use_up(lots, &aimed, out))
}

/// The credit that `<payment>:<what tells its reversals apart>` belongs to.
fn purchase(rest: &str) -> String {
    format!("purchase:{}", rest.split(':').next().unwrap_or_default())
}

/// What refunds, chargebacks and expiries took from each credit, by its id.
async fn aimed(
    connection: &mut Connection,
    name: &str,
) -> Result<HashMap<String, i64>, StoreError> {
    let rows = query(
        "SELECT id, kind, amount FROM transfers WHERE debit = $1 \
         AND kind NOT IN ('charge', 'byok_fee', 'waste') \
         AND kind IN ('refund', 'chargeback', 'expiry')",
    )
    .bind(name)
    .fetch_all(connection)
    .await?;
    let mut aimed: HashMap<String, i64> = HashMap::new();
    for row in &rows {
        let (id, kind): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let lot = match kind.as_str() {
            "expiry" => id.strip_prefix("expiry:").map(str::to_owned),
            "chargeback" => id.strip_prefix("chargeback:").map(purchase),
            _ => id.strip_prefix("refund:").map(purchase),
        };
        let taken = aimed.entry(lot.unwrap_or_default()).or_default();
        *taken = taken.saturating_add(row.try_get(2)?);
    }
    Ok(aimed)
}

/// Takes from each credit what was aimed at it, and the rest of what went out from the oldest on.
fn use_up(mut lots: Vec<Lot>, aimed: &HashMap<String, i64>, out: i64) -> Vec<Lot> {
    let mut rest = out;
    for lot in &mut lots {
        let taken = aimed.get(&lot.id).copied().unwrap_or(0).min(lot.left.nanos());
        lot.left = Usd::from_nanos(lot.left.nanos().saturating_sub(taken));
        rest = rest.saturating_sub(taken);
    }
    for lot in &mut lots {
        let taken = lot.left.nanos().min(rest.max(0));
        lot.left = Usd::from_nanos(lot.left.nanos().saturating_sub(taken));
        rest = rest.saturating_sub(taken);
    }
    lots
}

/// What is left of everything the account purchased.
pub(crate) async fn purchased_left(
    connection: &mut Connection,
    account: &AccountId,
) -> Result<Usd, StoreError> {
    let lots = lots(connection, account).await?;
    let purchased = lots.iter().filter(|lot| lot.kind == "purchase");
    Ok(purchased.fold(Usd::ZERO, |sum, lot| sum.saturating_add(lot.left)))
}

/// What a run over old credit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expired {
    /// Credits that ended.
    pub credits: u64,
    /// What was left of them.
    pub amount: Usd,
    /// Accounts whose credit is held for running requests: the next run will see to them.
    pub in_use: u64,
}

impl Store {
    /// The credits of an account, the oldest first, and what is left of each.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn lots(&self, account: &AccountId) -> Result<Vec<Lot>, StoreError> {
        let mut view = self.readers().begin().await?;
        lots(&mut view, account).await
    }

    /// Ends what is left of credit that came before `before`, of all prepaid accounts. A second run
    /// changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn expire_credits(&self, before: Timestamp) -> Result<Expired, StoreError> {
        let rows = query("SELECT account_id FROM balances WHERE line = 0 ORDER BY account_id")
            .fetch_all(self.readers())
            .await?;
        let mut expired = Expired::default();
        for row in rows {
            let account = AccountId::new(row.try_get::<String, _>(0)?);
            match self.expire_credits_of(&account, before).await {
                Err(StoreError::Refused(Refused::InUse { .. } | Refused::Insufficient { .. })) => {
                    expired.in_use = expired.in_use.saturating_add(1);
                }
                done => {
                    let (credits, amount) = done?;
                    expired.credits = expired.credits.saturating_add(credits);
                    expired.amount = expired.amount.saturating_add(amount);
                }
            }
        }
        Ok(expired)
    }

    /// The old credits of one account, in one transaction: what is left of them is not used up by
    /// anything between the look and the movement, and of several processes one finds it.
    async fn expire_credits_of(
        &self,
        account: &AccountId,
        before: Timestamp,
    ) -> Result<(u64, Usd), StoreError> {
        let old = move |lot: &Lot| {
            lot.at < before && AGING.contains(&lot.kind.as_str()) && lot.left > Usd::ZERO
        };
        // Most accounts have none: then nobody has to wait for the write lock.
        if !self.lots(account).await?.iter().any(old) {
            return Ok((0, Usd::ZERO));
        }
        let now = self.clock().now();
        self.patiently(account, || {
            let account = account.clone();
            self.write(Durability::Power, move |connection| {
                Box::pin(async move {
                    let (mut credits, mut amount) = (0_u64, Usd::ZERO);
                    for lot in lots(connection, &account).await?.iter().filter(|lot| old(lot)) {
                        let movement = Movement::expiry(&lot.id, &account, lot.left, now);
                        if movements::post(connection, &movement).await? == Posted::Now {
                            credits = credits.saturating_add(1);
                            amount = amount.saturating_add(lot.left);
                        }
                    }
                    Ok((credits, amount))
                })
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lot(id: &str, amount: i64) -> Lot {
        let amount = Usd::from_nanos(amount);
        let (id, kind) = (id.to_owned(), "purchase".to_owned());
        Lot { id, kind, amount, left: amount, at: Timestamp::default() }
    }

    #[test]
    fn what_goes_out_uses_the_oldest_credit_and_a_refund_its_own() {
        let left = |aimed: &[(&str, i64)], out| {
            let aimed = aimed.iter().map(|(id, taken)| ((*id).to_owned(), *taken)).collect();
            let lots = use_up(vec![lot("a", 10), lot("b", 20), lot("c", 30)], &aimed, out);
            lots.iter().map(|lot| lot.left.nanos()).collect::<Vec<_>>()
        };
        assert_eq!(left(&[], 0), [10, 20, 30]);
        assert_eq!(left(&[], 15), [0, 15, 30]);
        assert_eq!(left(&[("b", 20)], 25), [5, 0, 30]);
        assert_eq!(left(&[("c", 30), ("a", 4)], 34 + 7), [0, 19, 0]);
        assert_eq!(left(&[], 100), [0, 0, 0]);
    }
}
