//! The plain rows that an audit reads. Money is whole nano-dollars, time is microseconds since the
//! epoch, ids are texts: nothing that the ledger computed is trusted through a type.

use signalbox_core::{PriceTable, Usage};

/// The balance that storage keeps for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// The account's id, without the `acct:` of transfers.
    pub id: String,
    /// Stored sum of what came in.
    pub credited_nanos: i64,
    /// Stored sum of what was charged; the balance is the difference.
    pub charged_nanos: i64,
}

/// One movement of money from `debit` to `credit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferRow {
    /// Its place in the history.
    pub seq: i64,
    /// Its identity.
    pub id: String,
    /// `grant` or `charge`.
    pub kind: String,
    /// Whose balance falls: `acct:<id>`, `system:grants` or `system:revenue`.
    pub debit: String,
    /// Whose balance rises.
    pub credit: String,
    /// How much. Above zero.
    pub amount_nanos: i64,
    /// The generation that a charge is for.
    pub generation: Option<String>,
    /// Why a grant was made; empty for a charge.
    pub reason: String,
    /// When it was posted.
    pub at_micros: i64,
    /// The hash of the transfer before; see [`crate::chain`].
    pub prev_hash: String,
    /// The hash of this one.
    pub hash: String,
}

/// An amount that was held for a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationRow {
    /// The generation it was for.
    pub generation: String,
    /// Whose balance it was held of.
    pub account: String,
    /// The key's public id.
    pub key: String,
    /// The amount held.
    pub amount_nanos: i64,
    /// When it was opened.
    pub opened_at_micros: i64,
    /// When it ended; `None` while it is open.
    pub ended_at_micros: Option<i64>,
    /// How it ended: `settled`, `released` or `recovered` (given back at a restart).
    pub outcome: Option<String>,
}

/// What one generation was recorded as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationRow {
    /// Its id.
    pub id: String,
    /// Who paid.
    pub account: String,
    /// The key's public id.
    pub key: String,
    /// The moment whose time-of-day prices apply.
    pub priced_at_micros: i64,
    /// The normalised finish reason, when there is one.
    pub finish_reason: Option<String>,
    /// What was consumed.
    pub usage: Usage,
    /// The price row that applied; `None` when no provider was reached.
    pub prices: Option<PriceTable>,
    /// The cost that was shown and charged.
    pub cost_nanos: i64,
}

/// What storage says that a key has spent on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUsageRow {
    /// The key's public id.
    pub key: String,
    /// The day, counted from 1970-01-01 UTC.
    pub day: i64,
    /// Charges that were settled on that day.
    pub charged_nanos: i64,
}

/// Everything that an audit reads, as one consistent view of storage. Transfers come in the order of
/// their `seq`; the rest in any order.
#[derive(Debug, Clone)]
pub struct Rows<A, T, R, G, K> {
    /// Stored balances.
    pub accounts: A,
    /// The history of money.
    pub transfers: T,
    /// Open and ended reservations.
    pub reservations: R,
    /// Generations.
    pub generations: G,
    /// Stored spending by key and day.
    pub key_usage: K,
}
