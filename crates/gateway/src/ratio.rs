//! How many bytes a token has, learned per family of tokenizers from what providers count.
//!
//! Only estimates use it: of prompts before they are sent, and of answers whose provider counted
//! nothing. A moving average in memory, which begins with a common rule for English.

use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, Ordering};

use signalbox_core::{FastMap, Usage};
use signalbox_dialect::Facts;
use signalbox_dialect::openai_chat::survey::Survey;

/// Thousandths of a byte in a token, before anything was learned.
const USUAL: u64 = 4_000;
/// Between these no text of a language lies outside: one byte is the least that a token can have.
const LEAST: u64 = 1_000;
const MOST: u64 = 16_000;
/// Counts below this say more about the template than about the text.
const FEWEST_TOKENS: u64 = 64;
/// A new figure moves the average by one part in this many.
const INERTIA: u64 = 16;

/// Bytes per token by tokenizer family.
#[derive(Debug, Default)]
pub(crate) struct Ratios {
    families: RwLock<FastMap<String, AtomicU64>>,
}

impl Ratios {
    /// How many tokens a family makes of so many bytes, rounded up.
    pub(crate) fn tokens(&self, family: &str, bytes: u64) -> u64 {
        let thousandths = u128::from(bytes).saturating_mul(1_000);
        let tokens = thousandths.div_ceil(u128::from(self.of(family)));
        u64::try_from(tokens).unwrap_or(u64::MAX)
    }

    fn of(&self, family: &str) -> u64 {
        let families = self.families.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        families.get(family).map_or(USUAL, |ratio| ratio.load(Ordering::Relaxed))
    }

    /// Learns from a provider's own counts. Prompts with media say nothing about text, and hidden
    /// reasoning none about what was seen.
    pub(crate) fn learn(&self, family: &str, survey: &Survey, facts: &Facts, usage: &Usage) {
        if usage.estimated {
            return;
        }
        let needs = &survey.needs;
        if !(needs.image || needs.audio || needs.file || needs.video) {
            self.note(family, survey.prompt_bytes, usage.prompt());
        }
        if usage.reasoning == 0 && usage.output_audio == 0 && usage.output_image == 0 {
            self.note(family, facts.output_bytes, usage.output);
        }
    }

    fn note(&self, family: &str, bytes: u64, tokens: u64) {
        if tokens < FEWEST_TOKENS {
            return;
        }
        let seen = (bytes.saturating_mul(1_000) / tokens).clamp(LEAST, MOST);
        let moved = |old: u64| {
            (old.saturating_mul(INERTIA.saturating_sub(1)).saturating_add(seen)) / INERTIA
        };
        let families = self.families.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(ratio) = families.get(family) {
            let old = ratio.load(Ordering::Relaxed);
            ratio.store(moved(old), Ordering::Relaxed);
            return;
        }
        drop(families);
        let mut families = self.families.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        families.entry(family.to_owned()).or_insert_with(|| AtomicU64::new(moved(USUAL)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(ratios: &Ratios, bytes: u64, tokens: u64) {
        let survey = Survey { prompt_bytes: bytes, ..Survey::default() };
        let usage = Usage { input_uncached: tokens, ..Usage::default() };
        ratios.learn("Qwen", &survey, &Facts::default(), &usage);
    }

    #[test]
    fn a_family_comes_to_be_known() {
        let ratios = Ratios::default();
        assert_eq!(ratios.tokens("Qwen", 801), 201);
        for _ in 0..100 {
            learn(&ratios, 2_000, 1_000);
        }
        let learned = ratios.tokens("Qwen", 2_000);
        assert!((980..=1_000).contains(&learned), "{learned}");
        assert_eq!(ratios.tokens("GPT", 801), 201, "others are not touched");
    }

    #[test]
    fn absurd_and_tiny_counts_teach_nothing_absurd() {
        let ratios = Ratios::default();
        for _ in 0..1_000 {
            learn(&ratios, 10, 63);
        }
        assert_eq!(ratios.tokens("Qwen", 400), 100);
        for _ in 0..1_000 {
            learn(&ratios, 0, u64::MAX);
        }
        assert!(ratios.tokens("Qwen", 400) <= 400);
    }

    #[test]
    fn media_and_hidden_reasoning_are_not_text() {
        let ratios = Ratios::default();
        let mut survey = Survey { prompt_bytes: 1_000_000, ..Survey::default() };
        survey.needs.image = true;
        let usage =
            Usage { input_uncached: 1_000, output: 1_000, reasoning: 900, ..Usage::default() };
        let facts = Facts { output_bytes: 400, ..Facts::default() };
        ratios.learn("Qwen", &survey, &facts, &usage);
        assert_eq!(ratios.tokens("Qwen", 400), 100);
    }
}
