//! The response object, and what of the request it repeats.

use crate::document::{Document, Raw, quoted};
use crate::identity::Identity;

/// Members that a response repeats as the request had them, with what stands for one that was not
/// sent.
const ECHOED: &[(&str, &str)] = &[
    ("background", "false"),
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("prompt_cache_key", "null"),
    ("reasoning", "null"),
    ("safety_identifier", "null"),
    ("text", "{\"format\":{\"type\":\"text\"}}"),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("truncation", "\"disabled\""),
    ("user", "null"),
    ("temperature", "null"),
    ("top_p", "null"),
    ("presence_penalty", "null"),
    ("frequency_penalty", "null"),
    ("top_logprobs", "0"),
];

/// What an answer has to know of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The repeated members as JSON, each after a comma.
    echo: String,
    /// Names of tools that take text instead of JSON.
    custom_tools: Vec<String>,
    /// Whether encrypted reasoning is wanted.
    encrypted_reasoning: bool,
}

impl Asked {
    /// Reads a request that was surveyed.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        Self::repeating(|key| document.get(key).map(Raw::new))
    }

    fn repeating<'a>(member: impl Fn(&str) -> Option<Raw<'a>>) -> Self {
        let mut echo = String::with_capacity(1024);
        let sent = |key| member(key).filter(|raw| !raw.is_null());
        for (key, absent) in ECHOED {
            echo.push_str(",\"");
            echo.push_str(key);
            echo.push_str("\":");
            push_line(&mut echo, sent(key).map_or(absent, Raw::text));
        }
        echo.push_str(",\"previous_response_id\":null,\"store\":false");
        let has = |raw: Raw<'_>, key: &str, word: &str| {
            raw.get(key).and_then(Raw::string).as_deref() == Some(word)
        };
        let custom_tools = sent("tools").map_or_else(Vec::new, |tools| {
            let custom = tools.elements().filter(|(_, tool)| has(*tool, "type", "custom"));
            custom.filter_map(|(_, tool)| Some(tool.get("name")?.string()?.into_owned())).collect()
        });
        let wanted = "reasoning.encrypted_content";
        let encrypted_reasoning = sent("include").is_some_and(|include| {
            include.elements().any(|(_, one)| one.string().as_deref() == Some(wanted))
        });
        Self { echo, custom_tools, encrypted_reasoning }
    }

    /// A member that the response repeats, as JSON.
    pub(super) fn repeated(&self, key: &str) -> Option<String> {
        let object = format!("{{{}}}", self.echo.strip_prefix(',').unwrap_or_default());
        Raw::new(&object).get(key).map(|value| value.text().to_owned())
    }

    /// Whether a tool takes text instead of JSON.
    pub(super) fn is_custom(&self, tool: &str) -> bool {
        self.custom_tools.iter().any(|name| name == tool)
    }

    /// Whether encrypted reasoning is wanted.
    pub(super) const fn wants_encrypted(&self) -> bool {
        self.encrypted_reasoning
    }
}

impl Default for Asked {
    /// A request without any member.
    fn default() -> Self {
        Self::repeating(|_| None)
    }
}

/// Appends JSON as one line: an event must not have a line break. Between tokens they are white
/// space, and inside strings they are escaped.
fn push_line(out: &mut String, json: &str) {
    out.extend(json.chars().map(|letter| if matches!(letter, '\n' | '\r') { ' ' } else { letter }));
}

/// How a response stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    InProgress,
    Completed,
    /// Why it is not complete: `max_output_tokens` or `content_filter`.
    Incomplete(&'static str),
    /// The `error` object as JSON, and the error's type.
    Failed(String, &'static str),
}

impl Status {
    /// The word on the wire.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
            Self::Failed(..) => "failed",
        }
    }
}

/// What a response has besides its identity and its request.
#[derive(Debug, Clone)]
pub(super) struct State<'a> {
    pub(super) status: Status,
    /// Seconds since the epoch.
    pub(super) completed_at: Option<i64>,
    /// The items as JSON, in order.
    pub(super) output: Vec<&'a str>,
    /// The `usage` object.
    pub(super) usage: Option<String>,
    pub(super) service_tier: Option<&'a str>,
    pub(super) router_metadata: Option<&'a str>,
}

impl State<'_> {
    /// A response that has only begun.
    pub(super) const fn begun() -> Self {
        Self {
            status: Status::InProgress,
            completed_at: None,
            output: Vec::new(),
            usage: None,
            service_tier: None,
            router_metadata: None,
        }
    }
}

/// Appends a response object.
pub(super) fn push_response(
    out: &mut Vec<u8>,
    identity: &Identity,
    asked: &Asked,
    state: &State<'_>,
) {
    let status = state.status.name();
    let (id, model) = (quoted(identity.id.as_str()), quoted(&identity.model));
    let (mut error, mut error_type, mut details) = ("null", None, "null".to_owned());
    match &state.status {
        Status::Failed(object, kind) => {
            error = object;
            error_type = Some(*kind);
        }
        Status::Incomplete(reason) => details = format!("{{\"reason\":\"{reason}\"}}"),
        Status::InProgress | Status::Completed => {}
    }
    let completed = state.completed_at.map_or_else(|| "null".to_owned(), |at| at.to_string());
    let created = identity.created;
    let head = format!(
        "{{\"id\":{id},\"object\":\"response\",\"created_at\":{created},\"completed_at\":{completed},\
         \"status\":\"{status}\",\"error\":{error},\"incomplete_details\":{details},\"model\":{model},\
         \"output\":[{}]",
        state.output.join(","),
    );
    out.extend_from_slice(head.as_bytes());
    if let Some(kind) = error_type {
        out.extend_from_slice(format!(",\"error_type\":{}", quoted(kind)).as_bytes());
    }
    out.extend_from_slice(asked.echo.as_bytes());
    let tier = state.service_tier.map_or_else(|| "null".to_owned(), quoted);
    out.extend_from_slice(format!(",\"service_tier\":{tier}").as_bytes());
    if let Some(usage) = &state.usage {
        out.extend_from_slice(format!(",\"usage\":{usage}").as_bytes());
    }
    if let Some(metadata) = state.router_metadata {
        out.extend_from_slice(b",\"openrouter_metadata\":");
        out.extend_from_slice(metadata.as_bytes());
    }
    out.push(b'}');
}
