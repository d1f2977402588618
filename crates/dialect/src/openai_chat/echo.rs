//! Showing a client what was sent to a provider (inference spec 3.5).

use super::chunk::{Shape, head};
use crate::identity::Identity;

/// The member that holds a body as it was sent, after a comma and on one line: line ends between
/// tokens are white space, and strings have none.
pub(crate) fn echoed(body: &str) -> String {
    let mut member = String::with_capacity(body.len().saturating_add(64));
    member.push_str(",\"debug\":{\"echo_upstream_body\":");
    member.extend(body.chars().map(|one| if matches!(one, '\n' | '\r') { ' ' } else { one }));
    member.push('}');
    member
}

/// A chunk without choices that shows a body.
#[must_use]
pub fn echo_chunk(body: &str, identity: &Identity) -> Vec<u8> {
    let mut chunk = head(identity, Shape::Chunk);
    chunk.extend_from_slice(b",\"choices\":[]");
    chunk.extend_from_slice(echoed(body).as_bytes());
    chunk.extend_from_slice(b"}\n\n");
    chunk
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::laws;

    #[test]
    fn a_body_is_shown_on_one_line() {
        let chunk = echo_chunk("{\n \"model\": \"a\\nb\"\r\n}", &laws::identity());
        let text = String::from_utf8(chunk).unwrap();
        let line = text.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap();
        assert!(!line.contains(['\n', '\r']));
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["choices"], json!([]));
        assert_eq!(value["debug"]["echo_upstream_body"], json!({"model": "a\nb"}));
    }
}
