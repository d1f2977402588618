//! Entries as JSON.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use signalbox_core::id::{AccountId, GenerationId, KeyHash};
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Charge, Reservation, Spender};

use crate::error::StoreError;
use crate::generations::GenerationRow;
use crate::ledger::entry::{Checkpoint, End, Entry, Outcome, Step};
use crate::ledger::rows::Written;

#[derive(Serialize)]
struct Out<'a> {
    generation: &'a GenerationId,
    account: &'a AccountId,
    key: &'a KeyHash,
    held: [i64; 3],
    spender: &'a Spender,
    holder: &'a str,
    step: OutStep<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum OutStep<'a> {
    Open,
    Checkpoint { at: i64, charge: [i64; 2], record: &'a str },
    End(OutEnd<'a>),
}

#[derive(Serialize)]
struct OutEnd<'a> {
    outcome: Kind,
    at: i64,
    charge: [i64; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<i64>,
    waste: Vec<i64>,
    row: Option<&'a GenerationRow>,
    checkpointed: bool,
}

#[derive(Deserialize)]
struct In {
    generation: GenerationId,
    account: AccountId,
    key: KeyHash,
    held: [i64; 3],
    spender: Spender,
    holder: Arc<str>,
    step: InStep,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum InStep {
    Open,
    Checkpoint { at: i64, charge: [i64; 2], record: String },
    End(InEnd),
}

#[derive(Deserialize)]
struct InEnd {
    outcome: Kind,
    at: i64,
    charge: [i64; 2],
    free: Option<i64>,
    waste: Vec<i64>,
    row: Option<Box<GenerationRow>>,
    checkpointed: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Settled,
    Released,
    Recorded,
}

const fn pair(charge: &Charge) -> [i64; 2] {
    [charge.credits.nanos(), charge.byok.nanos()]
}

const fn charge([credits, byok]: [i64; 2]) -> Charge {
    Charge { credits: Usd::from_nanos(credits), byok: Usd::from_nanos(byok), free: None }
}

fn out(entry: &Entry) -> Out<'_> {
    let held = &entry.reservation;
    let step = match &entry.step {
        Step::Open => OutStep::Open,
        Step::Checkpoint(one) => OutStep::Checkpoint {
            at: one.at.micros(),
            charge: pair(&one.charge),
            record: &one.record,
        },
        Step::End(end) => OutStep::End(OutEnd {
            outcome: match end.outcome {
                Outcome::Settled => Kind::Settled,
                Outcome::Released => Kind::Released,
                Outcome::Recorded => Kind::Recorded,
            },
            at: end.at.micros(),
            charge: pair(&end.charge),
            free: end.charge.free.map(Usd::nanos),
            waste: end.waste.iter().map(|amount| amount.nanos()).collect(),
            row: end.row.as_ref().map(|written| &*written.row),
            checkpointed: end.checkpointed,
        }),
    };
    Out {
        generation: &held.generation,
        account: &held.account,
        key: &held.key,
        held: [held.amount.nanos(), held.byok.nanos(), held.opened_at.micros()],
        spender: &held.spender,
        holder: &entry.holder,
        step,
    }
}

/// What was held of the purses is not carried: only what an end counts is posted.
fn entry(read: In) -> Entry {
    let [amount, byok, opened_at] = read.held;
    let reservation = Reservation {
        generation: read.generation,
        account: read.account,
        key: read.key,
        amount: Usd::from_nanos(amount),
        byok: Usd::from_nanos(byok),
        together: Usd::from_nanos(amount.saturating_add(byok)),
        free: None,
        opened_at: Timestamp::from_micros(opened_at),
        spender: Arc::new(read.spender),
    };
    let step = match read.step {
        InStep::Open => Step::Open,
        InStep::Checkpoint { at, charge: reached, record } => Step::Checkpoint(Checkpoint {
            at: Timestamp::from_micros(at),
            charge: charge(reached),
            record,
        }),
        InStep::End(end) => {
            let free = end.free.map(Usd::from_nanos);
            let came_to = Charge { free, ..charge(end.charge) };
            Step::End(End {
                outcome: match end.outcome {
                    Kind::Settled => Outcome::Settled,
                    Kind::Released => Outcome::Released,
                    Kind::Recorded => Outcome::Recorded,
                },
                at: Timestamp::from_micros(end.at),
                charge: came_to,
                waste: end.waste.into_iter().map(Usd::from_nanos).collect(),
                row: end.row.map(|row| Written::new(row, &reservation, &came_to)),
                checkpointed: end.checkpointed,
                done: None,
            })
        }
    };
    Entry { reservation, holder: read.holder, step }
}

/// The text of some entries.
pub(super) fn write(entries: &[Entry]) -> Result<String, StoreError> {
    let all: Vec<Out<'_>> = entries.iter().map(out).collect();
    serde_json::to_string(&all).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// The entries of a text; nobody waits for them any more.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, StoreError> {
    let all: Vec<In> = serde_json::from_str(text)
        .map_err(|error| StoreError::Damaged(format!("the outbox: {error}")))?;
    Ok(all.into_iter().map(entry).collect())
}
