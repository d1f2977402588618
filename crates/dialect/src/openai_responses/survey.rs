//! What routing needs to know of a Responses request, read once and checked (inference spec 16.4).
//!
//! The members that this dialect shares with the chat dialect mean the same and are read by its
//! survey. `null` counts as absent, unknown members are no error.

mod input;
mod tools;

use bytes::Bytes;
use signalbox_core::{ApiError, Parameter, limits};

pub(crate) use self::input::kind_of;
use crate::document::{Document, Kind, Raw, quoted};
use crate::openai_chat;
pub use crate::openai_chat::survey::Survey;
use crate::openai_chat::survey::field::{self, Path, missing, wrong};

const INCLUDES: &[&str] = &[
    "file_search_call.results",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "reasoning.encrypted_content",
    "code_interpreter_call.outputs",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.output_text.logprobs",
];

/// Members of the chat dialect that mean nothing here, and members that are read here alone.
const NOT_SHARED: &[&str] = &[
    "messages",
    "prompt",
    "max_tokens",
    "max_completion_tokens",
    "functions",
    "function_call",
    "response_format",
    "verbosity",
    "n",
    "stop",
    "logprobs",
    "stream_options",
    "reasoning_effort",
    "include_reasoning",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "text",
    "max_output_tokens",
];

/// Reads a request to `POST /responses`.
///
/// # Errors
/// `invalid_request` for a wrong type or range in a known member, for a request without input, for
/// contradictions, and for what needs a memory: `store`, `previous_response_id`, `background` and
/// stored prompts.
pub fn survey(document: &Document) -> Result<Survey, ApiError> {
    let sent = |key: &str| document.get(key).map(Raw::new).filter(|raw| !raw.is_null());
    refuse_memory(&sent)?;
    let mut survey = shared(document)?;
    if let Some(tools) = sent("tools") {
        tools::read(&mut survey, &Path::key("tools"), tools)?;
    }
    if let Some(choice) = sent("tool_choice") {
        tools::choice(&Path::key("tool_choice"), choice)?;
        survey.parameters.insert(Parameter::ToolChoice);
    }
    if let Some(raw) = sent("instructions") {
        field::string(&Path::key("instructions"), raw)?;
        add(&mut survey, raw.string_bytes());
    }
    if let Some(raw) = sent("include") {
        let path = Path::key("include");
        field::array(&path, raw)?;
        for (index, (_, one)) in raw.elements().enumerate() {
            field::word(&path.element(index), one, INCLUDES)?;
        }
    }
    if let Some(raw) = sent("truncation") {
        field::word(&Path::key("truncation"), raw, &["auto", "disabled"])?;
    }
    if survey.needs.output_modalities.iter().any(|word| word == "audio") {
        return Err(wrong(&Path::key("modalities"), "a list of text and image"));
    }
    if let Some(raw) = sent("safety_identifier") {
        let path = Path::key("safety_identifier");
        let user = field::short_string(&path, raw, limits::MAX_USER_CHARS)?;
        survey.user.get_or_insert(user);
    }
    let path = Path::key("input");
    input::read(&mut survey, &path, sent("input").ok_or_else(|| missing(&path))?)?;
    Ok(survey)
}

/// Nothing is stored between requests, so nothing can be asked for that needs it.
fn refuse_memory<'a>(sent: &impl Fn(&str) -> Option<Raw<'a>>) -> Result<(), ApiError> {
    for key in ["store", "background"] {
        if let Some(raw) = sent(key)
            && field::boolean(&Path::key(key), raw)?
        {
            return Err(ApiError::invalid(format!(
                "`{key}` must be false: responses are not stored."
            )));
        }
    }
    if sent("previous_response_id").is_some() {
        return Err(ApiError::invalid(
            "`previous_response_id` must be null: responses are not stored. Send the whole \
             conversation as `input`.",
        ));
    }
    for key in ["prompt", "conversation"] {
        if sent(key).is_some() {
            return Err(ApiError::invalid(format!("`{key}` must be null: nothing is stored.")));
        }
    }
    Ok(())
}

/// The survey of the members that both dialects have, read as a chat request with an empty prompt.
fn shared(document: &Document) -> Result<Survey, ApiError> {
    let mut chat = String::with_capacity(512);
    chat.push_str("{\"messages\":[{\"role\":\"user\",\"content\":\"\"}]");
    let mut push = |key: &str, json: &str| {
        chat.push(',');
        chat.push_str(&quoted(key));
        chat.push(':');
        chat.push_str(json);
    };
    for (key, json) in document.members() {
        if !NOT_SHARED.contains(&key) {
            push(key, json);
        }
    }
    let sent = |key: &str| document.get(key).map(Raw::new).filter(|raw| !raw.is_null());
    if let Some(raw) = sent("max_output_tokens") {
        let most = i64::try_from(limits::MAX_MAX_TOKENS).unwrap_or(i64::MAX);
        field::integer(&Path::key("max_output_tokens"), raw, 1..=most)?;
        push("max_tokens", raw.text());
    }
    if let Some(text) = sent("text") {
        let path = Path::key("text");
        field::object(&path, text)?;
        if let Some(verbosity) = text.get("verbosity").filter(|raw| !raw.is_null()) {
            let words = ["low", "medium", "high", "xhigh", "max"];
            field::word(&path.member("verbosity"), verbosity, &words)?;
            push("verbosity", verbosity.text());
        }
        if let Some(format) = text.get("format").filter(|raw| !raw.is_null())
            && let Some(format) = response_format(&path.member("format"), format)?
        {
            push("response_format", &format);
        }
    }
    chat.push('}');
    let mut survey = openai_chat::survey::survey(&Document::parse(Bytes::from(chat))?)?;
    let empty = openai_chat::survey::survey(&Document::parse(Bytes::from_static(
        b"{\"messages\":[{\"role\":\"user\",\"content\":\"\"}]}",
    ))?)?;
    survey.prompt_bytes = survey.prompt_bytes.saturating_sub(empty.prompt_bytes);
    Ok(survey)
}

/// `text.format` in the chat dialect's shape; `None` for plain text.
pub(super) fn response_format(path: &Path<'_>, raw: Raw<'_>) -> Result<Option<String>, ApiError> {
    field::object(path, raw)?;
    let kind = field::required_string(path, raw, "type")?;
    let words = ["text", "json_object", "json_schema"];
    match field::word(&path.member("type"), kind, &words)?.as_str() {
        "json_object" => Ok(Some("{\"type\":\"json_object\"}".to_owned())),
        "json_schema" => {
            field::required_string(path, raw, "name")?;
            let at = path.member("schema");
            field::object(&at, raw.get("schema").ok_or_else(|| missing(&at))?)?;
            let members = raw.members().filter(|one| one.key != "type" && !one.value.is_null());
            let members: Vec<String> =
                members.map(|one| format!("{}:{}", quoted(&one.key), one.value.text())).collect();
            let schema = members.join(",");
            Ok(Some(format!("{{\"type\":\"json_schema\",\"json_schema\":{{{schema}}}}}")))
        }
        _ => Ok(None),
    }
}

/// Adds bytes of text to the prompt.
fn add(survey: &mut Survey, bytes: u64) {
    survey.prompt_bytes = survey.prompt_bytes.saturating_add(bytes);
}

/// Bytes of text in any value: of a string without escapes, of anything else its JSON.
fn estimate(value: Raw<'_>) -> u64 {
    match value.kind() {
        Kind::Null => 0,
        Kind::String => value.string_bytes(),
        _ => u64::try_from(value.text().len()).unwrap_or(u64::MAX),
    }
}
