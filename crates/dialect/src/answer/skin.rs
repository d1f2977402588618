//! What a client asked for, as far as its answer shows it.

use std::sync::Arc;

use crate::anthropic_messages::write_stream::PING;
use crate::conversation::WireDialect;
use crate::identity::RelayOptions;
use crate::openai_chat::stream_relay::{DONE, comment};
use crate::openai_responses::response::Asked;

/// The shape of answer that a client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerStyle {
    /// `POST /chat/completions`.
    Chat,
    /// `POST /completions`.
    Completions,
    /// `POST /messages`.
    Messages,
    /// `POST /responses`.
    Responses,
}

impl AnswerStyle {
    /// What ends a stream, after its last event or its error.
    #[must_use]
    pub const fn end_marker(self) -> &'static [u8] {
        match self {
            Self::Chat | Self::Completions | Self::Responses => DONE,
            Self::Messages => b"",
        }
    }

    /// What keeps a quiet stream alive: a comment with this text, or the dialect's own event.
    #[must_use]
    pub fn keep_alive(self, text: &str) -> Vec<u8> {
        match self {
            Self::Chat | Self::Completions | Self::Responses => comment(text),
            Self::Messages => PING.to_vec(),
        }
    }

    /// The dialect whose providers give this shape of answer themselves, when the answer of such a
    /// one is passed on as it is.
    #[must_use]
    pub const fn relayed(self) -> Option<WireDialect> {
        match self {
            Self::Chat => Some(WireDialect::OpenaiChat),
            Self::Completions => None,
            Self::Messages => Some(WireDialect::AnthropicMessages),
            Self::Responses => Some(WireDialect::OpenaiResponses),
        }
    }
}

/// How one answer is dressed for its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skin {
    /// The grammar.
    pub style: AnswerStyle,
    /// What the client chose about it.
    pub options: RelayOptions,
    /// What a Responses answer repeats of its request; `None` in the other grammars.
    pub asked: Option<Arc<Asked>>,
}

impl Skin {
    /// A skin of an answer that repeats nothing of its request.
    #[must_use]
    pub const fn new(style: AnswerStyle, options: RelayOptions) -> Self {
        Self { style, options, asked: None }
    }

    /// What a Responses answer repeats; nothing when nobody read the request.
    pub(super) fn asked(&self) -> Arc<Asked> {
        self.asked.clone().unwrap_or_default()
    }
}
