//! Stage 3's beginning: a body becomes a document, as its caller means it: with the preset that it
//! names, and with what its workspace presets. Whatever comes after sees the request that is made of
//! these.

use std::sync::Arc;

use bytes::Bytes;
use signalbox_core::ApiError;
use signalbox_core::id::GenerationId;
use signalbox_dialect::document::Document;
use signalbox_dialect::openai_chat;

use crate::authenticate::Principal;
use crate::cache::PresetCache;
use crate::gateway::Gateway;
use crate::inbound::{Inbound, RequestHead, Surface};
use crate::presets;
use crate::screen;

/// A request whose body was read, with everything in it that its caller left to others.
#[derive(Debug, Clone)]
pub struct Opened {
    pub(crate) surface: Surface,
    pub(crate) head: RequestHead,
    pub(crate) document: Document,
    pub(crate) id: Option<GenerationId>,
    pub(crate) preset: Option<Used>,
}

/// The preset of a request.
#[derive(Debug, Clone)]
pub(crate) struct Used {
    pub id: Arc<str>,
    pub cache: PresetCache,
}

impl Opened {
    /// A request as it is. Presets and defaults are things of accounts: it has none.
    ///
    /// # Errors
    /// 400 for a body that is no JSON object, or that names a preset.
    pub fn bare(inbound: Inbound) -> Result<Self, ApiError> {
        let opened = Self::read(inbound)?;
        match presets::named(&opened.document)? {
            Some(_) => Err(ApiError::invalid("preset: presets are not available here")),
            None => Ok(opened),
        }
    }

    fn read(inbound: Inbound) -> Result<Self, ApiError> {
        let Inbound { surface, head, body, id } = inbound;
        let mut document = Document::parse(body)?;
        if surface == Surface::Cursor {
            document = openai_chat::flat::nested(document)?;
        }
        Ok(Self { surface, head, document, id, preset: None })
    }

    /// The body that counts.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        self.document.bytes()
    }

    /// The door.
    #[must_use]
    pub const fn surface(&self) -> Surface {
        self.surface
    }

    /// Gives the generation its id before it begins.
    pub fn set_id(&mut self, id: GenerationId) {
        self.id = Some(id);
    }
}

impl Gateway {
    /// Reads a request and merges in what it leaves to its preset and its workspace, in this order:
    /// what the request says wins over the preset, and both over the workspace, but for what the
    /// workspace says is final. A request that leaves nothing costs no more than its reading.
    ///
    /// # Errors
    /// 400 for a body that is no JSON object, 404 for a preset that can't be used.
    pub async fn open(&self, caller: &Principal, inbound: Inbound) -> Result<Opened, ApiError> {
        let mut opened = Opened::read(inbound)?;
        let is_conversation = !matches!(opened.surface, Surface::Embeddings | Surface::Rerank);
        if let Some(named) = presets::named(&opened.document)? {
            if !is_conversation {
                return Err(ApiError::invalid("preset: presets are for conversations"));
            }
            let known = self.presets.find(caller, &named.slug).await?;
            let (body, model) = (screen::body(opened.surface), named.model.as_deref());
            opened.document = known.preset.merged(&opened.document, body, model)?;
            let (enabled, ttl) = (known.preset.cache_enabled(), known.preset.cache_ttl_seconds());
            let cache = PresetCache { enabled, ttl };
            opened.preset = Some(Used { id: Arc::clone(&known.id), cache });
        }
        if let Some(defaults) = caller.defaults.as_ref().filter(|_| is_conversation) {
            let edits = defaults.edits(&opened.document);
            if !edits.is_empty() {
                opened.document = Document::parse(opened.document.edited(&edits))?;
            }
        }
        Ok(opened)
    }
}
