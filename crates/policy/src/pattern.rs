//! Patterns of model ids: `anthropic/*`, `openai/gpt-5*`, `*/claude-*`, or an id (inference spec 8.1).

use std::borrow::Cow;

use signalbox_catalog::Model;

/// Whether a pattern names this model, with or without its static variant.
#[must_use]
pub fn names(pattern: &str, model: &Model) -> bool {
    matches(pattern, &model.id) || (model.id != model.base && matches(pattern, &model.base))
}

/// Whether an entry of a list means this model: its id, its lasting id with the variant, or a pattern.
/// An id without a variant means none (platform spec 7.1); a pattern means them too.
#[must_use]
pub fn lists(entry: &str, model: &Model) -> bool {
    if matches(entry, &model.id) || entry.contains('*') && names(entry, model) {
        return true;
    }
    let lasting = match model.id.split_once(':') {
        Some((_, variant)) if !model.canonical_slug.contains(':') => {
            Cow::Owned(format!("{}:{variant}", model.canonical_slug))
        }
        _ => Cow::Borrowed(model.canonical_slug.as_str()),
    };
    matches(entry, &lasting)
}

/// Whether the text is the pattern, `*` standing for any run of characters. Case does not matter.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern.eq_ignore_ascii_case(text);
    };
    let Some(mut left) = strip_start(text.as_bytes(), first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*').filter(|part| !part.is_empty()) {
        let part = part.as_bytes();
        let found = left.windows(part.len()).position(|at| at.eq_ignore_ascii_case(part));
        let after = found.and_then(|at| left.get(at.saturating_add(part.len())..));
        let Some(after) = after else { return false };
        left = after;
    }
    let start = left.len().checked_sub(last.len()).and_then(|at| left.get(at..));
    start.is_some_and(|end| end.eq_ignore_ascii_case(last.as_bytes()))
}

fn strip_start<'t>(text: &'t [u8], start: &str) -> Option<&'t [u8]> {
    let (head, tail) = text.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start.as_bytes()).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, expected) in [
            ("anthropic/*", "anthropic/claude-opus-5", true),
            ("anthropic/*", "anthropic2/claude", false),
            ("openai/gpt-5*", "openai/gpt-5", true),
            ("openai/gpt-5*", "openai/gpt-5.2:free", true),
            ("*/claude-*", "anthropic/Claude-opus", true),
            ("*/claude-*", "anthropic/opus", false),
            ("*", "", true),
            ("**", "a", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbY", false),
            ("a*a", "a", false),
            ("*mini", "openai/gpt-mini-x", false),
            ("*mini*", "openai/gpt-mini-x", true),
            ("", "a", false),
            ("é*", "é", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
