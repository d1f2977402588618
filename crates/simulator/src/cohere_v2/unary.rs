//! The answer as one JSON object.

use serde_json::{Map, Value, json};

use super::{citation, reason, usage};
use crate::answer::{Answer, Block};
use crate::dialect::Recipient;

/// The whole answer.
pub(crate) fn document(answer: &Answer, to: &Recipient<'_>) -> Value {
    let mut message = Map::new();
    message.insert("role".to_owned(), json!("assistant"));
    let (mut content, mut calls, mut citations) = (Vec::new(), Vec::new(), Vec::new());
    for block in answer.blocks() {
        match block {
            Block::Reasoning(plan) if answer.plan => {
                message.insert("tool_plan".to_owned(), json!(plan));
            }
            Block::Reasoning(text) => content.push(json!({"type": "thinking", "thinking": text})),
            Block::Text(text) | Block::Refusal(text) => {
                if answer.cite {
                    citations.push(citation(&text));
                }
                content.push(json!({"type": "text", "text": text}));
            }
            Block::Call { id, name, arguments } => {
                let function = json!({"name": name, "arguments": arguments});
                calls.push(json!({"id": id, "type": "function", "function": function}));
            }
            Block::Redacted | Block::Image(_) => {}
        }
    }
    for (name, list) in [("content", content), ("tool_calls", calls), ("citations", citations)] {
        if !list.is_empty() || name == "content" {
            message.insert(name.to_owned(), Value::Array(list));
        }
    }
    let finish = answer.finish.map(reason);
    let mut out = json!({"id": to.id, "finish_reason": finish, "message": message});
    if let (Some(counts), Some(members)) = (answer.counts(), out.as_object_mut()) {
        members.insert("usage".to_owned(), usage(&counts));
    }
    out
}
