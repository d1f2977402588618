//! Money on a whole server: who pays what, whatever happens on the way (reliability design, tests 3, 4,
//! 9, 11, 12, 23, 28, 29, 30 and 31).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs
)]

#[allow(dead_code, reason = "shared with the other test binaries, which use all of it")]
#[path = "it/speech.rs"]
mod speech;

#[path = "money/tongue.rs"]
mod tongue;

#[path = "money/disconnect_matrix.rs"]
mod disconnect_matrix;

#[path = "money/budgets.rs"]
mod budgets;

#[path = "money/drains.rs"]
mod drains;

#[path = "money/leak_paths.rs"]
mod leak_paths;

#[path = "money/settle_before_done.rs"]
mod settle_before_done;

#[path = "money/hostile_numbers.rs"]
mod hostile_numbers;

#[path = "money/free_models.rs"]
mod free_models;

#[path = "money/attempts.rs"]
mod attempts;

#[path = "money/terms.rs"]
mod terms;

#[path = "money/projection.rs"]
mod projection;

#[allow(dead_code, reason = "shared with the tests of purchases, which use all of it")]
#[path = "../../platform/tests/purchases/http.rs"]
mod http;
#[path = "money/own_keys.rs"]
mod own_keys;

#[allow(dead_code, reason = "shared with the tests of purchases, which use all of it")]
#[path = "../../platform/tests/purchases/peer.rs"]
mod peer;

#[path = "money/once.rs"]
mod once;

#[path = "money/once_answers.rs"]
mod once_answers;

#[path = "money/vouchers.rs"]
mod vouchers;

#[path = "money/windows.rs"]
mod windows;
