//! A request to `POST /embeddings` (inference spec 16.1), checked whole.

use signalbox_core::ApiError;

use super::Encoding;
use super::input::{self, Input, Media};
use crate::document::{Document, Kind, Raw};
use crate::openai_chat::survey::field::{self, Path, missing, wrong};
use crate::openai_chat::survey::{Survey, add, add_media, routing};

/// Members that have a meaning here; the rest is for providers that take the public shape.
const KNOWN: &[&str] = &["model", "input", "encoding_format", "dimensions", "input_type"];
/// Bytes that count as one token where tokens were sent.
const BYTES_OF_TOKEN: u64 = 4;

/// What the inputs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Texts.
    Text,
    /// Lists of token ids.
    Tokens,
    /// Lists of parts.
    Content,
}

/// A request, and what routing and pricing need to know of it.
#[derive(Debug, Clone)]
pub struct EmbeddingsRequest {
    /// The body.
    pub document: Document,
    /// The members that all requests share, and what there is to read. It never streams and never
    /// writes.
    pub survey: Survey,
    /// How many inputs there are.
    pub count: usize,
    /// What they are.
    pub shape: Shape,
    /// How vectors are to be written.
    pub encoding: Encoding,
    /// How long vectors are to be.
    pub dimensions: Option<u64>,
    /// What the inputs are for, such as `search_query`.
    pub input_type: Option<String>,
}

impl EmbeddingsRequest {
    /// The inputs in order.
    #[must_use]
    pub fn inputs(&self) -> Vec<Input<'_>> {
        self.document.get("input").map(|raw| input::inputs(Raw::new(raw))).unwrap_or_default()
    }

    /// Whether there is audio, video or a file.
    #[must_use]
    pub const fn has_media_but_images(&self) -> bool {
        self.survey.needs.audio || self.survey.needs.video || self.survey.needs.file
    }

    /// Members that only a provider of the public shape can understand.
    pub(super) fn unknown_members(&self) -> impl Iterator<Item = &str> {
        let keys = self.document.members().map(|(key, _)| key);
        keys.filter(|key| !KNOWN.contains(key) && !crate::openai_chat::write_relay::is_own(key))
    }
}

/// Reads a request.
///
/// # Errors
/// `invalid_request` for a wrong type or range in a known field, and without a model or an input.
pub fn read_request(document: Document) -> Result<EmbeddingsRequest, ApiError> {
    let mut reading = Reading::default();
    for (key, text) in document.members() {
        let raw = Raw::new(text);
        if !raw.is_null() {
            reading.member(key, raw)?;
        }
    }
    let path = Path::key("input");
    let Some((shape, count)) = reading.inputs else { return Err(missing(&path)) };
    if reading.survey.model.is_none() {
        return Err(missing(&Path::key("model")));
    }
    let Reading { mut survey, encoding, dimensions, input_type, .. } = reading;
    survey.stream = false;
    survey.choices = 1;
    survey.max_output = Some(0);
    Ok(EmbeddingsRequest { document, survey, count, shape, encoding, dimensions, input_type })
}

#[derive(Default)]
struct Reading {
    survey: Survey,
    inputs: Option<(Shape, usize)>,
    encoding: Encoding,
    dimensions: Option<u64>,
    input_type: Option<String>,
}

impl Reading {
    fn member(&mut self, key: &str, raw: Raw<'_>) -> Result<(), ApiError> {
        let path = Path::key(key);
        match key {
            "input" => self.inputs = Some(self.read_inputs(&path, raw)?),
            "encoding_format" => {
                let word = field::word(&path, raw, &["float", "base64"])?;
                self.encoding = if word == "float" { Encoding::Float } else { Encoding::Base64 };
            }
            "dimensions" => {
                let range = 1..=i64::from(u32::MAX);
                self.dimensions = u64::try_from(field::integer(&path, raw, range)?).ok();
            }
            "input_type" => self.input_type = Some(field::string(&path, raw)?),
            _ => routing::read(&mut self.survey, &path, key, raw)?,
        }
        Ok(())
    }

    fn read_inputs(&mut self, path: &Path<'_>, raw: Raw<'_>) -> Result<(Shape, usize), ApiError> {
        if raw.kind() == Kind::String {
            self.text(path, raw)?;
            return Ok((Shape::Text, 1));
        }
        field::array(path, raw)?;
        if input::is_tokens(raw) {
            self.tokens(path, raw)?;
            return Ok((Shape::Tokens, 1));
        }
        let (mut shape, mut count) = (None, 0_usize);
        for (index, (_, one)) in raw.elements().enumerate() {
            let path = path.element(index);
            let kind = match one.kind() {
                Kind::String => Shape::Text,
                Kind::Array => Shape::Tokens,
                Kind::Object => Shape::Content,
                _ => return Err(wrong(&path, "a string, a list of tokens, or an object")),
            };
            if *shape.get_or_insert(kind) != kind {
                return Err(wrong(&path, "of the same type as the inputs before it"));
            }
            match kind {
                Shape::Text => self.text(&path, one)?,
                Shape::Tokens => self.tokens(&path, one)?,
                Shape::Content => self.content(&path, one)?,
            }
            count = count.saturating_add(1);
        }
        shape.map(|shape| (shape, count)).ok_or_else(|| wrong(path, "a list that is not empty"))
    }

    fn text(&mut self, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
        if raw.inner() == Some("") {
            return Err(wrong(path, "a string that is not empty"));
        }
        add(&mut self.survey, raw.string_bytes());
        Ok(())
    }

    fn tokens(&mut self, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
        let mut count = 0_u64;
        for (index, (_, token)) in raw.elements().enumerate() {
            let fits = token.integer().is_some_and(|token| u32::try_from(token).is_ok());
            if !fits {
                return Err(wrong(&path.element(index), "a token: a whole number"));
            }
            count = count.saturating_add(1);
        }
        if count == 0 {
            return Err(wrong(path, "a list of tokens that is not empty"));
        }
        add(&mut self.survey, count.saturating_mul(BYTES_OF_TOKEN));
        Ok(())
    }

    fn content(&mut self, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
        let path = path.member("content");
        let content = raw.get("content").filter(|raw| !raw.is_null());
        let content = content.ok_or_else(|| missing(&path))?;
        field::array(&path, content)?;
        let mut empty = true;
        for (index, (_, part)) in content.elements().enumerate() {
            self.part(&path.element(index), part)?;
            empty = false;
        }
        if empty { Err(wrong(&path, "a list that is not empty")) } else { Ok(()) }
    }

    fn part(&mut self, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
        field::object(path, raw)?;
        let named = field::required_string(path, raw, "type")?.string().unwrap_or_default();
        if named == "text" {
            return self.text(&path.member("text"), field::required_string(path, raw, "text")?);
        }
        let Some((kind, place)) = input::media(&named) else {
            let words = "one of text, image_url, input_audio, input_video, input_file";
            return Err(wrong(&path.member("type"), words));
        };
        let inside = path.member(&named);
        let object =
            raw.get(&named).filter(|raw| !raw.is_null()).ok_or_else(|| missing(&inside))?;
        field::object(&inside, object)?;
        let data = field::required_string(&inside, object, place)?;
        if data.inner() == Some("") {
            return Err(wrong(&inside.member(place), "a string that is not empty"));
        }
        add_media(&mut self.survey, data, kind != Media::Image);
        let needs = &mut self.survey.needs;
        match kind {
            Media::Image => {
                needs.image = true;
                self.survey.images = self.survey.images.saturating_add(1);
            }
            Media::Audio => needs.audio = true,
            Media::Video => needs.video = true,
            Media::File => needs.file = true,
        }
        Ok(())
    }
}
