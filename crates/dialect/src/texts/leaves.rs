//! Gathering texts: strings where they stand, and every string inside a value.

use std::borrow::Cow;
use std::ops::Range;

use super::{Place, Text, Voice};
use crate::document::{Document, Kind, Raw};
use crate::scan::{Scanner, unescape};

/// Members of objects that nobody described whose strings are no texts: names, marks and media.
const NO_TEXT: &[&str] = &[
    "type",
    "id",
    "call_id",
    "tool_use_id",
    "item_id",
    "name",
    "role",
    "status",
    "signature",
    "encrypted_content",
    "encrypted_index",
    "data",
    "file_data",
    "file_id",
    "image_url",
    "media_type",
    "cache_control",
];

pub(super) struct Texts<'a> {
    whole: &'a str,
    out: Vec<Text<'a>>,
}

impl<'a> Texts<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        Self { whole: document.text(), out: Vec::with_capacity(16) }
    }

    pub(super) fn finish(self) -> Vec<Text<'a>> {
        self.out
    }

    /// The text, when the value is a string.
    pub(super) fn add(&mut self, voice: Voice, raw: Raw<'a>) {
        if raw.kind() == Kind::String
            && let Some(at) = inside(self.whole, raw)
            && !at.is_empty()
        {
            let place = Place { at, within: None, bare: false };
            self.out.push(Text { voice, text: unescape(raw.text()), place, continues: false });
        }
    }

    /// How many there are.
    pub(super) const fn count(&self) -> usize {
        self.out.len()
    }

    /// The last one goes on where the one before it ended, which is the last of `before`.
    pub(super) fn continues(&mut self, before: usize) {
        if let Some(text) = self.out.get_mut(before).filter(|_| before > 0) {
            text.continues = true;
        }
    }

    /// A text, or a list of them.
    pub(super) fn strings(&mut self, voice: Voice, raw: Raw<'a>) {
        self.add(voice, raw);
        raw.elements().for_each(|(_, one)| self.add(voice, one));
    }

    /// The texts of a tool call's arguments: JSON inside a string, or as it is. A string that is no
    /// JSON is a text.
    pub(super) fn arguments(&mut self, voice: Voice, raw: Raw<'a>) {
        if raw.kind() != Kind::String {
            return self.free(voice, raw);
        }
        let Some(at) = inside(self.whole, raw) else { return };
        let json = unescape(raw.text());
        let mut scanner = Scanner::new(&json);
        let value = Raw::new(&json);
        let is_json = matches!(value.kind(), Kind::Object | Kind::Array)
            && scanner.value().and_then(|_| scanner.end()).is_ok();
        if !is_json {
            return self.add(voice, raw);
        }
        let out = &mut self.out;
        each_leaf(value, Form::Free, &mut |leaf| {
            let bare = leaf.kind() == Kind::Number;
            let within = if bare { offset(&json, leaf.text()) } else { inside(&json, leaf) };
            let text =
                if bare { leaf.text().to_owned() } else { unescape(leaf.text()).into_owned() };
            if let (Some(within), false) = (within, text.is_empty()) {
                let place = Place { at: at.clone(), within: Some(within), bare };
                out.push(Text { voice, text: Cow::Owned(text), place, continues: false });
            }
        });
    }

    /// Every string and number inside a value that a model made up, and the keys of its objects.
    pub(super) fn free(&mut self, voice: Voice, raw: Raw<'a>) {
        self.leaves(voice, raw, Form::Free);
    }

    /// The strings of an object that has a form, but not one that is known here.
    pub(super) fn formed(&mut self, voice: Voice, raw: Raw<'a>) {
        self.leaves(voice, raw, Form::Unknown);
    }

    fn leaves(&mut self, voice: Voice, raw: Raw<'a>, form: Form) {
        each_leaf(raw, form, &mut |leaf| match leaf.kind() {
            Kind::Number => {
                if let Some(at) = offset(self.whole, leaf.text()) {
                    let place = Place { at, within: None, bare: true };
                    let text = Cow::Borrowed(leaf.text());
                    self.out.push(Text { voice, text, place, continues: false });
                }
            }
            _ => self.add(voice, leaf),
        });
    }
}

/// What is known of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing: any part of it may be text.
    Free,
    /// Its keys and numbers are not text.
    Unknown,
}

/// Walks what is inside a value. It was validated, so its depth is bounded.
fn each_leaf<'a>(raw: Raw<'a>, form: Form, take: &mut impl FnMut(Raw<'a>)) {
    match raw.kind() {
        Kind::String => take(raw),
        Kind::Number if form == Form::Free => take(raw),
        Kind::Array => raw.elements().for_each(|(_, one)| each_leaf(one, form, take)),
        Kind::Object => {
            let text = raw.text();
            for member in raw.members() {
                if let (Form::Free, Some(key)) = (form, text.get(member.key_at.clone())) {
                    take(Raw::new(key));
                }
                let is_string = member.value.kind() == Kind::String;
                let media = member.value.text().starts_with("\"data:");
                let silent = form == Form::Unknown && NO_TEXT.contains(&&*member.key);
                if !(is_string && (media || silent)) {
                    each_leaf(member.value, form, take);
                }
            }
        }
        Kind::Number | Kind::Null | Kind::Bool => {}
    }
}

/// Where the inside of a string lies in the text that it is a part of.
fn inside(whole: &str, string: Raw<'_>) -> Option<Range<usize>> {
    offset(whole, string.inner()?)
}

/// Where a part of a text lies in it.
fn offset(whole: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}
