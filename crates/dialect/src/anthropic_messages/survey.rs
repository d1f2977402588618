//! What routing needs to know of a Messages request, read once and checked (inference spec 16.5, 6).
//!
//! The result is the same [`Survey`] as for chat. `null` counts as absent in every optional member;
//! members that nobody knows are no error, because clients send betas. A mistake is an
//! `invalid_request` that names the member as a path.

mod blocks;
mod config;
mod tools;

use signalbox_core::{ApiError, Parameter, limits};

use crate::document::{Document, Kind, Raw};
use crate::openai_chat::survey::field::{self, Path, missing, wrong};
use crate::openai_chat::survey::{MESSAGE_BYTES, ReasoningRequest, Survey, add, routing, sampling};

/// Most `fallbacks` (inference spec 6).
const MAX_FALLBACKS: usize = 3;
/// Most `stop_sequences`: enough for any client, and no endless list.
const MAX_STOP_SEQUENCES: usize = 256;

/// A survey under way.
#[derive(Default)]
struct Reading<'a> {
    survey: Survey,
    messages: Option<Raw<'a>>,
    fallbacks: Option<Vec<String>>,
    thinking: Option<ReasoningRequest>,
    effort: Option<String>,
    /// `metadata.user_id`; the member `user` wins.
    user_id: Option<String>,
}

/// Reads a request to `POST /messages`. `max_tokens` may be missing.
///
/// # Errors
/// `invalid_request` for a wrong type or range in a known member, for a request without messages,
/// for `fallbacks` together with `models`, and for tools that the server itself would have to run.
pub fn survey(document: &Document) -> Result<Survey, ApiError> {
    let mut reading = Reading::default();
    reading.survey.choices = 1;
    for (key, text) in document.members() {
        let raw = Raw::new(text);
        if !raw.is_null() {
            reading.member(key, raw)?;
        }
    }
    reading.finish()
}

impl<'a> Reading<'a> {
    fn member(&mut self, key: &str, raw: Raw<'a>) -> Result<(), ApiError> {
        let path = Path::key(key);
        let survey = &mut self.survey;
        match key {
            "messages" => self.messages = Some(raw),
            "system" => blocks::system(survey, &path, raw)?,
            "temperature" | "top_p" | "top_k" | "max_tokens" => {
                if let Some(parameter) = Parameter::from_name(key) {
                    survey.parameters.insert(parameter);
                }
                sampling::read(survey, &path, key, raw)?;
            }
            "stop_sequences" => {
                let is_empty = field::strings(&path, raw, MAX_STOP_SEQUENCES)?.is_empty();
                survey.parameters.insert(Parameter::Stop);
                if is_empty {
                    survey.parameters.remove(Parameter::Stop);
                }
            }
            "tools" => tools::read(survey, &path, raw)?,
            "tool_choice" => tools::choice(survey, &path, raw)?,
            "thinking" => self.thinking = config::thinking(&path, raw)?,
            "output_config" => self.effort = config::output(survey, &path, raw)?,
            "metadata" => self.user_id = user_id(&path, raw)?,
            "fallbacks" => self.fallbacks = Some(fallbacks(&path, raw)?),
            "service_tier" => survey.service_tier = config::tier(&path, raw)?,
            "model"
            | "models"
            | "route"
            | "stream"
            | "provider"
            | "plugins"
            | "preset"
            | "session_id"
            | "user"
            | "speed"
            | "trace"
            | "cache_control"
            | "debug"
            | "stop_server_tools_when" => routing::read(survey, &path, key, raw)?,
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Survey, ApiError> {
        let path = Path::key("messages");
        let raw = self.messages.ok_or_else(|| missing(&path))?;
        messages(&mut self.survey, &path, raw)?;
        let mut survey = self.survey;
        if let Some(models) = self.fallbacks {
            if !survey.models.is_empty() {
                return Err(ApiError::invalid("Only one of `fallbacks` and `models` can be sent."));
            }
            survey.models = models;
        }
        survey.user = survey.user.or(self.user_id);
        survey.reasoning = config::merged(self.thinking, self.effort.as_deref());
        if self.effort.is_some() {
            survey.parameters.insert(Parameter::Verbosity);
        }
        if survey.reasoning.is_some_and(|request| request.enabled == Some(true)) {
            survey.parameters.insert(Parameter::Reasoning);
        }
        Ok(survey)
    }
}

/// The list of messages of a document that was surveyed.
pub(super) fn messages_of(document: &Document) -> Result<Raw<'_>, ApiError> {
    let raw = document.get("messages").map(Raw::new).filter(|raw| !raw.is_null());
    raw.ok_or_else(|| missing(&Path::key("messages")))
}

fn messages(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::array(path, raw)?;
    if raw.elements().next().is_none() {
        return Err(wrong(path, "a list of at least one message"));
    }
    for (index, (_, message)) in raw.elements().enumerate() {
        let path = path.element(index);
        field::object(&path, message)?;
        let role = field::required_string(&path, message, "role")?;
        field::word(&path.member("role"), role, &["user", "assistant", "system"])?;
        let inside = path.member("content");
        let content = message.get("content").filter(|raw| !raw.is_null());
        let content = content.ok_or_else(|| missing(&inside))?;
        add(survey, MESSAGE_BYTES);
        match content.kind() {
            Kind::String => add(survey, content.string_bytes()),
            Kind::Array => blocks::read(survey, &inside, content)?,
            _ => return Err(wrong(&inside, "a string or a list of blocks")),
        }
    }
    Ok(())
}

fn user_id(path: &Path<'_>, raw: Raw<'_>) -> Result<Option<String>, ApiError> {
    field::object(path, raw)?;
    let Some(user) = raw.get("user_id").filter(|user| !user.is_null()) else { return Ok(None) };
    field::short_string(&path.member("user_id"), user, limits::MAX_USER_CHARS).map(Some)
}

fn fallbacks(path: &Path<'_>, raw: Raw<'_>) -> Result<Vec<String>, ApiError> {
    field::array(path, raw)?;
    let mut models = Vec::new();
    for (index, (_, fallback)) in raw.elements().enumerate() {
        if index >= MAX_FALLBACKS {
            return Err(wrong(path, &format!("at most {MAX_FALLBACKS} long")));
        }
        let path = path.element(index);
        field::object(&path, fallback)?;
        if let Some(other) = fallback.members().find(|entry| entry.key != "model") {
            let other = field::echo(&other.key);
            return Err(wrong(&path, &format!("an object with `model` alone, not `{other}`")));
        }
        let model = field::required_string(&path, fallback, "model")?.string();
        let model = model.filter(|model| !model.is_empty());
        let model = model.ok_or_else(|| wrong(&path.member("model"), "a model id"))?;
        models.push(model.into_owned());
    }
    Ok(models)
}
