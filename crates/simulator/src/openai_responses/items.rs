//! Output items, and the response around them.

use serde_json::{Value, json};

use crate::answer::{Answer, Block, Counts, Finish, HIDDEN};
use crate::dialect::{Failure, Recipient};
use crate::mint;
use crate::openai_chat::CREATED;

/// Usage in the dialect's words.
pub(super) fn usage(counts: &Counts) -> Value {
    json!({
        "input_tokens": counts.prompt,
        "input_tokens_details": {"cached_tokens": counts.cached.unwrap_or_default(),
            "cache_write_tokens": counts.written.unwrap_or_default()},
        "output_tokens": counts.shown(counts.output),
        "output_tokens_details": {"reasoning_tokens": counts.reasoning},
        "total_tokens": counts.total(),
    })
}

/// Where a text is from.
pub(super) fn annotation() -> Value {
    json!({"type": "url_citation", "url": "https://source.example/page", "title": "A source",
        "start_index": 0, "end_index": 1})
}

/// A text part of a message.
pub(super) fn text_part(text: &str, answer: &Answer) -> Value {
    let annotations = if answer.cite { json!([annotation()]) } else { json!([]) };
    json!({"type": "output_text", "text": text, "annotations": annotations, "logprobs": []})
}

/// A reasoning item; what it hides comes only when it was asked for.
pub(super) fn reasoning(id: &str, text: Option<&str>, answer: &Answer) -> Value {
    let summary = match text {
        Some(text) => json!([{"type": "summary_text", "text": text}]),
        None => json!([]),
    };
    let mut item = json!({"type": "reasoning", "id": id, "summary": summary});
    if let (true, Some(members)) = (answer.sealed, item.as_object_mut()) {
        let sealed = mint::seal(text.unwrap_or(HIDDEN));
        members.insert("encrypted_content".to_owned(), json!(sealed));
    }
    item
}

/// A message item.
pub(super) fn message(id: &str, status: &str, parts: &[Value]) -> Value {
    json!({"type": "message", "id": id, "role": "assistant", "status": status, "content": parts})
}

/// A function call item.
pub(super) fn call(id: &str, status: &str, call: &str, name: &str, arguments: &str) -> Value {
    json!({"type": "function_call", "id": id, "status": status, "call_id": call, "name": name,
        "arguments": arguments})
}

/// A picture item.
pub(super) fn image(id: &str, status: &str, data: Option<&str>) -> Value {
    json!({"type": "image_generation_call", "id": id, "status": status, "output_format": "png",
        "result": data})
}

/// The id of the item at a place.
pub(super) fn item_id(prefix: &str, response: &str, index: usize) -> String {
    format!("{prefix}_{}_{index}", response.trim_start_matches("resp_"))
}

/// The items of the whole answer.
fn output(answer: &Answer, id: &str) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for block in answer.blocks() {
        let at = out.len();
        out.push(match block {
            Block::Reasoning(text) => reasoning(&item_id("rs", id, at), Some(&text), answer),
            Block::Redacted => reasoning(&item_id("rs", id, at), None, answer),
            Block::Text(text) => {
                message(&item_id("msg", id, at), "completed", &[text_part(&text, answer)])
            }
            Block::Refusal(text) => {
                let part = json!({"type": "refusal", "refusal": text});
                message(&item_id("msg", id, at), "completed", &[part])
            }
            Block::Call { id: asked, name, arguments } => {
                call(&item_id("fc", id, at), "completed", &asked, &name, &arguments)
            }
            Block::Image(data) => image(&item_id("ig", id, at), "completed", Some(data)),
        });
    }
    if out.is_empty() && answer.finish == Some(Finish::Stop) {
        out.push(message(&item_id("msg", id, 0), "completed", &[text_part("", answer)]));
    }
    out
}

/// The status of an answer that was not cut short by a fault.
pub(super) fn status(answer: &Answer) -> &'static str {
    if answer.finish == Some(Finish::Length) { "incomplete" } else { "completed" }
}

/// A response with a status and the items it has so far.
pub(super) fn response(id: &str, model: &str, status: &str, output: &[Value]) -> Value {
    let details = match status {
        "incomplete" => json!({"reason": "max_output_tokens"}),
        _ => Value::Null,
    };
    json!({
        "id": id, "object": "response", "created_at": CREATED, "status": status, "model": model,
        "background": false, "error": null, "incomplete_details": details, "instructions": null,
        "max_output_tokens": null, "metadata": {}, "output": output, "parallel_tool_calls": true,
        "previous_response_id": null, "reasoning": {"effort": null, "summary": null},
        "service_tier": "default", "store": false, "temperature": 1.0,
        "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_p": 1.0,
        "truncation": "disabled", "usage": null, "user": null,
    })
}

/// Puts a member of a response.
pub(super) fn put(response: &mut Value, name: &str, value: Value) {
    if let Some(members) = response.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// The error of a response that failed.
pub(super) fn failure(status: u16) -> Value {
    let code = if status == 429 { "rate_limit_exceeded" } else { "server_error" };
    json!({"code": code, "message": Failure::simulated(status).message("", "")})
}

/// The whole answer.
pub(crate) fn document(answer: &Answer, to: &Recipient<'_>) -> Value {
    let mut out = response(to.id, to.model, status(answer), &output(answer, to.id));
    if let Some(counts) = answer.counts() {
        put(&mut out, "usage", usage(&counts));
    }
    out
}

/// An answer that failed on the way.
pub(crate) fn failed(to: &Recipient<'_>) -> Value {
    let mut out = response(to.id, to.model, "failed", &[]);
    put(&mut out, "error", failure(502));
    out
}
