//! The blocks of an answer: which are open, and what is added to them.
//!
//! In a stream only calls, pictures and results of the provider's own tools are begun by an event;
//! text and reasoning begin with their first piece.

use super::blob::Blob;
use super::malformed;
use crate::anthropic_messages::CLAUDE;
use crate::citation::{Place, Sources};
use crate::compose::{ArrayText, ObjectText};
use crate::document::{Kind, Raw};
use crate::event::{Block, Event, Piece, ReasoningForm};
use crate::identity::{Facts, StreamFault};
use crate::loss::{Loss, Lost, report};

/// More blocks open at once than any answer has.
const MOST_OPEN: usize = 256;

/// Where what is read goes.
pub(super) struct Out<'a> {
    pub(super) facts: &'a mut Facts,
    pub(super) losses: &'a mut Vec<Loss>,
    pub(super) events: &'a mut Vec<Event>,
}

/// What the pieces of a block are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Text,
    Thinking,
    Redacted,
    Call,
    Image,
    /// Of the provider's own tools: not told.
    Hidden,
}

#[derive(Debug)]
struct Open {
    /// The provider's number of the block.
    number: u64,
    /// Ours; a hidden block has none.
    index: Option<u32>,
    sort: Sort,
    /// Whether there were arguments.
    fragments: bool,
    blob: Blob,
    /// The format of a picture.
    format: String,
    /// Annotations, told when the block is complete.
    annotations: ArrayText,
}

/// The open blocks.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    open: Vec<Open>,
    next: u32,
    sources: Sources,
}

fn text(object: Raw<'_>, key: &str) -> Option<String> {
    object.get(key)?.string().map(|text| text.into_owned())
}

impl Out<'_> {
    fn lose(&mut self, what: &str) {
        report(self.losses, Lost::Answer, what);
    }

    fn delta(&mut self, index: Option<u32>, piece: Piece) {
        self.events.extend(index.map(|index| Event::Delta { index, piece }));
    }

    fn count(&mut self, text: &str) {
        self.facts.content_seen = true;
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.facts.output_bytes = self.facts.output_bytes.saturating_add(bytes);
    }
}

impl Blocks {
    /// A block that is begun by an event.
    pub(super) fn start(
        &mut self,
        number: u64,
        start: Raw<'_>,
        out: &mut Out<'_>,
    ) -> Result<(), StreamFault> {
        self.stop(number, out)?;
        if let Some(call) = start.get("toolUse") {
            self.call(number, call, out)?;
        } else if let Some(image) = start.get("image") {
            let at = self.open(number, Sort::Image, Block::Image, out)?;
            if let Some(open) = self.open.get_mut(at) {
                open.format = text(image, "format").unwrap_or_default();
            }
        } else if start.members().next().is_some() {
            self.hide(number, "toolResult", out)?;
        }
        Ok(())
    }

    /// Something is added to a block.
    pub(super) fn delta(
        &mut self,
        number: u64,
        delta: Raw<'_>,
        out: &mut Out<'_>,
    ) -> Result<(), StreamFault> {
        for entry in delta.members().filter(|entry| !entry.value.is_null()) {
            match &*entry.key {
                "text" => self.text(number, entry.value, out)?,
                "reasoningContent" => self.reasoning(number, entry.value, out)?,
                "toolUse" => {
                    let input = text(entry.value, "input").unwrap_or_default();
                    self.arguments(number, input, out)?;
                }
                "citation" => self.cite(number, entry.value, out),
                "image" => self.picture(number, entry.value, out)?,
                other => {
                    let what = if other == "toolResult" { other } else { "delta" };
                    self.hide(number, what, out)?;
                }
            }
        }
        Ok(())
    }

    /// A block of a whole answer.
    pub(super) fn whole(
        &mut self,
        number: u64,
        block: Raw<'_>,
        out: &mut Out<'_>,
    ) -> Result<(), StreamFault> {
        for entry in block.members().filter(|entry| !entry.value.is_null()) {
            let value = entry.value;
            match &*entry.key {
                "text" => self.text(number, value, out)?,
                "reasoningContent" => {
                    let inner = value.get("reasoningText").unwrap_or(value);
                    self.reasoning(number, inner, out)?;
                }
                "toolUse" => {
                    self.call(number, value, out)?;
                    let input = value.get("input").filter(|input| input.kind() == Kind::Object);
                    if let Some(input) = input {
                        self.arguments(number, input.text().to_owned(), out)?;
                    }
                }
                "image" => {
                    self.start(number, block, out)?;
                    self.picture(number, value, out)?;
                }
                "citationsContent" => {
                    for (_, piece) in value.get("content").into_iter().flat_map(Raw::elements) {
                        if let Some(text) = piece.get("text") {
                            self.text(number, text, out)?;
                        }
                    }
                    for (_, citation) in value.get("citations").into_iter().flat_map(Raw::elements)
                    {
                        self.cite(number, citation, out);
                    }
                }
                other => {
                    let known = ["toolResult", "audio", "video", "document"];
                    let what = known.into_iter().find(|name| *name == other).unwrap_or("block");
                    out.lose(what);
                }
            }
        }
        self.stop(number, out)
    }

    /// A block is complete. A call without arguments has empty ones.
    pub(super) fn stop(&mut self, number: u64, out: &mut Out<'_>) -> Result<(), StreamFault> {
        if let Some(at) = self.open.iter().position(|open| open.number == number) {
            let open = self.open.remove(at);
            self.close(open, out);
        }
        Ok(())
    }

    /// No more blocks follow.
    pub(super) fn stop_all(&mut self, out: &mut Out<'_>) {
        for open in std::mem::take(&mut self.open) {
            self.close(open, out);
        }
    }

    /// The answer broke off: what is open is closed as it is.
    pub(super) fn break_off(&mut self, events: &mut Vec<Event>) {
        let indices = self.open.drain(..).filter_map(|open| open.index);
        events.extend(indices.map(|index| Event::Close { index }));
    }

    /// A block of one piece of JSON beside the others.
    pub(super) fn aside(&mut self, name: &str, json: String, events: &mut Vec<Event>) {
        let index = self.number();
        let block = Block::Opaque { name: name.to_owned() };
        events.push(Event::Open { index, choice: 0, block });
        events.push(Event::Delta { index, piece: Piece::Opaque(json) });
        events.push(Event::Close { index });
    }

    fn number(&mut self) -> u32 {
        let index = self.next;
        self.next = self.next.saturating_add(1);
        index
    }

    fn close(&mut self, open: Open, out: &mut Out<'_>) {
        match open.sort {
            Sort::Call if !open.fragments => {
                out.count("{}");
                out.delta(open.index, Piece::Arguments("{}".to_owned()));
            }
            Sort::Redacted => {
                if let Some(data) = open.blob.finish() {
                    out.delta(open.index, Piece::Opaque(data));
                }
            }
            Sort::Image => {
                if let Some(data) = open.blob.finish() {
                    let mut url = ObjectText::new();
                    url.text("url", &format!("data:image/{};base64,{data}", open.format));
                    let mut piece = ObjectText::typed("image_url");
                    piece.json("image_url", &url.finish());
                    out.delta(open.index, Piece::Opaque(piece.finish()));
                }
            }
            _ => {}
        }
        out.events.extend(open.index.map(|index| Event::Close { index }));
        if !open.annotations.is_empty() {
            self.aside("annotations", open.annotations.finish(), out.events);
        }
    }

    fn open(
        &mut self,
        number: u64,
        sort: Sort,
        block: Block,
        out: &mut Out<'_>,
    ) -> Result<usize, StreamFault> {
        let index = self.number();
        out.events.push(Event::Open { index, choice: 0, block });
        self.keep(number, sort, Some(index))
    }

    fn keep(&mut self, number: u64, sort: Sort, index: Option<u32>) -> Result<usize, StreamFault> {
        self.open.push(Open::new(number, sort, index));
        if self.open.len() > MOST_OPEN {
            return Err(malformed("too many open blocks"));
        }
        Ok(self.open.len() - 1)
    }

    /// The block of this number, as one of this sort: opened when it is none yet, and text and
    /// reasoning may take turns. `None` when it is hidden.
    fn sorted(
        &mut self,
        number: u64,
        sort: Sort,
        out: &mut Out<'_>,
    ) -> Result<Option<&mut Open>, StreamFault> {
        let known = self.open.iter().position(|open| open.number == number);
        let begun = known.and_then(|at| self.open.get(at)).map(|open| open.sort);
        let at = match (known, begun) {
            (Some(at), Some(begun)) if begun == sort => at,
            (Some(_), Some(Sort::Hidden)) => return Ok(None),
            (_, None | Some(Sort::Text | Sort::Thinking | Sort::Redacted)) => {
                let reasoning =
                    |form| Block::Reasoning { form, id: None, format: Some(CLAUDE.to_owned()) };
                let block = match sort {
                    Sort::Text => Block::Text,
                    Sort::Thinking => reasoning(ReasoningForm::Text),
                    Sort::Redacted => reasoning(ReasoningForm::Encrypted),
                    Sort::Image => Block::Image,
                    Sort::Call | Sort::Hidden => return Err(malformed("a delta of no call")),
                };
                self.stop(number, out)?;
                self.open(number, sort, block, out)?
            }
            _ => return Err(malformed("a delta of another kind than its block")),
        };
        Ok(self.open.get_mut(at))
    }

    fn text(&mut self, number: u64, text: Raw<'_>, out: &mut Out<'_>) -> Result<(), StreamFault> {
        let Some(text) = text.string().filter(|text| !text.is_empty()) else { return Ok(()) };
        if let Some(open) = self.sorted(number, Sort::Text, out)? {
            out.count(&text);
            out.delta(open.index, Piece::Text(text.into_owned()));
        }
        Ok(())
    }

    fn reasoning(
        &mut self,
        number: u64,
        raw: Raw<'_>,
        out: &mut Out<'_>,
    ) -> Result<(), StreamFault> {
        let member = |key| text(raw, key).filter(|text| !text.is_empty());
        if let Some(text) = member("text")
            && let Some(open) = self.sorted(number, Sort::Thinking, out)?
        {
            out.count(&text);
            out.delta(open.index, Piece::Reasoning(text));
        }
        if let Some(signature) = member("signature")
            && let Some(open) = self.sorted(number, Sort::Thinking, out)?
        {
            out.delta(open.index, Piece::Signature(signature));
        }
        if let Some(data) = member("redactedContent")
            && let Some(open) = self.sorted(number, Sort::Redacted, out)?
        {
            out.facts.content_seen = true;
            open.blob.add(&data)?;
        }
        Ok(())
    }

    fn call(&mut self, number: u64, call: Raw<'_>, out: &mut Out<'_>) -> Result<(), StreamFault> {
        if call.get("type").is_some_and(|kind| !kind.is_null()) {
            return self.hide(number, "server_tool_use", out);
        }
        self.stop(number, out)?;
        let id = text(call, "toolUseId").unwrap_or_default();
        let name = text(call, "name").unwrap_or_default();
        out.facts.tool_calls = out.facts.tool_calls.saturating_add(1);
        out.facts.content_seen = true;
        self.open(number, Sort::Call, Block::ToolCall { id, name }, out).map(drop)
    }

    fn arguments(
        &mut self,
        number: u64,
        input: String,
        out: &mut Out<'_>,
    ) -> Result<(), StreamFault> {
        if let Some(open) = self.sorted(number, Sort::Call, out)?
            && !input.is_empty()
        {
            open.fragments = true;
            out.count(&input);
            out.delta(open.index, Piece::Arguments(input));
        }
        Ok(())
    }

    fn picture(
        &mut self,
        number: u64,
        image: Raw<'_>,
        out: &mut Out<'_>,
    ) -> Result<(), StreamFault> {
        let Some(bytes) = image.get("source").and_then(|source| text(source, "bytes")) else {
            out.lose("image");
            return Ok(());
        };
        if let Some(open) = self.sorted(number, Sort::Image, out)? {
            out.facts.content_seen |= !bytes.is_empty();
            open.blob.add(&bytes)?;
        }
        Ok(())
    }

    /// A source. Places in documents of the request have no address and are not told.
    fn cite(&mut self, number: u64, citation: Raw<'_>, out: &mut Out<'_>) {
        let web = citation.get("location").and_then(|location| location.get("web"));
        let url = web.and_then(|web| text(web, "url")).filter(|url| !url.is_empty());
        let open = self.open.iter_mut().find(|open| open.number == number);
        let (Some(url), Some(open)) = (url, open) else { return out.lose("citation") };
        let title = text(citation, "title").unwrap_or_default();
        self.sources.tell(&url, &title, Place::default(), &mut open.annotations);
    }

    /// A block that is not told, or goes on.
    fn hide(&mut self, number: u64, what: &str, out: &mut Out<'_>) -> Result<(), StreamFault> {
        out.lose(what);
        if self.open.iter().any(|open| open.number == number) {
            return Ok(());
        }
        self.keep(number, Sort::Hidden, None).map(drop)
    }
}

impl Open {
    fn new(number: u64, sort: Sort, index: Option<u32>) -> Self {
        Self {
            number,
            index,
            sort,
            fragments: false,
            blob: Blob::default(),
            format: String::new(),
            annotations: ArrayText::new(),
        }
    }
}
