//! Answers: read with suspicion, written in the public shape.

use bytes::Bytes;

use super::usage::{Modalities, facts};
use super::vector::{unpacked, written};
use super::{EmbeddingsRequest, Encoding};
use crate::compose::{ArrayText, ObjectText};
use crate::document::{Document, Kind, Raw};
use crate::identity::{Facts, Identity, StreamFault, UsageReport};
use crate::openai_chat;
use crate::openai_chat::usage::cost_members;

/// A provider's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingsAnswer {
    /// One vector for each input, in their order: JSON text in the encoding that was asked for.
    pub vectors: Vec<String>,
    /// What was seen of it.
    pub facts: Facts,
    /// Its prompt tokens by modality, as far as the provider told.
    pub modalities: Modalities,
}

pub(crate) fn malformed(what: &str) -> StreamFault {
    StreamFault::Malformed(what.to_owned())
}

/// The body as a document; an error inside it is one.
pub(crate) fn document(body: &[u8]) -> Result<Document, StreamFault> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let document = Document::parse(Bytes::copy_from_slice(body))
        .map_err(|error| StreamFault::Malformed(error.to_string()))?;
    if let Some(error) = document.get("error").filter(|raw| !Raw::new(raw).is_null()) {
        return Err(StreamFault::InBand(openai_chat::error::read_inband(error)));
    }
    Ok(document)
}

/// A member of the document, unless it is null.
pub(crate) fn member<'a>(document: &'a Document, key: &str) -> Option<Raw<'a>> {
    document.get(key).map(Raw::new).filter(|raw| !raw.is_null())
}

/// Vectors on their way into the inputs' order.
pub(super) struct Places {
    encoding: Encoding,
    /// Whether vectors come as signed bytes.
    bytes: bool,
    vectors: Vec<Option<String>>,
}

impl Places {
    pub(super) fn of(request: &EmbeddingsRequest) -> Self {
        Self { encoding: request.encoding, bytes: false, vectors: vec![None; request.count] }
    }

    /// The same for vectors of signed bytes.
    pub(super) fn of_bytes(request: &EmbeddingsRequest) -> Self {
        Self { bytes: true, ..Self::of(request) }
    }

    /// Puts a vector into its place.
    pub(super) fn put(&mut self, place: usize, raw: Raw<'_>) -> Result<(), StreamFault> {
        let slot = self.vectors.get_mut(place);
        let slot = slot.ok_or_else(|| malformed("there are more vectors than inputs"))?;
        if slot.is_some() {
            return Err(malformed("an input has two vectors"));
        }
        let vector =
            if self.bytes { unpacked(raw, self.encoding) } else { written(raw, self.encoding) };
        *slot = Some(vector.ok_or_else(|| malformed("an embedding is no vector"))?);
        Ok(())
    }

    /// Puts the elements of a list into their places.
    pub(super) fn put_all(&mut self, list: Raw<'_>) -> Result<(), StreamFault> {
        if list.kind() != Kind::Array {
            return Err(malformed("the embeddings are no list"));
        }
        list.elements().enumerate().try_for_each(|(place, (_, raw))| self.put(place, raw))
    }

    /// The answer, once every place is taken.
    pub(super) fn answer(
        self,
        tokens: Option<u64>,
        modalities: Modalities,
        odd: bool,
        upstream_id: Option<Raw<'_>>,
    ) -> Result<EmbeddingsAnswer, StreamFault> {
        let vectors: Option<Vec<String>> = self.vectors.into_iter().collect();
        let vectors = vectors.ok_or_else(|| malformed("an input has no vector"))?;
        let mut facts = facts(tokens, &modalities, odd);
        facts.upstream_id = upstream_id.and_then(Raw::string).map(|id| id.into_owned());
        Ok(EmbeddingsAnswer { vectors, facts, modalities })
    }
}

/// Writes the answer for the client (inference spec 16.1).
#[must_use]
pub fn write_answer(answer: &EmbeddingsAnswer, identity: &Identity, report: &UsageReport) -> Bytes {
    let mut data = ArrayText::new();
    for (index, vector) in answer.vectors.iter().enumerate() {
        let mut one = ObjectText::new();
        one.text("object", "embedding");
        one.json("index", &index.to_string());
        one.json("embedding", vector);
        data.push(&one.finish());
    }
    let mut body = ObjectText::new();
    body.text("object", "list");
    body.text("id", identity.id.as_str());
    body.text("model", &identity.model);
    body.json("data", &data.finish());
    body.json("usage", &usage(answer, report));
    Bytes::from(body.finish())
}

fn usage(answer: &EmbeddingsAnswer, report: &UsageReport) -> String {
    let counted = &report.usage;
    let mut text =
        format!(r#"{{"prompt_tokens":{},"total_tokens":{},"#, counted.prompt(), counted.total());
    text.push_str(&cost_members(report));
    // Details of counts that were cut or estimated are nobody's counts.
    let as_sent = answer.facts.usage.as_ref() == Some(counted);
    if let Some(details) = answer.modalities.details().filter(|_| as_sent) {
        let mut object = ObjectText::new();
        for (name, tokens) in details {
            object.json(name, &tokens.to_string());
        }
        text.push_str(",\"prompt_tokens_details\":");
        text.push_str(&object.finish());
    }
    text.push('}');
    text
}
