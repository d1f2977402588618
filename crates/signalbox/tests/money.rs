//! Money through whole processes: real gateways that are killed, clients that note what they saw, a
//! provider that notes what it did, and the auditor.
//!
//! A test that draws prints its seed when it fails; `SIGNALBOX_SEED` runs it again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

#[path = "money/books.rs"]
mod books;
#[path = "money/caller.rs"]
mod caller;
#[path = "money/lock.rs"]
mod lock;
#[path = "money/node.rs"]
mod node;
#[path = "money/offer.rs"]
mod offer;
#[path = "money/seen.rs"]
mod seen;
#[path = "money/site.rs"]
mod site;
#[path = "money/watch.rs"]
mod watch;

#[path = "money/crash_loop.rs"]
mod crash_loop;
#[path = "money/expiry.rs"]
mod expiry;
#[path = "money/once.rs"]
mod once;
#[path = "money/overdraft_storm.rs"]
mod overdraft_storm;
#[path = "money/secrets.rs"]
mod secrets;
#[path = "money/settle_before_done.rs"]
mod settle_before_done;
#[path = "money/warm_path.rs"]
mod warm_path;
