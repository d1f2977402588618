//! The book's rules as small stories, and the book against a model that remembers everything.

mod model;
mod story;

use signalbox_core::Usd;
use signalbox_core::id::{AccountId, GenerationId, KeyHash};

fn account(n: u8) -> AccountId {
    AccountId::new(format!("acc_{n}"))
}

fn key(n: u8) -> KeyHash {
    KeyHash::new(format!("key_{n}"))
}

fn generation(n: u32) -> GenerationId {
    GenerationId::new(format!("gen-{n}"))
}

fn nanos(amount: i64) -> Usd {
    Usd::from_nanos(amount)
}
