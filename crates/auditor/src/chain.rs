//! The hash chain over the history of money.
//!
//! The line of a transfer is `seq|id|kind|debit|credit|amount|generation|at|reason`:
//! numbers in plain decimal, an absent text empty, and every `\` and `|` inside a text preceded by a
//! `\`. Its hash is the SHA-256, in lower-case hex, of the hash before, one line feed and the line,
//! all as UTF-8. The hash before the first transfer is [`GENESIS`].
//! See docs/decisions/0001-money-is-integers-and-two-phases.md.

use sha2::{Digest, Sha256};

use crate::row::TransferRow;

/// The hash before the first transfer: 64 zeros.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The text of a transfer that is hashed.
#[must_use]
pub fn canonical_line(transfer: &TransferRow) -> String {
    let mut line = transfer.seq.to_string();
    let mut field = |text: &str| {
        line.push('|');
        for letter in text.chars() {
            if matches!(letter, '|' | '\\') {
                line.push('\\');
            }
            line.push(letter);
        }
    };
    field(&transfer.id);
    field(&transfer.kind);
    field(&transfer.debit);
    field(&transfer.credit);
    field(&transfer.amount.to_string());
    field(transfer.generation.as_deref().unwrap_or(""));
    field(&transfer.at.to_string());
    field(&transfer.reason);
    line
}

/// The hash of a transfer that follows the one with `prev_hash`.
#[must_use]
pub fn hash_after(prev_hash: &str, transfer: &TransferRow) -> String {
    let mut hasher = Sha256::new();
    hasher.update(prev_hash);
    hasher.update("\n");
    hasher.update(canonical_line(transfer));
    hex::encode(hasher.finalize())
}

/// Whether the hash that a transfer carries is that of its own content and its own `prev_hash`.
#[must_use]
pub fn verify_hash(transfer: &TransferRow) -> bool {
    hash_after(&transfer.prev_hash, transfer) == transfer.hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> TransferRow {
        TransferRow {
            seq: 1,
            id: "grant-1".into(),
            kind: "grant".into(),
            debit: "system:grants".into(),
            credit: "acct:acc_1".into(),
            amount: 5_000_000_000,
            generation: None,
            reason: "hello | wor\\ld".into(),
            at: 1_700_000_000_000_000,
            prev_hash: GENESIS.into(),
            hash: String::new(),
        }
    }

    #[test]
    fn the_line_joins_the_fields_and_escapes_bars() {
        let expected = "1|grant-1|grant|system:grants|acct:acc_1|5000000000||1700000000000000|hello \\| wor\\\\ld";
        assert_eq!(canonical_line(&grant()), expected);
    }

    #[test]
    fn the_worked_example_of_the_decision_holds() {
        let first = TransferRow { reason: "welcome | hello".into(), ..grant() };
        let expected = "96847a9eb64b8305b18e3067fe0323d9fb60cdaf8d3381ec835e7c203130d5b9";
        assert_eq!(hash_after(GENESIS, &first), expected);
    }

    #[test]
    fn a_bar_in_a_field_can_not_pass_for_a_border() {
        let mut one = grant();
        (one.id, one.kind) = ("a|b".into(), "c".into());
        let mut other = grant();
        (other.id, other.kind) = ("a".into(), "b|c".into());
        assert_ne!(canonical_line(&one), canonical_line(&other));
    }

    #[test]
    fn any_changed_field_breaks_the_hash() {
        let mut sealed = grant();
        sealed.hash = hash_after(GENESIS, &sealed);
        assert!(verify_hash(&sealed));
        let changes: [fn(&mut TransferRow); 10] = [
            |row| row.seq = 2,
            |row| row.id.push('x'),
            |row| row.kind = "charge".into(),
            |row| row.debit.push('x'),
            |row| row.credit.push('x'),
            |row| row.amount += 1,
            |row| row.generation = Some("gen-1".into()),
            |row| row.reason.clear(),
            |row| row.at += 1,
            |row| row.prev_hash.replace_range(0..1, "1"),
        ];
        for change in changes {
            let mut changed = sealed.clone();
            change(&mut changed);
            assert!(!verify_hash(&changed), "{changed:?}");
        }
    }
}
