//! The texts of a request that someone wrote, as places in the untouched body: what filters of
//! content read, and a way to replace spans in them that leaves every other byte as it came.
//!
//! A text is given without escapes; a place in it is translated back to the bytes that spell it.
//! The arguments of a tool call are JSON inside a string: their texts are read as what they mean, with
//! both layers of escapes taken off.

mod change;
mod leaves;
mod spelling;
mod walk;

use std::borrow::Cow;
use std::ops::Range;

pub use change::{Change, changed};

use crate::document::Document;

/// Which body it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Body {
    /// `/chat/completions`, also with a legacy `prompt`.
    Chat,
    /// `/completions`.
    Completions,
    /// `/messages`.
    Messages,
    /// `/responses`.
    Responses,
    /// `/embeddings`.
    Embeddings,
    /// `/rerank`.
    Rerank,
}

impl Body {
    /// Every one of them.
    pub const ALL: [Self; 6] = [
        Self::Chat,
        Self::Completions,
        Self::Messages,
        Self::Responses,
        Self::Embeddings,
        Self::Rerank,
    ];
}

/// Whose text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Voice {
    /// Instructions: `system`, `developer`.
    System,
    /// The user's own; prompts and what is to be embedded or ranked count as that.
    User,
    /// What a model said, or called a tool with.
    Assistant,
    /// What a tool answered.
    Tool,
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<'a> {
    voice: Voice,
    text: Cow<'a, str>,
    place: Place,
    continues: bool,
}

/// Where a text is spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// In the document: what is between the quotes, or the whole number.
    at: Range<usize>,
    /// In the JSON that the string at `at` means, for a text inside it.
    within: Option<Range<usize>>,
    /// Whether the text is a number: what replaces it needs quotes.
    bare: bool,
}

impl Text<'_> {
    /// Whose it is.
    #[must_use]
    pub const fn voice(&self) -> Voice {
        self.voice
    }

    /// Whether it is the part of a message that follows the text before it: a model reads both as one.
    #[must_use]
    pub const fn continues(&self) -> bool {
        self.continues
    }

    /// The text, without escapes. A lone surrogate is U+FFFD.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The texts of a request in the order in which they stand in the body. Media, reasoning with its
/// signatures and definitions of tools are not among them. A body of another kind, or one that would
/// be refused, gives what there is.
#[must_use]
pub fn texts(document: &Document, body: Body) -> Vec<Text<'_>> {
    walk::walk(document, body)
}
