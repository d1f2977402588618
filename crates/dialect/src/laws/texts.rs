//! Texts for filters of content: whatever a body is, replacing nothing changes nothing, and replacing
//! something changes that alone.

use bytes::Bytes;

use crate::document::Document;
use crate::texts::{Body, Change, changed, texts};

/// What replaces texts here: every kind of character that JSON has an escape for.
const PLACEHOLDER: &str = "[\"A\\\u{1}é\u{1f600}]";

/// Any bytes, read as any kind of body.
///
/// # Errors
/// Bytes that changed without a change, or a change that is not where it was made.
pub fn texts_stay_in_place(bytes: &[u8]) -> Result<(), String> {
    let Ok(document) = Document::parse(Bytes::copy_from_slice(bytes)) else { return Ok(()) };
    for body in Body::ALL {
        let before = texts(&document, body);
        if changed(&document, &before, &[]).bytes() != document.bytes() {
            return Err("replacing nothing changed the body".to_owned());
        }
        // A part of every other text.
        let parts = before.iter().enumerate().step_by(2).map(|(at, text)| {
            let length = text.text().len();
            let floor = |at: usize| (0..=at).rev().find(|at| text.text().is_char_boundary(*at));
            let start = floor(length / 3).unwrap_or(0);
            let end = floor(length - length / 4).unwrap_or(length).max(start);
            Change { text: at, span: start..end, with: PLACEHOLDER.to_owned() }
        });
        let changes: Vec<Change> = parts.collect();
        let after = changed(&document, &before, &changes);
        let read = Document::parse(after.bytes().clone());
        let read = read.map_err(|error| format!("{body:?}: {error}"))?;
        if !read.members().eq(after.members()) {
            return Err(format!("{body:?}: its members are no longer where they were"));
        }
        let found = texts(&after, body);
        if found.len() != before.len() {
            return Err(format!("{body:?}: {} texts became {}", before.len(), found.len()));
        }
        for (at, (old, new)) in before.iter().zip(&found).enumerate() {
            let mut expected = old.text().to_owned();
            if let Some(change) = changes.iter().find(|change| change.text == at) {
                expected.replace_range(change.span.clone(), &change.with);
            }
            if new.text() != expected || new.voice() != old.voice() {
                return Err(format!("{body:?}: {expected:?} is {:?}", new.text()));
            }
        }
    }
    Ok(())
}
