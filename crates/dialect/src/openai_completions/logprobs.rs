//! Legacy log probabilities in the shape that chat clients know.

use crate::compose::{ArrayText, ObjectText};
use crate::document::{Kind, Raw};

/// The chat dialect's `logprobs` of a choice, made of four lists side by side; what is in that shape
/// already stays. `None` when there is nothing.
pub(super) fn member(legacy: Raw<'_>) -> Option<String> {
    if legacy.get("content").is_some() {
        return Some(legacy.text().to_owned());
    }
    let list =
        |name: &str| legacy.get(name).into_iter().flat_map(Raw::elements).map(|(_, one)| one);
    let mut tops = list("top_logprobs");
    let mut content = ArrayText::new();
    for (token, logprob) in list("tokens").zip(list("token_logprobs")) {
        let top = tops.next();
        if let Some(mut entry) = entry(token.string().as_deref(), logprob) {
            let mut alternatives = ArrayText::new();
            for other in top.into_iter().flat_map(Raw::members) {
                if let Some(other) = self::entry(Some(&*other.key), other.value) {
                    alternatives.push(&other.finish());
                }
            }
            entry.json("top_logprobs", &alternatives.finish());
            content.push(&entry.finish());
        }
    }
    if content.is_empty() {
        return None;
    }
    let mut member = ObjectText::new();
    member.json("content", &content.finish());
    member.json("refusal", "null");
    Some(member.finish())
}

/// A token and its probability. The first token of a prompt has none.
fn entry(token: Option<&str>, logprob: Raw<'_>) -> Option<ObjectText> {
    let is_number = logprob.kind() == Kind::Number;
    let token = token.filter(|_| is_number)?;
    let mut entry = ObjectText::new();
    entry.text("token", token);
    entry.json("logprob", logprob.text());
    entry.json("bytes", "null");
    Some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_lists_become_one() {
        let legacy = r#"{"tokens":["a","b"],"token_logprobs":[null,-0.50],"text_offset":[0,1],"top_logprobs":[null,{"b":-0.50,"c":-1}]}"#;
        let expected = r#"{"content":[{"token":"b","logprob":-0.50,"bytes":null,"top_logprobs":[{"token":"b","logprob":-0.50,"bytes":null},{"token":"c","logprob":-1,"bytes":null}]}],"refusal":null}"#;
        assert_eq!(member(Raw::new(legacy)).as_deref(), Some(expected));
        assert_eq!(member(Raw::new(expected)).as_deref(), Some(expected));
        for none in
            ["{}", "null", "[]", r#"{"tokens":["a"]}"#, r#"{"tokens":[1],"token_logprobs":[2]}"#]
        {
            assert_eq!(member(Raw::new(none)), None, "{none}");
        }
    }
}
