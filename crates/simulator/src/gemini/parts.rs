//! The parts of an answer, and the signatures on them.

use serde_json::{Value, json};

use crate::answer::{Answer, Block, PIXEL_KIND};
use crate::mint;

/// What a signature of a function call hides.
pub(super) fn purpose(function: &str) -> String {
    format!("call {function}")
}

/// Writes blocks as parts. The first call is signed, or the last text, as the provider does.
pub(super) struct PartWriter {
    /// Whether the model signs its calls even when it does not show its thoughts.
    signs: bool,
    calls: u64,
}

impl PartWriter {
    pub(super) fn new(signs: bool) -> Self {
        Self { signs, calls: 0 }
    }

    /// One block as a part.
    pub(super) fn part(&mut self, block: Block, answer: &Answer) -> Option<Value> {
        Some(match block {
            Block::Reasoning(text) => json!({"text": text, "thought": true}),
            Block::Text(text) => json!({ "text": text }),
            Block::Image(data) => json!({"inlineData": {"mimeType": PIXEL_KIND, "data": data}}),
            Block::Call { id, name, arguments } => self.call(&id, &name, &arguments, answer),
            Block::Redacted | Block::Refusal(_) => return None,
        })
    }

    fn call(&mut self, id: &str, name: &str, arguments: &str, answer: &Answer) -> Value {
        let args: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
        let mut call = json!({"name": name, "args": args});
        if let (true, Some(members)) = (self.signs, call.as_object_mut()) {
            members.insert("id".to_owned(), json!(id));
        }
        let mut part = json!({ "functionCall": call });
        let thinks = self.signs || answer.after(answer.len()).reasoning > 0;
        if let (true, 0, Some(members)) = (thinks, self.calls, part.as_object_mut()) {
            let signature = mint::seal(&purpose(name));
            members.insert("thoughtSignature".to_owned(), json!(signature));
        }
        self.calls = self.calls.saturating_add(1);
        part
    }

    /// The signature that ends an answer without calls.
    pub(super) fn last_signature(&self, answer: &Answer) -> Option<String> {
        let thinks = answer.after(answer.len()).reasoning > 0;
        (thinks && self.calls == 0).then(|| mint::seal("text"))
    }
}
