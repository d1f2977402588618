//! The answer as one JSON object.

use serde_json::{Map, Value, json};

use super::CREATED;
use crate::answer::{Answer, Block, Counts, Finish, HIDDEN, PIXEL_KIND};
use crate::dialect::Recipient;
use crate::mint;

/// The word for why an answer ended.
pub(super) fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Refused => "stop",
        Finish::Length => "length",
        Finish::Calls => "tool_calls",
    }
}

/// The whole answer. Its tokens are those of a stream, put together.
pub(crate) fn document(answer: &Answer, to: &Recipient<'_>) -> Value {
    let message = message(answer);
    let finish = answer.finish.map(reason);
    let choices: Vec<Value> = (0..answer.choices)
        .map(|index| json!({"index": index, "message": message, "finish_reason": finish}))
        .collect();
    let mut out = json!({
        "id": to.id, "object": "chat.completion", "created": CREATED, "model": to.model,
        "choices": choices,
    });
    if let (Some(counts), Some(members)) = (answer.counts(), out.as_object_mut()) {
        members.insert("usage".to_owned(), usage(&counts));
    }
    out
}

/// Usage in the dialect's words.
pub(crate) fn usage(counts: &Counts) -> Value {
    let mut usage = json!({
        "prompt_tokens": counts.prompt,
        "completion_tokens": counts.shown(counts.output),
        "total_tokens": counts.total(),
    });
    if let Some(members) = usage.as_object_mut() {
        let mut details = Map::new();
        if let Some(cached) = counts.cached {
            details.insert("cached_tokens".to_owned(), json!(cached));
        }
        if let Some(written) = counts.written {
            details.insert("cache_write_tokens".to_owned(), json!(written));
        }
        if !details.is_empty() {
            members.insert("prompt_tokens_details".to_owned(), Value::Object(details));
        }
        if counts.reasoning > 0 {
            let details = json!({ "reasoning_tokens": counts.reasoning });
            members.insert("completion_tokens_details".to_owned(), details);
        }
    }
    usage
}

/// The wrong usage that comes first, for a provider that reports twice.
pub(crate) fn early_usage(answer: &Answer) -> Option<Value> {
    answer.reports_twice().then(|| {
        json!({"prompt_tokens": answer.prompt_tokens, "completion_tokens": 1,
            "total_tokens": answer.prompt_tokens.saturating_add(1)})
    })
}

/// Reasoning that can't be read, in the form that aggregators gave this dialect.
pub(super) fn sealed() -> Value {
    json!([{"type": "reasoning.encrypted", "data": mint::seal(HIDDEN), "id": null,
        "format": "unknown", "index": 0}])
}

/// Where the answer's first words are from.
pub(super) fn annotations() -> Value {
    json!([{"type": "url_citation", "url_citation": {"url": "https://source.example/page",
        "title": "A source", "start_index": 0, "end_index": 1}}])
}

fn message(answer: &Answer) -> Value {
    let (mut text, mut thoughts, mut refusal) = (String::new(), String::new(), String::new());
    let (mut calls, mut images, mut redacted) = (Vec::new(), Vec::new(), false);
    for block in answer.blocks() {
        match block {
            Block::Text(piece) => text.push_str(&piece),
            Block::Reasoning(piece) => thoughts.push_str(&piece),
            Block::Refusal(piece) => refusal.push_str(&piece),
            Block::Redacted => redacted = true,
            Block::Call { id, name, arguments } => {
                let function = json!({"name": name, "arguments": arguments});
                calls.push(json!({"id": id, "type": "function", "function": function}));
            }
            Block::Image(data) => {
                let url = format!("data:{PIXEL_KIND};base64,{data}");
                images.push(json!({"type": "image_url", "image_url": {"url": url}}));
            }
        }
    }
    let mut out = Map::new();
    out.insert("role".to_owned(), json!("assistant"));
    let no_text = text.is_empty() && (!calls.is_empty() || !refusal.is_empty());
    out.insert("content".to_owned(), if no_text { Value::Null } else { json!(text) });
    if !thoughts.is_empty() {
        out.insert("reasoning_content".to_owned(), json!(thoughts));
    }
    if redacted {
        out.insert("reasoning_details".to_owned(), sealed());
    }
    if !refusal.is_empty() {
        out.insert("refusal".to_owned(), json!(refusal));
    }
    if !calls.is_empty() {
        out.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    if !images.is_empty() {
        out.insert("images".to_owned(), Value::Array(images));
    }
    if answer.cite {
        out.insert("annotations".to_owned(), annotations());
    }
    Value::Object(out)
}
