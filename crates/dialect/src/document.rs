//! A JSON object kept as the bytes received, plus an index of its top-level members.
//!
//! Key order, number text and white space survive, because the prompt caches of providers key on bytes.

mod edits;
mod pieces;
mod raw;
mod replaced;
mod scan;

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use signalbox_core::{ApiError, limits};
use thiserror::Error;

pub use edits::Edits;
pub(crate) use edits::{quoted, rewrite_elements, splice};
pub use pieces::Pieces;
pub use raw::{Entry, Kind, Members, Raw};
pub(crate) use replaced::{Splice, splice as spliced};
use scan::{Fault, Scanner};

/// Why some bytes are not a document. The texts are for the person who sent them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DocumentError {
    /// The bytes are not UTF-8.
    #[error("the request body is not valid UTF-8 (byte {at})")]
    NotUtf8 {
        /// Offset of the first wrong byte.
        at: usize,
    },
    /// The text is not JSON.
    #[error("the request body is not valid JSON: {reason} at line {line}, column {column}")]
    Syntax {
        /// What was wrong.
        reason: &'static str,
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
    },
    /// The text is JSON, but no object.
    #[error("the request body must be a JSON object")]
    NotAnObject,
    /// A top-level key appears twice, perhaps spelled differently.
    #[error("the request body has the key {0:?} twice")]
    DuplicateKey(String),
    /// There are more top-level members than `limits::MAX_TOP_MEMBERS`.
    #[error("the request body has more than {} members", limits::MAX_TOP_MEMBERS)]
    TooManyMembers,
}

impl From<DocumentError> for ApiError {
    fn from(error: DocumentError) -> Self {
        let text = error.to_string();
        let mut letters = text.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        Self::invalid(first.into_iter().chain(letters).chain(['.']).collect::<String>())
    }
}

/// A validated JSON object. Clones share the text.
#[derive(Debug, Clone)]
pub struct Document {
    text: ByteString,
    members: Arc<[Member]>,
}

#[derive(Debug)]
struct Member {
    /// The key when it has escapes; else it is read from the text.
    unescaped: Option<Box<str>>,
    /// Where the key is, quotes included.
    key: Range<usize>,
    value: Range<usize>,
}

/// Up to so many members, keys are compared one by one: that is faster than hashing them.
const FEW_MEMBERS: usize = 32;

impl Document {
    /// Validates the bytes as one JSON object and indexes its members in one pass.
    ///
    /// # Errors
    /// Bytes that are not UTF-8, not JSON, not an object, nested as deep as `limits::MAX_JSON_DEPTH`,
    /// or that have a top-level key twice or too many members.
    pub fn parse(bytes: Bytes) -> Result<Self, DocumentError> {
        let text = ByteString::try_from(bytes)
            .map_err(|error| DocumentError::NotUtf8 { at: error.valid_up_to() })?;
        let members = index(&text)?;
        Ok(Self { text, members: members.into() })
    }

    /// The raw JSON text of a member.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        // Most keys differ in length already.
        let fits = |member: &&Member| {
            (member.unescaped.is_some() || member.key.len() == key.len().saturating_add(2))
                && self.key(member) == key
        };
        self.members.iter().find(fits).map(|member| self.slice(&member.value))
    }

    /// The members in the order received: the key without escapes, and the raw JSON text.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|member| (self.key(member), self.slice(&member.value)))
    }

    /// The bytes as received.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        self.text.as_bytes()
    }

    /// The same as text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The document with these edits: members are replaced in place or left out, new ones come at
    /// the end, everything else is byte for byte as received.
    #[must_use]
    pub fn edited(&self, edits: &Edits) -> Bytes {
        if edits.is_empty() {
            return self.bytes().clone();
        }
        Bytes::from(edits::splice(&self.text, self.entries(), edits))
    }

    /// As [`Document::edited`], in pieces that share what is kept.
    #[must_use]
    pub fn patched(&self, edits: &Edits) -> Pieces {
        if edits.is_empty() {
            return self.bytes().clone().into();
        }
        edits::splice_pieces(self, self.entries(), edits)
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.members.iter().map(|member| Entry {
            key: Cow::Borrowed(self.key(member)),
            value: Raw::new(self.slice(&member.value)),
            key_at: member.key.clone(),
            value_at: member.value.clone(),
        })
    }

    fn key<'a>(&'a self, member: &'a Member) -> &'a str {
        key_of(&self.text, member)
    }

    fn slice(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }
}

fn index(text: &str) -> Result<Vec<Member>, DocumentError> {
    let mut scanner = Scanner::new(text.as_bytes());
    let syntax = |fault: Fault| at_place(text, fault);
    scanner.blank();
    if scanner.peek() != Some(b'{') {
        scanner.value(0).and_then(|()| scanner.end()).map_err(syntax)?;
        return Err(DocumentError::NotAnObject);
    }
    let mut members = Vec::with_capacity(24);
    let mut crowded = false;
    scanner
        .object(1, |key, value| {
            crowded = members.len() >= limits::MAX_TOP_MEMBERS;
            if !crowded {
                let unescaped = Raw::new(text.get(key.clone()).unwrap_or_default())
                    .string()
                    .and_then(|name| match name {
                        Cow::Owned(name) => Some(name.into_boxed_str()),
                        Cow::Borrowed(_) => None,
                    });
                members.push(Member { unescaped, key, value });
            }
            !crowded
        })
        .map_err(syntax)?;
    if crowded {
        return Err(DocumentError::TooManyMembers);
    }
    scanner.end().map_err(syntax)?;
    refuse_duplicates(text, &members)?;
    Ok(members)
}

fn refuse_duplicates(text: &str, members: &[Member]) -> Result<(), DocumentError> {
    let refuse = |key: &str| Err(DocumentError::DuplicateKey(key.chars().take(64).collect()));
    if members.len() > FEW_MEMBERS {
        let mut seen = HashSet::with_capacity(members.len());
        for member in members {
            let key = key_of(text, member);
            if !seen.insert(key) {
                return refuse(key);
            }
        }
        return Ok(());
    }
    for (at, member) in members.iter().enumerate() {
        let key = key_of(text, member);
        let length = |one: &Member| one.unescaped.is_none().then_some(one.key.len());
        let may_equal = |other: &Member| match (length(member), length(other)) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        let mut before = members.iter().take(at);
        if before.any(|other| may_equal(other) && key_of(text, other) == key) {
            return refuse(key);
        }
    }
    Ok(())
}

fn key_of<'a>(text: &'a str, member: &'a Member) -> &'a str {
    member.unescaped.as_deref().unwrap_or_else(|| {
        let inner = member.key.start.saturating_add(1)..member.key.end.saturating_sub(1);
        text.get(inner).unwrap_or_default()
    })
}

fn at_place(text: &str, fault: Fault) -> DocumentError {
    let before = text.as_bytes().get(..fault.at).unwrap_or(text.as_bytes());
    let line = memchr::memchr_iter(b'\n', before).count().saturating_add(1);
    let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline.saturating_add(1));
    let column = before.len().saturating_sub(start).saturating_add(1);
    DocumentError::Syntax { reason: fault.reason, line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Document, DocumentError> {
        Document::parse(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn members_are_raw_text_in_the_order_received() {
        let document =
            parse(r#" { "b" : 1.50e0, "a":[ 1 , {"x":"}"} ] , "\u0063":null } "#).unwrap();
        let members: Vec<_> = document.members().collect();
        assert_eq!(members, [("b", "1.50e0"), ("a", r#"[ 1 , {"x":"}"} ]"#), ("c", "null")]);
        assert_eq!(document.get("c"), Some("null"));
        assert_eq!(document.get("x"), None);
    }

    #[test]
    fn a_key_given_twice_is_refused_whatever_its_spelling() {
        assert_eq!(
            parse(r#"{"model":1,"mod\u0065l":2}"#).unwrap_err(),
            DocumentError::DuplicateKey("model".into())
        );
    }

    #[test]
    fn a_mistake_is_named_by_line_and_column() {
        let error = parse("{\n  \"a\": tru\n}").unwrap_err();
        assert_eq!(
            ApiError::from(error).message,
            "The request body is not valid JSON: unknown literal at line 2, column 8."
        );
        assert_eq!(parse("[1]").unwrap_err(), DocumentError::NotAnObject);
        assert!(matches!(parse(""), Err(DocumentError::Syntax { line: 1, column: 1, .. })));
        assert!(matches!(
            Document::parse(Bytes::from_static(b"{\"a\":\"\xff\"}")),
            Err(DocumentError::NotUtf8 { at: 6 })
        ));
    }

    #[test]
    fn nesting_stops_where_serde_json_stops() {
        for depth in [126_usize, 127, 128, 100_000] {
            let text = format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
            let ours = parse(&text).is_ok();
            let theirs = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            assert_eq!((depth, ours), (depth, theirs));
        }
    }

    #[test]
    fn too_many_members_are_refused() {
        let body = |count: usize| {
            let members: Vec<String> = (0..count).map(|i| format!("\"k{i}\":{i}")).collect();
            parse(&format!("{{{}}}", members.join(",")))
        };
        assert!(body(limits::MAX_TOP_MEMBERS).is_ok());
        assert_eq!(body(limits::MAX_TOP_MEMBERS + 1).unwrap_err(), DocumentError::TooManyMembers);
    }

    #[test]
    fn edits_leave_the_rest_as_it_was() {
        let document = parse("{ \"a\" : 1 ,\n \"b\":2, \"c\": 3 }\n").unwrap();
        let mut edits = Edits::default();
        assert_eq!(document.edited(&edits), *document.bytes());
        edits.remove("a");
        edits.set("b", "[9]".into());
        edits.set("new\n", "true".into());
        assert_eq!(document.edited(&edits), "{ \"b\":[9], \"c\": 3,\"new\\n\":true }\n");
        edits.remove("b");
        edits.remove("c");
        edits.remove("new\n");
        assert_eq!(document.edited(&edits), "{  }\n");
    }

    #[test]
    fn pieces_share_what_is_long_and_say_the_same() {
        let long = "x".repeat(10_000);
        let document = parse(&format!(r#"{{"a":1,"b":"{long}","c":3,"d":"{long}"}}"#)).unwrap();
        let mut edits = Edits::default();
        assert_eq!(document.patched(&edits).whole(), *document.bytes());
        edits.set("a", "9".into());
        edits.remove("c");
        edits.set("e", "5".into());
        let pieces = document.patched(&edits);
        assert_eq!(pieces.clone().whole(), document.edited(&edits));
        let pieces = pieces.into_vec();
        let received = document.bytes().as_ptr_range();
        let shared = pieces.iter().filter(|one| received.contains(&one.as_ptr()));
        assert_eq!((pieces.len(), shared.count()), (4, 2), "{pieces:?}");
    }

    #[test]
    fn an_empty_object_takes_members() {
        let mut edits = Edits::default();
        edits.set("a", "1".into());
        edits.set("b", "2".into());
        assert_eq!(parse("{}").unwrap().edited(&edits), "{\"a\":1,\"b\":2}");
    }
}
