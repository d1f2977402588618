//! Token counts: `usageMetadata`.
//!
//! `promptTokenCount` has the cached tokens in it; `thoughtsTokenCount` stands beside
//! `candidatesTokenCount`; what built-in tools put into the prompt is counted apart. A count of
//! zero may be missing.

use signalbox_core::Usage;

use crate::document::{Kind, Raw};
use crate::openai_chat::usage::ReadUsage;

/// More tokens than any one request can have; larger counts are a provider's mistake.
const MOST_TOKENS: u64 = 1 << 40;

/// Tokens of one kind of content.
#[derive(Debug, Clone, Copy, Default)]
struct Modalities {
    audio: u64,
    image: u64,
}

impl Modalities {
    fn read(value: Option<Raw<'_>>, odd: &mut bool) -> Self {
        let mut read = Self::default();
        for (_, one) in value.into_iter().flat_map(Raw::elements) {
            let slot = match one.get("modality").and_then(Raw::inner) {
                Some("AUDIO") => &mut read.audio,
                Some("IMAGE") => &mut read.image,
                _ => continue,
            };
            *slot = slot.saturating_add(count(one.get("tokenCount"), odd).unwrap_or(0));
        }
        read
    }

    /// What is left of these without those, with what came beside them.
    fn uncached(self, cached: Self, beside: Self) -> Self {
        Self {
            audio: self.audio.saturating_sub(cached.audio).saturating_add(beside.audio),
            image: self.image.saturating_sub(cached.image).saturating_add(beside.image),
        }
    }

    /// At most `whole` together.
    fn within(self, whole: u64) -> Self {
        let audio = self.audio.min(whole);
        Self { audio, image: self.image.min(whole - audio) }
    }
}

/// A count: whole and not negative, as a number or, as the encoding of 64 bits has it, a string.
fn count(value: Option<Raw<'_>>, odd: &mut bool) -> Option<u64> {
    let value = value.filter(|value| !value.is_null())?;
    let number = value.integer().or_else(|| value.inner()?.parse().ok());
    let number = number.and_then(|number| u64::try_from(number).ok());
    *odd |= number.is_none_or(|number| number > MOST_TOKENS);
    number.filter(|number| *number <= MOST_TOKENS)
}

/// Reads a `usageMetadata` object. `None` when it is no object or counts nothing yet: the first
/// chunks of a stream may have the kind of traffic alone.
#[must_use]
pub fn read_usage(value: Raw<'_>) -> Option<ReadUsage> {
    if value.kind() != Kind::Object {
        return None;
    }
    let mut odd = false;
    let mut member = |name: &str| count(value.get(name), &mut odd);
    let (prompt, total) = (member("promptTokenCount"), member("totalTokenCount"));
    let (answer, thoughts) = (member("candidatesTokenCount"), member("thoughtsTokenCount"));
    let reread = member("cachedContentTokenCount").unwrap_or(0);
    let tools = member("toolUsePromptTokenCount").unwrap_or(0);
    if prompt.is_none() && answer.is_none() && thoughts.is_none() && total.is_none() {
        return None;
    }
    let reasoning = thoughts.unwrap_or(0);
    let output = answer.unwrap_or(0).saturating_add(reasoning);
    // Without a prompt, whatever the output leaves of the total was the prompt.
    let whole =
        prompt.unwrap_or_else(|| total.unwrap_or(0).saturating_sub(output).saturating_sub(tools));
    let cache_read = reread.min(whole);
    let input_uncached = (whole - cache_read).saturating_add(tools);
    let mut details = |name: &str| Modalities::read(value.get(name), &mut odd);
    let cached = details("cacheTokensDetails");
    let input = details("promptTokensDetails")
        .uncached(cached, details("toolUsePromptTokensDetails"))
        .within(input_uncached);
    let produced = details("candidatesTokensDetails").within(output);
    let usage = Usage {
        input_uncached,
        cache_read,
        input_audio: input.audio,
        input_image: input.image,
        cache_read_audio: cached.audio.min(cache_read),
        output,
        reasoning,
        output_audio: produced.audio,
        output_image: produced.image,
        ..Usage::default()
    };
    let sum_fits = total.is_none_or(|total| total >= whole.saturating_add(answer.unwrap_or(0)));
    let plausible = !odd && prompt.is_some() && reread <= whole && sum_fits;
    Some(ReadUsage { usage, plausible })
}

/// The tier that served the request, in our words: `default`, `flex` or `priority`.
#[must_use]
pub fn service_tier(value: Raw<'_>) -> Option<String> {
    let named = value.get("serviceTier").and_then(Raw::string);
    if let Some(tier) = named.map(|tier| tier.to_ascii_lowercase()).filter(|tier| !tier.is_empty())
    {
        return Some(if tier == "standard" { "default".to_owned() } else { tier });
    }
    let tier = match value.get("trafficType").and_then(Raw::inner)? {
        "ON_DEMAND" => "default",
        "ON_DEMAND_FLEX" => "flex",
        "ON_DEMAND_PRIORITY" => "priority",
        _ => return None,
    };
    Some(tier.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> (Usage, bool) {
        let read = read_usage(Raw::new(json)).unwrap();
        (read.usage, read.plausible)
    }

    #[test]
    fn cached_tokens_are_in_the_prompt_and_thoughts_beside_the_answer() {
        let json = r#"{"promptTokenCount":100,"cachedContentTokenCount":60,"candidatesTokenCount":7,
            "thoughtsTokenCount":30,"toolUsePromptTokenCount":5,"totalTokenCount":142,
            "promptTokensDetails":[{"modality":"TEXT","tokenCount":70},{"modality":"AUDIO","tokenCount":20},
            {"modality":"IMAGE","tokenCount":10}],
            "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":12},{"modality":"TEXT","tokenCount":48}],
            "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":4}]}"#;
        let expected = Usage {
            input_uncached: 45,
            cache_read: 60,
            input_audio: 8,
            input_image: 10,
            cache_read_audio: 12,
            output: 37,
            reasoning: 30,
            output_image: 4,
            ..Usage::default()
        };
        assert_eq!(read(json), (expected, true));
    }

    #[test]
    fn zeros_may_be_missing_and_early_chunks_count_nothing() {
        let expected = Usage { input_uncached: 9, ..Usage::default() };
        assert_eq!(read(r#"{"promptTokenCount":9,"totalTokenCount":9}"#), (expected, true));
        for none in ["{}", "null", "[]", r#"{"trafficType":"ON_DEMAND"}"#] {
            assert_eq!(read_usage(Raw::new(none)), None, "{none}");
        }
    }

    #[test]
    fn hostile_counts_are_refused_or_clamped() {
        for json in [
            r#"{"promptTokenCount":-1}"#,
            r#"{"promptTokenCount":1e9,"candidatesTokenCount":2.5}"#,
            r#"{"promptTokenCount":3,"cachedContentTokenCount":4}"#,
            r#"{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":5}"#,
            r#"{"promptTokenCount":18446744073709551615,"totalTokenCount":3}"#,
            r#"{"candidatesTokenCount":4}"#,
            r#"{"promptTokenCount":3,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":"x"}]}"#,
        ] {
            if let Some(read) = read_usage(Raw::new(json)) {
                assert!(!read.plausible, "{json}");
                assert!(read.usage.total() <= MOST_TOKENS * 4, "{json}");
            }
        }
        let over =
            r#"{"promptTokenCount":3,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":9}]}"#;
        assert_eq!(read(over).0.input_audio, 3);
    }

    #[test]
    fn the_tier_has_two_names() {
        let tier = |json| service_tier(Raw::new(json));
        assert_eq!(tier(r#"{"serviceTier":"STANDARD"}"#).as_deref(), Some("default"));
        assert_eq!(tier(r#"{"serviceTier":"flex"}"#).as_deref(), Some("flex"));
        assert_eq!(tier(r#"{"trafficType":"ON_DEMAND_PRIORITY"}"#).as_deref(), Some("priority"));
        assert_eq!(tier(r#"{"trafficType":"PROVISIONED_THROUGHPUT"}"#), None);
    }
}
