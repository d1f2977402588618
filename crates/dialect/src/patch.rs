//! Patches: the closed vocabulary of edits that a provider's data row may ask for.
//!
//! A pointer such as `/messages/*/name` leads through objects by key and through arrays by `*`,
//! which means every element. A patch of a top-level member works on its raw text; a deeper one
//! walks only the member it leads into, and rewrites only what changes. What is not there, or is not
//! of the kind that the patch is about, stays as it is.

mod apply;
mod row;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::document::{Document, Edits};

/// Why a row is no patch.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatchError {
    /// The row has none, or more than one, of the words of the vocabulary.
    #[error("a patch has exactly one of rename, drop, set, default, clamp, map, wrap, move")]
    Word,
    /// The row lacks a member, or has one that does not belong to its word.
    #[error("`{word}` {problem}")]
    Members {
        /// The word of the vocabulary.
        word: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// A pointer cannot be read.
    #[error("`{pointer}` is no pointer: {problem}")]
    Pointer {
        /// The pointer.
        pointer: String,
        /// What is wrong.
        problem: &'static str,
    },
}

/// One step of a pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Each,
}

/// Where a patch applies: not empty, begins with a key, and ends with one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pointer(Vec<Step>);

impl TryFrom<String> for Pointer {
    type Error = PatchError;

    fn try_from(text: String) -> Result<Self, PatchError> {
        Self::parse(&text)
    }
}

impl Pointer {
    /// A pointer through objects.
    pub(crate) fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Step::Key((*key).to_owned())).collect())
    }

    /// Puts a value there, on top of edits already decided.
    pub(crate) fn set(&self, value: Value, document: &Document, edits: &mut Edits) {
        let patch = Patch { at: self.clone(), action: Action::Set(value) };
        apply::apply(&patch, document, edits);
    }
}

/// One edit. Rows are checked when they are read, so every value of this type can be applied.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "row::Row")]
pub struct Patch {
    at: Pointer,
    action: Action,
}

/// What to do at a pointer.
#[derive(Debug, Clone, PartialEq)]
enum Action {
    /// Another key in the same object. A member that has that key already wins, except over a limit
    /// on output: what was reserved for must hold (see [`is_limit`]).
    Rename(String),
    /// Leave it out.
    Drop,
    /// This value, whatever was there. Objects on the way are made, array elements are not.
    Set(Value),
    /// This value when there is none, or null.
    Default(Value),
    /// A number no lower and no higher than this.
    Clamp { min: Option<serde_json::Number>, max: Option<serde_json::Number> },
    /// Another value for some strings; others stay.
    Map(BTreeMap<String, Value>),
    /// A list of one for a string, number or boolean.
    Wrap,
    /// Another place. A member that is there already wins, except over a limit on output.
    Move(Pointer),
}

/// Whether a key has one of the two names of the limit on output tokens. A provider may call it
/// something else, and a client may send that name too; the limit that was surveyed and reserved for
/// takes its place.
fn is_limit(key: &str) -> bool {
    matches!(key, "max_tokens" | "max_completion_tokens")
}

/// The patches of an endpoint, in the order they apply.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(transparent)]
pub struct Patches(Vec<Patch>);

impl Patches {
    /// Applies all of them on top of edits already decided; each sees what the ones before it did.
    pub fn apply(&self, document: &Document, edits: &mut Edits) {
        for patch in &self.0 {
            apply::apply(patch, document, edits);
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These patches and then others.
    #[must_use]
    pub fn followed_by(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().cloned());
        self
    }
}

impl FromIterator<Patch> for Patches {
    fn from_iter<I: IntoIterator<Item = Patch>>(patches: I) -> Self {
        Self(patches.into_iter().collect())
    }
}
