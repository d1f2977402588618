//! `:batchEmbedContents` and `:embedContent`.
//!
//! Shapes: ai.google.dev/api/embeddings and, for a single content on Google Cloud, whose options are
//! in `embedContentConfig`, the reference of `publishers.models.embedContent`.

use signalbox_core::ApiError;

use super::answer::{EmbeddingsAnswer, Places, malformed, member};
use super::input::{Input, Media, Part, parts};
use super::usage::listed;
use super::{EmbeddingsRequest, Outbound, count};
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{FileSource, ImageSource, PartBody};
use crate::document::{Document, Raw};
use crate::gemini::write_request::media;
use crate::identity::StreamFault;
use crate::loss::{Loss, Lost, report};
use crate::openai_chat::write_request::patched;
use crate::outbound::WrittenRequest;

/// What an input is for, by the names in use and Gemini's.
const TASKS: &[(&str, &str)] = &[
    ("search_query", "RETRIEVAL_QUERY"),
    ("query", "RETRIEVAL_QUERY"),
    ("search_document", "RETRIEVAL_DOCUMENT"),
    ("document", "RETRIEVAL_DOCUMENT"),
    ("passage", "RETRIEVAL_DOCUMENT"),
    ("similarity", "SEMANTIC_SIMILARITY"),
];
/// Gemini's own names.
const OWN_TASKS: &[&str] = &[
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY",
];

pub(super) fn write_batch(
    request: &EmbeddingsRequest,
    out: &Outbound<'_>,
) -> Result<WrittenRequest, ApiError> {
    let mut losses = lost(request);
    let options = options(request, &mut losses);
    let mut requests = ArrayText::new();
    for input in request.inputs() {
        let mut one = ObjectText::new();
        one.text("model", &format!("models/{}", out.provider_model_id));
        one.json("content", &content(input, &mut losses));
        for (key, json) in &options {
            one.json(key, json);
        }
        requests.push(&one.finish());
    }
    let mut body = ObjectText::new();
    body.json("requests", &requests.finish());
    patched(body.finish(), out.patches, losses)
}

pub(super) fn write_single(
    request: &EmbeddingsRequest,
    out: &Outbound<'_>,
) -> Result<WrittenRequest, ApiError> {
    let mut losses = lost(request);
    let mut body = ObjectText::new();
    for input in request.inputs().into_iter().take(1) {
        body.json("content", &content(input, &mut losses));
    }
    let mut config = ObjectText::new();
    for (key, json) in options(request, &mut losses) {
        config.json(key, &json);
    }
    if !config.is_empty() {
        body.json("embedContentConfig", &config.finish());
    }
    patched(body.finish(), out.patches, losses)
}

/// Members of the request that have no place here.
fn lost(request: &EmbeddingsRequest) -> Vec<Loss> {
    let mut losses = Vec::new();
    for name in request.unknown_members() {
        report(&mut losses, Lost::Parameter, name);
    }
    losses
}

fn options(request: &EmbeddingsRequest, losses: &mut Vec<Loss>) -> Vec<(&'static str, String)> {
    let mut options = Vec::new();
    if let Some(kind) = &request.input_type {
        let named = TASKS.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind));
        let own = || OWN_TASKS.iter().find(|name| name.eq_ignore_ascii_case(kind)).copied();
        match named.map(|(_, task)| *task).or_else(own) {
            Some(task) => options.push(("taskType", format!("\"{task}\""))),
            None => report(losses, Lost::Parameter, "input_type"),
        }
    }
    if let Some(dimensions) = request.dimensions {
        options.push(("outputDimensionality", dimensions.to_string()));
    }
    options
}

fn content(input: Input<'_>, losses: &mut Vec<Loss>) -> String {
    let mut list = ArrayText::new();
    for part in parts(input) {
        match part {
            Part::Text(text) => {
                let mut one = ObjectText::new();
                one.text("text", &text);
                list.push(&one.finish());
            }
            Part::Media { kind, data, format } => match media::part(&body(kind, data, format)) {
                Some(part) => list.push(&part.finish()),
                None => report(losses, Lost::Content, "media"),
            },
        }
    }
    let mut content = ObjectText::new();
    content.json("parts", &list.finish());
    content.finish()
}

/// The part as the hub has it.
fn body(kind: Media, data: String, format: Option<String>) -> PartBody {
    let is_address = data.starts_with("data:") || data.contains("://");
    let media_type = |family: &str| match format.as_deref() {
        Some("pdf") => "application/pdf".to_owned(),
        Some(format) => format!("{family}/{format}"),
        None => "application/octet-stream".to_owned(),
    };
    match kind {
        Media::Image => PartBody::Image { source: ImageSource::Url(data), detail: None },
        Media::Video if is_address => PartBody::Video { url: data },
        _ if is_address => PartBody::File { source: FileSource::Url(data), filename: None },
        Media::Audio => {
            PartBody::Audio { data, format: format.unwrap_or_else(|| "wav".to_owned()) }
        }
        Media::Video | Media::File => {
            let media_type = media_type(if kind == Media::Video { "video" } else { "text" });
            PartBody::File { source: FileSource::Base64 { media_type, data }, filename: None }
        }
    }
}

pub(super) fn read_answer(
    document: &Document,
    request: &EmbeddingsRequest,
) -> Result<EmbeddingsAnswer, StreamFault> {
    let mut places = Places::of(request);
    let (mut odd, mut statistics) = (false, None);
    let list = member(document, "embeddings");
    let several = list.into_iter().flat_map(Raw::elements).map(|(_, raw)| raw);
    let single = member(document, "embedding");
    for (place, one) in single.into_iter().chain(several).enumerate() {
        let values = one.get("values").ok_or_else(|| malformed("an embedding has no values"))?;
        places.put(place, values)?;
        let tokens = one.get("statistics").and_then(|raw| count(raw.get("tokenCount"), &mut odd));
        if let Some(tokens) = tokens {
            statistics = Some(tokens.saturating_add(statistics.unwrap_or(0)));
        }
    }
    let usage = member(document, "usageMetadata");
    let details = ["promptTokensDetails", "promptTokenDetails"];
    let details = details.iter().find_map(|key| usage?.get(key));
    let modalities = listed(details, &mut odd);
    let tokens = usage.and_then(|usage| {
        let mut member = |key: &str| count(usage.get(key), &mut odd);
        member("promptTokenCount").or_else(|| member("totalTokenCount"))
    });
    places.answer(tokens.or(statistics), modalities, odd, None)
}
