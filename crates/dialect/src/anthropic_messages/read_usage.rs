//! Token counts of a Messages endpoint.
//!
//! The three input counts are disjoint. In a stream `message_start` has a first estimate and each
//! `message_delta` the counts so far: they replace, they are never added.
//!
//! Where the provider sampled several times for one answer, `iterations` lists each. Those of type
//! `compaction` are billed and are not in the counts above (platform.claude.com, "Compaction",
//! November 2026); those of a model that declined are not billed, and that of the model which
//! answered is the counts above. An `advisor_message` ran on another model, at prices that this
//! endpoint does not have: it is not counted.

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
    /// What was sampled to compact the conversation, on top of the rest.
    compaction: Compaction,
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

/// The sum of the iterations that compacted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Compaction {
    uncached: u64,
    read: u64,
    written_5m: u64,
    written_1h: u64,
    output: u64,
    /// Whether parts were larger than their whole.
    odd: bool,
}

/// A count of an object: whole and not negative, else odd.
fn count(object: Raw<'_>, key: &str, odd: &mut bool) -> Option<u64> {
    let value = object.get(key).filter(|value| !value.is_null())?;
    let value = value.integer().and_then(|value| u64::try_from(value).ok());
    let value = value.filter(|value| *value <= MOST_TOKENS);
    *odd |= value.is_none();
    value
}

impl Input {
    fn of(raw: Raw<'_>, odd: &mut bool) -> Self {
        let split = raw.get("cache_creation");
        let mut part = |key| split.and_then(|split| count(split, key, odd));
        let written_5m = part("ephemeral_5m_input_tokens");
        let written_1h = part("ephemeral_1h_input_tokens");
        Self {
            uncached: count(raw, "input_tokens", odd),
            read: count(raw, "cache_read_input_tokens", odd),
            written: count(raw, "cache_creation_input_tokens", odd),
            written_5m,
            written_1h,
        }
    }

    /// What was written for five minutes and for an hour, and whether the two fit the whole.
    fn writes(self) -> (u64, u64, bool) {
        let hour = self.written_1h.unwrap_or(0);
        let parts = hour.saturating_add(self.written_5m.unwrap_or(0));
        let written = self.written.unwrap_or(parts);
        let hour = hour.min(written);
        (written - hour, hour, parts <= written)
    }
}

impl Compaction {
    fn of(iterations: Raw<'_>, odd: &mut bool) -> Self {
        let mut sum = Self::default();
        for (_, one) in iterations.elements() {
            if one.get("type").and_then(Raw::inner) != Some("compaction") {
                continue;
            }
            let input = Input::of(one, odd);
            let (written_5m, written_1h, fits) = input.writes();
            let output = count(one, "output_tokens", odd);
            for (slot, count) in [
                (&mut sum.uncached, input.uncached.unwrap_or(0)),
                (&mut sum.read, input.read.unwrap_or(0)),
                (&mut sum.written_5m, written_5m),
                (&mut sum.written_1h, written_1h),
                (&mut sum.output, output.unwrap_or(0)),
            ] {
                *slot = slot.saturating_add(count);
            }
            sum.odd |= !fits;
        }
        sum
    }
}

/// `usage` without what was sampled to compact: the counts to put beside the `iterations` of this
/// object, where clients add them up themselves.
pub(super) fn beside_iterations(usage: &Usage, provider: Raw<'_>) -> Usage {
    let iterations = provider.get("iterations").filter(|list| list.kind() == Kind::Array);
    let more = iterations.map_or_else(Compaction::default, |list| Compaction::of(list, &mut false));
    let output = usage.output.saturating_sub(more.output);
    Usage {
        input_uncached: usage.input_uncached.saturating_sub(more.uncached),
        cache_read: usage.cache_read.saturating_sub(more.read),
        cache_write_5m: usage.cache_write_5m.saturating_sub(more.written_5m),
        cache_write_1h: usage.cache_write_1h.saturating_sub(more.written_1h),
        output,
        reasoning: usage.reasoning.min(output),
        ..*usage
    }
}

impl Counts {
    /// Takes in a `usage` object. Anything else says nothing.
    pub(super) fn read(&mut self, raw: Raw<'_>) {
        if raw.kind() != Kind::Object {
            return;
        }
        let odd = &mut self.odd;
        let input = Input::of(raw, odd);
        let output = count(raw, "output_tokens", odd);
        let details = raw.get("output_tokens_details");
        let thinking = details.and_then(|details| count(details, "thinking_tokens", odd));
        let tools = raw.get("server_tool_use");
        let searches = tools.and_then(|tools| count(tools, "web_search_requests", odd));
        let iterations = raw.get("iterations").filter(|list| list.kind() == Kind::Array);
        if let Some(iterations) = iterations {
            self.compaction = Compaction::of(iterations, odd);
        }
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
        let Input { uncached, read, .. } = self.input;
        if uncached.is_none() && self.output.is_none() {
            return None;
        }
        let (written_5m, written_1h, writes_fit) = self.input.writes();
        let answer = self.output.unwrap_or(0);
        let reasoning = self.thinking.unwrap_or(0);
        let more = self.compaction;
        let usage = Usage {
            input_uncached: uncached.unwrap_or(0).saturating_add(more.uncached),
            cache_read: read.unwrap_or(0).saturating_add(more.read),
            cache_write_5m: written_5m.saturating_add(more.written_5m),
            cache_write_1h: written_1h.saturating_add(more.written_1h),
            output: answer.saturating_add(more.output),
            reasoning: reasoning.min(answer),
            searches: self.searches.unwrap_or(0),
            ..Usage::default()
        };
        let fits = writes_fit && reasoning <= answer && !more.odd;
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
    fn what_was_sampled_to_compact_is_counted_once_and_what_declined_is_not() {
        let start = r#"{"input_tokens":23000,"output_tokens":1}"#;
        let end = r#"{"input_tokens":23000,"output_tokens":1000,"iterations":[
            {"type":"compaction","input_tokens":100000,"output_tokens":3500,"cache_read_input_tokens":80000,
             "cache_creation_input_tokens":7,"cache_creation":{"ephemeral_1h_input_tokens":3,"ephemeral_5m_input_tokens":4}},
            {"type":"message","input_tokens":23000,"output_tokens":1000}]}"#;
        let (usage, plausible) = counts(&[start, end, end]).unwrap();
        let expected = Usage {
            input_uncached: 123_000,
            cache_read: 80_000,
            cache_write_5m: 4,
            cache_write_1h: 3,
            output: 4500,
            ..Usage::default()
        };
        assert_eq!((usage, plausible), (expected, true));
        let declined = r#"{"input_tokens":12,"output_tokens":9,"iterations":[
            {"type":"message","input_tokens":900,"output_tokens":900},
            {"type":"fallback_message","input_tokens":12,"output_tokens":9},
            {"type":"advisor_message","input_tokens":50,"output_tokens":50}]}"#;
        assert_eq!(counts(&[declined]).unwrap().0.total(), 21);
        let odd = r#"{"input_tokens":12,"output_tokens":9,"iterations":[{"type":"compaction","input_tokens":-1}]}"#;
        let (usage, plausible) = counts(&[odd]).unwrap();
        assert_eq!((usage.total(), plausible), (21, false));
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
