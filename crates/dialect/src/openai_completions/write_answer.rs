//! Answers of the legacy API: `text_completion` chunks and bodies, made from a chat answer.
//!
//! A choice has `text` instead of a message (inference spec 2.1). Reasoning is kept beside it as
//! `reasoning`; tool calls have no place here, and a prompt cannot ask for them.

use bytes::Bytes;
use signalbox_core::ApiError;

use crate::event::{Event, Folded, FoldedBlock, Piece};
use crate::identity::{Extras, Identity, RelayOptions, UsageReport};
use crate::openai_chat::echo::echoed;
use crate::openai_chat::error::inband_object;
use crate::openai_chat::finish::FinishReason;
use crate::openai_chat::stream_relay::push_closing;
use crate::scan::push_string;

/// Writes a legacy stream from events. Usage and the end marker are the gateway's, and so is the
/// event for an error.
#[derive(Debug)]
pub struct CompletionsWriter {
    /// Which choice each block belongs to, by block number.
    choices: Vec<u32>,
    head: Vec<u8>,
    exclude_reasoning: bool,
}

fn head(identity: &Identity) -> Vec<u8> {
    let mut head = b"{\"id\":".to_vec();
    push_string(&mut head, identity.id.as_str());
    head.extend_from_slice(b",\"provider\":");
    push_string(&mut head, &identity.provider);
    head.extend_from_slice(b",\"model\":");
    push_string(&mut head, &identity.model);
    head.extend_from_slice(b",\"object\":\"text_completion\",\"created\":");
    head.extend_from_slice(identity.created.to_string().as_bytes());
    head
}

/// A chunk without choices that shows a body as it was sent to a provider (inference spec 3.5).
#[must_use]
pub fn echo_chunk(body: &str, identity: &Identity) -> Vec<u8> {
    let mut chunk = b"data: ".to_vec();
    chunk.extend_from_slice(&head(identity));
    chunk.extend_from_slice(b",\"choices\":[]");
    chunk.extend_from_slice(echoed(body).as_bytes());
    chunk.extend_from_slice(b"}\n\n");
    chunk
}

/// Appends the end of a choice that has begun with its text.
fn push_end(out: &mut Vec<u8>, choice: u32, end: Option<(FinishReason, Option<&str>)>) {
    out.extend_from_slice(b",\"index\":");
    out.extend_from_slice(choice.to_string().as_bytes());
    out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":");
    let Some((reason, native)) = end else {
        out.extend_from_slice(b"null}");
        return;
    };
    push_string(out, reason.name());
    out.extend_from_slice(b",\"native_finish_reason\":");
    match native {
        Some(native) => push_string(out, native),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}

impl CompletionsWriter {
    /// A writer for one answer.
    #[must_use]
    pub fn new(identity: &Identity, options: RelayOptions) -> Self {
        Self {
            choices: Vec::new(),
            head: head(identity),
            exclude_reasoning: options.exclude_reasoning,
        }
    }

    /// The last chunk before the end marker.
    #[must_use]
    pub fn usage_chunk(&self, report: &UsageReport, extras: &Extras<'_>) -> Vec<u8> {
        let mut out = b"data: ".to_vec();
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":[]");
        push_closing(&mut out, report, extras);
        out.extend_from_slice(b"}\n\n");
        out
    }

    /// Appends the chunks of one event.
    pub fn write(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Open { choice, .. } => self.choices.push(*choice),
            Event::Delta { index, piece } => {
                let at = usize::try_from(*index).unwrap_or(usize::MAX);
                let choice = self.choices.get(at).copied().unwrap_or(0);
                match piece {
                    Piece::Text(text) => self.chunk(choice, text, None, None, out),
                    Piece::Reasoning(text) if !self.exclude_reasoning => {
                        self.chunk(choice, "", Some(text), None, out);
                    }
                    _ => {}
                }
            }
            Event::ChoiceEnd { choice, reason, native } => {
                self.chunk(*choice, "", None, Some((*reason, native.as_deref())), out);
            }
            _ => {}
        }
    }

    fn chunk(
        &self,
        choice: u32,
        text: &str,
        reasoning: Option<&str>,
        end: Option<(FinishReason, Option<&str>)>,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":[{\"text\":");
        push_string(out, text);
        if let Some(reasoning) = reasoning {
            out.extend_from_slice(b",\"reasoning\":");
            push_string(out, reasoning);
        }
        push_end(out, choice, end);
        out.extend_from_slice(b"]}\n\n");
    }
}

/// The event that tells of an error inside a legacy stream (inference spec 3.2).
#[must_use]
pub fn error_chunk(error: &ApiError, identity: &Identity) -> Vec<u8> {
    let mut out = b"data: ".to_vec();
    out.extend_from_slice(&head(identity));
    out.extend_from_slice(b",\"error\":");
    out.extend_from_slice(inband_object(error).as_bytes());
    out.extend_from_slice(b",\"choices\":[{\"text\":\"\"");
    push_end(&mut out, 0, Some((FinishReason::Error, None)));
    out.extend_from_slice(b"]}\n\n");
    out
}

/// Writes a whole legacy answer from events.
#[must_use]
pub fn write_unary_events(
    events: &[Event],
    identity: &Identity,
    report: &UsageReport,
    options: RelayOptions,
    extras: &Extras<'_>,
) -> Bytes {
    let folded = Folded::of(events);
    let mut out = head(identity);
    out.extend_from_slice(b",\"choices\":[");
    for (position, choice) in folded.choices.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        let joined = |wanted: fn(&FoldedBlock) -> bool| -> String {
            choice.blocks.iter().filter(|block| wanted(block)).map(|b| b.text.as_str()).collect()
        };
        out.extend_from_slice(b"{\"text\":");
        push_string(&mut out, &joined(FoldedBlock::is_text));
        let reasoning = joined(FoldedBlock::is_reasoning);
        if !reasoning.is_empty() && !options.exclude_reasoning {
            out.extend_from_slice(b",\"reasoning\":");
            push_string(&mut out, &reasoning);
        }
        let end = choice.end.as_ref().map(|(reason, native)| (*reason, native.as_deref()));
        push_end(&mut out, choice.index, end);
    }
    out.push(b']');
    push_closing(&mut out, report, extras);
    out.push(b'}');
    out.into()
}
