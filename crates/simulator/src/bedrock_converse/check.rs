//! The rules for messages and their blocks.

use serde_json::Value;

use crate::ask::{Gather, Reading, Wrong, given, list, require, text};
use crate::base64;
use crate::mint;

/// Most documents of a request.
const MOST_DOCUMENTS: usize = 5;
/// Most cache points of a request.
const MOST_MARKS: usize = 4;
const FORMATS: &[&str] = &["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"];

/// Whether a name has 1 to 64 letters, digits or some other signs.
pub(super) fn lawful(name: &str, others: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    (1..=64).contains(&name.len()) && name.chars().all(fits)
}

/// The texts of a message.
pub(super) fn texts(message: &Value) -> impl Iterator<Item = &str> {
    list(message, "content").iter().filter_map(|block| block.get("text")?.as_str())
}

fn ids<'a>(message: &'a Value, kind: &str) -> Vec<&'a str> {
    let blocks = list(message, "content").iter().filter_map(|block| block.get(kind));
    blocks.filter_map(|inner| inner.get("toolUseId")?.as_str()).collect()
}

/// Checks that a user begins and that the roles alternate.
pub(super) fn roles(messages: &[Value]) -> Reading<()> {
    for (index, message) in messages.iter().enumerate() {
        let expected = if index.is_multiple_of(2) { "user" } else { "assistant" };
        let found = text(message, "role").unwrap_or_default();
        require(matches!(found, "user" | "assistant"), || {
            format!(
                "Value '{found}' at 'messages.{index}.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant]"
            )
        })?;
        require(index > 0 || found == "user", || {
            "A conversation must start with a user message. Try again with a conversation that starts with a user message.".into()
        })?;
        require(found == expected, || {
            "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.".into()
        })?;
        require(!list(message, "content").is_empty(), || {
            format!(
                "The content field in the Message object at messages.{index} is empty. Add a ContentBlock object to the content field and try again."
            )
        })?;
    }
    Ok(())
}

/// Checks that calls are answered at once, and that reasoning comes back where it has to.
pub(super) fn pairs(messages: &[Value], thinks: bool) -> Reading<()> {
    let own = messages
        .iter()
        .rposition(|m| text(m, "role") == Some("user") && ids(m, "toolResult").is_empty());
    for (index, message) in messages.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|at| messages.get(at));
        let asked = before.map(|m| ids(m, "toolUse")).unwrap_or_default();
        let answered = ids(message, "toolResult");
        require(answered.len() <= asked.len(), || {
            format!(
                "The number of toolResult blocks at messages.{index}.content exceeds the number of toolUse blocks of previous turn."
            )
        })?;
        let open: Vec<&str> = asked.iter().filter(|id| !answered.contains(id)).copied().collect();
        require(open.is_empty(), || {
            format!(
                "Expected toolResult blocks at messages.{index}.content for the following Ids: {}",
                open.join(", ")
            )
        })?;
        let calls = ids(message, "toolUse");
        let last = index.saturating_add(1) == messages.len();
        require(calls.is_empty() || !last, || {
            format!(
                "Expected toolResult blocks at messages.{}.content for the following Ids: {}",
                index.saturating_add(1),
                calls.join(", ")
            )
        })?;
        if thinks && !calls.is_empty() && own.is_none_or(|own| index > own) {
            let first = list(message, "content").first();
            let reasons = first.is_some_and(|block| block.get("reasoningContent").is_some());
            require(reasons, || {
                format!(
                    "The model returned the following errors: messages.{index}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a thinking block"
                )
            })?;
        }
    }
    Ok(())
}

/// Checks the names and the number of the documents, and that a text is beside them.
pub(super) fn documents(messages: &[Value]) -> Reading<()> {
    let mut names = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let here = list(message, "content").iter().filter_map(|block| block.get("document"));
        let before = names.len();
        names.extend(here.map(|document| text(document, "name").unwrap_or_default()));
        require(names.len() == before || texts(message).next().is_some(), || {
            format!(
                "messages.{index}: A text block must be included in the content of a message with a document."
            )
        })?;
    }
    require(names.len() <= MOST_DOCUMENTS, || {
        format!("You can't include more than {MOST_DOCUMENTS} documents in a request.")
    })?;
    for (index, name) in names.iter().enumerate() {
        let fits = |c: char| c.is_ascii_alphanumeric() || " -()[]".contains(c);
        let lawful = (1..=200).contains(&name.len()) && name.chars().all(fits);
        require(lawful && !name.contains("  "), || {
            format!(
                "The document file name '{name}' is not valid: it can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets, and no more than one consecutive whitespace character."
            )
        })?;
        let again = names.iter().skip(index.saturating_add(1)).any(|other| other == name);
        require(!again, || "Messages can't contain duplicate document names.".into())?;
    }
    Ok(())
}

/// Checks the system blocks.
pub(super) fn system(body: &Value, gather: &mut Gather) -> Reading<()> {
    require(given(body, "system").is_none_or(Value::is_array), || {
        "Value at 'system' failed to satisfy constraint: Member must be a list".into()
    })?;
    for (index, block) in list(body, "system").iter().enumerate() {
        if let Some(plain) = text(block, "text") {
            gather.text(plain);
            require(!plain.is_empty(), || {
                format!("The text field in the system block at system.{index} is blank.")
            })?;
        } else {
            let other = block.get("cachePoint").or_else(|| block.get("guardContent"));
            require(other.is_some(), || {
                format!("system.{index}: the block is none of text, guardContent, cachePoint")
            })?;
        }
    }
    Ok(())
}

/// Checks one block and collects what it holds.
pub(super) fn block(block: &Value, place: &str, gather: &mut Gather) -> Reading<()> {
    let only = block.as_object().filter(|members| members.len() == 1);
    let Some((kind, inner)) = only.and_then(|members| members.iter().next()) else {
        return Err(Wrong::new(format!(
            "The content block at {place} must have exactly one member"
        )));
    };
    match kind.as_str() {
        "text" => {
            let plain = inner.as_str().unwrap_or_default();
            gather.text(plain);
            require(!plain.trim().is_empty(), || {
                format!(
                    "The text field in the ContentBlock object at {place} is blank. Add text to the text field, and try again."
                )
            })
        }
        "image" => media(inner, &["png", "jpeg", "gif", "webp"], "image", place, gather),
        "document" => media(inner, FORMATS, "document", place, gather),
        "video" => media(
            inner,
            &["mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"],
            "video",
            place,
            gather,
        ),
        "audio" => media(
            inner,
            &["mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv"],
            "audio",
            place,
            gather,
        ),
        "toolUse" => {
            named(inner, place)?;
            require(lawful(text(inner, "name").unwrap_or_default(), "_-"), || {
                format!(
                    "Value at '{place}.toolUse.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+"
                )
            })?;
            require(inner.get("input").is_some_and(Value::is_object), || {
                format!(
                    "The format of the value at {place}.toolUse.input is invalid. Provide a json object for the field and try again."
                )
            })
        }
        "toolResult" => result(inner, place, gather),
        "reasoningContent" => reasoning(inner, place),
        "cachePoint" => require(text(inner, "type") == Some("default"), || {
            format!(
                "Value at '{place}.cachePoint.type' failed to satisfy constraint: Member must satisfy enum value set: [default]"
            )
        }),
        "guardContent" | "citationsContent" | "searchResult" => Ok(()),
        other => Err(Wrong::new(format!("{place}: extraneous key [{other}] is not permitted"))),
    }
}

fn named(inner: &Value, place: &str) -> Reading<()> {
    let id = text(inner, "toolUseId").unwrap_or_default();
    require(lawful(id, "_.:-"), || {
        format!(
            "Value '{id}' at '{place}.toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.:-]+"
        )
    })
}

fn result(inner: &Value, place: &str, gather: &mut Gather) -> Reading<()> {
    named(inner, place)?;
    let status =
        inner.get("status").is_none_or(|s| matches!(s.as_str(), Some("success" | "error")));
    require(status, || {
        format!(
            "Value at '{place}.toolResult.status' failed to satisfy constraint: Member must satisfy enum value set: [success, error]"
        )
    })?;
    require(inner.get("content").is_some_and(Value::is_array), || {
        format!(
            "Value at '{place}.toolResult.content' failed to satisfy constraint: Member must be a list"
        )
    })?;
    for (index, part) in list(inner, "content").iter().enumerate() {
        let place = format!("{place}.toolResult.content.{index}");
        if let Some(json) = part.get("json") {
            require(json.is_object(), || {
                format!(
                    "The format of the value at {place}.json is invalid. Provide a json object for the field and try again."
                )
            })?;
            gather.text(&json.to_string());
        } else {
            let kinds = ["text", "image", "document", "video", "searchResult"];
            require(kinds.iter().any(|kind| part.get(*kind).is_some()), || {
                format!("{place}: the block is none of json, text, image, document, video")
            })?;
            block(part, &place, gather)?;
        }
    }
    Ok(())
}

fn reasoning(inner: &Value, place: &str) -> Reading<()> {
    if let Some(sealed) = text(inner, "redactedContent") {
        return require(mint::unseal(sealed).is_some(), || {
            format!(
                "The model returned the following errors: {place}: Invalid `data` in `redacted_thinking` block"
            )
        });
    }
    let thought = inner.get("reasoningText").unwrap_or(&Value::Null);
    let (plain, signature) = (text(thought, "text"), text(thought, "signature"));
    let Some(plain) = plain else {
        return Err(Wrong::new(format!(
            "Value at '{place}.reasoningContent.reasoningText.text' failed to satisfy constraint: Member must not be null"
        )));
    };
    require(signature.is_some_and(|made| mint::signed(plain, made)), || {
        format!(
            "The model returned the following errors: {place}: Invalid `signature` in `thinking` block"
        )
    })
}

fn media(
    inner: &Value,
    formats: &[&str],
    kind: &str,
    place: &str,
    gather: &mut Gather,
) -> Reading<()> {
    let format = text(inner, "format").unwrap_or_default();
    require(formats.contains(&format), || {
        format!(
            "Value '{format}' at '{place}.{kind}.format' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
            formats.join(", ")
        )
    })?;
    let source = inner.get("source").unwrap_or(&Value::Null);
    if let Some(uri) = source.pointer("/s3Location/uri").and_then(Value::as_str) {
        gather.media.push(format!("url:{uri}"));
        return Ok(());
    }
    if let Some(plain) = text(source, "text") {
        gather.text(plain);
        return Ok(());
    }
    let data = text(source, "bytes").unwrap_or_default();
    let mime = match (kind, format) {
        ("document", "pdf") => "application/pdf".to_owned(),
        ("document", other) => format!("document/{other}"),
        (kind, format) => format!("{kind}/{format}"),
    };
    let filled = base64::decode(data).is_some_and(|bytes| !bytes.is_empty());
    let valid = gather.inline(&mime, data);
    require(valid && filled, || {
        format!("The value at {place}.{kind}.source.bytes is not a valid base64 string or is blank")
    })
}

/// Checks that there are not too many cache points.
pub(super) fn marks(body: &Value) -> Reading<()> {
    let points = |blocks: &[Value]| blocks.iter().filter(|b| b.get("cachePoint").is_some()).count();
    let tools = body.get("toolConfig").map(|config| points(list(config, "tools")));
    let messages = list(body, "messages").iter().map(|m| points(list(m, "content"))).sum::<usize>();
    let found =
        points(list(body, "system")).saturating_add(messages).saturating_add(tools.unwrap_or(0));
    require(found <= MOST_MARKS, || {
        format!(
            "A maximum of {MOST_MARKS} blocks with cache_control may be provided. Found {found}."
        )
    })
}
