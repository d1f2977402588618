//! The plain rows that an audit reads. Money is whole nano-dollars, time is microseconds since the
//! epoch, ids are texts: nothing that the ledger computed is trusted through a type.

use signalbox_core::{PriceTable, Usage};

/// The sums that storage keeps for an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountRow {
    /// The account's id, without the `acct:` of transfers.
    pub id: String,
    /// Stored sum of what came in.
    pub credited: i64,
    /// Stored sum of what generations cost.
    pub charged: i64,
    /// Stored sum of what went out otherwise.
    pub withdrawn: i64,
    /// What it may owe now.
    pub line: i64,
    /// The most that it ever might owe.
    pub most_line: i64,
    /// Stored sum of what it purchased.
    pub purchased: i64,
}

/// Whose an API key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The key's public id.
    pub key: String,
    /// The account it belongs to.
    pub account: String,
    /// The workspace that its spending counts for; `None` is the account's default one.
    pub workspace: Option<String>,
    /// The key that its spending is counted with; `None` is itself.
    pub lineage: Option<String>,
}

/// A purchase, from its offer on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// Its id.
    pub id: String,
    /// Who bought.
    pub account: String,
    /// `stripe`, `crypto` or `manual`.
    pub rail: String,
    /// The credit that was bought, without fee and tax.
    pub amount: i64,
    /// How much of it went back.
    pub refunded: i64,
    /// Whether it was ever paid.
    pub paid: bool,
}

/// A voucher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoucherRow {
    /// The hash of its code.
    pub code_hash: String,
    /// What each redemption is worth.
    pub amount: i64,
    /// How often it may be redeemed.
    pub uses: i64,
    /// Stored count of its redemptions.
    pub redeemed: i64,
    /// Who redeemed it.
    pub accounts: Vec<String>,
}

/// An invoice of an account in arrears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceRow {
    /// Its id.
    pub id: String,
    /// Who owed.
    pub account: String,
    /// How much.
    pub amount: i64,
    /// Whether it was paid.
    pub paid: bool,
}

/// One movement of money from `debit` to `credit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferRow {
    /// Its place in the history.
    pub seq: i64,
    /// Its identity.
    pub id: String,
    /// Why money moved, such as `charge`.
    pub kind: String,
    /// Whose balance falls: `acct:<id>`, or a name of the operator such as `system:grants`.
    pub debit: String,
    /// Whose balance rises.
    pub credit: String,
    /// How much. Above zero.
    pub amount: i64,
    /// The generation that it is for.
    pub generation: Option<String>,
    /// Why, in somebody's words.
    pub reason: String,
    /// When it was posted.
    pub at: i64,
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
    pub amount: i64,
    /// When it was opened.
    pub opened_at: i64,
    /// When it ended; `None` while it is open.
    pub ended_at: Option<i64>,
    /// How it ended: `settled`, `released` or `recovered` (given back at a restart).
    pub outcome: Option<String>,
    /// What it counted for besides its key, account and workspace; `None` where nobody noted it.
    pub scopes: Option<Vec<String>>,
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
    pub created_at: i64,
    /// The normalised finish reason, when there is one.
    pub finish_reason: Option<String>,
    /// What was consumed.
    pub usage: Usage,
    /// The price row that applied; `None` when no provider was reached.
    pub prices: Option<PriceTable>,
    /// The cost that was shown and charged.
    pub cost: i64,
    /// The list price of what the caller's own provider key paid for; `None` without one.
    pub byok: Option<i64>,
    /// The fee on that list price in basis points.
    pub fee_bps: Option<u32>,
    /// The part of it that was free of the fee; `None` where no allowance was drawn on.
    pub byok_free: Option<i64>,
}

/// What storage says that a scope has spent on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// `key:<hash>`, `account:<id>`, `workspace:<id>`, or that of a budget.
    pub scope: String,
    /// The day, counted from 1970-01-01 UTC, on which the reservations were opened.
    pub day: i64,
    /// What was charged.
    pub charged: i64,
    /// The list price of what own provider keys paid for.
    pub byok: i64,
    /// Requests that were answered, or tried.
    pub requests: i64,
}

/// Everything that an audit reads, as one consistent view of storage. Transfers come in the order of
/// their `seq`; the rest in any order.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is all rows of its type")]
pub struct Rows {
    pub accounts: Vec<AccountRow>,
    pub keys: Vec<KeyRow>,
    pub payments: Vec<PaymentRow>,
    pub vouchers: Vec<VoucherRow>,
    pub invoices: Vec<InvoiceRow>,
    pub transfers: Vec<TransferRow>,
    pub reservations: Vec<ReservationRow>,
    pub generations: Vec<GenerationRow>,
    pub usage: Vec<UsageRow>,
}
