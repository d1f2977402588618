//! The book's rules as small stories, and the book against a model that remembers everything.

mod model;
mod story;

use std::sync::Arc;

use signalbox_core::id::{AccountId, GenerationId, KeyHash};
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_ledger::{Counts, Draw, Leased, Reserve, Spender};

/// 2026-08-31 23:59:59 UTC, a Monday.
const LAST_SECOND: Timestamp = Timestamp::from_seconds(1_788_220_799);

fn account() -> AccountId {
    AccountId::new("acc_1")
}

fn key() -> KeyHash {
    KeyHash::new("key_1")
}

fn generation(n: u32) -> GenerationId {
    GenerationId::new(format!("gen-{n}"))
}

fn nanos(amount: i64) -> Usd {
    Usd::from_nanos(amount)
}

fn leased(added: i64) -> Leased {
    Leased { added: nanos(added), ..Leased::default() }
}

/// The limit of the key, set at the beginning of time.
fn limit(limit: i64, interval: Option<ResetInterval>, counts: Counts) -> Draw {
    Draw::limit("key:key_1", interval, nanos(limit), counts, Timestamp::default())
}

/// The key, with these limits checked before its credit.
fn spender(limits: &[Draw]) -> Arc<Spender> {
    let plain = Spender::new(&account(), &key(), "default:acc_1");
    Arc::new(limits.iter().rev().cloned().fold(plain, |one, draw| one.limited(draw, true)))
}

fn hold(n: u32, amount: i64, spender: &Arc<Spender>, now: Timestamp) -> Reserve {
    Reserve {
        generation: generation(n),
        account: account(),
        key: key(),
        amount: nanos(amount),
        byok: nanos(0),
        together: None,
        free: None,
        spender: spender.clone(),
        now,
    }
}
