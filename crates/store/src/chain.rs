//! The hash chain over transfers.
//!
//! `hash = sha256(prev_hash || "\n" || line)`, both in lower-case hex; the first `prev_hash` is 64
//! zeros. The line is `seq|id|kind|debit|credit|amount_nanos|generation|at_micros|reason`; inside a
//! field `\` and `|` carry a backslash; an absent generation is empty.

use sha2::{Digest, Sha256};
use signalbox_core::id::GenerationId;
use signalbox_core::{Timestamp, Usd};

/// What stands before the first transfer.
pub(crate) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One transfer that is about to be written.
#[derive(Debug, Clone)]
pub(crate) struct Posting {
    pub id: String,
    pub kind: &'static str,
    pub debit: String,
    pub credit: String,
    pub amount: Usd,
    pub generation: Option<GenerationId>,
    pub reason: String,
    pub operator: Option<String>,
    pub at: Timestamp,
}

/// Adds a text as it is stored.
fn push_field(line: &mut String, text: &str) {
    let special = |byte: &u8| matches!(byte, b'\\' | b'|' | 0);
    if !text.as_bytes().iter().any(special) {
        line.push_str(text);
        return;
    }
    for letter in text.chars() {
        if letter == '\\' || letter == '|' {
            line.push('\\');
        }
        line.push(if letter == '\0' { '\u{fffd}' } else { letter });
    }
}

/// The line that is hashed for the transfer at position `seq`.
pub(crate) fn line(seq: i64, posting: &Posting) -> String {
    let mut line = String::with_capacity(256);
    line.push_str(&seq.to_string());
    let amount = posting.amount.nanos().to_string();
    let at = posting.at.micros().to_string();
    let generation = posting.generation.as_ref().map_or("", GenerationId::as_str);
    for field in [
        posting.id.as_str(),
        posting.kind,
        &posting.debit,
        &posting.credit,
        &amount,
        generation,
        &at,
        &posting.reason,
    ] {
        line.push('|');
        push_field(&mut line, field);
    }
    line
}

/// The hash of a transfer, given that of the one before it.
pub(crate) fn link(previous: &str, line: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(previous.as_bytes());
    digest.update(b"\n");
    digest.update(line.as_bytes());
    signalbox_core::id::hex(&digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_escapes_its_separator() {
        let posting = Posting {
            id: "g|1".to_owned(),
            kind: "grant",
            debit: "system:grants".to_owned(),
            credit: "acct:acc_1".to_owned(),
            amount: Usd::from_nanos(7),
            generation: None,
            reason: r"a\b|c".to_owned(),
            operator: None,
            at: Timestamp::from_micros(9),
        };
        assert_eq!(line(3, &posting), r"3|g\|1|grant|system:grants|acct:acc_1|7||9|a\\b\|c");
    }

    #[test]
    fn a_hash_covers_what_came_before() {
        assert_ne!(link(GENESIS, "1|a"), link(&link(GENESIS, "0|z"), "1|a"));
        assert_eq!(link(GENESIS, "1|a").len(), 64);
    }
}
