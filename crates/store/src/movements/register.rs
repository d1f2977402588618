//! The register of transfers: one row for each kind, from which names, sides and words are taken and
//! tests are generated.
//!
//! **Invariant:** a kind without a row does not compile, and one that the auditor, the database or the
//! documentation does not know fails `money::kinds`.

use super::kind::{House, Kind};

/// Who stands on a side of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// Any account.
    Account,
    /// One account of the operator.
    House(House),
}

/// What is fixed for all transfers of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindRow {
    /// The name in storage.
    pub name: &'static str,
    /// Between whom it goes: from the first to the second.
    pub between: &'static [(Party, Party)],
    /// How its ids begin.
    pub id: &'static str,
    /// What a statement says of it where nobody gave a reason.
    pub words: &'static str,
    /// Whether it belongs to a generation, and is posted by the ledger.
    pub of_generation: bool,
}

const ACCOUNT: Party = Party::Account;

const fn movement(
    name: &'static str,
    id: &'static str,
    between: &'static [(Party, Party)],
    words: &'static str,
) -> KindRow {
    KindRow { name, between, id, words, of_generation: false }
}

const fn generated(
    name: &'static str,
    id: &'static str,
    between: &'static [(Party, Party)],
    words: &'static str,
) -> KindRow {
    KindRow { name, between, id, words, of_generation: true }
}

impl Kind {
    /// Every one of them.
    pub const ALL: [Self; 13] = [
        Self::Grant,
        Self::Promo,
        Self::Purchase,
        Self::Voucher,
        Self::Settlement,
        Self::Charge,
        Self::ByokFee,
        Self::Refund,
        Self::Chargeback,
        Self::Transfer,
        Self::Adjustment,
        Self::Expiry,
        Self::Waste,
    ];

    /// The row of the register.
    #[must_use]
    pub const fn row(self) -> KindRow {
        use House as H;
        use Party::House as At;
        match self {
            Self::Grant => {
                let sides = &[(At(H::Grants), ACCOUNT)];
                movement("grant", "grant:", sides, "credit from the operator")
            }
            Self::Promo => {
                let sides = &[(At(H::Promotions), ACCOUNT)];
                movement("promo", "promo:", sides, "promotional credit")
            }
            Self::Purchase => {
                let sides = &[(At(H::Stripe), ACCOUNT), (At(H::Crypto), ACCOUNT)];
                movement("purchase", "purchase:", sides, "credit purchased")
            }
            Self::Voucher => {
                let sides = &[(At(H::Vouchers), ACCOUNT)];
                movement("voucher", "voucher:", sides, "voucher redeemed")
            }
            Self::Settlement => {
                let sides = &[(At(H::Invoices), ACCOUNT)];
                movement("settlement", "settlement:", sides, "invoice paid")
            }
            Self::Charge => {
                let sides = &[(ACCOUNT, At(H::Revenue))];
                generated("charge", "charge:", sides, "requests")
            }
            Self::ByokFee => {
                let sides = &[(ACCOUNT, At(H::ByokFees))];
                generated("byok_fee", "charge:", sides, "fee on own provider keys")
            }
            Self::Refund => {
                let sides = &[(ACCOUNT, At(H::Stripe))];
                movement("refund", "refund:", sides, "purchase refunded")
            }
            Self::Chargeback => {
                let sides = &[(ACCOUNT, At(H::Stripe)), (At(H::Receivable), At(H::Stripe))];
                movement("chargeback", "chargeback:", sides, "payment taken back by the bank")
            }
            Self::Transfer => {
                let sides = &[(ACCOUNT, ACCOUNT)];
                movement("transfer", "transfer:", sides, "credit between accounts")
            }
            Self::Adjustment => {
                let sides = &[(At(H::Adjustments), ACCOUNT), (ACCOUNT, At(H::Adjustments))];
                movement("adjustment", "adjustment:", sides, "correction by the operator")
            }
            Self::Expiry => {
                let sides = &[(ACCOUNT, At(H::Expired))];
                movement("expiry", "expiry:", sides, "credit expired")
            }
            Self::Waste => {
                let sides = &[(At(H::Waste), At(H::Providers))];
                generated("waste", "waste:", sides, "attempts that nobody got an answer of")
            }
        }
    }

    /// The name in storage.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
