//! The rules for input items.

use serde_json::Value;

use super::request::{invalid, known, missing};
use crate::ask::{Gather, Reading, Wrong, given, list, text};
use crate::mint;

/// The texts of a message item.
pub(super) fn texts(item: &Value) -> impl Iterator<Item = &str> {
    let parts = list(item, "content").iter().filter_map(|part| part.get("text")?.as_str());
    text(item, "content").into_iter().chain(parts)
}

fn kind(item: &Value) -> &str {
    text(item, "type").unwrap_or(if item.get("role").is_some() { "message" } else { "" })
}

/// Checks the items and collects what they hold.
pub(super) fn items(items: &[Value], gather: &mut Gather) -> Reading<()> {
    for (index, item) in items.iter().enumerate() {
        let place = format!("input[{index}]");
        match kind(item) {
            "message" => message(item, &place, gather)?,
            "reasoning" => {
                reasoning(item, &place)?;
                let after = items.iter().skip(index).map(kind).find(|kind| *kind != "reasoning");
                if !matches!(
                    after,
                    Some(
                        "message"
                            | "function_call"
                            | "custom_tool_call"
                            | "image_generation_call"
                            | "web_search_call"
                    )
                ) {
                    let id = text(item, "id").unwrap_or_default();
                    let message = format!(
                        "Item '{id}' of type 'reasoning' was provided without its required following item."
                    );
                    return Err(Wrong::about("input", message));
                }
            }
            "function_call" => {
                let members =
                    ["type", "id", "call_id", "name", "arguments", "status", "namespace", "caller"];
                known(item, &members, &place)?;
                identity(item, &place, "fc")?;
                for name in ["call_id", "name", "arguments"] {
                    text(item, name).ok_or_else(|| missing(&format!("{place}.{name}")))?;
                }
            }
            "function_call_output" => output(item, &place, gather)?,
            "" => return Err(missing(&format!("{place}.type"))),
            "custom_tool_call"
            | "custom_tool_call_output"
            | "item_reference"
            | "web_search_call"
            | "image_generation_call"
            | "file_search_call"
            | "computer_call"
            | "mcp_call"
            | "local_shell_call"
            | "code_interpreter_call"
            | "compaction" => {}
            other => {
                let message = format!(
                    "Invalid value: '{other}'. Supported values are: 'message', 'reasoning', 'function_call', 'function_call_output' and others."
                );
                return Err(invalid(&format!("{place}.type"), message));
            }
        }
    }
    pairs(items)
}

/// Checks that an id has the prefix of its kind.
fn identity(item: &Value, place: &str, prefix: &str) -> Reading<()> {
    let Some(id) = given(item, "id").and_then(Value::as_str) else { return Ok(()) };
    if id.starts_with(prefix) && id.len() <= 64 {
        return Ok(());
    }
    let param = format!("{place}.id");
    let message = format!(
        "Invalid '{param}': '{id}'. Expected an ID that begins with '{prefix}' and has at most 64 characters."
    );
    Err(invalid(&param, message))
}

fn message(item: &Value, place: &str, gather: &mut Gather) -> Reading<()> {
    known(item, &["type", "id", "role", "content", "status", "phase"], place)?;
    identity(item, place, "msg")?;
    let role = text(item, "role").ok_or_else(|| missing(&format!("{place}.role")))?;
    if !matches!(role, "user" | "assistant" | "system" | "developer") {
        let message = format!(
            "Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'."
        );
        return Err(invalid(&format!("{place}.role"), message));
    }
    let content = given(item, "content").ok_or_else(|| missing(&format!("{place}.content")))?;
    if !content.is_string() && !content.is_array() {
        let message = format!(
            "Invalid type for '{place}.content': expected one of a string or array of objects."
        );
        return Err(invalid(&format!("{place}.content"), message));
    }
    texts(item).for_each(|text| gather.text(text));
    let kinds: &[&str] = match role {
        "assistant" => &["output_text", "refusal"],
        _ => &["input_text", "input_image", "input_file", "input_audio"],
    };
    for (at, part) in list(item, "content").iter().enumerate() {
        let place = format!("{place}.content[{at}]");
        let found = text(part, "type").unwrap_or_default();
        if !kinds.contains(&found) {
            let message = format!(
                "Invalid value: '{found}'. Supported values are: '{}'.",
                kinds.join("', '")
            );
            return Err(invalid(&format!("{place}.type"), message));
        }
        self::part(part, found, &place, gather)?;
    }
    Ok(())
}

fn part(part: &Value, kind: &str, place: &str, gather: &mut Gather) -> Reading<()> {
    let members: &[&str] = match kind {
        "input_text" => &["type", "text", "prompt_cache_breakpoint"],
        "output_text" => &["type", "text", "annotations", "logprobs"],
        "refusal" => &["type", "refusal"],
        "input_image" => &["type", "image_url", "file_id", "detail", "prompt_cache_breakpoint"],
        "input_file" => &[
            "type",
            "file_data",
            "file_id",
            "file_url",
            "filename",
            "detail",
            "prompt_cache_breakpoint",
        ],
        _ => &["type", "input_audio"],
    };
    known(part, members, place)?;
    let lacks = |name: &str| missing(&format!("{place}.{name}"));
    match kind {
        "input_text" | "output_text" => {
            text(part, "text").ok_or_else(|| lacks("text"))?;
        }
        "refusal" => {
            text(part, "refusal").ok_or_else(|| lacks("refusal"))?;
        }
        "input_image" => {
            let url = text(part, "image_url").or_else(|| text(part, "file_id"));
            let url = url.ok_or_else(|| lacks("image_url"))?;
            if !gather.url(url) {
                let message = format!(
                    "Invalid '{place}.image_url'. Expected a base64-encoded data URL with an image MIME type."
                );
                return Err(invalid(&format!("{place}.image_url"), message));
            }
        }
        "input_file" => file(part, place, gather)?,
        _ => {
            let data = part.pointer("/input_audio/data").and_then(Value::as_str);
            let format = part.pointer("/input_audio/format").and_then(Value::as_str);
            gather
                .inline(&format!("audio/{}", format.unwrap_or_default()), data.unwrap_or_default());
        }
    }
    Ok(())
}

fn file(part: &Value, place: &str, gather: &mut Gather) -> Reading<()> {
    if let Some(data) = text(part, "file_data") {
        text(part, "filename").ok_or_else(|| missing(&format!("{place}.filename")))?;
        if !data.starts_with("data:") || !gather.url(data) {
            let message = format!(
                "Invalid '{place}.file_data'. Expected a base64-encoded data URL with an application/pdf or other supported MIME type."
            );
            return Err(invalid(&format!("{place}.file_data"), message));
        }
        return Ok(());
    }
    let other = text(part, "file_url").or_else(|| text(part, "file_id"));
    let other = other.ok_or_else(|| missing(&format!("{place}.file_data")))?;
    gather.url(other);
    Ok(())
}

fn reasoning(item: &Value, place: &str) -> Reading<()> {
    known(item, &["type", "id", "summary", "content", "encrypted_content", "status"], place)?;
    identity(item, place, "rs")?;
    let summary = item.get("summary").filter(|summary| summary.is_array());
    summary.ok_or_else(|| missing(&format!("{place}.summary")))?;
    for (at, part) in list(item, "summary").iter().enumerate() {
        if text(part, "type") != Some("summary_text") {
            let message = "Invalid value. Supported values are: 'summary_text'.";
            return Err(invalid(&format!("{place}.summary[{at}].type"), message));
        }
    }
    let Some(sealed) = given(item, "encrypted_content").and_then(Value::as_str) else {
        return Ok(());
    };
    if mint::unseal(sealed).is_some() {
        return Ok(());
    }
    let id = text(item, "id").unwrap_or_default();
    Err(Wrong {
        message: format!(
            "The encrypted content for item {id} could not be verified. Reason: Encrypted content could not be decrypted or parsed."
        ),
        param: None,
        code: Some("invalid_encrypted_content"),
    })
}

fn output(item: &Value, place: &str, gather: &mut Gather) -> Reading<()> {
    known(
        item,
        &["type", "id", "call_id", "output", "status", "name", "namespace", "caller"],
        place,
    )?;
    identity(item, place, "fc")?;
    let result = given(item, "output").ok_or_else(|| missing(&format!("{place}.output")))?;
    if let Some(plain) = result.as_str() {
        gather.text(plain);
        return Ok(());
    }
    for (at, inner) in list(item, "output").iter().enumerate() {
        let place = format!("{place}.output[{at}]");
        let kind = text(inner, "type").unwrap_or_default();
        if !matches!(kind, "input_text" | "input_image" | "input_file") {
            let message = format!(
                "Invalid value: '{kind}'. Supported values are: 'input_text', 'input_image', and 'input_file'."
            );
            return Err(invalid(&format!("{place}.type"), message));
        }
        gather.text(text(inner, "text").unwrap_or_default());
        part(inner, kind, &place, gather)?;
    }
    Ok(())
}

/// Checks that every output has its call before it, and every call its output after it.
fn pairs(items: &[Value]) -> Reading<()> {
    let mut open: Vec<&str> = Vec::new();
    for item in items {
        let id = text(item, "call_id").unwrap_or_default();
        match kind(item) {
            "function_call" => open.push(id),
            "function_call_output" => {
                let Some(place) = open.iter().position(|asked| *asked == id) else {
                    let message =
                        format!("No tool call found for function call output with call_id {id}.");
                    return Err(Wrong::about("input", message));
                };
                open.swap_remove(place);
            }
            _ => {}
        }
    }
    match open.first() {
        Some(id) => {
            Err(Wrong::about("input", format!("No tool output found for function call {id}.")))
        }
        None => Ok(()),
    }
}
