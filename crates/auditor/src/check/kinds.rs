//! I1 and I12: which kinds of transfers there are, between whom each goes, and how its id says what it
//! is for.

use super::ACCOUNT;
use super::accounts::Accounts;
use crate::report::Report;
use crate::row::TransferRow;

/// Why money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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

/// The operator's names.
pub(super) const HOUSE: &[&str] = &[
    "system:grants",
    "system:promotions",
    "system:stripe",
    "system:crypto",
    "system:invoices",
    "system:vouchers",
    "system:adjustments",
    "system:expired",
    "system:receivable",
    "system:revenue",
    "system:byok_fees",
    "system:waste",
    "system:providers",
];

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "grant" => Self::Grant,
            "promo" => Self::Promo,
            "purchase" => Self::Purchase,
            "voucher" => Self::Voucher,
            "settlement" => Self::Settlement,
            "charge" => Self::Charge,
            "byok_fee" => Self::ByokFee,
            "refund" => Self::Refund,
            "chargeback" => Self::Chargeback,
            "transfer" => Self::Transfer,
            "adjustment" => Self::Adjustment,
            "expiry" => Self::Expiry,
            "waste" => Self::Waste,
            _ => return None,
        })
    }

    /// The kind of a transfer; `None` for one of no kind, or that goes between the wrong sides.
    pub(super) fn of(
        transfer: &TransferRow,
        accounts: &Accounts,
        report: &mut Report,
    ) -> Option<Self> {
        let TransferRow { kind: name, debit, credit, id, amount, .. } = transfer;
        if *amount <= 0 {
            report.breach("I1", id, format!("it moves {amount}"));
        }
        let kind = Self::named(name).filter(|kind| kind.fits(transfer, accounts));
        match kind {
            None => report.breach("I1", id, format!("a {name} from {debit} to {credit}")),
            Some(kind) if !kind.is_named_well(transfer) => {
                report.breach(
                    "I12",
                    id,
                    format!("not the id of a {name} from {debit} to {credit}"),
                );
            }
            Some(_) => {}
        }
        kind
    }

    /// Whether it goes between the sides of its kind, for a generation or not.
    fn fits(self, transfer: &TransferRow, accounts: &Accounts) -> bool {
        let account = |name: &str| name.strip_prefix(ACCOUNT).is_some_and(|id| accounts.knows(id));
        let (from, to) = (transfer.debit.as_str(), transfer.credit.as_str());
        let generated = matches!(self, Self::Charge | Self::ByokFee | Self::Waste);
        let sides = match self {
            Self::Grant => from == "system:grants" && account(to),
            Self::Promo => from == "system:promotions" && account(to),
            Self::Purchase => matches!(from, "system:stripe" | "system:crypto") && account(to),
            Self::Voucher => from == "system:vouchers" && account(to),
            Self::Settlement => from == "system:invoices" && account(to),
            Self::Charge => account(from) && to == "system:revenue",
            Self::ByokFee => account(from) && to == "system:byok_fees",
            Self::Refund => account(from) && to == "system:stripe",
            Self::Chargeback => {
                (account(from) || from == "system:receivable") && to == "system:stripe"
            }
            Self::Transfer => account(from) && account(to) && from != to,
            Self::Adjustment => {
                (account(from) && to == "system:adjustments")
                    || (from == "system:adjustments" && account(to))
            }
            Self::Expiry => account(from) && to == "system:expired",
            Self::Waste => from == "system:waste" && to == "system:providers",
        };
        sides && generated == transfer.generation.is_some()
    }

    /// Whether the id carries what it is for, so that the same effect can't have two ids.
    fn is_named_well(self, transfer: &TransferRow) -> bool {
        let id = transfer.id.as_str();
        let generation = transfer.generation.as_deref().unwrap_or_default();
        let after = |prefix: &str| id.strip_prefix(prefix).filter(|rest| !rest.is_empty());
        let to = transfer.credit.strip_prefix(ACCOUNT).unwrap_or_default();
        match self {
            Self::Grant => after("grant:").is_some(),
            Self::Promo => after("promo:") == Some(to),
            Self::Purchase => after("purchase:").is_some(),
            Self::Voucher => {
                let parts = after("voucher:").and_then(|rest| rest.split_once(':'));
                parts.is_some_and(|(_, account)| account == to)
            }
            Self::Settlement => after("settlement:").is_some(),
            Self::Charge | Self::ByokFee => after("charge:") == Some(generation),
            Self::Refund => payment_of_refund(id).is_some(),
            Self::Chargeback => {
                let event = after("chargeback:");
                let owed = event.is_some_and(|event| event.ends_with(":receivable"));
                event.is_some() && owed == (transfer.debit == "system:receivable")
            }
            Self::Transfer => after("transfer:").is_some(),
            Self::Adjustment => after("adjustment:").is_some(),
            Self::Expiry => after("expiry:").is_some(),
            Self::Waste => {
                let rest = after("waste:").and_then(|rest| rest.strip_prefix(generation));
                rest.and_then(|rest| rest.strip_prefix(':')).is_some_and(|n| !n.is_empty())
            }
        }
    }
}

/// The payment in the id of its refund, `refund:<payment>:<n>`.
pub(super) fn payment_of_refund(id: &str) -> Option<&str> {
    let (payment, nth) = id.strip_prefix("refund:")?.rsplit_once(':')?;
    (!payment.is_empty() && nth.parse::<u32>().is_ok()).then_some(payment)
}
