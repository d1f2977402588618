//! The rules for messages and their blocks.

use serde_json::Value;

use crate::ask::{Gather, Reading, Wrong, given, list, require, stranger, text};
use crate::mint;

/// Most cache marks of a request.
const MOST_MARKS: usize = 4;

/// Messages of one role that follow each other; the provider takes them as one.
pub(super) struct Turn<'a> {
    pub role: &'a str,
    /// Each block with its place in the body; an instruction in the middle has text alone.
    pub blocks: Vec<(String, &'a Value)>,
    /// Contents that are a text and no list.
    pub plain: Vec<&'a str>,
}

impl<'a> Turn<'a> {
    fn of(&self, kind: &str) -> impl Iterator<Item = &(String, &'a Value)> {
        self.blocks.iter().filter(move |(_, block)| text(block, "type") == Some(kind))
    }

    fn ids(&self, kind: &str, member: &str) -> Vec<&'a str> {
        self.of(kind).filter_map(|(_, block)| block.get(member)?.as_str()).collect()
    }

    pub(super) fn has_results(&self) -> bool {
        self.of("tool_result").next().is_some()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &'a str> {
        let blocks = self.of("text").filter_map(|(_, block)| block.get("text")?.as_str());
        self.plain.iter().copied().chain(blocks)
    }

    pub(super) fn has_text(&self) -> bool {
        self.texts().next().is_some()
    }
}

/// Reads the messages into turns.
pub(super) fn turns(messages: &[Value]) -> Reading<Vec<Turn<'_>>> {
    let mut out: Vec<Turn<'_>> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let place = format!("messages.{index}");
        if let Some(name) = stranger(message, &["role", "content"]) {
            return Err(Wrong::new(format!("{place}.{name}: Extra inputs are not permitted")));
        }
        let role = match text(message, "role") {
            Some(role @ ("user" | "assistant")) => role,
            // An instruction in the middle: it belongs right behind the user.
            Some("system") if out.last().is_some_and(|turn| turn.role == "user") => "system",
            _ => {
                let message = format!("{place}.role: Input should be 'user' or 'assistant'");
                return Err(Wrong::new(message));
            }
        };
        if out.last().is_none_or(|turn| turn.role != role) {
            out.push(Turn { role, blocks: Vec::new(), plain: Vec::new() });
        }
        let Some(turn) = out.last_mut() else { continue };
        match message.get("content") {
            Some(Value::String(plain)) => {
                require(!plain.is_empty(), || {
                    format!(
                        "{place}: all messages must have non-empty content except for the optional final assistant message"
                    )
                })?;
                turn.plain.push(plain);
            }
            Some(Value::Array(blocks)) => {
                let last = index.saturating_add(1) == messages.len() && role == "assistant";
                require(!blocks.is_empty() || last, || {
                    format!(
                        "{place}: all messages must have non-empty content except for the optional final assistant message"
                    )
                })?;
                require(role != "system" || blocks.iter().all(is_text), || {
                    format!("{place}.content: system messages may only have text")
                })?;
                let placed = blocks.iter().enumerate();
                turn.blocks.extend(placed.map(|(at, b)| (format!("{place}.content.{at}"), b)));
            }
            _ => return Err(Wrong::new(format!("{place}.content: Input should be a valid list"))),
        }
    }
    Ok(out)
}

fn is_text(block: &Value) -> bool {
    text(block, "type") == Some("text")
}

/// Checks that calls are answered at once, and that thinking comes back where it has to.
pub(super) fn pairs(turns: &[Turn<'_>], thinks: bool) -> Reading<()> {
    // The last turn of the user's own begins what is being worked on.
    let own = turns.iter().rposition(|turn| turn.role == "user" && !turn.has_results());
    for (index, turn) in turns.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|at| turns.get(at));
        let asked = before.map(|turn| turn.ids("tool_use", "id")).unwrap_or_default();
        for (place, result) in turn.of("tool_result") {
            let id = text(result, "tool_use_id").unwrap_or_default();
            require(turn.role == "user" && asked.contains(&id), || {
                format!(
                    "{place}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
                )
            })?;
        }
        let answered = turn.ids("tool_result", "tool_use_id");
        let open: Vec<&str> = asked.into_iter().filter(|id| !answered.contains(id)).collect();
        require(open.is_empty(), || {
            format!(
                "messages: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
                open.join(", ")
            )
        })?;
        let first = turn.blocks.iter().take(answered.len());
        let results_first = first.filter(|(_, b)| text(b, "type") == Some("tool_result")).count();
        require(results_first == answered.len(), || {
            "messages: `tool_result` blocks must come first in the content of a message".into()
        })?;
        let calls = turn.ids("tool_use", "id");
        let last = index.saturating_add(1) == turns.len();
        require(calls.is_empty() || !last, || {
            format!(
                "messages: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
                calls.join(", ")
            )
        })?;
        if thinks && !calls.is_empty() && own.is_none_or(|own| index > own) {
            let kind = turn.blocks.first().and_then(|(_, block)| text(block, "type"));
            let found = kind.unwrap_or("text");
            require(matches!(found, "thinking" | "redacted_thinking"), || {
                format!(
                    "messages.{index}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{found}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceding the lastmost set of `tool_use` and `tool_result` blocks)."
                )
            })?;
        }
    }
    Ok(())
}

/// Members of the blocks that are looked into.
fn members(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "text" => &["type", "text", "cache_control", "citations"],
        "image" => &["type", "source", "cache_control"],
        "document" => &["type", "source", "cache_control", "citations", "context", "title"],
        "tool_use" => &["type", "id", "name", "input", "cache_control", "caller"],
        "tool_result" => &["type", "tool_use_id", "content", "is_error", "cache_control"],
        "thinking" => &["type", "thinking", "signature"],
        "redacted_thinking" => &["type", "data"],
        "search_result" => &["type", "source", "title", "content", "citations", "cache_control"],
        _ => return None,
    })
}

/// Checks one block and collects what it holds.
pub(super) fn block(block: &Value, place: &str, gather: &mut Gather) -> Reading<()> {
    let kind = text(block, "type").unwrap_or_default();
    let Some(known) = members(kind) else {
        // Results of the provider's own tools.
        let own = kind.starts_with("server_tool") || kind.ends_with("_tool_result");
        return require(own, || {
            format!(
                "{place}: Input tag '{kind}' found using 'type' does not match any of the expected tags"
            )
        });
    };
    if let Some(name) = stranger(block, known) {
        return Err(Wrong::new(format!("{place}.{kind}.{name}: Extra inputs are not permitted")));
    }
    let member = |name: &str| {
        let missing = || Wrong::new(format!("{place}.{kind}.{name}: Field required"));
        text(block, name).ok_or_else(missing)
    };
    match kind {
        "text" => {
            let plain = member("text")?;
            require(!plain.is_empty(), || {
                "messages: text content blocks must be non-empty".into()
            })?;
            gather.text(plain);
        }
        "image" | "document" => source(block, kind, place, gather)?,
        "tool_use" => {
            let id = member("id")?;
            let lawful = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            require(!id.is_empty() && id.chars().all(lawful), || {
                format!("{place}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
            })?;
            member("name")?;
            let input = block.get("input").is_some_and(Value::is_object);
            require(input, || {
                format!("{place}.tool_use.input: Input should be a valid dictionary")
            })?;
        }
        "tool_result" => result(block, place, gather)?,
        "thinking" => {
            let (thought, signature) = (member("thinking")?, member("signature")?);
            require(mint::signed(thought, signature), || {
                format!("{place}: Invalid `signature` in `thinking` block")
            })?;
        }
        "redacted_thinking" => {
            let data = member("data")?;
            require(mint::unseal(data).is_some(), || {
                format!("{place}: Invalid `data` in `redacted_thinking` block")
            })?;
        }
        _ => {}
    }
    Ok(())
}

fn result(result: &Value, place: &str, gather: &mut Gather) -> Reading<()> {
    if let Some(plain) = text(result, "content") {
        gather.text(plain);
    }
    for (index, part) in list(result, "content").iter().enumerate() {
        let kind = text(part, "type").unwrap_or_default();
        let place = format!("{place}.tool_result.content.{index}");
        require(
            matches!(kind, "text" | "image" | "document" | "search_result" | "tool_reference"),
            || {
                format!(
                    "{place}: Input tag '{kind}' found using 'type' does not match any of the expected tags: 'text', 'image', 'search_result', 'document'"
                )
            },
        )?;
        if kind != "tool_reference" {
            block(part, &place, gather)?;
        }
    }
    Ok(())
}

fn source(block: &Value, kind: &str, place: &str, gather: &mut Gather) -> Reading<()> {
    let source = block.get("source").unwrap_or(&Value::Null);
    let place = format!("{place}.{kind}.source");
    let member = |name: &str| {
        let missing = || Wrong::new(format!("{place}.{name}: Field required"));
        text(source, name).ok_or_else(missing)
    };
    match member("type")? {
        "base64" => {
            let media = member("media_type")?;
            let known: &[&str] = if kind == "image" {
                &["image/jpeg", "image/png", "image/gif", "image/webp"]
            } else {
                &["application/pdf"]
            };
            require(known.contains(&media), || {
                format!("{place}.base64.media_type: Input should be '{}'", known.join("' or '"))
            })?;
            let valid = gather.inline(media, member("data")?);
            require(valid, || format!("{place}.base64: invalid base64 data"))
        }
        "url" => {
            let url = member("url")?;
            require(url.starts_with("http"), || {
                format!("{place}.url: Only HTTP(S) URLs are supported")
            })?;
            gather.url(url);
            Ok(())
        }
        "text" if kind == "document" => {
            let plain = member("data")?;
            gather.text(plain);
            gather.media.push(format!("text/plain:{}", plain.len()));
            Ok(())
        }
        "file" => {
            gather.media.push(format!("file:{}", member("file_id")?));
            Ok(())
        }
        "content" if kind == "document" => Ok(()),
        other => Err(Wrong::new(format!(
            "{place}: Input tag '{other}' found using 'type' does not match any of the expected tags"
        ))),
    }
}

/// Checks that there are not too many cache marks.
pub(super) fn marks(body: &Value) -> Reading<()> {
    let found = count(body, 0);
    require(found <= MOST_MARKS, || {
        format!(
            "A maximum of {MOST_MARKS} blocks with cache_control may be provided. Found {found}."
        )
    })
}

fn count(value: &Value, depth: usize) -> usize {
    if depth > 8 {
        return 0;
    }
    let below = depth.saturating_add(1);
    match value {
        Value::Array(all) => all.iter().map(|v| count(v, below)).sum(),
        Value::Object(members) => {
            let own = usize::from(given(value, "cache_control").is_some());
            let inside = members.iter().filter(|(key, _)| {
                ["messages", "system", "tools", "content", "source"].contains(&key.as_str())
            });
            inside.map(|(_, v)| count(v, below)).sum::<usize>().saturating_add(own)
        }
        _ => 0,
    }
}
