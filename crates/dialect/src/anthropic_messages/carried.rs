//! Reasoning of other formats inside this dialect's blocks.
//!
//! `signature` and `data` have no room for a format and an id, and both must come back with the
//! next turn (inference spec 9.6). So a text that is not Claude's carries them in front. What
//! Claude wrote is never touched.

/// Claude's own format.
pub(crate) const CLAUDE: &str = "anthropic-claude-v1";

const MARK: &str = "signalbox.reasoning/";

/// What stands before a text of this format and id; nothing for Claude's own.
pub(super) fn prefix(format: Option<&str>, id: Option<&str>) -> String {
    let fits = |text: &&str| !text.is_empty() && !text.contains('/');
    match format.filter(fits) {
        None | Some(CLAUDE) => String::new(),
        Some(format) => format!("{MARK}{format}/{}/", id.filter(fits).unwrap_or_default()),
    }
}

/// What stands for the signature of a text that nobody signed: its format and id alone, where they
/// are known.
pub(super) fn unsigned(format: Option<&str>, id: Option<&str>) -> String {
    prefix(format.filter(|format| *format != "unknown"), id)
}

/// A text with the format and id that it carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) text: String,
    pub(super) format: Option<String>,
    pub(super) id: Option<String>,
}

/// Takes a text apart again. `None` when it carries nothing.
pub(super) fn unpack(text: &str) -> Option<Carried> {
    let mut parts = text.strip_prefix(MARK)?.splitn(3, '/');
    let (format, id, text) = (parts.next()?, parts.next()?, parts.next()?);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Some(Carried { text: text.to_owned(), format: some(format), id: some(id) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        let text = format!("{}a/b+c==", prefix(Some("openai-responses-v1"), Some("rs_1")));
        let carried = unpack(&text).unwrap();
        assert_eq!(carried.text, "a/b+c==");
        assert_eq!(carried.format.as_deref(), Some("openai-responses-v1"));
        assert_eq!(carried.id.as_deref(), Some("rs_1"));
        let bare = unpack(&format!("{}x", prefix(Some("google-gemini-v1"), None))).unwrap();
        assert_eq!((bare.id, bare.text.as_str()), (None, "x"));
    }

    #[test]
    fn a_text_that_nobody_signed_keeps_its_format() {
        let carried = unpack(&unsigned(Some("google-gemini-v1"), Some("a"))).unwrap();
        assert_eq!((carried.text.as_str(), carried.id.as_deref()), ("", Some("a")));
        assert_eq!(carried.format.as_deref(), Some("google-gemini-v1"));
        for none in [None, Some("unknown"), Some(CLAUDE)] {
            assert_eq!(unsigned(none, None), "");
        }
    }

    #[test]
    fn claudes_own_is_not_touched() {
        assert_eq!(prefix(Some(CLAUDE), Some("id")), "");
        assert_eq!(prefix(None, None), "");
        assert_eq!(unpack("EqQBCgIYAhIM"), None);
    }
}
