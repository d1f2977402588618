//! The answer as one JSON object.

use serde_json::{Value, json};

use super::{call_id, citation, stop_details, stop_reason, usage};
use crate::answer::{Answer, Block, HIDDEN};
use crate::dialect::Recipient;
use crate::mint;

/// The whole answer.
pub(crate) fn document(answer: &Answer, to: &Recipient<'_>) -> Value {
    let content: Vec<Value> =
        answer.blocks().into_iter().filter_map(|part| block(part, answer)).collect();
    let mut out = json!({
        "id": to.id, "type": "message", "role": "assistant", "model": to.model,
        "content": content, "stop_reason": answer.finish.map(stop_reason), "stop_sequence": null,
        "stop_details": stop_details(answer),
    });
    if let (Some(counts), Some(members)) = (answer.counts(), out.as_object_mut()) {
        members.insert("usage".to_owned(), usage(&counts));
    }
    out
}

fn block(part: Block, answer: &Answer) -> Option<Value> {
    Some(match part {
        Block::Reasoning(text) => {
            json!({"type": "thinking", "signature": mint::signature(&text), "thinking": text})
        }
        Block::Redacted => json!({"type": "redacted_thinking", "data": mint::seal(HIDDEN)}),
        Block::Text(text) if answer.cite => {
            json!({"type": "text", "citations": [citation(answer, &text)], "text": text})
        }
        Block::Text(text) => json!({"type": "text", "text": text}),
        Block::Call { id, name, arguments } => {
            let input: Value = serde_json::from_str(&arguments).unwrap_or_else(|_| json!({}));
            json!({"type": "tool_use", "id": call_id(&id), "name": name, "input": input})
        }
        Block::Refusal(_) | Block::Image(_) => return None,
    })
}
