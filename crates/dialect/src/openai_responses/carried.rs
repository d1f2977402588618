//! Reasoning of other formats inside `encrypted_content`.
//!
//! Coding agents bring back an item's `id` and `encrypted_content`, but not the members that only
//! routers write, `format` and `signature`. So what is of another format says by itself what it is,
//! and a signature that must come back travels there as well. This dialect's own is never touched.

use super::write_request::FORMAT;

const DATA: &str = "signalbox.reasoning/";
const SIGNATURE: &str = "signalbox.signature/";

/// Whether what is packed here is of this format.
fn is_own(format: Option<&str>) -> bool {
    format.is_none_or(|format| format.ends_with(FORMAT) || format.contains('/'))
}

fn pack(mark: &str, format: &str, id: &str, text: &str) -> String {
    let id = if id.contains('/') { "" } else { id };
    format!("{mark}{format}/{id}/{text}")
}

/// What only the provider can read, as it is sent to the client.
pub(super) fn data(format: Option<&str>, id: &str, text: &str) -> String {
    match format.filter(|_| !is_own(format)) {
        Some(format) => pack(DATA, format, id, text),
        None => text.to_owned(),
    }
}

/// The signature of an item's text; none of this format, which has no signatures.
pub(super) fn signature(format: Option<&str>, id: &str, text: &str) -> Option<String> {
    format.filter(|_| !is_own(format)).map(|format| pack(SIGNATURE, format, id, text))
}

/// What a text carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) text: String,
    pub(super) format: String,
    pub(super) id: Option<String>,
    pub(super) is_signature: bool,
}

/// Takes a text apart again. `None` when it carries nothing.
pub(super) fn unpack(text: &str) -> Option<Carried> {
    let data = text.strip_prefix(DATA).map(|rest| (rest, false));
    let (rest, is_signature) = data.or_else(|| Some((text.strip_prefix(SIGNATURE)?, true)))?;
    let mut parts = rest.splitn(3, '/');
    let (format, id, text) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Carried {
        text: text.to_owned(),
        format: format.to_owned(),
        id: (!id.is_empty()).then(|| id.to_owned()),
        is_signature,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        let found = unpack(&data(Some("google-gemini-v1"), "call_1", "a/b==")).unwrap();
        let id = Some("call_1".to_owned());
        let format = "google-gemini-v1".to_owned();
        assert_eq!(found, Carried { text: "a/b==".into(), format, id, is_signature: false });
        let found = unpack(&signature(Some("anthropic-claude-v1"), "a/b", "s").unwrap()).unwrap();
        assert_eq!((found.text.as_str(), found.id, found.is_signature), ("s", None, true));
    }

    #[test]
    fn its_own_is_not_touched() {
        for format in [None, Some(FORMAT), Some("azure-openai-responses-v1")] {
            assert_eq!(data(format, "rs_1", "gAAA/=="), "gAAA/==");
            assert_eq!(signature(format, "rs_1", "s"), None);
        }
        assert_eq!(unpack("gAAA/b/c=="), None);
    }
}
