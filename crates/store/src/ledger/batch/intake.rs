//! One statement for a whole batch: its rows go into a view of the writing connection, and the
//! triggers of the view write the tables. Without an open transaction such a statement commits by
//! itself, so a batch is one round trip to the thread that SQLite runs on.
//!
//! The markers are `?`, not `$1`: to SQLite `$1` is a name, and binding by name searches the list of
//! all names for each value.

use std::sync::Arc;

use signalbox_core::{FastMap, Timestamp, Usd};
use sqlx::sqlite::{Sqlite, SqliteArguments};
use sqlx::{AssertSqlSafe, SqliteConnection, query, raw_sql};

use super::LARGEST;
use super::posting::{Link, Links, Sums, json};
use crate::error::StoreError;
use crate::ledger::entry::{End, Entry, Step};
use crate::ledger::rows::Written;

/// A statement that owns everything it binds.
type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// Rows that a statement can have. A batch takes the next larger one; the rows that it lacks are
/// left unbound, which is NULL.
const SIZES: [usize; 18] =
    [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, LARGEST];

const VIEW: &str = include_str!("intake.sql");
const COLUMNS: usize = 63;
/// Values that SQLite binds to one statement (`SQLITE_MAX_VARIABLE_NUMBER`, its limits page).
const MOST_VALUES: usize = 32_766;
const _: () = assert!(COLUMNS * LARGEST <= MOST_VALUES, "a full batch binds too many values");
/// Columns of a reservation.
const OF_THE_HOLD: usize = 9;
/// Columns that only a checkpoint has.
const OF_A_CHECKPOINT: usize = 4;
/// Columns that only an end has.
const OF_THE_END: usize = 12;
/// Columns of the generation row.
const OF_THE_ROW: usize = COLUMNS - OF_THE_HOLD - OF_A_CHECKPOINT - OF_THE_END;

/// Makes the view and its triggers; they end with the connection.
pub(crate) async fn prepare(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    raw_sql(VIEW).execute(connection).await?;
    Ok(())
}

/// One row of the statement.
pub(super) struct Line<'a> {
    pub entry: &'a Entry,
    /// The transfers of an end.
    pub links: Option<Links>,
    /// The sums of the whole batch, which come with one of its rows.
    pub sums: Option<Sums>,
}

/// The texts that were made so far.
#[derive(Default)]
pub(super) struct Statements(FastMap<usize, Arc<str>>);

impl Statements {
    fn text(&mut self, rows: usize) -> Arc<str> {
        let make = || {
            let row = format!("(?{})", ", ?".repeat(COLUMNS - 1));
            let rows = vec![row; rows].join(", ");
            Arc::from(format!("INSERT INTO intake VALUES {rows}"))
        };
        self.0.entry(rows).or_insert_with(make).clone()
    }

    /// Writes the lines: in a transaction of their own, or in the one that is open.
    pub async fn run(
        &mut self,
        connection: &mut SqliteConnection,
        lines: Vec<Line<'_>>,
    ) -> Result<(), StoreError> {
        let rows = SIZES.into_iter().find(|size| *size >= lines.len()).unwrap_or(lines.len());
        let mut ready: Query = query(AssertSqlSafe(self.text(rows)));
        for line in lines {
            ready = bind(ready, line);
        }
        ready.execute(connection).await?;
        Ok(())
    }
}

fn nulls(query: Query, count: usize) -> Query {
    (0..count).fold(query, |query, _| query.bind(None::<i64>))
}

fn bind(query: Query, line: Line<'_>) -> Query {
    let query = bind_hold(query, line.entry);
    match &line.entry.step {
        Step::Open => nulls(query, OF_A_CHECKPOINT + OF_THE_END + OF_THE_ROW),
        Step::Checkpoint(checkpoint) => {
            let query = query
                .bind(checkpoint.record.clone())
                .bind(checkpoint.charge.credits.nanos())
                .bind(checkpoint.charge.byok.nanos())
                .bind(checkpoint.at.micros());
            nulls(query, OF_THE_END + OF_THE_ROW)
        }
        Step::End(end) => {
            let query = nulls(query, OF_A_CHECKPOINT);
            let query = bind_end(query, end, line.links.unwrap_or_default());
            let query = bind_sums(query, line.sums.unwrap_or_default());
            match &end.row {
                Some(written) => bind_generation(query, written),
                None => nulls(query, OF_THE_ROW),
            }
        }
    }
}

fn bind_hold(query: Query, entry: &Entry) -> Query {
    let it = &entry.reservation;
    let held = entry.holds().then_some(it);
    // An end needs no spender: nothing can be recovered any more.
    let open = if entry.end().is_none() { serde_json::to_string(&*it.spender).ok() } else { None };
    query
        .bind(it.generation.shared())
        .bind(it.account.shared())
        .bind(it.key.shared())
        .bind(held.map(|held| held.amount.nanos()))
        .bind(held.map(|held| held.byok.nanos()))
        .bind(held.map(|held| held.opened_at.micros()))
        .bind(held.map(|_| entry.holder.clone()))
        .bind(open)
        .bind(held.and_then(|_| entry.budgets()))
}

fn bind_end(query: Query, end: &End, links: Links) -> Query {
    let outcome = end.outcome.name();
    let waste = waste(&links.waste);
    let first = links.charge.as_ref().or(links.waste.first());
    let (seq, previous) = first.map(|link| (link.seq, link.previous.clone())).unzip();
    let (kind, hash) = links.charge.map(|link| (link.posting.kind, link.hash)).unzip();
    query
        .bind(outcome.map(|_| end.at.micros()))
        .bind(outcome)
        .bind(i64::from(end.checkpointed))
        .bind(seq)
        .bind(previous)
        .bind(kind)
        .bind(hash)
        .bind(waste)
        .bind(end.charge.credits.nanos())
}

/// The transfers of what was wasted, as a JSON array of rows.
fn waste(links: &[Link]) -> Option<String> {
    let rows: Vec<_> = links
        .iter()
        .map(|link| {
            (link.seq, &link.posting.id, link.posting.amount.nanos(), &link.previous, &link.hash)
        })
        .collect();
    json(&rows)
}

fn bind_sums(query: Query, sums: Sums) -> Query {
    query.bind(json(&sums.balances)).bind(json(&sums.usage)).bind(json(&sums.leases))
}

/// A count as the database holds it.
fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn bind_generation(query: Query, written: &Written) -> Query {
    let row = &written.row;
    query
        .bind(row.request_id.shared())
        .bind(row.requested_model.clone())
        .bind(row.model.clone())
        .bind(row.provider.clone())
        .bind(row.provider_name.clone())
        .bind(row.endpoint_id.clone())
        .bind(row.upstream_id.clone())
        .bind(row.api_type.clone())
        .bind(row.router.clone())
        .bind(row.streamed)
        .bind(row.cancelled)
        .bind(row.finish_reason.clone())
        .bind(row.native_finish_reason.clone())
        .bind(row.error_type.clone())
        .bind(Timestamp::micros(row.created_at))
        .bind(row.latency_ms.map(count))
        .bind(row.generation_ms.map(count))
        .bind(written.usage.clone())
        .bind(count(row.tokens_prompt))
        .bind(count(row.tokens_completion))
        .bind(row.upstream_cost.map(Usd::nanos))
        .bind(written.prices.clone())
        .bind(row.service_tier.clone())
        .bind(row.session_id.clone())
        .bind(row.external_user.clone())
        .bind(row.http_referer.clone())
        .bind(row.origin.clone())
        .bind(row.user_agent.clone())
        .bind(row.app_title.clone())
        .bind(row.num_media_prompt.map(count))
        .bind(row.provider_responses.clone())
        .bind(row.routing.clone())
        .bind(row.response_cache_source_id.as_ref().map(|id| id.as_str().to_owned()))
        .bind(row.byok.map(Usd::nanos))
        .bind(row.fee_bps.map(i64::from))
        .bind(row.recovered)
        .bind(row.byok_free.map(Usd::nanos))
        .bind(row.preset_id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_a_marker_for_each_value() {
        let text = Statements::default().text(3);
        assert_eq!(text.matches('?').count(), 3 * COLUMNS);
        assert_eq!(text.matches('(').count(), 3);
    }

    #[test]
    fn the_view_has_as_many_columns_as_are_bound() {
        let view = VIEW.split("WHERE 0").next().unwrap();
        assert_eq!(view.matches("NULL AS ").count(), COLUMNS);
        let row = view.split_once("AS request_id").unwrap().1;
        assert_eq!(row.matches("NULL AS ").count() + 1, OF_THE_ROW);
        let end = view.split_once("NULL AS ended_at").unwrap().1;
        assert_eq!(end.matches("NULL AS ").count() + 1, OF_THE_END + OF_THE_ROW);
    }
}
