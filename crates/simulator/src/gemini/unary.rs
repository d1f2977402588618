//! The answer as one JSON object.

use serde_json::{Value, json};

use super::parts::PartWriter;
use super::{ending, feedback, usage};
use crate::answer::Answer;
use crate::dialect::Recipient;

/// The whole answer.
pub(crate) fn document(answer: &Answer, to: &Recipient<'_>) -> Value {
    let mut writer = PartWriter::new(to.signs);
    let mut parts: Vec<Value> =
        answer.blocks().into_iter().filter_map(|block| writer.part(block, answer)).collect();
    let signature = writer.last_signature(answer);
    if let (Some(signature), Some(last)) =
        (signature, parts.last_mut().and_then(Value::as_object_mut))
    {
        last.insert("thoughtSignature".to_owned(), json!(signature));
    }
    let mut content = json!({"role": "model"});
    if let (false, Some(members)) = (parts.is_empty(), content.as_object_mut()) {
        members.insert("parts".to_owned(), Value::Array(parts));
    }
    let mut candidate = json!({"content": content, "index": 0});
    ending(answer, &mut candidate);
    let mut out = json!({"modelVersion": to.model, "responseId": to.id});
    let Some(members) = out.as_object_mut() else { return out };
    if answer.blocked {
        members.insert("promptFeedback".to_owned(), feedback());
    } else {
        members.insert("candidates".to_owned(), json!([candidate]));
    }
    if let Some(counts) = answer.counts() {
        members.insert("usageMetadata".to_owned(), usage(&counts));
    }
    out
}
