//! Token counts: a provider's `usage` object, read with suspicion, and ours, written exactly.

use signalbox_core::Usage;

use crate::identity::UsageReport;
use crate::scan::{self, Malformed, Scanner};

/// More tokens than any one request can have; larger counts are a provider's mistake.
const MOST_TOKENS: u64 = 1 << 40;

/// A `usage` object as read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadUsage {
    /// The counts, made consistent: parts never exceed their whole.
    pub usage: Usage,
    /// Whether they were consistent as sent. `false` is the provider's fault.
    pub plausible: bool,
}

/// The members that matter, as sent.
#[derive(Debug, Default)]
struct Counts {
    prompt: Option<u64>,
    output: Option<u64>,
    total: Option<u64>,
    cached: Option<u64>,
    cache_hit: Option<u64>,
    cache_write: Option<u64>,
    cache_write_1h: Option<u64>,
    reasoning: Option<u64>,
    input_audio: Option<u64>,
    input_image: Option<u64>,
    output_audio: Option<u64>,
    output_image: Option<u64>,
    searches: Option<u64>,
    odd: bool,
}

/// Reads a `usage` object. `None` when it is no object or says nothing about tokens.
///
/// Understood are OpenAI's members, `prompt_cache_hit_tokens` (DeepSeek), `cached_tokens` beside the
/// others (Moonshot), `cache_write_tokens` and `cache_creation_input_tokens`, the names
/// `input_tokens` and `output_tokens`, and `num_search_queries` and `server_tool_use*`.
#[must_use]
pub fn read_usage(raw: &str) -> Option<ReadUsage> {
    let mut counts = Counts::default();
    counts.read(Scanner::new(raw)).ok()?;
    counts.settle()
}

/// A count: whole and not negative. Anything else is odd and reads as nothing.
pub(crate) fn count(raw: &str, odd: &mut bool) -> Option<u64> {
    if raw == "null" {
        return None;
    }
    let inner = raw.trim_matches('"');
    let value = scan::whole(inner).or_else(|| {
        // Some servers write 12.0.
        let (whole, fraction) = inner.split_once('.')?;
        fraction.bytes().all(|digit| digit == b'0').then(|| scan::whole(whole)).flatten()
    });
    match value {
        Some(value) if value <= MOST_TOKENS => Some(value),
        _ => {
            *odd = true;
            None
        }
    }
}

impl Counts {
    fn read(&mut self, mut scanner: Scanner<'_>) -> Result<(), Malformed> {
        scanner.enter_object()?;
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            match &*key.name {
                "prompt_tokens_details" | "input_tokens_details"
                    if scanner.peek() == Some(b'{') =>
                {
                    self.read_details(&mut scanner, true)?;
                }
                "completion_tokens_details" | "output_tokens_details"
                    if scanner.peek() == Some(b'{') =>
                {
                    self.read_details(&mut scanner, false)?;
                }
                "server_tool_use" | "server_tool_use_details" if scanner.peek() == Some(b'{') => {
                    self.read_tools(&mut scanner)?;
                }
                name => {
                    let raw = scanner.value()?;
                    self.member(name, raw);
                }
            }
        }
        Ok(())
    }

    fn member(&mut self, name: &str, raw: &str) {
        let odd = &mut self.odd;
        let slot = match name {
            "prompt_tokens" | "input_tokens" => &mut self.prompt,
            "completion_tokens" | "output_tokens" => &mut self.output,
            "total_tokens" => &mut self.total,
            "prompt_cache_hit_tokens" | "cached_tokens" => &mut self.cache_hit,
            "cache_write_tokens" | "cache_creation_input_tokens" => &mut self.cache_write,
            "reasoning_tokens" => &mut self.reasoning,
            "num_search_queries" => &mut self.searches,
            _ => return,
        };
        *slot = count(raw, odd).or(*slot);
    }

    fn read_details(&mut self, scanner: &mut Scanner<'_>, input: bool) -> Result<(), Malformed> {
        scanner.enter_object()?;
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            let raw = scanner.value()?;
            let slot = match (input, &*key.name) {
                (true, "cached_tokens") => &mut self.cached,
                (true, "cache_write_tokens" | "cache_creation_tokens") => &mut self.cache_write,
                (true, "cache_write_1h_tokens") => &mut self.cache_write_1h,
                (true, "audio_tokens") => &mut self.input_audio,
                (true, "image_tokens") => &mut self.input_image,
                (false, "reasoning_tokens") => &mut self.reasoning,
                (false, "audio_tokens") => &mut self.output_audio,
                (false, "image_tokens") => &mut self.output_image,
                _ => continue,
            };
            *slot = count(raw, &mut self.odd).or(*slot);
        }
        Ok(())
    }

    fn read_tools(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Malformed> {
        scanner.enter_object()?;
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            let raw = scanner.value()?;
            if key.name == "web_search_requests" {
                self.searches = count(raw, &mut self.odd).or(self.searches);
            }
        }
        Ok(())
    }

    /// Makes the counts consistent.
    fn settle(mut self) -> Option<ReadUsage> {
        if self.prompt.is_none() && self.output.is_none() && self.total.is_none() {
            return None;
        }
        let known = |sum: u64, part: Option<u64>| sum.saturating_sub(part.unwrap_or(0));
        let total = self.total.unwrap_or(0);
        let prompt = self.prompt.unwrap_or_else(|| known(total, self.output));
        let said = self.output.unwrap_or_else(|| known(total, Some(prompt)));
        let reasoning = self.reasoning.unwrap_or(0);
        // A few providers count reasoning beside the completion. Their total then says so; without
        // one, reasoning that is larger than its whole says so.
        let beside = reasoning > said
            || (reasoning > 0 && self.total == Some(prompt.saturating_add(said + reasoning)));
        let output = if beside { said.saturating_add(reasoning) } else { said };

        let mut left = prompt;
        let mut take = |wanted: Option<u64>| {
            let wanted = wanted.unwrap_or(0);
            let taken = wanted.min(left);
            self.odd |= taken < wanted;
            left -= taken;
            taken
        };
        let cache_read = take(self.cached.or(self.cache_hit));
        let cache_write_1h = take(self.cache_write_1h);
        let cache_write_5m =
            take(self.cache_write.map(|written| written.saturating_sub(cache_write_1h)));
        let input_uncached = left;
        let input_audio = self.input_audio.unwrap_or(0).min(left);
        let input_image = self.input_image.unwrap_or(0).min(left - input_audio);
        let output_audio = self.output_audio.unwrap_or(0).min(output);
        let output_image = self.output_image.unwrap_or(0).min(output - output_audio);
        let usage = Usage {
            input_uncached,
            cache_read,
            cache_write_5m,
            cache_write_1h,
            input_audio,
            input_image,
            output,
            reasoning,
            output_audio,
            output_image,
            searches: self.searches.unwrap_or(0).min(MOST_TOKENS),
            ..Usage::default()
        };
        let sum_fits = self.total.is_none_or(|total| total >= prompt.saturating_add(said));
        let plausible = !self.odd && self.prompt.is_some() && self.output.is_some() && sum_fits;
        Some(ReadUsage { usage, plausible })
    }
}

/// The `usage` object of a chat answer (inference spec 2.3).
#[must_use]
pub fn write_usage(report: &UsageReport) -> String {
    use std::fmt::Write as _;
    let usage = &report.usage;
    let mut text = String::with_capacity(512);
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        r#"{{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":{}"#,
        usage.prompt(),
        usage.output,
        usage.total(),
        usage.cache_read,
    );
    if written > 0 {
        let _ = write!(text, r#","cache_write_tokens":{written}"#);
    }
    let _ = write!(
        text,
        r#","audio_tokens":{}}},"completion_tokens_details":{{"reasoning_tokens":{}"#,
        usage.input_audio, usage.reasoning,
    );
    if usage.output_audio > 0 {
        let _ = write!(text, r#","audio_tokens":{}"#, usage.output_audio);
    }
    if usage.output_image > 0 {
        let _ = write!(text, r#","image_tokens":{}"#, usage.output_image);
    }
    text.push_str("},");
    push_cost_members(&mut text, report);
    if usage.searches > 0 {
        // Both names are in use (inference spec appendix D, row 6).
        for name in ["server_tool_use_details", "server_tool_use"] {
            let _ = write!(text, r#","{name}":{{"web_search_requests":{}}}"#, usage.searches);
        }
    }
    text.push('}');
    text
}

/// The members that tell of money, the same in every dialect that has them under these names.
pub(crate) fn cost_members(report: &UsageReport) -> String {
    let mut text = String::with_capacity(256);
    push_cost_members(&mut text, report);
    text
}

fn push_cost_members(text: &mut String, report: &UsageReport) {
    use std::fmt::Write as _;
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        r#""cost":{},"is_byok":{},"cost_details":{{"upstream_inference_cost":"#,
        report.cost, report.is_byok,
    );
    let _ = match report.upstream_cost {
        Some(cost) => write!(text, "{cost}"),
        None => text.write_str("null"),
    };
    let _ = write!(
        text,
        r#","upstream_inference_prompt_cost":{},"upstream_inference_completions_cost":{}}}"#,
        report.prompt_cost, report.completion_cost,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalbox_core::Usd;

    fn read(raw: &str) -> (Usage, bool) {
        let read = read_usage(raw).unwrap();
        (read.usage, read.plausible)
    }

    #[test]
    fn the_members_of_several_providers_are_understood() {
        let openai = r#"{"prompt_tokens":20,"completion_tokens":9,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":8,"audio_tokens":2},"completion_tokens_details":{"reasoning_tokens":5,"audio_tokens":0}}"#;
        let expected = Usage {
            input_uncached: 12,
            cache_read: 8,
            input_audio: 2,
            output: 9,
            reasoning: 5,
            ..Usage::default()
        };
        assert_eq!(read(openai), (expected, true));
        let deepseek = r#"{"prompt_tokens":20,"completion_tokens":9,"total_tokens":29,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":12}"#;
        let expected = Usage { input_uncached: 12, cache_read: 8, output: 9, ..Usage::default() };
        assert_eq!(read(deepseek), (expected, true));
        let writes = r#"{"prompt_tokens":20,"completion_tokens":9,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":8,"cache_write_tokens":5}}"#;
        let expected = Usage {
            input_uncached: 7,
            cache_read: 8,
            cache_write_5m: 5,
            output: 9,
            ..Usage::default()
        };
        assert_eq!(read(writes), (expected, true));
    }

    #[test]
    fn reasoning_counted_beside_the_completion_is_added() {
        let (usage, plausible) = read(
            r#"{"prompt_tokens":10,"completion_tokens":4,"total_tokens":114,"completion_tokens_details":{"reasoning_tokens":100}}"#,
        );
        assert_eq!((usage.output, usage.reasoning, plausible), (104, 100, true));
        let (usage, _) = read(
            r#"{"prompt_tokens":10,"completion_tokens":200,"total_tokens":210,"completion_tokens_details":{"reasoning_tokens":100}}"#,
        );
        assert_eq!((usage.output, usage.reasoning), (200, 100));
    }

    #[test]
    fn hostile_counts_are_refused_or_clamped() {
        for raw in ["null", "[]", "3", "\"x\"", "{}", r#"{"cost":1}"#, r#"{"prompt_tokens":"#] {
            assert_eq!(read_usage(raw), None, "{raw}");
        }
        for raw in [
            r#"{"prompt_tokens":-1,"completion_tokens":5}"#,
            r#"{"prompt_tokens":1e308,"completion_tokens":5}"#,
            r#"{"prompt_tokens":18446744073709551615,"completion_tokens":18446744073709551615,"total_tokens":18446744073709551615}"#,
            r#"{"prompt_tokens":10,"completion_tokens":"many","total_tokens":10}"#,
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":3}"#,
            r#"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":11}}"#,
            r#"{"prompt_tokens":2.5,"completion_tokens":5}"#,
            r#"{"total_tokens":5}"#,
        ] {
            if let Some(read) = read_usage(raw) {
                assert!(!read.plausible, "{raw}");
                assert!(read.usage.total() <= MOST_TOKENS * 4, "{raw}");
            }
        }
        assert_eq!(read(r#"{"prompt_tokens":"7","completion_tokens":5.0}"#).0.total(), 12);
    }

    #[test]
    fn our_usage_reads_back_and_costs_are_numbers() {
        let usage = Usage {
            input_uncached: 7,
            cache_read: 8,
            cache_write_5m: 5,
            output: 9,
            reasoning: 3,
            searches: 1,
            ..Usage::default()
        };
        let report = UsageReport {
            usage,
            cost: Usd::from_nanos(420_000),
            is_byok: false,
            upstream_cost: None,
            prompt_cost: Usd::from_nanos(20_000),
            completion_cost: Usd::from_nanos(400_000),
        };
        let text = write_usage(&report);
        assert_eq!(read(&text), (usage, true));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["total_tokens"], 29);
        assert!(text.contains(r#""cost":0.00042,"is_byok":false"#), "{text}");
        assert!(value["cost_details"]["upstream_inference_cost"].is_null());
        assert_eq!(value["server_tool_use"]["web_search_requests"], 1);
    }
}
