//! Embeddings: a request of our public shape, written for every form that providers speak, and
//! their answers in our shape again (inference spec 16.1).
//!
//! Most providers take the public shape itself: for them the body is patched, as chats are. Answers
//! are checked: as many vectors as inputs, each once, every number finite.

mod answer;
mod base64;
mod cohere;
mod gemini;
mod input;
mod openai;
mod read_request;
mod usage;
mod vector;

use signalbox_core::ApiError;

use crate::error::ProviderError;
use crate::identity::StreamFault;
use crate::outbound::WrittenRequest;
use crate::patch::Patches;
use crate::{cohere_v2, gemini as gemini_dialect, openai_chat};

use answer::Places;
pub use answer::{EmbeddingsAnswer, write_answer};
pub(crate) use answer::{document, malformed, member};
pub use base64::{decode, encode};
pub use input::{Input, Media, Part};
pub use read_request::{EmbeddingsRequest, Shape, read_request};
pub use usage::Modalities;
pub(crate) use usage::{count, total_tokens};

/// How vectors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// A list of numbers.
    #[default]
    Float,
    /// The bytes of all numbers, each a little-endian `f32`, in base64.
    Base64,
}

/// The forms that providers speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EmbeddingsForm {
    /// The public shape.
    Openai,
    /// The same, with vectors of signed bytes in base64.
    OpenaiInt8,
    /// `:batchEmbedContents`: a request for each input.
    GeminiBatch,
    /// `:embedContent`: one input in a call.
    GeminiSingle,
    /// Cohere's `/v2/embed`.
    Cohere,
}

/// What the router decided about one attempt.
#[derive(Debug, Clone, Copy)]
pub struct Outbound<'a> {
    /// The model's name at the provider.
    pub provider_model_id: &'a str,
    /// The hashed id of the end user. `None` sends none.
    pub user: Option<&'a str>,
    /// The provider's own patches; they come last.
    pub patches: &'a Patches,
}

impl EmbeddingsForm {
    /// Every form.
    pub const ALL: [Self; 5] =
        [Self::Openai, Self::OpenaiInt8, Self::GeminiBatch, Self::GeminiSingle, Self::Cohere];

    /// Whether this form has a place for the inputs.
    ///
    /// # Errors
    /// `invalid_request` that says what it can't carry.
    pub fn carries(self, request: &EmbeddingsRequest) -> Result<(), ApiError> {
        let wrong = |problem: &str| Err(ApiError::invalid(format!("`input`: {problem}")));
        match self {
            Self::Openai => Ok(()),
            _ if request.shape == Shape::Tokens => {
                wrong("this model's provider takes text, not tokens.")
            }
            Self::GeminiSingle if request.count > 1 => {
                wrong("this model's provider takes one input in a request.")
            }
            Self::Cohere if request.has_media_but_images() => {
                wrong("this model's provider takes text and images.")
            }
            _ => Ok(()),
        }
    }

    /// Writes the body of a request.
    ///
    /// # Errors
    /// As [`EmbeddingsForm::carries`].
    pub fn write_request(
        self,
        request: &EmbeddingsRequest,
        out: &Outbound<'_>,
    ) -> Result<WrittenRequest, ApiError> {
        self.carries(request)?;
        match self {
            Self::Openai | Self::OpenaiInt8 => Ok(openai::write_request(request, out)),
            Self::GeminiBatch => gemini::write_batch(request, out),
            Self::GeminiSingle => gemini::write_single(request, out),
            Self::Cohere => cohere::write_request(request, out),
        }
    }

    /// Reads an answer that came with a success status, into vectors as they were asked for.
    ///
    /// # Errors
    /// `InBand` when it is an error, `Malformed` when it is no answer to this request.
    pub fn read_answer(
        self,
        body: &[u8],
        request: &EmbeddingsRequest,
    ) -> Result<EmbeddingsAnswer, StreamFault> {
        let document = answer::document(body)?;
        match self {
            Self::Openai => openai::read_answer(&document, Places::of(request)),
            Self::OpenaiInt8 => openai::read_answer(&document, Places::of_bytes(request)),
            Self::GeminiBatch | Self::GeminiSingle => gemini::read_answer(&document, request),
            Self::Cohere => cohere::read_answer(&document, request),
        }
    }

    /// Reads an answer with an error status.
    #[must_use]
    pub fn read_error(self, status: u16, body: &[u8]) -> ProviderError {
        match self {
            Self::Openai | Self::OpenaiInt8 => openai_chat::error::read_error(status, body),
            Self::Cohere => cohere_v2::error::read_error(status, body),
            Self::GeminiBatch | Self::GeminiSingle => {
                gemini_dialect::error::read_error(status, body)
            }
        }
    }
}
