//! An answer as a list of events, the hub between any two dialects.
//!
//! A lawful list is one `Begin`, then blocks (each `Open` is followed by its `Delta`s and one
//! `Close`; blocks may overlap), `ChoiceEnd` per ended choice, `Usage` at most once, and exactly one
//! `Finish` or `Error`, last. A whole answer is the same list as a streamed one.

mod fold;

use signalbox_core::Usage;

use crate::ProviderError;
pub use crate::openai_chat::finish::FinishReason;
pub use fold::{Folded, FoldedBlock, FoldedChoice};

/// One step of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The answer begins.
    Begin {
        /// The provider's own id of the answer.
        upstream_id: Option<String>,
    },
    /// A block begins.
    Open {
        /// Number of the block, counted from 0 over the whole answer.
        index: u32,
        /// Which of the `n` choices it belongs to.
        choice: u32,
        /// What it is.
        block: Block,
    },
    /// A block goes on.
    Delta {
        /// Number of the block.
        index: u32,
        /// What is added to it.
        piece: Piece,
    },
    /// A block is complete.
    Close {
        /// Number of the block.
        index: u32,
    },
    /// A choice is complete; its blocks are closed.
    ChoiceEnd {
        /// Which choice.
        choice: u32,
        /// Why it ended.
        reason: FinishReason,
        /// The provider's word for it.
        native: Option<String>,
    },
    /// What was consumed.
    Usage(Usage),
    /// The answer is complete. The reason is that of the first choice.
    Finish {
        /// Why it ended.
        reason: FinishReason,
        /// The provider's word for it.
        native: Option<String>,
    },
    /// The answer failed.
    Error(ProviderError),
}

/// What a block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Text of the answer.
    Text,
    /// Reasoning, with what is needed to send it back unchanged.
    Reasoning {
        /// How it is given.
        form: ReasoningForm,
        /// The provider's id of the block.
        id: Option<String>,
        /// Whose format it is (inference spec 9.5).
        format: Option<String>,
    },
    /// A call of one of the client's tools.
    ToolCall {
        /// Id of the call.
        id: String,
        /// Name of the function.
        name: String,
    },
    /// The model declines to answer.
    Refusal,
    /// Generated images: each piece is one image object as JSON.
    Image,
    /// Generated audio: each piece is a fragment object as JSON.
    Audio,
    /// Anything else that belongs to the answer, under its member name: each piece is JSON.
    Opaque {
        /// Name of the member.
        name: String,
    },
}

/// How a reasoning block is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasoningForm {
    /// The reasoning itself.
    Text,
    /// A summary of it.
    Summary,
    /// Encrypted, for the provider alone.
    Encrypted,
}

/// What is added to a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text, or the text of a refusal.
    Text(String),
    /// Text of reasoning or of its summary.
    Reasoning(String),
    /// The signature that proves a reasoning block.
    Signature(String),
    /// A fragment of a tool call's arguments, which are JSON when joined.
    Arguments(String),
    /// Raw JSON, or encrypted data.
    Opaque(String),
}
