//! Token counts: `usage`. The three input counts are disjoint, as AWS documents of its prompt caching.

use signalbox_core::Usage;

use crate::document::{Kind, Raw};
use crate::openai_chat::usage::ReadUsage;

/// More tokens than any one request can have; larger counts are a provider's mistake.
const MOST_TOKENS: u64 = 1 << 40;

/// Reads a `usage` object. `None` when it is no object or counts nothing.
pub(super) fn read_usage(value: Raw<'_>) -> Option<ReadUsage> {
    if value.kind() != Kind::Object {
        return None;
    }
    let mut odd = false;
    let mut count = |object: Raw<'_>, key: &str| {
        let value = object.get(key).filter(|value| !value.is_null())?;
        let value = value.integer().and_then(|value| u64::try_from(value).ok());
        let value = value.filter(|value| *value <= MOST_TOKENS);
        odd |= value.is_none();
        value
    };
    let (input, output) = (count(value, "inputTokens"), count(value, "outputTokens"));
    let (total, read) = (count(value, "totalTokens"), count(value, "cacheReadInputTokens"));
    let written = count(value, "cacheWriteInputTokens");
    if input.is_none() && output.is_none() {
        return None;
    }
    let (mut parts, mut hour) = (0_u64, 0_u64);
    for (_, detail) in value.get("cacheDetails").into_iter().flat_map(Raw::elements) {
        let tokens = count(detail, "inputTokens").unwrap_or(0);
        parts = parts.saturating_add(tokens);
        if detail.get("ttl").and_then(Raw::inner) == Some("1h") {
            hour = hour.saturating_add(tokens);
        }
    }
    let written = written.unwrap_or(parts.min(MOST_TOKENS));
    let cache_write_1h = hour.min(written);
    let whole = input.unwrap_or(0).saturating_add(output.unwrap_or(0));
    let usage = Usage {
        input_uncached: input.unwrap_or(0),
        cache_read: read.unwrap_or(0),
        cache_write_5m: written - cache_write_1h,
        cache_write_1h,
        output: output.unwrap_or(0),
        ..Usage::default()
    };
    let is_whole = input.is_some() && output.is_some();
    let sums_fit = parts <= written && total.is_none_or(|total| total >= whole);
    Some(ReadUsage { usage, plausible: is_whole && sums_fit && !odd })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> (Usage, bool) {
        let read = read_usage(Raw::new(json)).unwrap();
        (read.usage, read.plausible)
    }

    #[test]
    fn inputs_are_disjoint_and_writes_have_two_lifetimes() {
        let json = r#"{"inputTokens":10,"outputTokens":5,"totalTokens":1415,"cacheReadInputTokens":900,
            "cacheWriteInputTokens":500,"cacheDetails":[{"ttl":"1h","inputTokens":200},{"ttl":"5m","inputTokens":300}]}"#;
        let expected = Usage {
            input_uncached: 10,
            cache_read: 900,
            cache_write_5m: 300,
            cache_write_1h: 200,
            output: 5,
            ..Usage::default()
        };
        assert_eq!(read(json), (expected, true));
        let json =
            r#"{"inputTokens":1,"outputTokens":2,"totalTokens":3,"cacheWriteInputTokens":7}"#;
        assert_eq!(read(json).0.cache_write_5m, 7);
        for none in ["{}", "null", "[]", r#"{"totalTokens":1}"#] {
            assert_eq!(read_usage(Raw::new(none)), None, "{none}");
        }
    }

    #[test]
    fn nonsense_is_a_fault_and_never_a_count() {
        for json in [
            r#"{"inputTokens":-1,"outputTokens":2}"#,
            r#"{"inputTokens":1}"#,
            r#"{"inputTokens":1,"outputTokens":1e3}"#,
            r#"{"inputTokens":5,"outputTokens":5,"totalTokens":9}"#,
            r#"{"inputTokens":5,"outputTokens":5,"cacheReadInputTokens":"9"}"#,
            r#"{"inputTokens":5,"outputTokens":5,"cacheWriteInputTokens":1,"cacheDetails":[{"ttl":"1h","inputTokens":9}]}"#,
        ] {
            let (usage, plausible) = read(json);
            assert!(!plausible && usage.total() < 20, "{json}");
        }
    }
}
