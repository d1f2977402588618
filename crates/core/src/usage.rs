//! What one generation consumed, in one vocabulary for all dialects.

use serde::{Deserialize, Serialize};

/// Quantities of one generation; as JSON, those that are not zero. The four input counts are disjoint and add up to the prompt;
/// `reasoning`, `output_image` and `output_audio` are parts of `output`; `input_audio` and
/// `input_image` are parts of `input_uncached`, `cache_read_audio` is one of `cache_read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Prompt tokens that were neither read from nor written to a cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_uncached: u64,
    /// Prompt tokens read from the provider's cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_read: u64,
    /// Prompt tokens written to a cache that lives five minutes (or the provider's default).
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_5m: u64,
    /// Prompt tokens written to a cache that lives one hour.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_1h: u64,
    /// Audio tokens among `input_uncached`.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_audio: u64,
    /// Image tokens among `input_uncached`.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_image: u64,
    /// Audio tokens among `cache_read`.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_read_audio: u64,
    /// Tokens generated, reasoning included.
    #[serde(skip_serializing_if = "is_zero")]
    pub output: u64,
    /// Reasoning tokens among `output`.
    #[serde(skip_serializing_if = "is_zero")]
    pub reasoning: u64,
    /// Audio tokens among `output`.
    #[serde(skip_serializing_if = "is_zero")]
    pub output_audio: u64,
    /// Image tokens among `output`.
    #[serde(skip_serializing_if = "is_zero")]
    pub output_image: u64,
    /// Web searches that the provider made.
    #[serde(skip_serializing_if = "is_zero")]
    pub searches: u64,
    /// Search units of a rerank, as its provider bills them.
    #[serde(skip_serializing_if = "is_zero")]
    pub search_units: u64,
    /// Pages that a fetch tool read.
    #[serde(skip_serializing_if = "is_zero")]
    pub fetches: u64,
    /// Pages of files that were read for the model.
    #[serde(skip_serializing_if = "is_zero")]
    pub file_pages: u64,
    /// Whether the counts were estimated because the provider sent none.
    pub estimated: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde calls")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Usage {
    /// All prompt tokens, cached or not.
    #[must_use]
    pub const fn prompt(&self) -> u64 {
        self.input_uncached
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write_5m)
            .saturating_add(self.cache_write_1h)
    }

    /// Prompt and output together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }
}
