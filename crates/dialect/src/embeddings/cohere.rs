//! Cohere's `/v2/embed`. Shapes: docs.cohere.com/reference/embed and the official client's types.

use signalbox_core::ApiError;

use super::answer::{EmbeddingsAnswer, Places, malformed, member};
use super::input::{Input, Part, parts};
use super::usage::Modalities;
use super::{EmbeddingsRequest, Encoding, Outbound, Shape, count};
use crate::compose::{ArrayText, ObjectText};
use crate::document::{Document, Kind};
use crate::identity::StreamFault;
use crate::loss::{Lost, report};
use crate::openai_chat::write_request::patched;
use crate::outbound::WrittenRequest;

/// What an input is for, which must be said.
const KINDS: &[(&str, &str)] =
    &[("query", "search_query"), ("document", "search_document"), ("passage", "search_document")];
const OWN_KINDS: &[&str] =
    &["search_document", "search_query", "classification", "clustering", "image"];
/// What is said when nothing was: vectors that are kept and searched in.
const USUAL_KIND: &str = "search_document";

pub(super) fn write_request(
    request: &EmbeddingsRequest,
    out: &Outbound<'_>,
) -> Result<WrittenRequest, ApiError> {
    let mut losses = Vec::new();
    for name in request.unknown_members() {
        report(&mut losses, Lost::Parameter, name);
    }
    let mut body = ObjectText::new();
    body.text("model", out.provider_model_id);
    let kind = request.input_type.as_deref();
    let known = kind.map(|kind| {
        let other = KINDS.iter().find(|(name, _)| *name == kind).map(|(_, own)| *own);
        other.or_else(|| OWN_KINDS.iter().find(|own| **own == kind).copied())
    });
    if known == Some(None) {
        report(&mut losses, Lost::Parameter, "input_type");
    }
    body.text("input_type", known.flatten().unwrap_or(USUAL_KIND));
    let mut list = ArrayText::new();
    for input in request.inputs() {
        list.push(&match input {
            Input::Text(raw) => raw.text().to_owned(),
            Input::Tokens(_) | Input::Content(_) => content(input),
        });
    }
    let key = if request.shape == Shape::Content { "inputs" } else { "texts" };
    body.json(key, &list.finish());
    if let Some(dimensions) = request.dimensions {
        body.json("output_dimension", &dimensions.to_string());
    }
    body.json(
        "embedding_types",
        match request.encoding {
            Encoding::Float => r#"["float"]"#,
            Encoding::Base64 => r#"["base64"]"#,
        },
    );
    patched(body.finish(), out.patches, losses)
}

/// Text and images; other media never come here.
fn content(input: Input<'_>) -> String {
    let mut list = ArrayText::new();
    for part in parts(input) {
        match part {
            Part::Text(text) => {
                let mut one = ObjectText::typed("text");
                one.text("text", &text);
                list.push(&one.finish());
            }
            Part::Media { data, .. } => {
                let mut image = ObjectText::new();
                image.text("url", &data);
                let mut one = ObjectText::typed("image_url");
                one.json("image_url", &image.finish());
                list.push(&one.finish());
            }
        }
    }
    let mut content = ObjectText::new();
    content.json("content", &list.finish());
    content.finish()
}

pub(super) fn read_answer(
    document: &Document,
    request: &EmbeddingsRequest,
) -> Result<EmbeddingsAnswer, StreamFault> {
    let embeddings = member(document, "embeddings");
    let typed = embeddings.and_then(|raw| match raw.kind() {
        Kind::Array => Some(raw),
        _ => ["float", "base64"].iter().find_map(|key| raw.get(key).filter(|one| !one.is_null())),
    });
    let mut places = Places::of(request);
    places.put_all(typed.ok_or_else(|| malformed("there are no `embeddings`"))?)?;
    let mut odd = false;
    let billed = member(document, "meta").and_then(|meta| meta.get("billed_units"));
    let mut unit = |key: &str| count(billed.and_then(|raw| raw.get(key)), &mut odd);
    let (input, image) = (unit("input_tokens"), unit("image_tokens"));
    let text = unit("text_tokens").or(input);
    let tokens = match (text, image) {
        (None, None) => None,
        (text, image) => Some(text.unwrap_or(0).saturating_add(image.unwrap_or(0))),
    };
    let modalities =
        Modalities { text: text.unwrap_or(0), image: image.unwrap_or(0), ..Modalities::default() };
    places.answer(tokens, modalities, odd, member(document, "id"))
}
