//! Reasoning under its three names, brought to one (inference spec 9.5).

use std::borrow::Cow;

use serde::Deserialize;

use super::chunk::comma;
use crate::identity::Facts;
use crate::scan;

/// The reasoning members of one body, as raw values.
#[derive(Debug, Default)]
pub(super) struct Reasoning<'a> {
    /// `reasoning`, or reasoning that was found among the content.
    pub(super) plain: Option<Cow<'a, str>>,
    /// `reasoning_content`.
    pub(super) alias: Option<&'a str>,
    /// `reasoning_details`.
    pub(super) details: Option<&'a str>,
}

impl Reasoning<'_> {
    /// The text as a raw value: the first of the two names that has any, else a null that was sent.
    fn text(&self) -> Option<&str> {
        let plain = self.plain.as_deref();
        let mut both = [plain, self.alias].into_iter().flatten();
        both.clone()
            .find(|raw| scan::is_text(raw))
            .or_else(|| both.rfind(|raw| raw.starts_with('"') || *raw == "null"))
    }

    fn details(&self) -> Option<&str> {
        self.details.filter(|raw| raw.starts_with('[') && raw.len() > 2)
    }

    /// Counts the reasoning; `true` when any of the members was sent.
    pub(super) fn count(&self, facts: &mut Facts) -> bool {
        let text = self.text();
        let bytes = match (text.map_or(0, scan::text_bytes), self.details()) {
            (0, Some(details)) => details.len() as u64,
            (bytes, _) => bytes,
        };
        facts.content_seen |= bytes > 0;
        facts.output_bytes = facts.output_bytes.saturating_add(bytes);
        self.plain.is_some() || self.alias.is_some() || self.details.is_some()
    }

    /// Appends `reasoning`, and `reasoning_details` made from it where the provider sent none.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let text = self.text();
        if let Some(raw) = text {
            comma(out);
            out.extend_from_slice(b"\"reasoning\":");
            out.extend_from_slice(raw.as_bytes());
        }
        if let Some(raw) = self.details() {
            comma(out);
            out.extend_from_slice(b"\"reasoning_details\":");
            out.extend_from_slice(raw.as_bytes());
        } else if let Some(raw) = text.filter(|raw| scan::is_text(raw)) {
            out.extend_from_slice(
                b",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":",
            );
            out.extend_from_slice(raw.as_bytes());
            out.extend_from_slice(b",\"format\":\"unknown\",\"index\":0}]");
        }
    }
}

/// Content that came as typed parts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Flat {
    pub(super) text: String,
    pub(super) thinking: String,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    Text { text: String },
    Thinking { thinking: Thinking },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Thinking {
    Text(String),
    Parts(Vec<Part>),
}

/// Joins parts of text and thinking (Mistral); `None` when there is any other part.
pub(super) fn flatten(raw: &str) -> Option<Flat> {
    let parts: Vec<Part> = serde_json::from_str(raw).ok()?;
    let mut flat = Flat::default();
    for part in parts {
        match part {
            Part::Text { text } => flat.text.push_str(&text),
            Part::Thinking { thinking: Thinking::Text(text) } => flat.thinking.push_str(&text),
            Part::Thinking { thinking: Thinking::Parts(inner) } => {
                for part in inner {
                    match part {
                        Part::Text { text } => flat.thinking.push_str(&text),
                        Part::Thinking { .. } => return None,
                    }
                }
            }
        }
    }
    Some(flat)
}
