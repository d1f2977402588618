//! Token counts of a Messages endpoint.
//!
//! The three input counts are disjoint. In a stream `message_start` has a first estimate and each
//! `message_delta` the counts so far: they replace, they are never added.

use signalbox_core::Usage;

use crate::document::{Kind, Raw};

/// More tokens than any one request can have; larger counts are a provider's mistake.
const MOST_TOKENS: u64 = 1 << 40;

/// Counts as last told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    input: Input,
    output: Option<u64>,
    thinking: Option<u64>,
    searches: Option<u64>,
    tier: Option<String>,
    /// Something was no count.
    odd: bool,
    /// Whether the output was counted after the beginning.
    is_final: bool,
}

/// What is told of the prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Input {
    uncached: Option<u64>,
    read: Option<u64>,
    written: Option<u64>,
    written_5m: Option<u64>,
    written_1h: Option<u64>,
}

impl Input {
    /// Whether it tells of any token: some servers fill the last message with zeros.
    fn says_something(&self) -> bool {
        [self.uncached, self.read, self.written, self.written_5m, self.written_1h]
            .iter()
            .any(|count| count.is_some_and(|count| count > 0))
    }

    fn replace(&mut self, newer: Self) {
        if newer.says_something() || !self.says_something() {
            self.uncached = newer.uncached.or(self.uncached);
            self.read = newer.read.or(self.read);
            self.written = newer.written.or(self.written);
            self.written_5m = newer.written_5m.or(self.written_5m);
            self.written_1h = newer.written_1h.or(self.written_1h);
        }
    }
}

impl Counts {
    /// Takes in a `usage` object. Anything else says nothing.
    pub(super) fn read(&mut self, raw: Raw<'_>) {
        if raw.kind() != Kind::Object {
            return;
        }
        let odd = &mut self.odd;
        let mut count = |object: Raw<'_>, key: &str| {
            let value = object.get(key).filter(|value| !value.is_null())?;
            let value = value.integer().and_then(|value| u64::try_from(value).ok());
            let value = value.filter(|value| *value <= MOST_TOKENS);
            *odd |= value.is_none();
            value
        };
        let split = raw.get("cache_creation");
        let input = Input {
            uncached: count(raw, "input_tokens"),
            read: count(raw, "cache_read_input_tokens"),
            written: count(raw, "cache_creation_input_tokens"),
            written_5m: split.and_then(|split| count(split, "ephemeral_5m_input_tokens")),
            written_1h: split.and_then(|split| count(split, "ephemeral_1h_input_tokens")),
        };
        let output = count(raw, "output_tokens");
        let details = raw.get("output_tokens_details");
        let thinking = details.and_then(|details| count(details, "thinking_tokens"));
        let tools = raw.get("server_tool_use");
        let searches = tools.and_then(|tools| count(tools, "web_search_requests"));
        self.input.replace(input);
        // These only grow.
        self.output = self.output.max(output);
        self.is_final |= output.is_some();
        self.thinking = self.thinking.max(thinking);
        self.searches = self.searches.max(searches);
        let tier = raw.get("service_tier").and_then(Raw::string);
        self.tier = tier.map(|tier| tier.into_owned()).or_else(|| self.tier.take());
    }

    /// Takes in the `usage` of the message's beginning, where the output is a placeholder.
    pub(super) fn begin(&mut self, raw: Raw<'_>) {
        self.read(raw);
        self.is_final = false;
    }

    /// Whether the output was counted after the beginning.
    pub(super) const fn is_final(&self) -> bool {
        self.is_final
    }

    /// The tier that served the request, in the chat dialect's words.
    pub(super) fn tier(&self) -> Option<String> {
        let tier = self.tier.as_deref()?;
        Some(if tier == "standard" { "default" } else { tier }.to_owned())
    }

    /// The counts made consistent, and whether they were so; none when nothing was told.
    pub(super) fn settle(&self) -> Option<(Usage, bool)> {
        let Input { uncached, read, written, written_5m, written_1h } = self.input;
        if uncached.is_none() && self.output.is_none() {
            return None;
        }
        let hour = written_1h.unwrap_or(0);
        let parts = hour.saturating_add(written_5m.unwrap_or(0));
        let written = written.unwrap_or(parts);
        let cache_write_1h = hour.min(written);
        let output = self.output.unwrap_or(0);
        let reasoning = self.thinking.unwrap_or(0);
        let usage = Usage {
            input_uncached: uncached.unwrap_or(0),
            cache_read: read.unwrap_or(0),
            cache_write_5m: written - cache_write_1h,
            cache_write_1h,
            output,
            reasoning: reasoning.min(output),
            searches: self.searches.unwrap_or(0),
            ..Usage::default()
        };
        let fits = parts <= written && reasoning <= output;
        let whole = uncached.is_some() && self.output.is_some();
        Some((usage, whole && fits && !self.odd))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(texts: &[&str]) -> Option<(Usage, bool)> {
        let mut counts = Counts::default();
        texts.iter().for_each(|text| counts.read(Raw::new(text)));
        counts.settle()
    }

    #[test]
    fn later_counts_replace_earlier_ones() {
        let start = r#"{"input_tokens":25,"cache_read_input_tokens":100,"output_tokens":1}"#;
        let (usage, plausible) =
            counts(&[start, r#"{"output_tokens":15}"#, r#"{"output_tokens":40}"#]).unwrap();
        assert_eq!((usage.input_uncached, usage.cache_read, usage.output), (25, 100, 40));
        assert!(plausible);
        let end = r#"{"input_tokens":5,"cache_read_input_tokens":120,"output_tokens":2}"#;
        let (usage, _) = counts(&[start, end]).unwrap();
        assert_eq!((usage.input_uncached, usage.cache_read), (5, 120));
        let zeros = r#"{"input_tokens":0,"cache_read_input_tokens":0,"output_tokens":9}"#;
        let (usage, _) = counts(&[start, zeros]).unwrap();
        assert_eq!((usage.input_uncached, usage.cache_read, usage.output), (25, 100, 9));
    }

    #[test]
    fn writes_are_split_by_lifetime() {
        let (usage, plausible) = counts(&[
            r#"{"input_tokens":1,"output_tokens":10,"cache_creation_input_tokens":300,"cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200},"output_tokens_details":{"thinking_tokens":4},"server_tool_use":{"web_search_requests":2},"service_tier":"standard"}"#,
        ])
        .unwrap();
        assert_eq!((usage.cache_write_5m, usage.cache_write_1h), (100, 200));
        assert_eq!((usage.reasoning, usage.searches, usage.prompt()), (4, 2, 301));
        assert!(plausible);
        let (usage, _) =
            counts(&[r#"{"input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":7}"#])
                .unwrap();
        assert_eq!((usage.cache_write_5m, usage.cache_write_1h), (7, 0));
    }

    #[test]
    fn nonsense_is_a_fault_and_never_a_count() {
        for text in [
            r#"{"input_tokens":-1,"output_tokens":1}"#,
            r#"{"input_tokens":1,"output_tokens":1e308}"#,
            r#"{"input_tokens":1,"output_tokens":1,"output_tokens_details":{"thinking_tokens":5}}"#,
            r#"{"input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":1,"cache_creation":{"ephemeral_1h_input_tokens":9}}"#,
        ] {
            let (usage, plausible) = counts(&[text]).unwrap();
            assert!(!plausible && usage.total() < 10, "{text}: {usage:?}");
        }
        assert_eq!(counts(&["null", "{}", "[1]"]), None);
    }
}
