//! Token counts: `usage`.
//!
//! There are two pairs of counts. `tokens` is what the model read and wrote, with the instructions
//! that the provider adds by itself and the marks that the model was trained to write;
//! `billed_units` leaves these out, and the provider's prices are for what is billed. What a client
//! is charged must be what the provider charges, so the billed counts are the ones taken, and
//! `tokens` only where they are missing.
//!
//! `cached_tokens` are of the whole prompt. A cache holds the beginning of a prompt and that is where
//! the provider's own instructions stand, so only what is cached beyond these was billed as cached.
//! Counts are JSON numbers that may be written as `12.0`. Thinking is part of the output and not
//! counted apart.

use signalbox_core::Usage;

use crate::document::{Kind, Raw};
use crate::openai_chat::usage::{ReadUsage, count};

/// One pair of counts.
#[derive(Debug, Clone, Copy, Default)]
struct Pair {
    input: Option<u64>,
    output: Option<u64>,
}

impl Pair {
    fn read(value: Option<Raw<'_>>, odd: &mut bool) -> Self {
        let mut member = |name: &str| count(value?.get(name)?.text(), odd);
        Self { input: member("input_tokens"), output: member("output_tokens") }
    }

    const fn says_nothing(self) -> bool {
        self.input.is_none() && self.output.is_none()
    }
}

/// Reads a `usage` object. `None` when it is no object or counts no tokens.
#[must_use]
pub fn read_usage(value: Raw<'_>) -> Option<ReadUsage> {
    if value.kind() != Kind::Object {
        return None;
    }
    let mut odd = false;
    let billed = Pair::read(value.get("billed_units"), &mut odd);
    let whole = Pair::read(value.get("tokens"), &mut odd);
    let counts = if billed.says_nothing() { whole } else { billed };
    if counts.says_nothing() {
        return None;
    }
    let cached = value.get("cached_tokens").and_then(|raw| count(raw.text(), &mut odd));
    let cached = cached.unwrap_or(0);
    let input = counts.input.unwrap_or(0);
    let prompt = whole.input.unwrap_or(input).max(input);
    let cache_read = cached.saturating_sub(prompt - input).min(input);
    let usage = Usage {
        input_uncached: input - cache_read,
        cache_read,
        output: counts.output.unwrap_or(0),
        ..Usage::default()
    };
    let plausible = !odd && cached <= prompt && counts.input.is_some() && counts.output.is_some();
    Some(ReadUsage { usage, plausible })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<((u64, u64, u64), bool)> {
        let read = read_usage(Raw::new(json))?;
        let usage = read.usage;
        Some(((usage.input_uncached, usage.cache_read, usage.output), read.plausible))
    }

    #[test]
    fn the_billed_counts_are_the_ones_that_cost() {
        let both = r#"{"billed_units":{"input_tokens":37.0,"output_tokens":28},"tokens":{"input_tokens":913,"output_tokens":83}}"#;
        assert_eq!(read(both), Some(((37, 0, 28), true)));
        let tokens =
            r#"{"billed_units":{"search_units":1},"tokens":{"input_tokens":9,"output_tokens":2}}"#;
        assert_eq!(read(tokens), Some(((9, 0, 2), true)));
    }

    #[test]
    fn what_is_cached_beyond_the_additions_is_billed_as_cached() {
        let some = r#"{"billed_units":{"input_tokens":37,"output_tokens":1},"tokens":{"input_tokens":90,"output_tokens":1},"cached_tokens":16}"#;
        assert_eq!(read(some), Some(((37, 0, 1), true)));
        let more = some.replace("16", "64");
        assert_eq!(read(&more), Some(((26, 11, 1), true)));
        let too_many = some.replace("16", "91");
        assert_eq!(read(&too_many), Some(((0, 37, 1), false)));
    }

    #[test]
    fn odd_counts_are_the_providers_fault() {
        for json in [
            r#"{"billed_units":{"input_tokens":-1,"output_tokens":2}}"#,
            r#"{"tokens":{"input_tokens":1.5,"output_tokens":2}}"#,
            r#"{"tokens":{"input_tokens":1e300,"output_tokens":2}}"#,
            r#"{"tokens":{"output_tokens":2}}"#,
        ] {
            assert_eq!(read(json), Some(((0, 0, 2), false)), "{json}");
        }
        for json in ["{}", "null", "[]", r#"{"billed_units":{}}"#] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
