//! Charges as chained transfers, and the projections that follow from them.

use std::collections::BTreeMap;

use signalbox_core::Usd;
use sqlx::SqliteConnection;

use super::statement::{Query, Shape, Statements, all};
use super::{End, Entry, Outcome};
use crate::chain::{self, Posting};
use crate::error::StoreError;
use crate::grants;
use crate::keys::day_of;

const POST: Shape = Shape {
    head: "INSERT INTO transfers (seq, id, kind, debit, credit, amount, generation, reason, at, \
           prev_hash, hash) VALUES ",
    columns: 11,
    tail: "",
};

struct Linked {
    seq: i64,
    posting: Posting,
    previous: String,
    hash: String,
}

/// Appends one transfer for each charge. The end of the chain is read inside the transaction, since
/// another process may have appended a grant.
pub(super) async fn post(
    statements: &mut Statements,
    connection: &mut SqliteConnection,
    charges: &[(&Entry, &End)],
) -> Result<(), StoreError> {
    if charges.is_empty() {
        return Ok(());
    }
    let (mut seq, mut previous) = grants::head(connection).await?;
    let mut linked = Vec::with_capacity(charges.len());
    for (entry, end) in charges {
        seq = seq.saturating_add(1);
        let posting = charge(entry, end);
        let hash = chain::link(&previous, &chain::line(seq, &posting));
        let before = std::mem::replace(&mut previous, hash.clone());
        linked.push(Linked { seq, posting, previous: before, hash });
    }
    let bind = |query: Query, one: &Linked| bind_posting(query, one);
    statements.run(connection, &POST, &linked, bind).await?;
    Ok(())
}

fn charge(entry: &Entry, end: &End) -> Posting {
    let held = &entry.reservation;
    Posting {
        id: format!("charge:{}", held.generation),
        kind: "charge",
        debit: format!("acct:{}", held.account),
        credit: chain::REVENUE.to_owned(),
        amount: end.charged,
        generation: Some(held.generation.clone()),
        reason: String::new(),
        operator: None,
        at: end.at,
    }
}

fn bind_posting(query: Query, one: &Linked) -> Query {
    let posting = &one.posting;
    query
        .bind(one.seq)
        .bind(posting.id.clone())
        .bind(posting.kind)
        .bind(posting.debit.clone())
        .bind(posting.credit.clone())
        .bind(posting.amount.nanos())
        .bind(posting.generation.as_ref().map(ToString::to_string))
        .bind(posting.reason.clone())
        .bind(posting.at.micros())
        .bind(one.previous.clone())
        .bind(one.hash.clone())
}

/// What a batch adds to each projection.
#[derive(Default)]
pub(super) struct Sums {
    accounts: BTreeMap<String, i64>,
    leases: BTreeMap<(String, String), i64>,
    keys: BTreeMap<(String, i64), (i64, i64)>,
}

impl Sums {
    /// Adds up the ends of a batch. A settlement counts as a request of its key even when it is free.
    pub fn of(ends: &[(&Entry, &End)]) -> Self {
        let mut sums = Self::default();
        for (entry, end) in ends.iter().filter(|(_, end)| end.outcome == Outcome::Settled) {
            let held = &entry.reservation;
            let charged = end.charged.nanos();
            let used = sums.keys.entry((held.key.to_string(), day_of(end.at))).or_default();
            used.0 = used.0.saturating_add(charged);
            used.1 = used.1.saturating_add(1);
            if end.charged > Usd::ZERO {
                let account = held.account.to_string();
                let lease = (account.clone(), entry.holder.to_string());
                add(sums.accounts.entry(account).or_default(), charged);
                add(sums.leases.entry(lease).or_default(), charged);
            }
        }
        sums
    }
}

fn add(sum: &mut i64, amount: i64) {
    *sum = sum.saturating_add(amount);
}

const BALANCES: Shape = Shape {
    head: "WITH batch (account_id, amount) AS (VALUES ",
    columns: 2,
    tail: ") UPDATE balances SET charged = charged + batch.amount FROM batch \
           WHERE balances.account_id = batch.account_id",
};

const LEASES: Shape = Shape {
    head: "WITH batch (account_id, holder, amount) AS (VALUES ",
    columns: 3,
    tail: ") UPDATE leases SET amount = leases.amount - batch.amount FROM batch \
           WHERE leases.account_id = batch.account_id AND leases.holder = batch.holder",
};

const KEYS: Shape = Shape {
    head: "INSERT INTO key_usage (key_hash, day, charged, requests) VALUES ",
    columns: 4,
    tail: " ON CONFLICT (key_hash, day) DO UPDATE SET charged = key_usage.charged + \
           excluded.charged, requests = key_usage.requests + excluded.requests",
};

/// Brings balances, leases and key usage up to date. The CHECKs of these tables are the last wall
/// against an overdraft.
pub(super) async fn project(
    statements: &mut Statements,
    connection: &mut SqliteConnection,
    sums: &Sums,
) -> Result<(), StoreError> {
    let accounts: Vec<_> = sums.accounts.iter().collect();
    let bind = |query: Query, (account, amount): &(&String, &i64)| {
        query.bind((*account).clone()).bind(**amount)
    };
    let touched = statements.run(connection, &BALANCES, &accounts, bind).await?;
    all(touched, accounts.len(), "no such account")?;
    let leases: Vec<_> = sums.leases.iter().collect();
    let bind = |query: Query, ((account, holder), amount): &(&(String, String), &i64)| {
        query.bind(account.clone()).bind(holder.clone()).bind(**amount)
    };
    let touched = statements.run(connection, &LEASES, &leases, bind).await?;
    all(touched, leases.len(), "the lease of this process was taken away")?;
    let keys: Vec<_> = sums.keys.iter().collect();
    let bind = |query: Query, ((key, day), (charged, requests)): &(&(String, i64), &(i64, i64))| {
        query.bind(key.clone()).bind(*day).bind(*charged).bind(*requests)
    };
    statements.run(connection, &KEYS, &keys, bind).await?;
    Ok(())
}
