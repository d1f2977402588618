//! Purchases against peers on this machine: a card processor that remembers idempotency keys, and a
//! node of a chain that answers what was recorded.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "purchases/checkout.rs"]
mod checkout;

#[path = "purchases/crypto.rs"]
mod crypto;

#[path = "purchases/http.rs"]
mod http;

#[path = "purchases/node.rs"]
mod node;

#[path = "purchases/peer.rs"]
mod peer;

#[path = "purchases/refund.rs"]
mod refund;

#[path = "purchases/reversal.rs"]
mod reversal;

#[path = "purchases/secrets.rs"]
mod secrets;

#[path = "purchases/tax.rs"]
mod tax;

#[path = "purchases/top_up.rs"]
mod top_up;

#[path = "purchases/webhook.rs"]
mod webhook;

#[path = "purchases/world.rs"]
mod world;
