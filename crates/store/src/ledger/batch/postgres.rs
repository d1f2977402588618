//! A batch in PostgreSQL: a statement for each table, in the transaction of the caller, who holds the
//! write lock.

use signalbox_core::{FastMap, FastSet, Usd};

use super::columns::Columns;
use super::posting::{Link, Links, Sums, trace};
use crate::error::StoreError;
use crate::grants;
use crate::ledger::entry::{Checkpoint, End, Entry, Step};
use crate::ledger::rows::Written;
use crate::sql::Connection;

/// Writes all entries or, with an error, none of them once the caller rolls back.
///
/// # Errors
/// [`StoreError::Constraint`] when one of them ended before or its lease was taken away.
pub(crate) async fn write(
    connection: &mut Connection,
    entries: &[Entry],
) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let ended: FastSet<&str> =
        entries.iter().filter(|entry| entry.end().is_some()).map(name).collect();
    let open: Vec<&Entry> = entries.iter().filter(|entry| !ended.contains(name(entry))).collect();
    write_open(connection, &open).await?;
    let ends: Vec<(&Entry, &End)> =
        entries.iter().filter_map(|entry| Some((entry, entry.end()?))).collect();
    write_ends(connection, &ends).await?;
    write_transfers(connection, &ends).await?;
    let rows: Vec<&Written> = ends.iter().filter_map(|(_, end)| end.row.as_ref()).collect();
    write_rows(connection, &rows).await?;
    let traces: Vec<_> = entries.iter().filter_map(trace).collect();
    Columns::of(&traces)
        .text("generation", |one| one.0)
        .text("account_id", |one| one.1)
        .text("trace", |one| one.2)
        .insert(connection, "traces", "")
        .await?;
    add(connection, &Sums::of(entries)).await
}

fn name(entry: &Entry) -> &str {
    entry.reservation.generation.as_str()
}

/// An amount of rows that must have been changed.
fn all(changed: u64, expected: usize, why: &str) -> Result<(), StoreError> {
    if u64::try_from(expected).is_ok_and(|expected| expected == changed) {
        return Ok(());
    }
    Err(StoreError::Constraint(why.to_owned()))
}

/// Openings, and what open reservations have come to; of each the last counts.
async fn write_open(connection: &mut Connection, open: &[&Entry]) -> Result<(), StoreError> {
    let mut once: FastMap<&str, &Entry> = FastMap::default();
    let mut reached: FastMap<&str, (&str, &Checkpoint)> = FastMap::default();
    for entry in open {
        once.insert(name(entry), entry);
        if let Step::Checkpoint(checkpoint) = &entry.step {
            reached.insert(name(entry), (name(entry), checkpoint));
        }
    }
    let once: Vec<&Entry> = once.into_values().collect();
    held(&once, |entry| *entry)
        .optional("spender", |entry| serde_json::to_string(&*entry.reservation.spender).ok())
        .insert(connection, "reservations", "ON CONFLICT (generation) DO NOTHING")
        .await?;
    let reached: Vec<(&str, &Checkpoint)> = reached.into_values().collect();
    Columns::of(&reached)
        .text("generation", |one| one.0)
        .number("charged", |one| one.1.charge.credits.nanos())
        .number("byok", |one| one.1.charge.byok.nanos())
        .text("record", |one| &one.1.record)
        .number("at", |one| one.1.at.micros())
        .insert(
            connection,
            "checkpoints",
            "WHERE NOT EXISTS (SELECT 1 FROM reservations \
             WHERE generation = given.generation AND ended_at IS NOT NULL) \
             ON CONFLICT (generation) DO UPDATE SET charged = excluded.charged, \
             byok = excluded.byok, record = excluded.record, at = excluded.at",
        )
        .await?;
    Ok(())
}

/// The columns of reservations.
fn held<'a, T>(items: &'a [T], entry: impl Fn(&'a T) -> &'a Entry + Copy) -> Columns<'a, T> {
    let of = |item| &entry(item).reservation;
    Columns::of(items)
        .text("generation", |item| of(item).generation.as_str())
        .text("account_id", |item| of(item).account.as_str())
        .text("key_hash", |item| of(item).key.as_str())
        .number("amount", |item| of(item).amount.nanos())
        .number("byok", |item| of(item).byok.nanos())
        .number("opened_at", |item| of(item).opened_at.micros())
        .text("holder", |item| &entry(item).holder)
        .optional("scopes", move |item| entry(item).budgets())
}

/// Each reservation ends once, whether its opening was written or not.
async fn write_ends(
    connection: &mut Connection,
    ends: &[(&Entry, &End)],
) -> Result<(), StoreError> {
    let outcomes: Vec<(&Entry, &End, &str)> =
        ends.iter().filter_map(|(entry, end)| Some((*entry, *end, end.outcome.name()?))).collect();
    let ended = held(&outcomes, |one| one.0)
        .number("ended_at", |one| one.1.at.micros())
        .text("outcome", |one| one.2)
        .insert(
            connection,
            "reservations",
            "ON CONFLICT (generation) DO UPDATE SET ended_at = excluded.ended_at, \
             outcome = excluded.outcome, spender = NULL WHERE reservations.ended_at IS NULL",
        )
        .await?;
    all(ended, outcomes.len(), "a reservation has ended before")?;
    let checkpointed: Vec<&str> =
        ends.iter().filter(|(_, end)| end.checkpointed).map(|(entry, _)| name(entry)).collect();
    Columns::of(&checkpointed)
        .text("generation", |one| one)
        .run(
            connection,
            "DELETE FROM checkpoints USING given WHERE checkpoints.generation = given.generation",
        )
        .await?;
    Ok(())
}

/// Charges and waste, behind the last transfer.
async fn write_transfers(
    connection: &mut Connection,
    ends: &[(&Entry, &End)],
) -> Result<(), StoreError> {
    let mut head = grants::head(connection).await?;
    let links = ends.iter().map(|(entry, end)| Links::append(&mut head, entry, end));
    let links: Vec<Link> =
        links.flat_map(|links| links.charge.into_iter().chain(links.waste)).collect();
    Columns::of(&links)
        .number("seq", |link| link.seq)
        .text("id", |link| &link.posting.id)
        .text("kind", |link| link.posting.kind)
        .text("debit", |link| &link.posting.debit)
        .text("credit", |link| &link.posting.credit)
        .number("amount", |link| link.posting.amount.nanos())
        .optional("generation", |link| link.posting.generation.as_ref().map(ToString::to_string))
        .text("reason", |link| &link.posting.reason)
        .number("at", |link| link.posting.at.micros())
        .text("prev_hash", |link| &link.previous)
        .text("hash", |link| &link.hash)
        .insert(connection, "transfers", "")
        .await?;
    Ok(())
}

/// A count as the database holds it.
fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

async fn write_rows(connection: &mut Connection, rows: &[&Written]) -> Result<(), StoreError> {
    let columns = Columns::of(rows)
        .text("id", |one| one.row.id.as_str())
        .text("request_id", |one| one.row.request_id.as_str())
        .text("account_id", |one| one.row.account.as_str())
        .text("key_hash", |one| one.row.key.as_str())
        .text("requested_model", |one| &one.row.requested_model)
        .text("model", |one| &one.row.model)
        .optional("provider", |one| one.row.provider.clone())
        .optional("provider_name", |one| one.row.provider_name.clone())
        .optional("endpoint_id", |one| one.row.endpoint_id.clone())
        .optional("upstream_id", |one| one.row.upstream_id.clone())
        .text("api_type", |one| &one.row.api_type)
        .optional("router", |one| one.row.router.clone())
        .number("streamed", |one| i64::from(one.row.streamed))
        .number("cancelled", |one| i64::from(one.row.cancelled))
        .optional("finish_reason", |one| one.row.finish_reason.clone())
        .optional("native_finish_reason", |one| one.row.native_finish_reason.clone())
        .optional("error_type", |one| one.row.error_type.clone())
        .number("created_at", |one| one.row.created_at.micros())
        .counts("latency_ms", |one| one.row.latency_ms.map(count))
        .counts("generation_ms", |one| one.row.generation_ms.map(count));
    write_costs(columns)
        .optional("session_id", |one| one.row.session_id.clone())
        .optional("external_user", |one| one.row.external_user.clone())
        .optional("http_referer", |one| one.row.http_referer.clone())
        .optional("origin", |one| one.row.origin.clone())
        .optional("user_agent", |one| one.row.user_agent.clone())
        .optional("app_title", |one| one.row.app_title.clone())
        .counts("num_media_prompt", |one| one.row.num_media_prompt.map(count))
        .text("provider_responses", |one| &one.row.provider_responses)
        .optional("routing", |one| one.row.routing.clone())
        .optional("response_cache_source_id", |one| {
            one.row.response_cache_source_id.as_ref().map(ToString::to_string)
        })
        .optional("preset_id", |one| one.row.preset_id.clone())
        .insert(connection, "generations", "")
        .await?;
    Ok(())
}

/// The columns of usage and money.
fn write_costs<'a>(columns: Columns<'a, &'a Written>) -> Columns<'a, &'a Written> {
    columns
        .text("usage", |one| &one.usage)
        .number("tokens_prompt", |one| count(one.row.tokens_prompt))
        .number("tokens_completion", |one| count(one.row.tokens_completion))
        .number("cost", |one| one.row.cost.nanos())
        .counts("upstream_cost", |one| one.row.upstream_cost.map(Usd::nanos))
        .optional("prices", |one| one.prices.clone())
        .optional("service_tier", |one| one.row.service_tier.clone())
        .counts("byok", |one| one.row.byok.map(Usd::nanos))
        .counts("fee_bps", |one| one.row.fee_bps.map(i64::from))
        .number("recovered", |one| i64::from(one.row.recovered))
        .counts("byok_free", |one| one.row.byok_free.map(Usd::nanos))
}

/// Adds the sums of the batch to the projections and takes them from the leases.
async fn add(connection: &mut Connection, sums: &Sums) -> Result<(), StoreError> {
    let changed = Columns::of(&sums.balances)
        .text("account", |one| &one.0)
        .number("charged", |one| one.1)
        .run(
            connection,
            "UPDATE balances SET charged = balances.charged + given.charged FROM given \
             WHERE balances.account_id = given.account",
        )
        .await?;
    all(changed, sums.balances.len(), "no such account")?;
    let changed = Columns::of(&sums.leases)
        .text("purse", |one| &one.0)
        .number("window_start", |one| one.1)
        .text("holder", |one| &one.2)
        .number("counted", |one| one.3)
        .run(
            connection,
            "UPDATE leases SET amount = leases.amount - given.counted FROM given \
             WHERE leases.purse = given.purse AND leases.window_start = given.window_start \
             AND leases.holder = given.holder",
        )
        .await?;
    all(changed, sums.leases.len(), "a lease of this process was taken away")?;
    Columns::of(&sums.usage)
        .text("scope", |one| &one.0)
        .number("day", |one| one.1)
        .number("charged", |one| one.2)
        .number("byok", |one| one.3)
        .number("requests", |one| one.4)
        .insert(
            connection,
            "usage",
            "ON CONFLICT (scope, day) DO UPDATE SET charged = usage.charged + excluded.charged, \
             byok = usage.byok + excluded.byok, requests = usage.requests + excluded.requests",
        )
        .await?;
    Ok(())
}
