//! One item of an answer's output: what it is, what it holds so far, and its events.

use super::carried;
use crate::document::{Raw, quoted};
use crate::event::{Block, Piece, ReasoningForm};

/// What an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Refusal,
    Reasoning {
        format: Option<String>,
    },
    Call {
        call_id: String,
        name: String,
    },
    /// A call of a tool that takes text. Its arguments are JSON until they are whole.
    Custom {
        call_id: String,
        name: String,
    },
    /// Generated images: one item each, written when its data is there.
    Image,
}

/// A part of a reasoning item.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Thought {
    is_summary: bool,
    /// Its number among the parts of its kind.
    index: usize,
    text: String,
    /// Whether its block is open.
    is_open: bool,
    is_done: bool,
}

/// One item.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) output_index: usize,
    pub(super) shape: Shape,
    /// The provider's id of a reasoning block. What has the same belongs to the same item.
    pub(super) reasoning_id: Option<String>,
    /// Blocks of it that are open.
    pub(super) open: u32,
    /// Its JSON, once it is done.
    pub(super) done: Option<String>,
    text: String,
    thoughts: Vec<Thought>,
    signature: Option<String>,
    encrypted: Option<String>,
    annotations: Vec<String>,
    /// Probabilities of its tokens, each as JSON.
    logprobs: Vec<String>,
}

/// An event before it has a number: its type and its other members, each after a comma.
pub(super) type Emit<'a> = dyn FnMut(&str, &str) + 'a;

/// The shape of the item that a block becomes. Audio and asides have none here.
pub(super) fn shape_of(block: &Block, is_custom: impl Fn(&str) -> bool) -> Option<Shape> {
    match block {
        Block::Text => Some(Shape::Text),
        Block::Refusal => Some(Shape::Refusal),
        Block::Reasoning { format, .. } => {
            let format = format.clone().filter(|format| format != "unknown");
            Some(Shape::Reasoning { format })
        }
        Block::ToolCall { id, name } if is_custom(name) => {
            Some(Shape::Custom { call_id: id.clone(), name: name.clone() })
        }
        Block::ToolCall { id, name } => {
            Some(Shape::Call { call_id: id.clone(), name: name.clone() })
        }
        Block::Image => Some(Shape::Image),
        Block::Audio | Block::Opaque { .. } => None,
    }
}

impl Shape {
    /// How ids of such items begin.
    pub(super) const fn prefix(&self) -> &'static str {
        match self {
            Self::Text | Self::Refusal => "msg",
            Self::Reasoning { .. } => "rs",
            Self::Call { .. } => "fc",
            Self::Custom { .. } => "ctc",
            Self::Image => "ig",
        }
    }
}

impl Item {
    pub(super) const fn new(id: String, output_index: usize, shape: Shape) -> Self {
        Self {
            id,
            output_index,
            shape,
            reasoning_id: None,
            open: 1,
            done: None,
            text: String::new(),
            thoughts: Vec::new(),
            signature: None,
            encrypted: None,
            annotations: Vec::new(),
            logprobs: Vec::new(),
        }
    }

    /// The members that say where an event belongs.
    fn place(&self) -> String {
        format!(",\"output_index\":{},\"item_id\":{}", self.output_index, quoted(&self.id))
    }

    /// Emits its beginning.
    pub(super) fn begin(&self, emit: &mut Emit<'_>) {
        let (index, item) = (self.output_index, self.json("in_progress", true));
        emit("response.output_item.added", &format!(",\"output_index\":{index},\"item\":{item}"));
        if let Some(part) = self.part("") {
            let place = self.place();
            let members = format!("{place},\"content_index\":0,\"part\":{part}");
            emit("response.content_part.added", &members);
        }
    }

    /// A block that belongs to a reasoning item opens. Gives the number of its part, when it has one.
    pub(super) fn think(&mut self, form: ReasoningForm, emit: &mut Emit<'_>) -> Option<usize> {
        self.finish_thoughts(|thought| !thought.is_open, emit);
        let is_summary = match form {
            ReasoningForm::Encrypted => return None,
            ReasoningForm::Summary => true,
            ReasoningForm::Text => false,
        };
        let index = self.thoughts.iter().filter(|other| other.is_summary == is_summary).count();
        let thought =
            Thought { is_summary, index, text: String::new(), is_open: true, is_done: false };
        let members = format!("{}{},\"part\":{}", self.place(), thought.place(), thought.part());
        emit(if is_summary { SUMMARY_ADDED } else { "response.content_part.added" }, &members);
        self.thoughts.push(thought);
        self.thoughts.len().checked_sub(1)
    }

    /// A block of it closes; `part` is what [`Self::think`] gave for it.
    pub(super) fn close(&mut self, part: Option<usize>) {
        self.open = self.open.saturating_sub(1);
        if let Some(thought) = part.and_then(|part| self.thoughts.get_mut(part)) {
            thought.is_open = false;
        }
    }

    /// Takes a piece of the block that has this part.
    pub(super) fn add(&mut self, piece: &Piece, part: Option<usize>, emit: &mut Emit<'_>) {
        let place = self.place();
        match (&self.shape, piece) {
            (Shape::Text, Piece::Text(text)) => {
                self.text.push_str(text);
                let delta = quoted(text);
                let members =
                    format!("{place},\"content_index\":0,\"delta\":{delta},\"logprobs\":[]");
                emit("response.output_text.delta", &members);
            }
            (Shape::Refusal, Piece::Text(text)) => {
                self.text.push_str(text);
                let members = format!("{place},\"content_index\":0,\"delta\":{}", quoted(text));
                emit("response.refusal.delta", &members);
            }
            (Shape::Reasoning { .. }, Piece::Reasoning(text)) => {
                if let Some(thought) = part.and_then(|part| self.thoughts.get_mut(part)) {
                    thought.text.push_str(text);
                    let members = format!("{place}{},\"delta\":{}", thought.place(), quoted(text));
                    emit(if thought.is_summary { SUMMARY_DELTA } else { TEXT_DELTA }, &members);
                }
            }
            (Shape::Reasoning { .. }, Piece::Signature(text)) => {
                self.signature.get_or_insert_default().push_str(text);
            }
            (Shape::Reasoning { .. }, Piece::Opaque(data)) => {
                self.encrypted.get_or_insert_default().push_str(data);
            }
            (Shape::Call { .. }, Piece::Arguments(text)) => {
                self.text.push_str(text);
                let members = format!("{place},\"delta\":{}", quoted(text));
                emit("response.function_call_arguments.delta", &members);
            }
            (Shape::Custom { .. }, Piece::Arguments(text)) => self.text.push_str(text),
            (Shape::Image, Piece::Opaque(image)) => self.text.clone_from(image),
            _ => {}
        }
    }

    /// Takes a citation, in this dialect's form.
    pub(super) fn annotate(&mut self, annotation: String, emit: &mut Emit<'_>) {
        let (place, index) = (self.place(), self.annotations.len());
        let members = format!(
            "{place},\"content_index\":0,\"annotation_index\":{index},\"annotation\":{annotation}"
        );
        emit("response.output_text.annotation.added", &members);
        self.annotations.push(annotation);
    }

    /// Takes probabilities as the chat dialect has them. They are told when the text is whole.
    pub(super) fn add_logprobs(&mut self, member: &str) {
        let list = Raw::new(member).get("content");
        let list = list.into_iter().flat_map(Raw::elements);
        self.logprobs.extend(list.map(|(_, one)| one.text().to_owned()));
    }

    /// Emits its end, once.
    pub(super) fn finish(&mut self, is_whole: bool, wants_encrypted: bool, emit: &mut Emit<'_>) {
        if self.done.is_some() {
            return;
        }
        let place = self.place();
        match &self.shape {
            Shape::Text => {
                let text = quoted(&self.text);
                let logprobs = self.logprobs.join(",");
                let members = format!(
                    "{place},\"content_index\":0,\"text\":{text},\"logprobs\":[{logprobs}]"
                );
                emit("response.output_text.done", &members);
            }
            Shape::Refusal => {
                let members =
                    format!("{place},\"content_index\":0,\"refusal\":{}", quoted(&self.text));
                emit("response.refusal.done", &members);
            }
            Shape::Call { name, .. } => {
                let (name, arguments) = (quoted(name), quoted(&self.text));
                let members = format!("{place},\"name\":{name},\"arguments\":{arguments}");
                emit("response.function_call_arguments.done", &members);
            }
            Shape::Custom { .. } => {
                let input = quoted(&input_of(&self.text));
                let delta = format!("{place},\"delta\":{input}");
                emit("response.custom_tool_call_input.delta", &delta);
                let members = format!("{place},\"input\":{input}");
                emit("response.custom_tool_call_input.done", &members);
            }
            Shape::Reasoning { .. } | Shape::Image => {}
        }
        self.finish_thoughts(|_| true, emit);
        if let Some(part) = self.part(&self.text) {
            let members = format!("{place},\"content_index\":0,\"part\":{part}");
            emit("response.content_part.done", &members);
        }
        let status = if is_whole { "completed" } else { "incomplete" };
        let item = self.json(status, wants_encrypted);
        let members = format!(",\"output_index\":{},\"item\":{item}", self.output_index);
        emit("response.output_item.done", &members);
        self.done = Some(item);
    }

    /// Ends parts of reasoning that have not ended.
    fn finish_thoughts(&mut self, which: impl Fn(&Thought) -> bool, emit: &mut Emit<'_>) {
        let place = self.place();
        for thought in self.thoughts.iter_mut().filter(|one| !one.is_done && which(one)) {
            thought.is_done = true;
            let place = format!("{place}{}", thought.place());
            let text = format!("{place},\"text\":{}", quoted(&thought.text));
            emit(if thought.is_summary { SUMMARY_DONE } else { TEXT_DONE }, &text);
            let part = format!("{place},\"part\":{}", thought.part());
            let name = if thought.is_summary { SUMMARY_PART_DONE } else { PART_DONE };
            emit(name, &part);
        }
    }

    /// The content part of a message with this text; other items have none.
    fn part(&self, text: &str) -> Option<String> {
        let text = quoted(text);
        match self.shape {
            Shape::Text => {
                let annotations = self.annotations.join(",");
                let logprobs = self.logprobs.join(",");
                Some(format!(
                    "{{\"type\":\"output_text\",\"annotations\":[{annotations}],\
                     \"logprobs\":[{logprobs}],\"text\":{text}}}"
                ))
            }
            Shape::Refusal => Some(format!("{{\"type\":\"refusal\",\"refusal\":{text}}}")),
            _ => None,
        }
    }

    /// The item as JSON. A message that has only begun has no parts yet.
    fn json(&self, status: &str, wants_encrypted: bool) -> String {
        let id = quoted(&self.id);
        match &self.shape {
            Shape::Text | Shape::Refusal => {
                let part = if status == "in_progress" { None } else { self.part(&self.text) };
                format!(
                    "{{\"id\":{id},\"type\":\"message\",\"status\":\"{status}\",\
                     \"role\":\"assistant\",\"content\":[{}]}}",
                    part.unwrap_or_default(),
                )
            }
            Shape::Reasoning { format } => self.reasoning(format.as_deref(), wants_encrypted),
            Shape::Call { call_id, name } => format!(
                "{{\"id\":{id},\"type\":\"function_call\",\"status\":\"{status}\",\
                 \"arguments\":{},\"call_id\":{},\"name\":{}}}",
                quoted(&self.text),
                quoted(call_id),
                quoted(name),
            ),
            Shape::Custom { call_id, name } => format!(
                "{{\"id\":{id},\"type\":\"custom_tool_call\",\"status\":\"{status}\",\
                 \"call_id\":{},\"name\":{},\"input\":{}}}",
                quoted(call_id),
                quoted(name),
                quoted(&input_of(&self.text)),
            ),
            Shape::Image => {
                let status = if status == "incomplete" { "failed" } else { status };
                let result = image_of(&self.text).map_or_else(|| "null".to_owned(), |s| quoted(&s));
                format!(
                    "{{\"id\":{id},\"type\":\"image_generation_call\",\"status\":\"{status}\",\
                     \"result\":{result}}}"
                )
            }
        }
    }

    fn reasoning(&self, format: Option<&str>, wants_encrypted: bool) -> String {
        let parts = |is_summary| {
            let wanted = self.thoughts.iter().filter(|thought| thought.is_summary == is_summary);
            wanted.map(Thought::part).collect::<Vec<_>>().join(",")
        };
        let mut json = format!(
            "{{\"id\":{},\"type\":\"reasoning\",\"summary\":[{}]",
            quoted(&self.id),
            parts(true)
        );
        let content = parts(false);
        if !content.is_empty() {
            json.push_str(&format!(",\"content\":[{content}]"));
        }
        let sealed = match (&self.encrypted, &self.signature) {
            (Some(data), _) => Some(carried::data(format, &self.id, data)),
            (None, Some(signature)) => carried::signature(format, &self.id, signature),
            (None, None) => None,
        };
        let sealed = sealed.filter(|_| wants_encrypted);
        let members = [("encrypted_content", &sealed), ("signature", &self.signature)];
        for (name, value) in members {
            if let Some(value) = value {
                json.push_str(&format!(",\"{name}\":{}", quoted(value)));
            }
        }
        if let Some(format) = format {
            json.push_str(&format!(",\"format\":{}", quoted(format)));
        }
        json.push('}');
        json
    }
}

const SUMMARY_ADDED: &str = "response.reasoning_summary_part.added";
const SUMMARY_DELTA: &str = "response.reasoning_summary_text.delta";
const SUMMARY_DONE: &str = "response.reasoning_summary_text.done";
const SUMMARY_PART_DONE: &str = "response.reasoning_summary_part.done";
const TEXT_DELTA: &str = "response.reasoning_text.delta";
const TEXT_DONE: &str = "response.reasoning_text.done";
const PART_DONE: &str = "response.content_part.done";

impl Thought {
    fn place(&self) -> String {
        let name = if self.is_summary { "summary_index" } else { "content_index" };
        format!(",\"{name}\":{}", self.index)
    }

    fn part(&self) -> String {
        let kind = if self.is_summary { "summary_text" } else { "reasoning_text" };
        format!("{{\"type\":\"{kind}\",\"text\":{}}}", quoted(&self.text))
    }
}

/// The text that a custom tool is called with: the one member that its stand-in function takes, or
/// all that the model wrote when it is something else.
fn input_of(arguments: &str) -> String {
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(arguments).is_ok();
    let input = is_json.then(|| Raw::new(arguments).get("input")?.string()).flatten();
    input.map_or_else(|| arguments.to_owned(), |input| input.into_owned())
}

/// The base64 of an image object, or its address.
fn image_of(image: &str) -> Option<String> {
    let url = Raw::new(image).get("image_url")?.get("url")?.string()?;
    let data = url.strip_prefix("data:").and_then(|data| data.split_once(','));
    Some(data.map_or(&*url, |(_, data)| data).to_owned())
}
