//! A Messages request as a [`Conversation`]: the hub's road in for requests.
//!
//! It reads what a survey has checked. Members that nobody else knows go to `extra`, for providers
//! of the same dialect; the router's own stay here.

mod block;
mod tool;

use signalbox_core::{ApiError, Parameter};

use super::survey::messages_of;
use crate::conversation::{Conversation, Extra, Message, Role, WireDialect};
use crate::document::{Document, Edits, Kind, Raw, quoted, splice};
use crate::loss::{Lost, report};
use crate::openai_chat::survey::Survey;

/// Members that the survey holds, or that are for the router alone.
const READ_ELSEWHERE: &[&str] = &[
    "model",
    "models",
    "fallbacks",
    "route",
    "provider",
    "plugins",
    "preset",
    "session_id",
    "user",
    "trace",
    "debug",
    "speed",
    "service_tier",
    "metadata",
    "max_tokens",
    "stream",
    "messages",
];

/// Results of tools that the router itself had run: accepted from clients, and sent to nobody
/// (inference spec 16.5).
pub(super) const ROUTERS_OWN: &[&str] =
    &["openrouter_shell_tool_result", "openrouter_bash_tool_result"];

/// Reads a Messages request that was surveyed.
///
/// # Errors
/// `invalid_request` when the survey is of another document: then there may be no messages.
pub fn read_request(document: &Document, survey: &Survey) -> Result<Conversation, ApiError> {
    let mut conversation = Conversation {
        max_output: survey.max_output,
        reasoning: survey.reasoning,
        user: survey.user.clone(),
        stream: survey.stream,
        origin: Some(WireDialect::AnthropicMessages),
        ..Conversation::default()
    };
    for (_, raw) in messages_of(document)?.elements() {
        conversation.messages.push(message(raw));
    }
    for (key, text) in document.members() {
        let raw = Raw::new(text);
        if !raw.is_null() && !READ_ELSEWHERE.contains(&key) {
            member(&mut conversation, key, raw);
        }
    }
    Ok(conversation)
}

fn member(conversation: &mut Conversation, key: &str, raw: Raw<'_>) {
    match key {
        "system" => conversation.system = block::content(raw),
        "temperature" | "top_p" | "top_k" => {
            let parameter = Parameter::from_name(key);
            conversation.sampling.extend(parameter.map(|one| (one, raw.text().to_owned())));
        }
        "stop_sequences" => {
            let texts = raw.elements().filter_map(|(_, text)| text.string());
            conversation.stop = texts.map(|text| text.into_owned()).collect();
        }
        "tools" => conversation.tools = raw.elements().map(|(_, one)| tool::read(one)).collect(),
        "tool_choice" => {
            conversation.tool_choice = tool::choice(raw);
            let disable = raw.get("disable_parallel_tool_use").and_then(Raw::bool);
            conversation.parallel_tool_calls = disable.map(|disable| !disable);
        }
        // Others show a summary too; none can think and send back signatures alone.
        "thinking" => {
            let display = raw.get("display").and_then(Raw::string);
            if display.as_deref() == Some("omitted") {
                report(&mut conversation.lost, Lost::Parameter, "thinking.display");
            }
        }
        // There are no tools yet that the router runs.
        "stop_server_tools_when" => report(&mut conversation.lost, Lost::Parameter, key),
        "cache_control" => conversation.cache_mark = block::cache_control(raw),
        "output_config" => output(conversation, raw),
        _ => conversation.extra.push(extra(key, raw.text())),
    }
}

/// Effort and format have words of their own; what is left is for the same dialect.
fn output(conversation: &mut Conversation, raw: Raw<'_>) {
    conversation.verbosity =
        raw.get("effort").and_then(Raw::string).map(|effort| effort.into_owned());
    if let Some(schema) = raw.get("format").and_then(|format| format.get("schema")) {
        // The chat dialect wants a name; it means nothing to the model.
        conversation.response_format = Some(format!(
            "{{\"type\":\"json_schema\",\"json_schema\":{{\"name\":{},\"strict\":true,\"schema\":{}}}}}",
            quoted("output"),
            schema.text(),
        ));
    }
    let mut edits = Edits::default();
    edits.remove("effort");
    edits.remove("format");
    let rest = splice(raw.text(), raw.members(), &edits);
    if Raw::new(&rest).members().next().is_some() {
        conversation.extra.push(extra("output_config", &rest));
    }
}

fn message(raw: Raw<'_>) -> Message {
    let role = match raw.get("role").and_then(Raw::string).as_deref() {
        Some("assistant") => Role::Assistant,
        Some("system") => Role::System,
        _ => Role::User,
    };
    let parts = raw.get("content").map(block::content).unwrap_or_default();
    let mut message = Message::new(role, parts);
    for entry in raw.members().filter(|entry| !entry.value.is_null()) {
        if !matches!(&*entry.key, "role" | "content") {
            message.extra.push(extra(&entry.key, entry.value.text()));
        }
    }
    message
}

fn extra(key: &str, json: &str) -> Extra {
    Extra { key: key.to_owned(), json: json.to_owned() }
}

/// A string member.
fn text(object: Raw<'_>, key: &str) -> Option<String> {
    object.get(key)?.string().map(|text| text.into_owned())
}

/// JSON of this dialect, to be given back to it as it came.
fn verbatim(raw: Raw<'_>) -> crate::conversation::Verbatim {
    let dialect = WireDialect::AnthropicMessages;
    crate::conversation::Verbatim { dialect, json: raw.text().to_owned() }
}

/// Whether content is one text.
fn is_text(raw: Raw<'_>) -> bool {
    raw.kind() == Kind::String
}
