//! Stage 1's product: what arrived.

use bytes::Bytes;
use signalbox_catalog::Task;
use signalbox_dialect::AnswerStyle;

use crate::cache::CacheHeaders;

/// The door a request came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// `POST /api/v1/chat/completions`.
    Chat,
    /// `POST /api/v1/cursor/chat/completions`: chat with members of the Responses dialect.
    Cursor,
    /// Legacy `POST /api/v1/completions`.
    Completions,
    /// `POST /api/v1/messages`.
    Messages,
    /// `POST /api/v1/responses`.
    Responses,
    /// `POST /api/v1/embeddings`.
    Embeddings,
    /// `POST /api/v1/rerank`.
    Rerank,
}

impl Surface {
    /// What the models are for that can be named here.
    pub(crate) const fn task(self) -> Task {
        match self {
            Self::Embeddings => Task::Embeddings,
            Self::Rerank => Task::Rerank,
            _ => Task::Chat,
        }
    }

    /// How answers and errors are written here. A chat request with a legacy `prompt` is answered
    /// as a completion.
    #[must_use]
    pub const fn style(self) -> AnswerStyle {
        match self {
            Self::Chat | Self::Cursor | Self::Embeddings | Self::Rerank => AnswerStyle::Chat,
            Self::Completions => AnswerStyle::Completions,
            Self::Messages => AnswerStyle::Messages,
            Self::Responses => AnswerStyle::Responses,
        }
    }
}

/// The request headers that mean something to a generation (inference spec 0.2).
#[derive(Debug, Clone, Default)]
pub struct RequestHead {
    /// `HTTP-Referer` or `Referer`: the calling application.
    pub referer: Option<String>,
    /// `X-OpenRouter-Title` or `X-Title`.
    pub title: Option<String>,
    /// `Origin`.
    pub origin: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `x-session-id`; the body's `session_id` wins.
    pub session_id: Option<String>,
    /// Beta features that the client named (inference spec 5.11).
    pub betas: Vec<String>,
    /// Whether router metadata was asked for.
    pub wants_metadata: bool,
    /// What is asked of the response cache.
    pub cache: CacheHeaders,
}

/// A request as it arrived, authenticated.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// The door.
    pub surface: Surface,
    /// Headers with a meaning.
    pub head: RequestHead,
    /// The body, not yet read.
    pub body: Bytes,
}
