//! A prompt that moderation flagged (inference spec 4.5).

use crate::{ApiError, ErrorKind};

/// Longest part of a prompt that an error quotes, in characters.
const MAX_QUOTED: usize = 100;
/// Most reasons that an error names, and how long each may be in characters.
const MAX_REASONS: usize = 32;
const MAX_REASON: usize = 100;

/// What was flagged and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flagged {
    /// The kinds of content that were found, each once.
    pub reasons: Vec<String>,
    /// The text in which it is, at most 100 characters: of a longer one the middle is `...`.
    pub input: String,
}

impl Flagged {
    /// Of reasons and a text as somebody outside wrote them.
    #[must_use]
    pub fn new<'a>(reasons: impl IntoIterator<Item = &'a str>, input: &str) -> Self {
        let mut named: Vec<String> = Vec::new();
        for reason in reasons.into_iter().take(MAX_REASONS) {
            let reason: String =
                reason.chars().filter(|one| !one.is_control()).take(MAX_REASON).collect();
            if !reason.is_empty() && !named.contains(&reason) {
                named.push(reason);
            }
        }
        Self { reasons: named, input: quoted(input) }
    }

    /// 403 with what was flagged, who has it moderated, and for which model.
    #[must_use]
    pub fn refusal(&self, provider_name: &str, model_slug: &str) -> ApiError {
        let reasons = self.reasons.join(", ");
        let message = format!(
            "{model_slug} requires moderation on {provider_name}. Your input was flagged for \
             \"{reasons}\". No credits were charged."
        );
        ApiError::new(ErrorKind::PermissionDenied, message)
            .with_metadata("reasons", self.reasons.clone())
            .with_metadata("flagged_input", self.input.as_str())
            .with_metadata("provider_name", provider_name)
            .with_metadata("model_slug", model_slug)
    }
}

/// A text, its middle left out when it is long.
fn quoted(text: &str) -> String {
    const GAP: &str = "...";
    if text.chars().nth(MAX_QUOTED).is_none() {
        return text.to_owned();
    }
    let part = (MAX_QUOTED - GAP.len()) / 2;
    let letters: Vec<char> = text.chars().rev().take(part).collect();
    let tail: String = letters.into_iter().rev().collect();
    text.chars().take(part).chain(GAP.chars()).chain(tail.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spec_4_5_a_flagged_prompt_is_quoted_in_a_hundred_characters() {
        for (length, expected) in [(0, 0), (100, 100), (101, 99), (5_000, 99)] {
            let flagged = Flagged::new(["hate"], &"é".repeat(length));
            assert_eq!(flagged.input.chars().count(), expected, "{length}");
        }
        let text = format!("begin{}end", "x".repeat(500));
        let flagged = Flagged::new(["hate", "hate", "", "a\nb"], &text);
        assert!(flagged.input.starts_with("beginx") && flagged.input.ends_with("xend"));
        assert!(flagged.input.contains("x...x"), "{}", flagged.input);
        let error = flagged.refusal("Acme", "a/b");
        assert_eq!(
            (error.status(), error.metadata["reasons"].to_string()),
            (403, r#"["hate","ab"]"#.into())
        );
        let whole = error.metadata.keys().map(String::as_str).collect::<Vec<_>>();
        for member in ["reasons", "flagged_input", "provider_name", "model_slug"] {
            assert!(whole.contains(&member), "{member}");
        }
    }
}
