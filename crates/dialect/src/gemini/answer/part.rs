//! Parts of a candidate as blocks.

use std::borrow::Cow;

use super::{Answer, Open};
use crate::compose::ObjectText;
use crate::document::{Kind, Raw};
use crate::event::{Block, Event, Piece, ReasoningForm};
use crate::gemini::FORMAT;
use crate::loss::{Lost, report};

/// Most characters of the provider's id that go into a call's id.
const MAX_ID_CHARS: usize = 40;

fn reasoning(form: ReasoningForm, id: Option<String>) -> Block {
    Block::Reasoning { form, id, format: Some(FORMAT.to_owned()) }
}

/// The members of a part that matter.
#[derive(Default)]
struct Members<'a> {
    text: Option<Cow<'a, str>>,
    thought: bool,
    signature: Option<String>,
    data: Option<Raw<'a>>,
    call: Option<Raw<'a>>,
}

impl Answer {
    pub(super) fn read_part(&mut self, at: usize, part: Raw<'_>, events: &mut Vec<Event>) {
        let mut members = Members::default();
        for entry in part.members().filter(|entry| !entry.value.is_null()) {
            match &*entry.key {
                "text" => members.text = entry.value.string(),
                "thought" => members.thought = entry.value.bool() == Some(true),
                "thoughtSignature" => {
                    let text = entry.value.string().filter(|text| !text.is_empty());
                    members.signature = text.map(Cow::into_owned);
                }
                "inlineData" => members.data = Some(entry.value),
                "functionCall" => members.call = Some(entry.value),
                "partMetadata" | "mediaResolution" | "videoMetadata" => {}
                other => {
                    let known = ["executableCode", "codeExecutionResult", "fileData", "toolCall"];
                    let what = known.into_iter().find(|name| *name == other).unwrap_or("part");
                    report(&mut self.losses, Lost::Answer, what);
                }
            }
        }
        if let Some(call) = members.call {
            return self.read_call(at, call, members.signature, events);
        }
        if let Some(data) = members.data {
            self.read_data(at, data, members.thought, events);
        } else if members.thought {
            let text = members.text.unwrap_or_default();
            return self.read_thought(at, &text, members.signature, events);
        }
        if let Some(text) = members.text.filter(|text| !text.is_empty()) {
            self.count(text.len());
            let index = self.block(at, Open::Text, events);
            events.push(Event::Delta { index, piece: Piece::Text(text.into_owned()) });
        }
        if let Some(signature) = members.signature {
            self.seal(at, None, signature, events);
        }
    }

    fn index(&self, at: usize) -> u32 {
        self.choices.get(at).map_or(0, |choice| choice.index)
    }

    fn count(&mut self, bytes: usize) {
        self.facts.content_seen |= bytes > 0;
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.facts.output_bytes = self.facts.output_bytes.saturating_add(bytes);
    }

    /// The number of the choice's open block; opens one when it is another kind's, or none.
    fn block(&mut self, at: usize, kind: Open, events: &mut Vec<Event>) -> u32 {
        match self.choices.get(at).and_then(|choice| choice.open) {
            Some((open, index)) if open == kind => return index,
            _ => self.close(at, events),
        }
        let block = match kind {
            Open::Text => Block::Text,
            Open::Thought => reasoning(ReasoningForm::Text, None),
        };
        let index = self.open(self.index(at), block, events);
        if let Some(choice) = self.choices.get_mut(at) {
            choice.open = Some((kind, index));
        }
        index
    }

    /// A signature of something else than a thought: an encrypted block of its own.
    fn seal(&mut self, at: usize, id: Option<String>, signature: String, events: &mut Vec<Event>) {
        self.close(at, events);
        let block = reasoning(ReasoningForm::Encrypted, id);
        self.whole(self.index(at), block, [Piece::Opaque(signature)], events);
    }

    fn read_thought(
        &mut self,
        at: usize,
        text: &str,
        signature: Option<String>,
        events: &mut Vec<Event>,
    ) {
        if text.is_empty() && signature.is_none() {
            return;
        }
        self.count(text.len());
        let index = self.block(at, Open::Thought, events);
        if !text.is_empty() {
            events.push(Event::Delta { index, piece: Piece::Reasoning(text.to_owned()) });
        }
        // Signatures don't add up: what follows is another block.
        if let Some(signature) = signature {
            events.push(Event::Delta { index, piece: Piece::Signature(signature) });
            self.close(at, events);
        }
    }

    fn read_call(
        &mut self,
        at: usize,
        call: Raw<'_>,
        signature: Option<String>,
        events: &mut Vec<Event>,
    ) {
        let text =
            |name: &str| call.get(name).and_then(Raw::string).filter(|text| !text.is_empty());
        let id = text("id").map_or_else(|| self.call_id(), Cow::into_owned);
        let name = text("name").unwrap_or_default().into_owned();
        let arguments = call.get("args").filter(|args| args.kind() == Kind::Object);
        let arguments = arguments.map_or("{}", Raw::text).to_owned();
        if call.get("partialArgs").is_some() {
            report(&mut self.losses, Lost::Answer, "partialArgs");
        }
        self.close(at, events);
        // Early 2.5 models signed the call instead of its part.
        if let Some(signature) = signature.or_else(|| text("thoughtSignature").map(Cow::into_owned))
        {
            self.seal(at, Some(id.clone()), signature, events);
        }
        self.facts.tool_calls = self.facts.tool_calls.saturating_add(1);
        self.facts.content_seen = true;
        self.count(arguments.len());
        if let Some(choice) = self.choices.get_mut(at) {
            choice.called = true;
        }
        let block = Block::ToolCall { id, name };
        self.whole(self.index(at), block, [Piece::Arguments(arguments)], events);
    }

    /// An id for a call that has none: of the answer's id and the number of the call.
    fn call_id(&self) -> String {
        let known = self.facts.upstream_id.as_deref().unwrap_or_default();
        let letters = known.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        let known: String = letters.take(MAX_ID_CHARS).collect();
        let number = self.facts.tool_calls;
        if known.is_empty() { format!("call_{number}") } else { format!("call_{known}_{number}") }
    }

    fn read_data(&mut self, at: usize, data: Raw<'_>, thought: bool, events: &mut Vec<Event>) {
        let text = |name: &str| data.get(name).and_then(Raw::string).unwrap_or_default();
        let (media_type, bytes) = (text("mimeType"), text("data"));
        if bytes.is_empty() {
            return;
        }
        let image = media_type.starts_with("image/");
        if thought || !(image || media_type.starts_with("audio/")) {
            let what = if thought { "thought data" } else { "inlineData" };
            return report(&mut self.losses, Lost::Answer, what);
        }
        self.facts.content_seen = true;
        self.close(at, events);
        let mut piece = ObjectText::new();
        let block = if image {
            let mut url = ObjectText::new();
            url.text("url", &format!("data:{media_type};base64,{bytes}"));
            piece.text("type", "image_url");
            piece.json("image_url", &url.finish());
            Block::Image
        } else {
            piece.text("data", &bytes);
            Block::Audio
        };
        self.whole(self.index(at), block, [Piece::Opaque(piece.finish())], events);
    }
}
