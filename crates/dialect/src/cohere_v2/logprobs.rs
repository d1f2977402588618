//! Log probabilities in the shape that chat clients know.

use crate::compose::{ArrayText, ObjectText};
use crate::document::Raw;

/// The `logprobs` member of a choice, made of the provider's items; `None` when there is nothing.
///
/// An item is a piece of text with the probabilities of its tokens. Where the piece has more than
/// one token it stands as one entry with their product, because the texts of its tokens are not told.
pub(super) fn member<'a>(items: impl Iterator<Item = Raw<'a>>) -> Option<String> {
    let mut content = ArrayText::new();
    for item in items {
        let Some(text) = item.get("text").and_then(Raw::string) else { continue };
        let values = item.get("logprobs");
        let mut values = values.into_iter().flat_map(Raw::elements).map(|(_, value)| value);
        let Some(logprob) = sum(&mut values) else { continue };
        let mut entry = ObjectText::new();
        entry.text("token", &text);
        entry.json("logprob", &logprob);
        entry.json("bytes", "null");
        entry.json("top_logprobs", "[]");
        content.push(&entry.finish());
    }
    if content.is_empty() {
        return None;
    }
    let mut member = ObjectText::new();
    member.json("content", &content.finish());
    member.json("refusal", "null");
    Some(member.finish())
}

/// The sum as JSON; one number alone stays as it was written.
fn sum<'a>(values: &mut impl Iterator<Item = Raw<'a>>) -> Option<String> {
    let first = values.next().filter(|value| value.number().is_some_and(f64::is_finite))?;
    let (mut total, mut count) = (first.number()?, 1_usize);
    for value in values {
        total += value.number()?;
        count += 1;
    }
    if count == 1 {
        return Some(first.text().to_owned());
    }
    total.is_finite().then(|| serde_json::Value::from(total).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_several_tokens_is_one_entry() {
        let items = r#"[{"text":"hi","token_ids":[1],"logprobs":[-0.10]},
            {"text":" you","token_ids":[2,3],"logprobs":[-0.5,-0.25]},
            {"text":"!"},{"text":"x","logprobs":[1e999]},{"logprobs":[1]}]"#;
        let expected = r#"{"content":[{"token":"hi","logprob":-0.10,"bytes":null,"top_logprobs":[]},{"token":" you","logprob":-0.75,"bytes":null,"top_logprobs":[]}],"refusal":null}"#;
        let read = |json| member(Raw::new(json).elements().map(|(_, item)| item));
        assert_eq!(read(items).as_deref(), Some(expected));
        assert_eq!(read("[]"), None);
    }
}
