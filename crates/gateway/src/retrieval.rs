//! Requests that are no conversation: embeddings and reranks. They go through the same stages as a
//! chat; here is what differs: reading, bounds, the call and its answer.

mod attempt;
mod bound;
mod deliver;

use signalbox_catalog::{Dialect, Endpoint, Task};
use signalbox_core::ApiError;
use signalbox_core::id::{Entropy, GenerationId};
use signalbox_core::time::Timestamp;
use signalbox_dialect::document::Document;
use signalbox_dialect::embeddings::{self, EmbeddingsAnswer, EmbeddingsForm, EmbeddingsRequest};
use signalbox_dialect::openai_chat::survey::Survey;
use signalbox_dialect::outbound::WrittenRequest;
use signalbox_dialect::rerank::{self, RerankAnswer, RerankRequest};
use signalbox_dialect::{Facts, Identity, ProviderError, StreamFault, UsageReport};
use signalbox_policy::Plan;

use crate::inbound::Surface;
use crate::world::World;

pub(crate) use attempt::attempt;
pub(crate) use bound::bound;
pub(crate) use deliver::deliver;

/// What is asked.
#[derive(Debug)]
pub(crate) enum Retrieval {
    Embeddings(EmbeddingsRequest),
    Rerank(RerankRequest),
}

/// The languages of these requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One of embeddings.
    Embeddings(EmbeddingsForm),
    /// That of reranks.
    Rerank,
}

/// A provider's answer.
#[derive(Debug)]
pub(crate) enum Retrieved {
    Embeddings(EmbeddingsAnswer),
    Rerank(RerankAnswer),
}

impl Form {
    /// The codec of a dialect, when it is one of these.
    pub(crate) const fn of(dialect: Dialect) -> Option<Self> {
        Some(match dialect {
            Dialect::OpenaiEmbeddings => Self::Embeddings(EmbeddingsForm::Openai),
            Dialect::OpenaiEmbeddingsInt8 => Self::Embeddings(EmbeddingsForm::OpenaiInt8),
            Dialect::GeminiEmbeddings => Self::Embeddings(EmbeddingsForm::GeminiBatch),
            Dialect::GeminiEmbedContent => Self::Embeddings(EmbeddingsForm::GeminiSingle),
            Dialect::CohereEmbed => Self::Embeddings(EmbeddingsForm::Cohere),
            Dialect::Rerank => Self::Rerank,
            _ => return None,
        })
    }

    fn read_error(self, status: u16, body: &[u8]) -> ProviderError {
        match self {
            Self::Embeddings(form) => form.read_error(status, body),
            Self::Rerank => rerank::read_error(status, body),
        }
    }
}

impl Retrieval {
    /// The request that came in by this door, when it is one of these.
    ///
    /// # Errors
    /// 400 that names the field.
    pub(crate) fn read(surface: Surface, document: &Document) -> Result<Option<Self>, ApiError> {
        let document = document.clone();
        Ok(match surface.task() {
            Task::Embeddings => Some(Self::Embeddings(embeddings::read_request(document)?)),
            Task::Rerank => Some(Self::Rerank(rerank::read_request(document)?)),
            Task::Chat => None,
        })
    }

    /// What all requests share.
    pub(crate) const fn survey(&self) -> &Survey {
        match self {
            Self::Embeddings(request) => &request.survey,
            Self::Rerank(request) => &request.survey,
        }
    }

    /// `api_type` of the record (inference spec 2.4).
    pub(crate) const fn api_type(&self) -> &'static str {
        match self {
            Self::Embeddings(_) => "embeddings",
            Self::Rerank(_) => "rerank",
        }
    }

    /// A new id, which tells the two apart (inference spec 2.4, 16.2).
    pub(crate) fn id(&self, now: Timestamp, entropy: Entropy) -> GenerationId {
        let kind = match self {
            Self::Embeddings(_) => "emb",
            Self::Rerank(_) => "rerank",
        };
        GenerationId::generate_of(kind, now, entropy)
    }

    /// Whether the endpoint's language has a place for this request.
    fn fits(&self, endpoint: &Endpoint, world: &World) -> Result<(), ApiError> {
        let dialect = world.catalog.speaks(endpoint).map(|speaks| speaks.dialect);
        match (self, dialect.and_then(Form::of)) {
            (Self::Embeddings(request), Some(Form::Embeddings(form))) => form.carries(request),
            _ => Ok(()),
        }
    }

    pub(crate) fn write(
        &self,
        form: Form,
        out: &embeddings::Outbound<'_>,
    ) -> Result<WrittenRequest, ApiError> {
        match (self, form) {
            (Self::Embeddings(request), Form::Embeddings(form)) => form.write_request(request, out),
            (Self::Rerank(request), Form::Rerank) => Ok(rerank::write_request(request, out)),
            _ => Err(ApiError::internal("the endpoint has another task")),
        }
    }

    fn read_answer(&self, form: Form, body: &[u8]) -> Result<Retrieved, StreamFault> {
        match (self, form) {
            (Self::Embeddings(request), Form::Embeddings(form)) => {
                form.read_answer(body, request).map(Retrieved::Embeddings)
            }
            (Self::Rerank(request), _) => rerank::read_answer(body, request).map(Retrieved::Rerank),
            _ => Err(StreamFault::Malformed("the endpoint has another task".to_owned())),
        }
    }

    /// A kept answer, written anew.
    pub(crate) fn replay(
        &self,
        form: Form,
        body: &[u8],
        identity: &Identity,
        report: &UsageReport,
    ) -> Result<(Facts, bytes::Bytes), StreamFault> {
        let answer = self.read_answer(form, body)?;
        let written = self.write_answer(&answer, identity, report);
        let another = || StreamFault::Malformed("an answer of another task".to_owned());
        Ok((answer.facts().clone(), written.ok_or_else(another)?))
    }

    fn write_answer(
        &self,
        answer: &Retrieved,
        identity: &Identity,
        report: &UsageReport,
    ) -> Option<bytes::Bytes> {
        match (self, answer) {
            (_, Retrieved::Embeddings(answer)) => {
                Some(embeddings::write_answer(answer, identity, report))
            }
            (Self::Rerank(request), Retrieved::Rerank(answer)) => {
                Some(rerank::write_answer(answer, request, identity, report))
            }
            _ => None,
        }
    }
}

impl Retrieved {
    pub(crate) const fn facts(&self) -> &Facts {
        match self {
            Self::Embeddings(answer) => &answer.facts,
            Self::Rerank(answer) => &answer.facts,
        }
    }

    const fn facts_mut(&mut self) -> &mut Facts {
        match self {
            Self::Embeddings(answer) => &mut answer.facts,
            Self::Rerank(answer) => &mut answer.facts,
        }
    }
}

/// Takes the candidates out of the plan whose language can't carry the request.
///
/// # Errors
/// 400 when none is left: what the last of them has no place for.
pub(crate) fn keep_fitting(
    retrieval: &Retrieval,
    world: &World,
    plan: &mut Plan,
) -> Result<(), ApiError> {
    let mut problem = None;
    plan.candidates.retain(|one| match retrieval.fits(&one.endpoint, world) {
        Ok(()) => true,
        Err(error) => {
            problem = Some(error);
            false
        }
    });
    match problem {
        Some(error) if plan.candidates.is_empty() => Err(error),
        _ => Ok(()),
    }
}
