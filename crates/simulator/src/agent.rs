//! `agent`: reads one file with a tool, and answers with what the tool said. Enough for a coding
//! client to go once around its loop.

use serde_json::{Map, Value, json};

use crate::ask::{Ask, MAX_ECHO, Tool};
use crate::schema::instance;

/// What stands before the file's path in the text of the user.
const MARK: &str = "FILE:";
/// Tools that can read a file, the best first.
const READERS: &[&str] = &[
    "Read",
    "read_file",
    "view_file",
    "exec_command",
    "shell_command",
    "shell",
    "local_shell",
    "Bash",
];
/// Arguments that take a path.
const PATHS: &[&str] = &["file_path", "path", "filePath", "target_file"];
/// Arguments that take a command.
const COMMANDS: &[&str] = &["cmd", "command"];
/// Depth of a body below which nothing is looked for.
const MAX_DEPTH: usize = 32;

/// The tool that reads files, of all that are offered.
pub(crate) fn reader(tools: &[Tool]) -> Option<&Tool> {
    READERS.iter().find_map(|name| tools.iter().find(|tool| tool.name == *name))
}

/// The call that reads the file that the user names; `None` without a file or a tool for it.
pub(crate) fn call(ask: &Ask) -> Option<(String, Value)> {
    let tool = ask.reader.as_ref()?;
    let (_, after) = ask.last_user_text.rsplit_once(MARK)?;
    let path = after.split_whitespace().next()?;
    let properties = tool.parameters.get("properties")?.as_object()?;
    let (name, value) = argument(properties, path)?;
    let required = tool.parameters.get("required").and_then(Value::as_array).into_iter().flatten();
    let mut arguments: Map<String, Value> = required
        .filter_map(Value::as_str)
        .filter_map(|name| Some((name.to_owned(), instance(properties.get(name)?))))
        .collect();
    arguments.insert(name.to_owned(), value);
    Some((tool.name.clone(), Value::Object(arguments)))
}

fn argument(properties: &Map<String, Value>, path: &str) -> Option<(&'static str, Value)> {
    let has = |names: &[&'static str]| names.iter().copied().find(|n| properties.contains_key(*n));
    if let Some(name) = has(PATHS) {
        return Some((name, json!(path)));
    }
    let name = has(COMMANDS)?;
    let kind = properties.get(name)?.get("type").and_then(Value::as_str).unwrap_or_default();
    let words = kind.eq_ignore_ascii_case("array");
    Some((name, if words { json!(["cat", path]) } else { json!(format!("cat {path}")) }))
}

/// The text of the last tool result in a body of any dialect; `None` when no tool has answered.
pub(crate) fn result(body: &Value) -> Option<String> {
    let mut last = None;
    find(body, 0, &mut last);
    let mut text = String::new();
    gather(last?, 0, &mut text);
    Some(text)
}

fn find<'a>(value: &'a Value, depth: usize, last: &mut Option<&'a Value>) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::Array(all) => all.iter().for_each(|one| find(one, depth + 1, last)),
        Value::Object(members) => match said(members) {
            Some(found) => *last = Some(found),
            None => members.values().for_each(|one| find(one, depth + 1, last)),
        },
        _ => {}
    }
}

/// What a tool said, if this is where it says it.
fn said(members: &Map<String, Value>) -> Option<&Value> {
    let word = |key: &str| members.get(key).and_then(Value::as_str).unwrap_or_default();
    if word("type") == "tool_result" || word("role") == "tool" {
        return members.get("content");
    }
    if matches!(word("type"), "function_call_output" | "custom_tool_call_output") {
        return members.get("output");
    }
    let nested = |key: &str, inner: &str| members.get(key)?.get(inner);
    nested("functionResponse", "response").or_else(|| nested("toolResult", "content"))
}

fn gather(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::String(text) => {
            let end = text.floor_char_boundary(MAX_ECHO.saturating_sub(out.len()));
            out.push_str(text.get(..end).unwrap_or_default());
            out.push(' ');
        }
        Value::Array(all) if depth < MAX_DEPTH => {
            all.iter().for_each(|one| gather(one, depth + 1, out));
        }
        Value::Object(members) if depth < MAX_DEPTH => {
            let named = members.iter().filter(|(name, _)| *name != "type");
            named.for_each(|(_, one)| gather(one, depth + 1, out));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(tools: Vec<Tool>, text: &str) -> Option<(String, Value)> {
        let reader = reader(&tools).cloned();
        call(&Ask { reader, last_user_text: text.to_owned(), ..Ask::default() })
    }

    fn tool(name: &str, parameters: Value) -> Tool {
        Tool { name: name.to_owned(), parameters }
    }

    #[test]
    fn the_best_reader_gets_the_path_and_what_else_it_needs() {
        let read = json!({"type": "object", "required": ["file_path", "mode"], "properties": {
            "file_path": {"type": "string"}, "mode": {"enum": ["text"]}, "limit": {"type": "integer"},
        }});
        let shell = json!({"properties": {"command": {"type": "array"}}});
        let tools = vec![tool("shell", shell.clone()), tool("Read", read)];
        let (name, arguments) = asked(tools, "Please read FILE:/tmp/a.txt now").unwrap();
        assert_eq!(name, "Read");
        assert_eq!(arguments, json!({"file_path": "/tmp/a.txt", "mode": "text"}));
        let (_, arguments) = asked(vec![tool("shell", shell)], "FILE:b").unwrap();
        assert_eq!(arguments, json!({"command": ["cat", "b"]}));
        let command = json!({"properties": {"cmd": {"type": "STRING"}}});
        let (_, arguments) = asked(vec![tool("exec_command", command)], "FILE:b").unwrap();
        assert_eq!(arguments, json!({"cmd": "cat b"}));
    }

    #[test]
    fn without_a_file_or_a_reader_nothing_is_called() {
        let read = tool("Read", json!({"properties": {"path": {}}}));
        assert_eq!(asked(vec![read.clone()], "hello"), None);
        assert_eq!(asked(vec![read], "FILE:"), None);
        assert_eq!(asked(vec![tool("weather", json!({}))], "FILE:a"), None);
    }

    #[test]
    fn the_last_result_of_every_dialect_is_found() {
        for body in [
            json!({"messages": [{"role": "tool", "content": "old"}, {"role": "tool", "content": "secret"},
                {"role": "user", "content": "go on"}]}),
            json!({"messages": [{"role": "user", "content": [{"type": "tool_result",
                "content": [{"type": "text", "text": "secret"}]}]}]}),
            json!({"input": [{"type": "function_call_output", "output": "secret"}]}),
            json!({"contents": [{"parts": [{"functionResponse": {"response": {"r": "secret"}}}]}]}),
            json!({"messages": [{"content": [{"toolResult": {"content": [{"text": "secret"}]}}]}]}),
        ] {
            assert_eq!(result(&body).as_deref(), Some("secret "), "{body}");
        }
        assert_eq!(result(&json!({"messages": [{"role": "user", "content": "x"}]})), None);
    }
}
