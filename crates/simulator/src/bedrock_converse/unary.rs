//! The answer as one JSON object.

use serde_json::{Value, json};

use super::{call_id, citation, stop_reason, usage};
use crate::answer::{Answer, Block, HIDDEN};
use crate::mint;

/// The whole answer.
pub(crate) fn document(answer: &Answer) -> Value {
    let content: Vec<Value> =
        answer.blocks().into_iter().filter_map(|part| block(part, answer)).collect();
    let mut out = json!({
        "output": {"message": {"role": "assistant", "content": content}},
        "metrics": {"latencyMs": 1},
    });
    let Some(members) = out.as_object_mut() else { return out };
    if let Some(finish) = answer.finish {
        members.insert("stopReason".to_owned(), json!(stop_reason(finish)));
    }
    if let Some(counts) = answer.counts() {
        members.insert("usage".to_owned(), usage(&counts));
    }
    out
}

fn block(part: Block, answer: &Answer) -> Option<Value> {
    Some(match part {
        Block::Reasoning(text) => {
            let signature = mint::signature(&text);
            json!({"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}})
        }
        Block::Redacted => json!({"reasoningContent": {"redactedContent": mint::seal(HIDDEN)}}),
        Block::Text(text) if answer.cite => {
            let citation = citation(answer, &text);
            json!({"citationsContent": {"content": [{ "text": text }], "citations": [citation]}})
        }
        Block::Text(text) => json!({ "text": text }),
        Block::Call { id, name, arguments } => {
            let input: Value = serde_json::from_str(&arguments).unwrap_or_else(|_| json!({}));
            json!({"toolUse": {"toolUseId": call_id(&id), "name": name, "input": input}})
        }
        Block::Image(data) => json!({"image": {"format": "png", "source": {"bytes": data}}}),
        Block::Refusal(_) => return None,
    })
}
