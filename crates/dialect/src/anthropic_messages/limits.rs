//! Limits of a whole request: its messages (inference spec, appendix H) and its cache marks (14.1).
//!
//! A mark caches everything before it: tools, then the system prompt, then the messages. So of too
//! many the last ones stay, which cover the longest prefixes. A mark at the top level is placed by
//! the provider and takes one of the places.

use signalbox_core::ApiError;

use crate::document::{Edits, Kind, Raw, rewrite_elements, splice};

/// Most messages of a request.
const MAX_MESSAGES: usize = 1000;
/// Most cache marks of a request; one more is an error of the provider.
const MAX_MARKS: usize = 4;
/// Members that may have marks, in the order of the prompt.
const MARKED: [&str; 3] = ["tools", "system", "messages"];

/// New texts for the members that have too many marks; none when all is well.
///
/// # Errors
/// `invalid_request` for too many messages.
pub(super) fn keep<'a>(
    get: impl Fn(&str) -> Option<Raw<'a>>,
) -> Result<Vec<(&'static str, String)>, ApiError> {
    let count = get("messages").into_iter().flat_map(Raw::elements).count();
    if count > MAX_MESSAGES {
        let text = format!("`messages` must be at most {MAX_MESSAGES} long for this model.");
        return Err(ApiError::invalid(text));
    }
    let at_top = get("cache_control").is_some_and(|mark| mark.kind() == Kind::Object);
    let places = MAX_MARKS - usize::from(at_top);
    let members = MARKED.map(|key| get(key).map(|list| (key, list)));
    let all: usize = members.iter().flatten().map(|(_, list)| in_list(*list)).sum();
    let mut surplus = all.saturating_sub(places);
    let mut changed = Vec::new();
    for (key, list) in members.into_iter().flatten() {
        let text = rewrite_elements(list, |one| unmarked(one, &mut surplus));
        changed.extend(text.map(|text| (key, text)));
    }
    Ok(changed)
}

/// A whole body within the limits, and whether it lost marks for that.
///
/// # Errors
/// As [`keep`].
pub(super) fn kept(body: String) -> Result<(String, bool), ApiError> {
    let raw = Raw::new(&body);
    let changed = keep(|key| raw.get(key))?;
    if changed.is_empty() {
        return Ok((body, false));
    }
    let mut edits = Edits::default();
    for (key, text) in changed {
        edits.set(key, text);
    }
    Ok((splice(raw.text(), raw.members(), &edits), true))
}

fn is_marked(object: Raw<'_>) -> bool {
    object.get("cache_control").is_some_and(|mark| mark.kind() == Kind::Object)
}

/// The lists of blocks inside an object: a message's or a result's, and a document's.
fn inner(object: Raw<'_>) -> [Option<Raw<'_>>; 2] {
    [object.get("content"), object.get("source").and_then(|source| source.get("content"))]
}

fn in_list(list: Raw<'_>) -> usize {
    list.elements().map(|(_, one)| marks(one)).sum()
}

fn marks(object: Raw<'_>) -> usize {
    let inside: usize = inner(object).into_iter().flatten().map(in_list).sum();
    inside.saturating_add(usize::from(is_marked(object)))
}

/// The object without its first marks, as long as there is a surplus.
fn unmarked(object: Raw<'_>, surplus: &mut usize) -> Option<String> {
    if *surplus == 0 {
        return None;
    }
    let mut edits = Edits::default();
    let [content, documents] = inner(object);
    let mut list = |list: Raw<'_>| rewrite_elements(list, |one| unmarked(one, surplus));
    if let Some(text) = content.and_then(&mut list) {
        edits.set("content", text);
    }
    if let (Some(text), Some(source)) = (documents.and_then(list), object.get("source")) {
        let mut inside = Edits::default();
        inside.set("content", text);
        edits.set("source", splice(source.text(), source.members(), &inside));
    }
    if *surplus > 0 && is_marked(object) {
        edits.remove("cache_control");
        *surplus -= 1;
    }
    (!edits.is_empty()).then(|| splice(object.text(), object.members(), &edits))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &str = r#""cache_control":{"type":"ephemeral"}"#;

    fn body(top: &str) -> String {
        format!(
            r#"{{"messages":[{{"role":"user","content":[{{"type":"tool_result","content":[{{"type":"text","text":"r",{MARK}}}],{MARK}}},{{"type":"text", "text":"x",{MARK}}}]}}],{top}"system":[{{"type":"text","text":"s",{MARK}}}],"tools":[{{"name":"f",{MARK}}}]}}"#
        )
    }

    #[test]
    fn of_too_many_marks_the_last_ones_of_the_prompt_stay() {
        let (text, lost) = kept(body("")).unwrap();
        assert!(lost);
        assert_eq!(text.matches(MARK).count(), 4);
        assert!(text.contains(r#""tools":[{"name":"f"}]"#), "{text}");
        let top = format!("{MARK},");
        let (text, _) = kept(body(&top)).unwrap();
        assert_eq!(text.matches(MARK).count(), 4);
        assert!(text.contains(r#""system":[{"type":"text","text":"s"}]"#), "{text}");
        assert!(text.contains(r#"{"type":"text", "text":"x","cache_control""#), "{text}");
    }

    #[test]
    fn up_to_four_marks_nothing_changes() {
        let four = body("").replace(&format!(r#"{{"name":"f",{MARK}}}"#), r#"{"name":"f"}"#);
        assert_eq!(kept(four.clone()).unwrap(), (four, false));
    }

    #[test]
    fn marks_inside_a_document_count() {
        let block = format!(r#"{{"type":"text","text":"d",{MARK}}}"#);
        let list = vec![block; 6].join(",");
        let (text, _) = kept(format!(
            r#"{{"messages":[{{"role":"user","content":[{{"type":"document","source":{{"type":"content","content":[{list}]}}}}]}}]}}"#
        ))
        .unwrap();
        assert_eq!(text.matches(MARK).count(), 4);
        assert!(text.contains(r#"[{"type":"text","text":"d"},{"type":"text","text":"d"},{"type":"text","text":"d","cache_control""#), "{text}");
    }

    #[test]
    fn a_thousand_messages_and_no_more() {
        let of = |count: usize| {
            let list = vec![r#"{"role":"user","content":"x"}"#; count].join(",");
            kept(format!("{{\"messages\":[{list}]}}"))
        };
        assert!(of(1000).is_ok());
        assert_eq!(of(1001).unwrap_err().kind, signalbox_core::ErrorKind::InvalidRequest);
    }
}
