//! What a request asks for, whatever its dialect.

use serde_json::{Map, Value};

use crate::agent;
use crate::base64;

/// Most text of the prompt that an echo gives back.
pub(crate) const MAX_ECHO: usize = 64 * 1024;

/// A tool that the request offers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tool {
    pub name: String,
    pub parameters: Value,
}

/// A request, as far as it matters here.
#[derive(Debug, Default)]
pub(crate) struct Ask {
    pub model: String,
    pub stream: bool,
    /// Whether usage was asked for, in dialects where it has to be.
    pub include_usage: bool,
    pub max_tokens: Option<u64>,
    pub choices: u64,
    pub prompt_tokens: u64,
    pub last_user_text: String,
    /// Whether the last message is a tool's result.
    pub answers_tools: bool,
    /// The tools that may be called, at most two.
    pub tools: Vec<Tool>,
    /// The tool for reading files, of all that are offered.
    pub reader: Option<Tool>,
    /// What the last tool said, for an agent.
    pub result: Option<String>,
    /// Whether a tool has to be called.
    pub forced: bool,
    pub schema: Option<Value>,
    /// Kind and size of everything that is no text, in order.
    pub media: Vec<String>,
    /// Whether thinking was switched on in a way that asks for thinking blocks back.
    pub thinks: bool,
    /// Whether sealed reasoning was asked for, in dialects where it has to be.
    pub sealed: bool,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub message: String,
    /// The member that is at fault, where the dialect names it.
    pub param: Option<String>,
    pub code: Option<&'static str>,
}

/// Something read, or the refusal.
pub(crate) type Reading<T> = Result<T, Wrong>;

impl Wrong {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), param: None, code: None }
    }

    pub(crate) fn about(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self { message: message.into(), param: Some(param.into()), code: None }
    }
}

/// Refuses with a message unless something holds.
pub(crate) fn require(holds: bool, message: impl FnOnce() -> String) -> Reading<()> {
    if holds { Ok(()) } else { Err(Wrong::new(message())) }
}

/// A member's text.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// A member's elements; none when it is no array.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A member that is neither missing nor null.
pub(crate) fn given<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|v| !v.is_null())
}

/// The first member that is not in the list.
pub(crate) fn stranger<'a>(value: &'a Value, known: &[&str]) -> Option<&'a str> {
    let members: Option<&Map<String, Value>> = value.as_object();
    members?.keys().map(String::as_str).find(|key| !known.contains(key))
}

/// Collects what the messages hold.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    bytes: usize,
    pub media: Vec<String>,
}

impl Gather {
    /// Text of the prompt.
    pub(crate) fn text(&mut self, text: &str) {
        self.bytes = self.bytes.saturating_add(text.len());
    }

    /// Bytes in base64; false when they are not.
    pub(crate) fn inline(&mut self, kind: &str, data: &str) -> bool {
        let length = base64::decode(data).map(|bytes| bytes.len());
        let size = length.map_or_else(|| "invalid".to_owned(), |n| n.to_string());
        self.media.push(format!("{kind}:{size}"));
        length.is_some()
    }

    /// A `data:` URL's bytes, or the URL; false when the bytes are no base64.
    pub(crate) fn url(&mut self, url: &str) -> bool {
        let Some((head, data)) = url.strip_prefix("data:").and_then(|rest| rest.split_once(','))
        else {
            self.media.push(format!("url:{url}"));
            return true;
        };
        self.inline(head.split(';').next().unwrap_or_default(), data)
    }

    /// A quarter of the bytes, rounded up.
    pub(crate) fn tokens(&self) -> u64 {
        u64::try_from(self.bytes.div_ceil(4)).unwrap_or(u64::MAX)
    }
}

/// Texts put together, as much as an echo gives back.
pub(crate) fn echoed<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for text in texts {
        let end = text.floor_char_boundary(MAX_ECHO.saturating_sub(out.len()));
        out.push_str(text.get(..end).unwrap_or_default());
    }
    out
}

/// What a tool choice says.
pub(crate) enum Choice<'a> {
    Free,
    Never,
    Any,
    Named(&'a str),
}

impl Ask {
    /// Keeps the tools that may be called: none, the one that is named, or the first two.
    pub(crate) fn offer(&mut self, tools: impl Iterator<Item = Tool>, choice: &Choice<'_>) {
        self.forced = matches!(choice, Choice::Any | Choice::Named(_));
        if matches!(choice, Choice::Never) {
            return;
        }
        let fits = |tool: &Tool| match choice {
            Choice::Named(name) => tool.name == *name,
            _ => true,
        };
        let mut tools: Vec<Tool> = tools.filter(fits).collect();
        self.reader = agent::reader(&tools).cloned();
        tools.truncate(2);
        self.tools = tools;
    }
}
