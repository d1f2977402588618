//! Edits of an object's members, and the splice that carries them out.

use std::borrow::Cow;
use std::ops::Range;

use super::pieces::Pieces;
use super::{Document, Entry, Raw};

/// Changes to the members of one object. A later edit of a key replaces an earlier one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits(Vec<(Cow<'static, str>, Option<String>)>);

impl Edits {
    /// Gives the member this raw JSON text: in place when it is there, else at the end.
    pub fn set(&mut self, key: impl Into<Cow<'static, str>>, raw_json: String) {
        self.put(key.into(), Some(raw_json));
    }

    /// Leaves the member out.
    pub fn remove(&mut self, key: impl Into<Cow<'static, str>>) {
        self.put(key.into(), None);
    }

    /// Whether nothing changes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was said about a key: nothing, leave it out, or this raw JSON text.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Option<&str>> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_deref())
    }

    /// The raw JSON text that the member will have once the edits are made.
    #[must_use]
    pub fn current<'a>(&'a self, document: &'a Document, key: &str) -> Option<&'a str> {
        self.get(key).unwrap_or_else(|| document.get(key))
    }

    fn put(&mut self, key: Cow<'static, str>, value: Option<String>) {
        if self.0.capacity() == 0 {
            self.0.reserve(12);
        }
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, slot)) => *slot = value,
            None => self.0.push((key, value)),
        }
    }

    fn added_bytes(&self) -> usize {
        self.0
            .iter()
            .map(|(key, value)| value.as_ref().map_or(0, |text| text.len() + key.len() + 8))
            .sum()
    }
}

/// A text as a JSON string, quotes included.
pub(crate) fn quoted(text: &str) -> String {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        return ["\"", text, "\""].concat();
    }
    serde_json::Value::from(text).to_string()
}

/// Where edited text goes.
pub(super) trait Output {
    /// This part of the text that is edited.
    fn keep(&mut self, part: Range<usize>);
    /// Text that was not there before.
    fn add(&mut self, text: &str);
}

struct Copied<'a> {
    from: &'a str,
    out: String,
}

impl Output for Copied<'_> {
    fn keep(&mut self, part: Range<usize>) {
        self.out.push_str(self.from.get(part).unwrap_or_default());
    }

    fn add(&mut self, text: &str) {
        self.out.push_str(text);
    }
}

/// The text of an object with edits made. `entries` are its members in order, with their places.
pub(crate) fn splice<'a>(
    text: &'a str,
    entries: impl Iterator<Item = Entry<'a>>,
    edits: &Edits,
) -> String {
    let room = text.len().saturating_add(edits.added_bytes());
    let mut out = Copied { from: text, out: String::with_capacity(room) };
    splice_into(text, entries, edits, &mut out);
    out.out
}

/// The same in pieces, which share what is kept.
pub(super) fn splice_pieces<'a>(
    document: &'a Document,
    entries: impl Iterator<Item = Entry<'a>>,
    edits: &Edits,
) -> Pieces {
    let bytes = document.bytes();
    let mut out = Pieces::begin(bytes, edits.added_bytes());
    splice_into(&document.text, entries, edits, &mut out);
    out.finish()
}

fn splice_into<'a>(
    text: &'a str,
    entries: impl Iterator<Item = Entry<'a>>,
    edits: &Edits,
    out: &mut impl Output,
) {
    let mut seen = vec![false; edits.0.len()];
    // Where the bytes not yet handled begin, and whether a member is already in `out`.
    let mut done = 0;
    let mut written = false;
    for entry in entries {
        let edit = edits.0.iter().position(|(key, _)| *key == entry.key);
        let value = edit.and_then(|at| {
            seen.get_mut(at).into_iter().for_each(|flag| *flag = true);
            edits.0.get(at)
        });
        let lead = if written || done == 0 { done } else { entry.key_at.start };
        match value {
            Some((_, None)) => {
                // The white space and bracket before the first member stay; later separators go.
                if done == 0 {
                    out.keep(0..entry.key_at.start);
                }
                done = entry.value_at.end;
                continue;
            }
            Some((_, Some(raw))) => {
                out.keep(lead..entry.value_at.start);
                out.add(raw);
            }
            None => out.keep(lead..entry.value_at.end),
        }
        done = entry.value_at.end;
        written = true;
    }
    if done == 0 {
        let open = text.find('{').map_or(0, |bracket| bracket + 1);
        out.keep(0..open);
        done = open;
    }
    for ((key, value), seen) in edits.0.iter().zip(seen) {
        let (Some(raw), false) = (value, seen) else { continue };
        if written {
            out.add(",");
        }
        out.add(&quoted(key));
        out.add(":");
        out.add(raw);
        written = true;
    }
    out.keep(done..text.len());
}

/// An array with some of its elements replaced; none when no element changes.
pub(crate) fn rewrite_elements(
    array: Raw<'_>,
    mut change: impl FnMut(Raw<'_>) -> Option<String>,
) -> Option<String> {
    let text = array.text();
    let mut out = String::new();
    let mut done = 0;
    for (place, element) in array.elements() {
        let Some(new) = change(element) else { continue };
        if out.is_empty() {
            out.reserve(text.len().saturating_add(new.len()));
        }
        out.push_str(text.get(done..place.start).unwrap_or_default());
        out.push_str(&new);
        done = place.end;
    }
    if done == 0 {
        return None;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Some(out)
}
