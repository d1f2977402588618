//! Token counts of embeddings and reranks, read with suspicion.

use signalbox_core::Usage;

use crate::document::{Kind, Raw};
use crate::identity::Facts;
use crate::openai_chat::finish::FinishReason;

/// More tokens than any one request can have; larger counts are a provider's mistake.
const MOST_TOKENS: u64 = 1 << 40;

/// Prompt tokens by what they are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each field is its own name on the wire")]
pub struct Modalities {
    pub text: u64,
    pub image: u64,
    pub audio: u64,
    pub video: u64,
    pub file: u64,
}

impl Modalities {
    /// The members of `prompt_tokens_details`, when there are two modalities at least; only those
    /// that count something (inference spec 16.1).
    #[must_use]
    pub fn details(&self) -> Option<Vec<(&'static str, u64)>> {
        let all = [
            ("text_tokens", self.text),
            ("image_tokens", self.image),
            ("audio_tokens", self.audio),
            ("video_tokens", self.video),
            ("file_tokens", self.file),
        ];
        let counted: Vec<_> = all.into_iter().filter(|(_, tokens)| *tokens > 0).collect();
        (counted.len() > 1).then_some(counted)
    }

    const fn sum(&self) -> u64 {
        self.text
            .saturating_add(self.image)
            .saturating_add(self.audio)
            .saturating_add(self.video)
            .saturating_add(self.file)
    }
}

/// A count that can be true; `odd` says that one can't.
pub(crate) fn count(raw: Option<Raw<'_>>, odd: &mut bool) -> Option<u64> {
    let raw = raw.filter(|raw| !raw.is_null())?;
    // Some servers write 12.0.
    let whole = raw.text().strip_suffix(".0").map_or(raw, Raw::new);
    let value = whole.integer().and_then(|value| u64::try_from(value).ok());
    let value = value.filter(|value| *value <= MOST_TOKENS);
    *odd |= value.is_none();
    value
}

/// `prompt_tokens`, else `total_tokens`, of a `usage` object.
pub(crate) fn total_tokens(usage: Raw<'_>, odd: &mut bool) -> Option<u64> {
    let mut member = |key: &str| count(usage.get(key), odd);
    let prompt = member("prompt_tokens").or_else(|| member("input_tokens"));
    let total = member("total_tokens");
    if let (Some(prompt), Some(total)) = (prompt, total) {
        *odd |= total < prompt;
    }
    prompt.or(total)
}

/// What was seen of an answer that is complete, with these counts.
pub(super) fn facts(tokens: Option<u64>, modalities: &Modalities, odd: bool) -> Facts {
    let usage = tokens.map(|tokens| Usage {
        input_uncached: tokens,
        input_audio: modalities.audio.min(tokens),
        input_image: modalities.image.min(tokens.saturating_sub(modalities.audio)),
        ..Usage::default()
    });
    let parts_fit = tokens.is_none_or(|tokens| modalities.sum() <= tokens);
    Facts {
        content_seen: true,
        usage,
        usage_plausible: !odd && parts_fit,
        finish: Some(FinishReason::Stop),
        done: true,
        chunks: 1,
        ..Facts::default()
    }
}

/// Counts by modality of a `prompt_tokens_details` object.
pub(super) fn named(details: Option<Raw<'_>>, odd: &mut bool) -> Modalities {
    let mut member = |key: &str| count(details.and_then(|raw| raw.get(key)), odd).unwrap_or(0);
    Modalities {
        text: member("text_tokens"),
        image: member("image_tokens"),
        audio: member("audio_tokens"),
        video: member("video_tokens"),
        file: member("file_tokens"),
    }
}

/// Counts by modality of Gemini's list of `{modality, tokenCount}`.
pub(super) fn listed(details: Option<Raw<'_>>, odd: &mut bool) -> Modalities {
    let mut found = Modalities::default();
    let list = details.filter(|raw| raw.kind() == Kind::Array);
    for (_, one) in list.into_iter().flat_map(Raw::elements) {
        let Some(tokens) = count(one.get("tokenCount"), odd) else { continue };
        let slot = match one.get("modality").and_then(Raw::string).as_deref() {
            Some("TEXT") => &mut found.text,
            Some("IMAGE") => &mut found.image,
            Some("AUDIO") => &mut found.audio,
            Some("VIDEO") => &mut found.video,
            Some("DOCUMENT") => &mut found.file,
            _ => continue,
        };
        *slot = slot.saturating_add(tokens);
    }
    found
}
