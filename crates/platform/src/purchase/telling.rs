//! Reading what others tell, of whatever shape it is.

use serde_json::Value;

/// Longest text of a rail that is kept or shown.
const MAX_TEXT: usize = 200;

/// A text at a place. Where an object stands instead, as when it was expanded, its `id`.
pub(super) fn text(value: &Value, place: &str) -> Option<String> {
    match value.pointer(place)? {
        Value::String(text) => Some(text.clone()),
        Value::Object(object) => object.get("id")?.as_str().map(str::to_owned),
        _ => None,
    }
}

/// A whole number at a place. Parts of one are no number.
pub(super) fn number(value: &Value, place: &str) -> Option<i64> {
    value.pointer(place)?.as_i64()
}

/// The beginning of a text, on one line and without control characters.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_expanded_object_counts_as_its_id() {
        let value = json!({"a": "x", "b": {"id": "y"}, "c": 7, "d": 7.5, "e": "8"});
        assert_eq!(text(&value, "/a").as_deref(), Some("x"));
        assert_eq!(text(&value, "/b").as_deref(), Some("y"));
        assert_eq!(text(&value, "/c"), None);
        let numbers = ["/c", "/d", "/e", "/f"].map(|place| number(&value, place));
        assert_eq!(numbers, [Some(7), None, None, None]);
    }

    #[test]
    fn a_text_is_cut_and_tamed() {
        assert_eq!(short("a\nb\u{1b}c"), "abc");
        assert_eq!(short(&"ü".repeat(500)).chars().count(), 200);
    }
}
