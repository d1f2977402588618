//! The answer as one JSON object.

use serde_json::{Map, Value, json};

use crate::answer::{Answer, Token};
use crate::chunk::CREATED;

/// The whole answer. Its tokens are those of a stream, put together.
pub(crate) fn document(answer: &Answer, id: &str, model: &str) -> Value {
    let message = message(answer);
    let choices: Vec<Value> = (0..answer.choices)
        .map(|index| json!({"index": index, "message": message, "finish_reason": answer.finish}))
        .collect();
    let mut out = json!({
        "id": id, "object": "chat.completion", "created": CREATED, "model": model,
        "choices": choices,
    });
    if let (Some(usage), Some(members)) = (answer.usage(), out.as_object_mut()) {
        members.insert("usage".to_owned(), usage);
    }
    out
}

fn message(answer: &Answer) -> Value {
    let (mut text, mut thoughts) = (String::new(), String::new());
    let (mut calls, mut images) = (Vec::<(String, String, String)>::new(), Vec::new());
    for token in (0..answer.len()).map_while(|at| answer.token(at)) {
        match token {
            Token::Text(piece) => text.push_str(&piece),
            Token::Reasoning(piece) => thoughts.push_str(&piece),
            Token::Call { id, name, .. } => calls.push((id, name, String::new())),
            Token::Arguments { index, piece } => {
                if let Some((.., arguments)) = calls.get_mut(index) {
                    arguments.push_str(&piece);
                }
            }
            Token::Image(url) => {
                images.push(json!({"type": "image_url", "image_url": {"url": url}}));
            }
        }
    }
    let mut out = Map::new();
    out.insert("role".to_owned(), json!("assistant"));
    let no_text = text.is_empty() && !calls.is_empty();
    out.insert("content".to_owned(), if no_text { Value::Null } else { json!(text) });
    if !thoughts.is_empty() {
        out.insert("reasoning_content".to_owned(), json!(thoughts));
    }
    if !calls.is_empty() {
        let calls: Vec<Value> = calls
            .into_iter()
            .map(|(id, name, arguments)| {
                let function = json!({"name": name, "arguments": arguments});
                json!({"id": id, "type": "function", "function": function})
            })
            .collect();
        out.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    if !images.is_empty() {
        out.insert("images".to_owned(), Value::Array(images));
    }
    Value::Object(out)
}
