//! A request to `POST /rerank`, checked whole.

use signalbox_core::ApiError;

use crate::document::{Document, Kind, Raw};
use crate::openai_chat::survey::field::{self, Path, missing, wrong};
use crate::openai_chat::survey::{Survey, add, add_media, routing};

/// A request, and what routing and pricing need to know of it.
#[derive(Debug, Clone)]
pub struct RerankRequest {
    /// The body.
    pub document: Document,
    /// The members that all requests share, and what there is to read: the query is read beside
    /// every document. It never streams and never writes.
    pub survey: Survey,
    /// Bytes of the query's text.
    pub query_bytes: u64,
    /// Bytes of each document's text.
    pub document_bytes: Vec<u64>,
    /// How many documents are wanted back.
    pub top_n: Option<usize>,
}

/// Reads a request.
///
/// # Errors
/// `invalid_request` for a wrong type or range in a known field, and without a model, a query or a
/// document.
pub fn read_request(document: Document) -> Result<RerankRequest, ApiError> {
    let mut survey = Survey::default();
    let (mut query, mut documents, mut top_n) = (None, None, None);
    for (key, text) in document.members() {
        let (raw, path) = (Raw::new(text), Path::key(key));
        if raw.is_null() {
            continue;
        }
        match key {
            "query" if raw.kind() != Kind::String => return Err(wrong(&path, "a string")),
            "query" => query = Some(raw.string_bytes()),
            "documents" => documents = Some(read_documents(&mut survey, &path, raw)?),
            "top_n" => {
                let most = field::integer(&path, raw, 1..=i64::from(u32::MAX))?;
                top_n = usize::try_from(most).ok();
            }
            _ => routing::read(&mut survey, &path, key, raw)?,
        }
    }
    if survey.model.is_none() {
        return Err(missing(&Path::key("model")));
    }
    let query_bytes = query.ok_or_else(|| missing(&Path::key("query")))?;
    let document_bytes = documents.ok_or_else(|| missing(&Path::key("documents")))?;
    let count = u64::try_from(document_bytes.len()).unwrap_or(u64::MAX);
    add(&mut survey, query_bytes.saturating_mul(count));
    survey.stream = false;
    survey.choices = 1;
    survey.max_output = Some(0);
    Ok(RerankRequest { document, survey, query_bytes, document_bytes, top_n })
}

/// The bytes of each document's text.
fn read_documents(
    survey: &mut Survey,
    path: &Path<'_>,
    raw: Raw<'_>,
) -> Result<Vec<u64>, ApiError> {
    field::array(path, raw)?;
    let mut all = Vec::new();
    for (index, (_, one)) in raw.elements().enumerate() {
        let bytes = read_document(survey, &path.element(index), one)?;
        add(survey, bytes);
        all.push(bytes);
    }
    if all.is_empty() { Err(wrong(path, "a list that is not empty")) } else { Ok(all) }
}

fn read_document(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<u64, ApiError> {
    match raw.kind() {
        Kind::String => return Ok(raw.string_bytes()),
        Kind::Object => {}
        _ => return Err(wrong(path, "a string, or an object with a text or an image")),
    }
    let member = |key: &str| {
        let value = raw.get(key).filter(|value| !value.is_null());
        match value {
            Some(value) if value.kind() != Kind::String => {
                Err(wrong(&path.member(key), "a string"))
            }
            other => Ok(other),
        }
    };
    let (text, image) = (member("text")?, member("image")?);
    if let Some(image) = image {
        survey.needs.image = true;
        survey.images = survey.images.saturating_add(1);
        add_media(survey, image, false);
    }
    if text.is_none() && image.is_none() {
        return Err(wrong(path, "an object with a `text` or an `image`"));
    }
    Ok(text.map_or(0, Raw::string_bytes))
}
