//! What keys have spent.

use std::collections::HashMap;

use signalbox_core::id::KeyHash;
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::Spend;
use signalbox_ledger::purse::key_scope;

use super::day_of;
use crate::error::StoreError;
use crate::sql::{AssertSqlSafe, Line, Row, query};
use crate::store::Store;

/// What a key has spent, in all and in the windows that a moment lies in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyUsage {
    /// Credits.
    pub credits: Spend,
    /// On own provider keys, at list price.
    pub byok: Spend,
    /// The beginning of the day, UTC, in which it was last used.
    pub last_day: Option<Timestamp>,
}

impl KeyUsage {
    /// What counts towards the key's limit in this window; in all without one.
    #[must_use]
    pub fn counted(&self, reset: Option<ResetInterval>, include_byok: bool) -> Usd {
        let credits = self.credits.within(reset);
        if include_byok { credits.saturating_add(self.byok.within(reset)) } else { credits }
    }
}

/// Sums of a column: in all, since the days `$1`, `$2` and `$3`.
fn sums(column: &str) -> String {
    let since = |day: u8| {
        format!(
            "CAST(coalesce(sum(CASE WHEN day >= ${day} THEN {column} ELSE 0 END), 0) AS BIGINT)"
        )
    };
    let all = format!("CAST(coalesce(sum({column}), 0) AS BIGINT)");
    [all, since(1), since(2), since(3)].join(", ")
}

fn spend(row: &Line, first: usize, now: Timestamp) -> Result<Spend, StoreError> {
    let amount = |index: usize| row.try_get(first + index).map(Usd::from_nanos);
    Ok(Spend {
        total: amount(0)?,
        daily: amount(1)?,
        weekly: amount(2)?,
        monthly: amount(3)?,
        as_of: now,
    })
}

impl Store {
    /// What these keys have spent, as durable now. A key that spent nothing is not in it.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn key_usage(
        &self,
        keys: &[&KeyHash],
        now: Timestamp,
    ) -> Result<HashMap<KeyHash, KeyUsage>, StoreError> {
        let scopes: Vec<String> = keys.iter().map(|key| key_scope(key)).collect();
        let found = self.usage_of(&scopes, now).await?;
        let hash = |scope: String| KeyHash::new(scope.strip_prefix("key:").unwrap_or_default());
        Ok(found.into_iter().map(|(scope, usage)| (hash(scope), usage)).collect())
    }

    /// What was spent in these scopes, as durable now. One in which nothing was is not in it.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn usage_of(
        &self,
        scopes: &[String],
        now: Timestamp,
    ) -> Result<HashMap<String, KeyUsage>, StoreError> {
        if scopes.is_empty() {
            return Ok(HashMap::new());
        }
        self.caught_up().await;
        let places: Vec<String> =
            (0..scopes.len()).map(|index| format!("${}", index + 4)).collect();
        let sql = format!(
            "SELECT scope, {}, {}, max(day) FROM usage WHERE scope IN ({}) GROUP BY scope",
            sums("charged"),
            sums("byok"),
            places.join(", ")
        );
        let first = |interval| day_of(now.window_start(interval));
        let mut query = query(AssertSqlSafe(sql))
            .bind(first(ResetInterval::Daily))
            .bind(first(ResetInterval::Weekly))
            .bind(first(ResetInterval::Monthly));
        for scope in scopes {
            query = query.bind(scope.as_str());
        }
        let rows = query.fetch_all(self.readers()).await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let last: i64 = row.try_get(9)?;
            let usage = KeyUsage {
                credits: spend(row, 1, now)?,
                byok: spend(row, 5, now)?,
                last_day: Some(Timestamp::from_seconds(last.saturating_mul(86_400))),
            };
            found.insert(row.try_get(0)?, usage);
        }
        Ok(found)
    }

    /// What one key has spent in credits, as durable now.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn key_spend(&self, hash: &KeyHash, now: Timestamp) -> Result<Spend, StoreError> {
        let mut found = self.key_usage(&[hash], now).await?;
        Ok(found.remove(hash).map_or_else(|| Spend::none(now), |usage| usage.credits))
    }
}
