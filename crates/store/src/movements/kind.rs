//! The kinds of movements, and between whom each of them goes.

use signalbox_core::id::AccountId;
use signalbox_core::{Timestamp, Usd};

/// An account of the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the name after `system:`")]
pub enum House {
    Grants,
    Promotions,
    Stripe,
    Crypto,
    Invoices,
    Vouchers,
    Adjustments,
    Expired,
    Receivable,
    Revenue,
    ByokFees,
    Waste,
    Providers,
}

impl House {
    /// The name in transfers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grants => "system:grants",
            Self::Promotions => "system:promotions",
            Self::Stripe => "system:stripe",
            Self::Crypto => "system:crypto",
            Self::Invoices => "system:invoices",
            Self::Vouchers => "system:vouchers",
            Self::Adjustments => "system:adjustments",
            Self::Expired => "system:expired",
            Self::Receivable => "system:receivable",
            Self::Revenue => "system:revenue",
            Self::ByokFees => "system:byok_fees",
            Self::Waste => "system:waste",
            Self::Providers => "system:providers",
        }
    }
}

/// Whose money falls or rises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Side {
    Account(AccountId),
    House(House),
}

impl Side {
    pub fn name(&self) -> String {
        match self {
            Self::Account(id) => format!("acct:{id}"),
            Self::House(house) => house.name().to_owned(),
        }
    }

    pub const fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Account(id) => Some(id),
            Self::House(_) => None,
        }
    }
}

/// Why money moves. What generations cost (`Charge`, `ByokFee`, `Waste`) is posted by the ledger, the
/// rest by [`Movement`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is its name in storage")]
pub enum Kind {
    Grant,
    Promo,
    Purchase,
    Voucher,
    Settlement,
    Charge,
    ByokFee,
    Refund,
    Chargeback,
    Transfer,
    Adjustment,
    Expiry,
    Waste,
}

/// One movement of money that is not the cost of a generation. Each constructor is a row of the table
/// of kinds: it decides the sides and the id, by which the movement happens once, for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) from: Side,
    pub(crate) to: Side,
    pub(crate) amount: Usd,
    pub(crate) reason: String,
    pub(crate) operator: Option<String>,
    pub(crate) at: Timestamp,
}

impl Movement {
    fn new(id: String, kind: Kind, from: Side, to: Side, amount: Usd, at: Timestamp) -> Self {
        Self { id, kind, from, to, amount, reason: String::new(), operator: None, at }
    }

    fn into(
        id: String,
        kind: Kind,
        from: House,
        to: &AccountId,
        amount: Usd,
        at: Timestamp,
    ) -> Self {
        Self::new(id, kind, Side::House(from), Side::Account(to.clone()), amount, at)
    }

    fn out_of(
        id: String,
        kind: Kind,
        from: &AccountId,
        to: House,
        amount: Usd,
        at: Timestamp,
    ) -> Self {
        Self::new(id, kind, Side::Account(from.clone()), Side::House(to), amount, at)
    }

    /// Credit from the operator.
    #[must_use]
    pub fn grant(id: &str, to: &AccountId, amount: Usd, at: Timestamp) -> Self {
        Self::into(format!("grant:{id}"), Kind::Grant, House::Grants, to, amount, at)
    }

    /// What every new account gets, once.
    #[must_use]
    pub fn promo(to: &AccountId, amount: Usd, at: Timestamp) -> Self {
        Self::into(format!("promo:{to}"), Kind::Promo, House::Promotions, to, amount, at)
    }

    /// A payment that arrived. `rail` is who collected it; it counts as purchased.
    #[must_use]
    pub fn purchase(
        payment: &str,
        rail: House,
        to: &AccountId,
        amount: Usd,
        at: Timestamp,
    ) -> Self {
        Self::into(format!("purchase:{payment}"), Kind::Purchase, rail, to, amount, at)
    }

    /// A voucher, once for each account.
    #[must_use]
    pub fn voucher(code_hash: &str, to: &AccountId, amount: Usd, at: Timestamp) -> Self {
        let id = format!("voucher:{code_hash}:{to}");
        Self::into(id, Kind::Voucher, House::Vouchers, to, amount, at)
    }

    /// An invoice that was paid.
    #[must_use]
    pub fn settlement(invoice: &str, to: &AccountId, amount: Usd, at: Timestamp) -> Self {
        let id = format!("settlement:{invoice}");
        Self::into(id, Kind::Settlement, House::Invoices, to, amount, at)
    }

    /// Part of a payment goes back to where it came from. `nth` tells the refunds of one payment apart.
    #[must_use]
    pub fn refund(payment: &str, nth: u32, from: &AccountId, amount: Usd, at: Timestamp) -> Self {
        let id = format!("refund:{payment}:{nth}");
        Self::out_of(id, Kind::Refund, from, House::Stripe, amount, at)
    }

    /// Credit for another account.
    #[must_use]
    pub fn transfer(
        id: &str,
        from: &AccountId,
        to: &AccountId,
        amount: Usd,
        at: Timestamp,
    ) -> Self {
        let (from, to) = (Side::Account(from.clone()), Side::Account(to.clone()));
        Self::new(format!("transfer:{id}"), Kind::Transfer, from, to, amount, at)
    }

    /// A correction by the operator: money in above zero, out below. An amount of nothing is refused
    /// when it is posted.
    #[must_use]
    pub fn adjustment(id: &str, account: &AccountId, change: Usd, at: Timestamp) -> Self {
        let id = format!("adjustment:{id}");
        if change.is_negative() {
            let amount = Usd::ZERO.checked_sub(change).unwrap_or(Usd::ZERO);
            return Self::out_of(id, Kind::Adjustment, account, House::Adjustments, amount, at);
        }
        Self::into(id, Kind::Adjustment, House::Adjustments, account, change, at)
    }

    /// What was left of a credit that became too old. `lot` is the transfer that brought it.
    #[must_use]
    pub fn expiry(lot: &str, from: &AccountId, amount: Usd, at: Timestamp) -> Self {
        Self::out_of(format!("expiry:{lot}"), Kind::Expiry, from, House::Expired, amount, at)
    }

    /// What an account has of a payment that its bank took back.
    pub(crate) fn chargeback(event: &str, from: &AccountId, amount: Usd, at: Timestamp) -> Self {
        let id = format!("chargeback:{event}");
        Self::out_of(id, Kind::Chargeback, from, House::Stripe, amount, at)
    }

    /// What it no longer has of it, and owes.
    pub(crate) fn receivable(event: &str, amount: Usd, at: Timestamp) -> Self {
        let (from, to) = (Side::House(House::Receivable), Side::House(House::Stripe));
        let id = format!("chargeback:{event}:receivable");
        Self::new(id, Kind::Chargeback, from, to, amount, at)
    }

    /// Why, in the operator's words.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = storable(reason.into());
        self
    }

    /// Who did it.
    #[must_use]
    pub fn by(mut self, operator: impl Into<String>) -> Self {
        self.operator = Some(storable(operator.into()));
        self
    }

    /// Its identity: the id of the transfer.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How much it moves.
    #[must_use]
    pub const fn amount(&self) -> Usd {
        self.amount
    }
}

/// A text that both databases keep as it is: its hash must not depend on which.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}
