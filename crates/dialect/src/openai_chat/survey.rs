//! What routing needs to know of a chat request, read once and checked (inference spec 1.1–1.3, 9.1).
//!
//! `null` counts as absent in every optional field. Unknown fields are no error. A mistake is an
//! `invalid_request` that names the field as a path, such as `messages[2].role`.

pub(crate) mod field;
mod format;
mod messages;
pub(crate) mod reasoning;
pub(crate) mod routing;
pub(crate) mod sampling;
pub(crate) mod tools;

use signalbox_core::{ApiError, Parameter, ParameterSet};

use crate::document::{Document, Kind, Raw};
use field::{Path, wrong};
pub use messages::Marks;
pub(crate) use messages::{MESSAGE_BYTES, add_media};
pub use reasoning::{Effort, ReasoningRequest};

/// Whether the request talks in messages or in one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PromptStyle {
    /// `messages`.
    #[default]
    Messages,
    /// The legacy `prompt`.
    Prompt,
}

/// Capabilities that an endpoint must have for the request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// There is an image in the messages.
    pub image: bool,
    /// There is audio in the messages.
    pub audio: bool,
    /// There is a file in the messages.
    pub file: bool,
    /// There is a video in the messages.
    pub video: bool,
    /// The request offers tools.
    pub tools: bool,
    /// The messages hold tool calls or tool results.
    pub tool_history: bool,
    /// `response_format` is `json_object`.
    pub json_object: bool,
    /// `response_format` is `json_schema`.
    pub json_schema: bool,
    /// `modalities` as sent; empty when it was not.
    pub output_modalities: Vec<String>,
}

/// What was read of a request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Survey {
    /// `model`, as sent.
    pub model: Option<String>,
    /// `models`, without `model`.
    pub models: Vec<String>,
    /// `route`: `fallback` or `sort`.
    pub route: Option<String>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Which of `messages` and `prompt` counts.
    pub prompt_style: PromptStyle,
    /// The limit on output tokens: the smaller one when both spellings were sent.
    pub max_output: Option<u64>,
    /// `n`; 1 when absent.
    pub choices: u64,
    /// Parameters of the catalogue's vocabulary that were sent and are not null.
    pub parameters: ParameterSet,
    /// What an endpoint must be able to do.
    pub needs: Needs,
    /// Bytes of everything that a provider may read as prompt, without the escapes of plain text:
    /// messages with their reasoning, refusals and calls, tools, schemas, and a little for each
    /// message. An estimate, not a bound.
    pub prompt_bytes: u64,
    /// Images in the messages.
    pub images: u64,
    /// Bytes of media inside the messages: the base64 payloads alone, as they stand in the document.
    /// What is left of the document is text as far as anyone can tell.
    pub media_bytes: u64,
    /// What was asked about reasoning, from all three ways to ask.
    pub reasoning: Option<ReasoningRequest>,
    /// `provider`: the preferences as raw JSON.
    pub provider: Option<String>,
    /// `plugins` as raw JSON.
    pub plugins: Option<String>,
    /// `preset`.
    pub preset: Option<String>,
    /// `session_id`.
    pub session_id: Option<String>,
    /// `user`, as sent. It must not leave the process.
    pub user: Option<String>,
    /// `service_tier`.
    pub service_tier: Option<String>,
    /// `speed`: `fast` or `standard`.
    pub speed: Option<String>,
    /// `metadata` as raw JSON.
    pub metadata: Option<String>,
    /// `trace` as raw JSON.
    pub trace: Option<String>,
    /// `cache_control` at the top level, as raw JSON.
    pub cache_control: Option<String>,
    /// `prompt_cache_key`.
    pub prompt_cache_key: Option<String>,
    /// `debug.echo_upstream_body`.
    pub echo_upstream_body: bool,
    /// What in the messages has to be rewritten before they can be sent on.
    pub marks: Marks,
}

/// Which request this is: the two share everything but a few fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    Chat,
    Completions,
}

/// A survey under way: what only makes sense once all members were seen.
#[derive(Default)]
struct Reading<'a> {
    survey: Survey,
    messages: Option<Raw<'a>>,
    prompt: Option<Raw<'a>>,
    reasoning: Option<ReasoningRequest>,
    effort: Option<Effort>,
    include_reasoning: Option<bool>,
}

/// Reads a request to `POST /chat/completions`.
///
/// # Errors
/// `invalid_request` for a wrong type or range in a known field, for a request without messages or
/// prompt, for contradictions, and for features that are not available yet.
pub fn survey(document: &Document) -> Result<Survey, ApiError> {
    survey_as(document, Surface::Chat)
}

pub(crate) fn survey_as(document: &Document, surface: Surface) -> Result<Survey, ApiError> {
    let mut reading = Reading::default();
    reading.survey.choices = 1;
    for (key, text) in document.members() {
        let raw = Raw::new(text);
        if !raw.is_null() {
            reading.member(key, raw, surface)?;
        }
    }
    reading.finish(surface)
}

impl<'a> Reading<'a> {
    fn member(&mut self, key: &str, raw: Raw<'a>, surface: Surface) -> Result<(), ApiError> {
        let path = Path::key(key);
        let survey = &mut self.survey;
        if let Some(parameter) = Parameter::from_name(key) {
            survey.parameters.insert(parameter);
        }
        match key {
            "messages" => self.messages = Some(raw),
            "prompt" => self.prompt = Some(raw),
            "reasoning" => self.reasoning = Some(reasoning::read(&path, raw)?),
            "reasoning_effort" => self.effort = Some(reasoning::effort(&path, raw)?),
            "include_reasoning" => self.include_reasoning = Some(field::boolean(&path, raw)?),
            "tools" => tools::read(survey, &path, raw)?,
            "tool_choice" => tools::choice(&path, raw)?,
            "functions" | "function_call" => add(survey, estimate(raw)),
            "response_format" => format::read(survey, &path, raw)?,
            "modalities" => survey.needs.output_modalities = format::modalities(&path, raw)?,
            "logprobs" if surface == Surface::Completions => {
                field::integer(&path, raw, 0..=20)?;
            }
            _ => {
                if !sampling::read(survey, &path, key, raw)? {
                    routing::read(survey, &path, key, raw)?;
                }
            }
        }
        Ok(())
    }

    fn finish(mut self, surface: Surface) -> Result<Survey, ApiError> {
        let messages = self.messages.filter(|_| surface == Surface::Chat);
        match (messages, self.prompt) {
            (Some(raw), _) => messages::read(&mut self.survey, &Path::key("messages"), raw)?,
            (None, Some(raw)) => {
                let text = prompt_text(raw)?;
                if self.survey.needs.tools {
                    return Err(ApiError::invalid(
                        "`tools` need `messages`: the answer to a `prompt` has no place for a call.",
                    ));
                }
                self.survey.prompt_style = PromptStyle::Prompt;
                add(&mut self.survey, text.string_bytes());
            }
            (None, None) if surface == Surface::Completions => {
                return Err(ApiError::invalid("`prompt` is required."));
            }
            (None, None) => {
                return Err(ApiError::invalid("Either `messages` or `prompt` is required."));
            }
        }
        self.survey.reasoning =
            reasoning::merged(self.reasoning, self.effort, self.include_reasoning)?;
        Ok(self.survey)
    }
}

/// Adds bytes of text to the prompt.
pub(crate) fn add(survey: &mut Survey, bytes: u64) {
    survey.prompt_bytes = survey.prompt_bytes.saturating_add(bytes);
}

/// Bytes of text in any value: of a string without escapes, of anything else its JSON, but not the
/// data URLs that stand in it or in an object inside it.
pub(crate) fn estimate(value: Raw<'_>) -> u64 {
    let length = |value: Raw<'_>| u64::try_from(value.text().len()).unwrap_or(u64::MAX);
    let data = |value: Raw<'_>| {
        if value.text().starts_with("\"data:") { length(value) } else { 0 }
    };
    match value.kind() {
        Kind::Null => 0,
        Kind::String => value.string_bytes(),
        Kind::Object => {
            let inside = |value: Raw<'_>| value.members().map(|one| data(one.value)).sum::<u64>();
            let media: u64 =
                value.members().map(|one| data(one.value).saturating_add(inside(one.value))).sum();
            length(value).saturating_sub(media)
        }
        _ => length(value),
    }
}

/// The one text of a `prompt`, as a JSON string.
pub(crate) fn prompt_text(raw: Raw<'_>) -> Result<Raw<'_>, ApiError> {
    let path = Path::key("prompt");
    match raw.kind() {
        Kind::String => return Ok(raw),
        Kind::Array => {}
        _ => return Err(wrong(&path, "a string")),
    }
    let mut elements = raw.elements();
    match (elements.next(), elements.next()) {
        (Some((_, only)), None) if only.kind() == Kind::String => Ok(only),
        (Some((_, first)), _) if first.kind() == Kind::String => Err(ApiError::invalid(
            "`prompt` with several texts is not supported; send one request for each.",
        )),
        (Some(_), _) => {
            Err(ApiError::invalid("`prompt` as tokens is not supported; send it as a string."))
        }
        (None, _) => Err(wrong(&path, "a string that is not an empty list")),
    }
}
