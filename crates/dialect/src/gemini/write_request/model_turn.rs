//! A turn of the model: every signature goes back to the part it came with, byte for byte.

use std::collections::HashMap;

use super::{Target, ThinkingStyle, is_object, media};
use crate::compose::ObjectText;
use crate::conversation::{Message, PartBody};
use crate::gemini::FORMAT;
use crate::loss::Lost;

/// What stands in for the signature of a call that this model did not make. Google documents it for
/// histories of other models.
const UNSIGNED: &str = "skip_thought_signature_validator";

/// A part that may still get a signature.
struct Draft {
    fields: ObjectText,
    kind: Kind,
    signature: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text or a picture: its signature may follow it.
    Said,
    Thought,
    Call,
}

/// The drafts of a turn.
#[derive(Default)]
struct Turn {
    drafts: Vec<Draft>,
    /// A signature that belongs to what comes next.
    waiting: Option<String>,
}

impl Turn {
    fn push(&mut self, kind: Kind, fields: ObjectText, signature: Option<String>) {
        let signature =
            signature.or_else(|| if kind == Kind::Thought { None } else { self.waiting.take() });
        self.drafts.push(Draft { fields, kind, signature });
    }

    /// A signature without a call's id: of what was said right before, else of what comes next.
    fn seal(&mut self, signature: &str) {
        match self.drafts.last_mut() {
            Some(last) if last.kind == Kind::Said && last.signature.is_none() => {
                last.signature = Some(signature.to_owned());
            }
            _ => {
                self.flush();
                self.waiting = Some(signature.to_owned());
            }
        }
    }

    /// A signature that nothing followed has an empty text of its own, as in streams.
    fn flush(&mut self) {
        if self.waiting.is_some() {
            self.push(Kind::Said, text(""), None);
        }
    }
}

fn text(text: &str) -> ObjectText {
    let mut fields = ObjectText::new();
    fields.text("text", text);
    fields
}

fn is_ours(format: Option<&str>) -> bool {
    format == Some(FORMAT)
}

/// The parts of the turn.
pub(super) fn parts(target: &mut Target<'_>, message: &Message) -> Vec<String> {
    let signatures = signatures_by_call(message);
    let mut turn = Turn::default();
    for part in &message.parts {
        match &part.body {
            PartBody::Text(said) if said.is_empty() => {}
            PartBody::Text(said) => turn.push(Kind::Said, text(said), None),
            PartBody::Refusal(said) => {
                target.lose(Lost::Property, "refusal");
                turn.push(Kind::Said, text(said), None);
            }
            PartBody::Reasoning(thought) if is_ours(thought.format.as_deref()) => {
                if !thought.text.is_empty() || thought.signature.is_some() {
                    let mut fields = text(&thought.text);
                    fields.json("thought", "true");
                    turn.push(Kind::Thought, fields, thought.signature.clone());
                }
            }
            PartBody::RedactedReasoning(sealed) if is_ours(sealed.format.as_deref()) => {
                let id = sealed.id.as_deref();
                if id.is_none_or(|id| !signatures.contains_key(id)) {
                    turn.seal(&sealed.data);
                }
            }
            PartBody::Reasoning(_) | PartBody::RedactedReasoning(_) => {
                target.lose(Lost::Reasoning, "format");
            }
            PartBody::ToolCall { id, name, arguments } => {
                let signature = signatures.get(id.as_str()).copied().flatten();
                let fields = call(target, id, name, arguments);
                turn.push(Kind::Call, fields, signature.map(str::to_owned));
            }
            other => match media::part(other) {
                Some(fields) => turn.push(Kind::Said, fields, None),
                None => target.lose(Lost::Content, other.kind()),
            },
        }
    }
    turn.flush();
    if target.traits.thinking == ThinkingStyle::Level {
        sign_first_call(&mut turn.drafts);
    }
    turn.drafts.into_iter().map(finish).collect()
}

fn finish(draft: Draft) -> String {
    let mut fields = draft.fields;
    fields.optional_text("thoughtSignature", draft.signature.as_deref());
    fields.finish()
}

/// The signature of each call, when it has one.
fn signatures_by_call(message: &Message) -> HashMap<&str, Option<&str>> {
    let mut signatures: HashMap<&str, Option<&str>> = HashMap::new();
    for part in &message.parts {
        if let PartBody::ToolCall { id, .. } = &part.body {
            signatures.insert(id, None);
        }
    }
    for part in &message.parts {
        if let PartBody::RedactedReasoning(sealed) = &part.body
            && is_ours(sealed.format.as_deref())
            && let Some(slot) = sealed.id.as_deref().and_then(|id| signatures.get_mut(id))
        {
            *slot = Some(&sealed.data);
        }
    }
    signatures
}

/// Of several calls in one turn the first alone is signed.
fn sign_first_call(drafts: &mut [Draft]) {
    let first = drafts.iter_mut().find(|draft| draft.kind == Kind::Call);
    if let Some(first) = first.filter(|draft| draft.signature.is_none()) {
        first.signature = Some(UNSIGNED.to_owned());
    }
}

fn call(target: &mut Target<'_>, id: &str, name: &str, arguments: &str) -> ObjectText {
    let mut call = ObjectText::new();
    if target.traits.function_ids {
        call.text("id", id);
    }
    call.text("name", name);
    if is_object(arguments) {
        call.json("args", arguments);
    } else {
        // Arguments are an object here; the model's mistake is shown as what it wrote.
        let mut wrapped = ObjectText::new();
        if !arguments.trim().is_empty() {
            target.lose(Lost::Property, "arguments");
            wrapped.text("arguments", arguments);
        }
        call.json("args", &wrapped.finish());
    }
    let mut fields = ObjectText::new();
    fields.json("functionCall", &call.finish());
    fields
}
