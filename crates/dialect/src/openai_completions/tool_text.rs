//! Tools for models that know none: described as YAML in the prompt (inference spec 1.4, rule 4). What
//! the model answers to that is a plain message, whatever is in it.

use crate::conversation::Tool;
use crate::document::{Kind, Raw, quoted};
use crate::scan::is_json;

/// Values further down stay JSON, which is YAML as well.
const MOST_DEPTH: usize = 24;
/// Plain words that YAML reads as something else than a text.
const RESERVED: &[&str] = &["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// The description of the functions among the tools, and how to ask for a call; empty when there are
/// no functions.
#[must_use]
pub fn tools_as_text(tools: &[Tool]) -> String {
    let mut list = String::new();
    for tool in tools {
        let Tool::Function(function) = tool else { continue };
        list.push_str("  - name: ");
        list.push_str(&quoted(&function.name));
        list.push('\n');
        if let Some(description) = &function.description {
            list.push_str("    description: ");
            list.push_str(&quoted(description));
            list.push('\n');
        }
        if let Some(parameters) = function.parameters.as_deref().filter(|text| is_json(text)) {
            list.push_str("    parameters:");
            value(Raw::new(parameters), 6, 0, &mut list);
        }
    }
    if list.is_empty() {
        return list;
    }
    format!(
        "These tools can be called:\n\ntools:\n{list}\nTo call one, answer with YAML of this shape and \
         nothing else:\n\ntool_call:\n  name: \"the name of the tool\"\n  arguments:\n    \
         parameter: \"its value\"\n\nThe result comes in the next message. Call a tool only when it is \
         needed."
    )
}

/// A call as the model was told to write it.
pub(crate) fn call_as_text(name: &str, arguments: &str) -> String {
    let mut text = format!("tool_call:\n  name: {}\n  arguments:", quoted(name));
    if is_json(arguments) {
        value(Raw::new(arguments), 4, 0, &mut text);
    } else {
        text.push(' ');
        text.push_str(&quoted(arguments));
    }
    text.trim_end().to_owned()
}

/// The result of a call.
pub(crate) fn result_as_text(name: Option<&str>, result: &str, is_error: bool) -> String {
    let mut text = "tool_result:\n".to_owned();
    if let Some(name) = name {
        text.push_str(&format!("  name: {}\n", quoted(name)));
    }
    let member = if is_error { "error" } else { "content" };
    text.push_str(&format!("  {member}: {}", quoted(result)));
    text
}

/// Appends a value after its key, and the end of its line.
fn value(raw: Raw<'_>, indent: usize, depth: usize, out: &mut String) {
    let is_empty = raw.members().next().is_none() && raw.elements().next().is_none();
    match raw.kind() {
        Kind::Object | Kind::Array if is_empty || depth >= MOST_DEPTH => {
            out.push(' ');
            out.push_str(&raw.text().replace(['\n', '\r'], " "));
            out.push('\n');
        }
        Kind::Object => {
            out.push('\n');
            for entry in raw.members() {
                out.extend(std::iter::repeat_n(' ', indent));
                out.push_str(&key(&entry.key));
                out.push(':');
                value(entry.value, indent + 2, depth + 1, out);
            }
        }
        Kind::Array => {
            out.push('\n');
            for (_, element) in raw.elements() {
                out.extend(std::iter::repeat_n(' ', indent));
                out.push('-');
                value(element, indent + 2, depth + 1, out);
            }
        }
        _ => {
            out.push(' ');
            match raw.string() {
                Some(text) => out.push_str(&quoted(&text)),
                None => out.push_str(raw.text()),
            }
            out.push('\n');
        }
    }
}

fn key(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let is_word = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if is_word && name.chars().all(plain) && !RESERVED.contains(&name.to_ascii_lowercase().as_str())
    {
        return name.to_owned();
    }
    quoted(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Function;

    #[test]
    fn functions_are_described_as_yaml() {
        let function = |name: &str, parameters: Option<&str>| {
            Tool::Function(Function {
                name: name.to_owned(),
                description: Some("says\nit".to_owned()),
                parameters: parameters.map(str::to_owned),
                strict: None,
                cache_mark: None,
                extra: Vec::new(),
            })
        };
        let schema = r#"{"type":"object","properties":{"no":{"enum":["a",1,null]},"x y":{}}}"#;
        let text = tools_as_text(&[function("f", Some(schema)), function("g", None)]);
        let expected = r#"tools:
  - name: "f"
    description: "says\nit"
    parameters:
      type: "object"
      properties:
        "no":
          enum:
            - "a"
            - 1
            - null
        "x y": {}
  - name: "g"
    description: "says\nit"
"#;
        assert!(text.contains(expected), "{text}");
        assert_eq!(tools_as_text(&[]), "");
    }

    #[test]
    fn calls_and_results_have_the_shape_that_was_asked_for() {
        let call = call_as_text("f", r#"{"town":"Emden","at":[1]}"#);
        assert_eq!(
            call,
            "tool_call:\n  name: \"f\"\n  arguments:\n    town: \"Emden\"\n    at:\n      - 1"
        );
        assert_eq!(call_as_text("f", "{oops"), "tool_call:\n  name: \"f\"\n  arguments: \"{oops\"");
        assert_eq!(
            result_as_text(Some("f"), "6\n7", false),
            "tool_result:\n  name: \"f\"\n  content: \"6\\n7\""
        );
        assert_eq!(result_as_text(None, "no", true), "tool_result:\n  error: \"no\"");
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(call_as_text("f", &deep).lines().count() < 40);
    }
}
