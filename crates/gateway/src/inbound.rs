//! Stage 1's product: what arrived.

use bytes::Bytes;
use signalbox_catalog::listing::Region;
use signalbox_catalog::{Lookup, Modality, Snapshot, Task};
use signalbox_core::ApiError;
use signalbox_core::id::GenerationId;
use signalbox_dialect::AnswerStyle;
use signalbox_dialect::document::Document;

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
    /// The door with this name: the end of its path.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "chat" | "chat/completions" => Self::Chat,
            "cursor" | "cursor/chat/completions" => Self::Cursor,
            "completions" => Self::Completions,
            "messages" => Self::Messages,
            "responses" => Self::Responses,
            "embeddings" => Self::Embeddings,
            "rerank" => Self::Rerank,
            _ => return None,
        })
    }

    /// The door that a body was written for, by its members: what a dry run goes by when it isn't told.
    ///
    /// # Errors
    /// 400 for a body that is no JSON object.
    pub fn guess(body: &Bytes, catalog: &Snapshot) -> Result<Self, ApiError> {
        let document = Document::parse(body.clone())?;
        let has = |member: &str| document.get(member).is_some();
        let embeds = || {
            let model = document.get("model").and_then(|raw| serde_json::from_str(raw).ok());
            let model: String = model.unwrap_or_default();
            match catalog.lookup(&model) {
                Lookup::Found { model, .. } => model.writes(Modality::Embeddings),
                _ => false,
            }
        };
        Ok(if has("documents") && has("query") {
            Self::Rerank
        } else if has("messages") {
            if has("system") || has("anthropic_version") { Self::Messages } else { Self::Chat }
        } else if has("input") {
            if embeds() { Self::Embeddings } else { Self::Responses }
        } else if has("prompt") {
            Self::Completions
        } else {
            Self::Chat
        })
    }

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
    /// `X-OpenRouter-Categories`, those that are known.
    pub categories: Vec<&'static str>,
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
    /// The region that the host stands for.
    pub region: Option<Region>,
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
    /// The generation's id, where it is known before; absent for a new one.
    pub id: Option<GenerationId>,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use signalbox_catalog::{Catalogue, ConfiguredCatalogue};

    use super::*;

    #[test]
    fn a_body_tells_its_door() {
        let rows = serde_json::json!({"models": [
            {"id": "acme/e", "context_length": 100, "output_modalities": ["embeddings"]},
            {"id": "acme/m", "context_length": 100},
        ]});
        let rows: ConfiguredCatalogue = serde_json::from_value(rows).unwrap();
        let catalog = Snapshot::build(Catalogue::default(), rows, &HashSet::new()).unwrap();
        for (body, door) in [
            (r#"{"model":"acme/m","messages":[]}"#, Surface::Chat),
            (r#"{"model":"acme/m","messages":[],"system":"x"}"#, Surface::Messages),
            (r#"{"model":"acme/m","input":"x"}"#, Surface::Responses),
            (r#"{"model":"acme/e","input":"x"}"#, Surface::Embeddings),
            (r#"{"model":"acme/m","prompt":"x"}"#, Surface::Completions),
            (r#"{"model":"acme/r","query":"x","documents":[]}"#, Surface::Rerank),
            ("{}", Surface::Chat),
        ] {
            let guessed = Surface::guess(&Bytes::from(body), &catalog).unwrap();
            assert_eq!(guessed, door, "{body}");
        }
        assert!(Surface::guess(&Bytes::from("[]"), &catalog).is_err());
    }
}
