//! Statements over many rows at once. A batch is cut into pieces of 64, 32, … 1 rows, so that each
//! statement exists in few sizes and stays prepared.
//!
//! The markers are `?`, not `$1`: to SQLite `$1` is a name, and binding by name searches the list of
//! all names for each value. With 64 rows of 35 values that search was a third of the whole cost.

use std::collections::HashMap;
use std::sync::Arc;

use signalbox_core::{Timestamp, Usd};
use sqlx::sqlite::{Sqlite, SqliteArguments};
use sqlx::{AssertSqlSafe, SqliteConnection, query};

use super::{End, Entry, Written};
use crate::error::StoreError;

/// A statement that owns everything it binds.
pub(super) type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

const SIZES: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];

/// A statement with `VALUES` rows in its middle.
pub(super) struct Shape {
    pub head: &'static str,
    pub columns: usize,
    pub tail: &'static str,
}

/// The texts that were made so far.
#[derive(Default)]
pub(super) struct Statements(HashMap<(&'static str, usize), Arc<str>>);

impl Statements {
    fn text(&mut self, shape: &Shape, rows: usize) -> Arc<str> {
        let make = || {
            let mut text = String::from(shape.head);
            let row = format!("(?{})", ", ?".repeat(shape.columns.saturating_sub(1)));
            for number in 0..rows {
                text.push_str(if number == 0 { "" } else { ", " });
                text.push_str(&row);
            }
            text.push_str(shape.tail);
            Arc::from(text)
        };
        self.0.entry((shape.head, rows)).or_insert_with(make).clone()
    }

    /// Runs the shape over all items and answers how many rows it touched.
    pub async fn run<T>(
        &mut self,
        connection: &mut SqliteConnection,
        shape: &Shape,
        items: &[T],
        bind: impl Fn(Query, &T) -> Query,
    ) -> Result<u64, StoreError> {
        let mut rest = items;
        let mut touched = 0u64;
        for size in SIZES {
            while let Some((piece, after)) = rest.split_at_checked(size) {
                let mut ready: Query = query(AssertSqlSafe(self.text(shape, size)));
                for item in piece {
                    ready = bind(ready, item);
                }
                let done = ready.execute(&mut *connection).await?;
                touched = touched.saturating_add(done.rows_affected());
                rest = after;
            }
        }
        Ok(touched)
    }
}

const OPEN: Shape = Shape {
    head: "INSERT INTO reservations (generation, account_id, key_hash, amount, opened_at, holder) \
           VALUES ",
    columns: 6,
    tail: " ON CONFLICT (generation) DO NOTHING",
};

/// Rows for reservations that have been open for a while.
pub(super) async fn open(
    statements: &mut Statements,
    connection: &mut SqliteConnection,
    entries: &[&Entry],
) -> Result<(), StoreError> {
    let bind = |query: Query, entry: &&Entry| bind_reservation(query, entry);
    statements.run(connection, &OPEN, entries, bind).await?;
    Ok(())
}

fn bind_reservation(query: Query, entry: &Entry) -> Query {
    let held = &entry.reservation;
    query
        .bind(held.generation.as_str().to_owned())
        .bind(held.account.as_str().to_owned())
        .bind(held.key.as_str().to_owned())
        .bind(held.amount.nanos())
        .bind(held.opened_at.micros())
        .bind(entry.holder.clone())
}

const END: Shape = Shape {
    head: "INSERT INTO reservations (generation, account_id, key_hash, amount, opened_at, holder, \
           ended_at, outcome) VALUES ",
    columns: 8,
    tail: " ON CONFLICT (generation) DO UPDATE SET ended_at = excluded.ended_at, \
           outcome = excluded.outcome WHERE reservations.ended_at IS NULL",
};

/// Ends reservations, whether their opening was written or not. One that has ended in the database
/// already refuses the batch: a reservation ends once.
pub(super) async fn end(
    statements: &mut Statements,
    connection: &mut SqliteConnection,
    ends: &[(&Entry, &End)],
) -> Result<(), StoreError> {
    let bind = |query: Query, (entry, end): &(&Entry, &End)| {
        bind_reservation(query, entry).bind(end.at.micros()).bind(end.outcome.name())
    };
    let touched = statements.run(connection, &END, ends, bind).await?;
    all(touched, ends.len(), "the reservation has ended before")
}

/// Refuses when fewer rows than expected were touched.
pub(super) fn all(touched: u64, expected: usize, reason: &str) -> Result<(), StoreError> {
    if usize::try_from(touched) == Ok(expected) {
        return Ok(());
    }
    Err(StoreError::Constraint(reason.to_owned()))
}

const RECORD: Shape = Shape {
    head: "INSERT INTO generations (id, request_id, account_id, key_hash, requested_model, model, \
           provider, provider_name, endpoint_id, upstream_id, api_type, router, streamed, \
           cancelled, finish_reason, native_finish_reason, error_type, created_at, latency_ms, \
           generation_ms, usage, tokens_prompt, tokens_completion, cost, upstream_cost, prices, \
           service_tier, session_id, external_user, http_referer, origin, user_agent, app_title, \
           num_media_prompt, provider_responses) VALUES ",
    columns: 35,
    tail: "",
};

/// A count as the database holds it.
fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Generation rows.
pub(super) async fn record(
    statements: &mut Statements,
    connection: &mut SqliteConnection,
    rows: &[&Written],
) -> Result<(), StoreError> {
    let bind = |query: Query, written: &&Written| bind_generation(query, written);
    statements.run(connection, &RECORD, rows, bind).await?;
    Ok(())
}

fn bind_generation(query: Query, written: &Written) -> Query {
    let row = &written.row;
    query
        .bind(row.id.as_str().to_owned())
        .bind(row.request_id.as_str().to_owned())
        .bind(row.account.as_str().to_owned())
        .bind(row.key.as_str().to_owned())
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
        .bind(row.cost.nanos())
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
        .bind(written.provider_responses.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_a_marker_for_each_value() {
        let shape = Shape { head: "INSERT INTO t VALUES ", columns: 2, tail: " RETURNING a" };
        let text = Statements::default().text(&shape, 2);
        assert_eq!(&*text, "INSERT INTO t VALUES (?, ?), (?, ?) RETURNING a");
    }

    #[test]
    fn the_generation_statement_names_as_many_columns_as_it_binds() {
        let names = RECORD.head.split_once('(').unwrap().1.split(')').next().unwrap();
        assert_eq!(names.split(',').count(), RECORD.columns);
    }
}
