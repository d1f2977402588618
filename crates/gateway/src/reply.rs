//! What a request gets back, before HTTP gives it its frame.

use bytes::Bytes;
use signalbox_core::ApiError;
use signalbox_core::id::GenerationId;
use signalbox_dialect::{Identity, Skin};
use tokio::sync::{mpsc, oneshot};

use crate::cache::CacheStatus;

/// A request that was taken on: the answer comes from the task that owns the generation.
#[derive(Debug)]
pub struct Reply {
    /// The generation's id, for `X-Generation-Id`.
    pub id: GenerationId,
    /// The answer.
    pub body: ReplyBody,
    /// How the response cache took part, when it was to.
    pub cache: Option<CacheStatus>,
    /// How an error is written once the stream has begun without any content.
    pub skin: Skin,
    /// What such an error says of itself.
    pub identity: Identity,
}

/// An answer in one piece or many.
#[derive(Debug)]
pub enum ReplyBody {
    /// One JSON document.
    Whole(oneshot::Receiver<Result<Bytes, Failed>>),
    /// Server-sent events, ready to be written. The channel's end is the end of the answer.
    Stream(mpsc::Receiver<Piece>),
}

/// One piece of a streamed answer.
#[derive(Debug)]
pub enum Piece {
    /// Complete events.
    Bytes(Bytes),
    /// The last events; a stream without them broke off.
    Last(Bytes),
    /// Nothing could answer; comes first and alone.
    Failed(Failed),
}

/// A request that ended in an error.
#[derive(Debug)]
pub struct Failed {
    /// What happened.
    pub error: ApiError,
    /// The generation's id, once there was one.
    pub id: Option<GenerationId>,
    /// `openrouter_metadata` as raw JSON, when it was asked for.
    pub metadata: Option<String>,
}

impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        Self { error, id: None, metadata: None }
    }
}
