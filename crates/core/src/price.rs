//! Price rows: what one unit of each kind costs at one endpoint, and when other prices apply.

use serde::{Deserialize, Serialize};

use crate::Rate;

/// What a price is for. The names are those of the public catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(usize)]
pub enum PriceKind {
    /// One prompt token.
    Prompt,
    /// One output token.
    Completion,
    /// One request.
    Request,
    /// One input image.
    Image,
    /// One input image token.
    ImageToken,
    /// One output image token.
    ImageOutput,
    /// One input audio token.
    Audio,
    /// One output audio token.
    AudioOutput,
    /// One prompt token read from cache.
    InputCacheRead,
    /// One prompt token written to a five-minute cache.
    InputCacheWrite,
    /// One prompt token written to a one-hour cache.
    #[serde(rename = "input_cache_write_1h")]
    InputCacheWrite1h,
    /// One audio token read from cache.
    InputAudioCache,
    /// One reasoning token, where it is priced apart from output.
    InternalReasoning,
    /// One web search by the provider.
    WebSearch,
    /// One search unit of a rerank.
    SearchUnit,
    /// One page that a fetch tool read.
    WebFetch,
    /// One page of a file that was read for the model.
    FilePage,
}

impl PriceKind {
    /// Every kind, in declaration order.
    pub const ALL: [Self; 17] = [
        Self::Prompt,
        Self::Completion,
        Self::Request,
        Self::Image,
        Self::ImageToken,
        Self::ImageOutput,
        Self::Audio,
        Self::AudioOutput,
        Self::InputCacheRead,
        Self::InputCacheWrite,
        Self::InputCacheWrite1h,
        Self::InputAudioCache,
        Self::InternalReasoning,
        Self::WebSearch,
        Self::SearchUnit,
        Self::WebFetch,
        Self::FilePage,
    ];

    /// The name on the wire, as in `pricing.input_cache_read`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Completion => "completion",
            Self::Request => "request",
            Self::Image => "image",
            Self::ImageToken => "image_token",
            Self::ImageOutput => "image_output",
            Self::Audio => "audio",
            Self::AudioOutput => "audio_output",
            Self::InputCacheRead => "input_cache_read",
            Self::InputCacheWrite => "input_cache_write",
            Self::InputCacheWrite1h => "input_cache_write_1h",
            Self::InputAudioCache => "input_audio_cache",
            Self::InternalReasoning => "internal_reasoning",
            Self::WebSearch => "web_search",
            Self::SearchUnit => "search_unit",
            Self::WebFetch => "web_fetch",
            Self::FilePage => "file_page",
        }
    }

    /// The kind with this wire name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One optional price for each kind. Absent means "not priced apart", which is not the same as free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates([Option<Rate>; PriceKind::ALL.len()]);

impl Rates {
    /// The price of a kind, when there is one.
    #[must_use]
    pub fn get(&self, kind: PriceKind) -> Option<Rate> {
        self.0.get(kind as usize).copied().flatten()
    }

    /// Sets the price of a kind.
    pub fn set(&mut self, kind: PriceKind, rate: Rate) {
        if let Some(slot) = self.0.get_mut(kind as usize) {
            *slot = Some(rate);
        }
    }

    /// The kinds that have a price, with it.
    pub fn iter(&self) -> impl Iterator<Item = (PriceKind, Rate)> + '_ {
        PriceKind::ALL.into_iter().filter_map(|kind| self.get(kind).map(|rate| (kind, rate)))
    }

    /// These prices with those of `over` laid on top.
    #[must_use]
    pub fn overlaid(mut self, over: &Self) -> Self {
        for (kind, rate) in over.iter() {
            self.set(kind, rate);
        }
        self
    }

    /// Whether every price is zero.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.iter().all(|(_, rate)| rate.is_zero())
    }
}

impl Serialize for Rates {
    /// A map from kind to decimal string.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = std::collections::BTreeMap::<PriceKind, Rate>::deserialize(deserializer)?;
        let mut rates = Self::default();
        for (kind, rate) in map {
            rates.set(kind, rate);
        }
        Ok(rates)
    }
}

/// Prices that replace others while **all** of its conditions hold (inference spec A.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PriceOverride {
    /// Applies when the whole prompt has strictly more tokens than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_prompt_tokens: Option<u64>,
    /// Start of a daily window as HHMM in UTC, included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utc_start: Option<u16>,
    /// End of the daily window as HHMM in UTC, excluded; it may lie past midnight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utc_end: Option<u16>,
    /// The prices that apply then; kinds that are absent keep theirs.
    pub rates: Rates,
}

/// The complete price row of an endpoint. Discounts are already taken off.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PriceTable {
    /// The prices that always apply.
    pub rates: Rates,
    /// Later entries win over earlier ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<PriceOverride>,
}

impl PriceTable {
    /// Whether nothing costs anything under any condition.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.rates.is_free() && self.overrides.iter().all(|entry| entry.rates.is_free())
    }

    /// Whether the row has what a token-billed answer needs: a prompt and a completion price.
    #[must_use]
    pub fn prices_tokens(&self) -> bool {
        self.rates.get(PriceKind::Prompt).is_some()
            && self.rates.get(PriceKind::Completion).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_by_its_wire_name() {
        for kind in PriceKind::ALL {
            assert_eq!(PriceKind::from_name(kind.name()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn a_price_row_survives_json() {
        let text = r#"{"rates":{"prompt":"0.000002","input_cache_write_1h":"0.000004"},"overrides":[{"min_prompt_tokens":200000,"rates":{"prompt":"0.000004"}}]}"#;
        let table: PriceTable = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&table).unwrap(), text);
        assert!(!table.is_free());
        assert!(!table.prices_tokens());
    }

    #[test]
    fn a_negative_price_is_no_price() {
        assert!(serde_json::from_str::<Rates>(r#"{"prompt":"-1"}"#).is_err());
    }
}
