//! The body of a choice: a streamed `delta` or a whole `message`.

use std::borrow::Cow;

use super::chunk::{Member, Rewriter, Shape, comma};
use super::reasoning::{Reasoning, flatten};
use super::template::Hole;
use crate::identity::StreamFault;
use crate::scan::{self, Scanner};

/// What was seen of a body so far.
#[derive(Default)]
struct Body<'a> {
    reasoning: Reasoning<'a>,
    has_content: bool,
    role: bool,
    /// Something beside role, reasoning and empty content.
    significant: bool,
}

/// What a body amounts to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weight {
    /// It names the role.
    pub(super) role: bool,
    /// It has reasoning, in whatever form.
    pub(super) reasoning: bool,
    /// It has anything else but empty content.
    pub(super) rest: bool,
}

/// One call as it stands in the message.
#[derive(Default)]
struct Call<'a> {
    index: Option<u64>,
    id: Option<&'a str>,
    name: Option<&'a str>,
    arguments: Option<&'a str>,
}

impl Rewriter {
    /// Appends the body under its name and says what it amounts to.
    pub(super) fn write_body(
        &mut self,
        scanner: &mut Scanner<'_>,
        index: u32,
        out: &mut Vec<u8>,
    ) -> Result<Weight, StreamFault> {
        comma(out);
        out.extend_from_slice(match self.shape {
            Shape::Chunk => b"\"delta\":{",
            Shape::Whole => b"\"message\":{\"role\":\"assistant\"",
        });
        let mut body = Body::default();
        scanner.enter_object()?;
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            if key.name == "tool_calls" && scanner.peek() == Some(b'[') {
                body.significant |= self.write_tool_calls(scanner, index, out)?;
                continue;
            }
            let raw = scanner.value()?;
            if self.keeps_in_body(&key.name, raw, &mut body, out) {
                comma(out);
                out.extend_from_slice(scanner.slice(key.at, scanner.at()).as_bytes());
                if key.name == "content" && scan::is_text(raw) {
                    let from = scanner.at().saturating_sub(raw.len());
                    self.hole = Some(Hole { from, length: raw.len(), out_end: out.len() });
                }
            }
        }
        if self.shape == Shape::Whole && !body.has_content {
            out.extend_from_slice(b",\"content\":null");
        }
        let given = body.reasoning.count(&mut self.facts);
        if !self.exclude_reasoning {
            let from = out.len();
            body.reasoning.write(out);
            self.may_leave_out(Member::Reasoning, from..out.len());
        }
        if index == 0 && self.shape == Shape::Whole {
            self.listed.message_end = Some(out.len());
        }
        out.push(b'}');
        Ok(Weight { role: body.role, reasoning: given, rest: body.significant })
    }

    /// Looks at a member and says whether it is copied as it stands.
    fn keeps_in_body<'a>(
        &mut self,
        name: &str,
        raw: &'a str,
        body: &mut Body<'a>,
        out: &mut Vec<u8>,
    ) -> bool {
        match name {
            "role" => {
                let kept = self.shape == Shape::Chunk && scan::is_text(raw);
                body.role |= kept;
                return kept;
            }
            "content" => {
                if std::mem::replace(&mut body.has_content, true) {
                    return false;
                }
                return self.keeps_content(raw, body, out);
            }
            "reasoning" => {
                body.reasoning.plain = Some(Cow::Borrowed(raw));
                return false;
            }
            "reasoning_content" => {
                body.reasoning.alias = Some(raw);
                return false;
            }
            "reasoning_details" => {
                body.reasoning.details = Some(raw);
                return false;
            }
            "refusal" => self.count_text(raw),
            "function_call" if raw.starts_with('{') => {
                self.facts.content_seen = true;
                self.facts.tool_calls = self.facts.tool_calls.max(1);
                self.facts.output_bytes = self.facts.output_bytes.saturating_add(raw.len() as u64);
            }
            "images" => self.facts.content_seen |= raw.starts_with('[') && raw.len() > 2,
            "audio" => self.facts.content_seen |= raw.starts_with('{') && raw.len() > 2,
            _ if self.watch.as_ref().is_some_and(|watch| watch.is_reasoning(name)) => {
                body.reasoning.alias = Some(raw);
                return false;
            }
            _ => {}
        }
        body.significant |= raw != "null";
        true
    }

    fn keeps_content<'a>(&mut self, raw: &'a str, body: &mut Body<'a>, out: &mut Vec<u8>) -> bool {
        if !raw.starts_with('[') {
            self.count_text(raw);
            body.significant |= scan::is_text(raw);
            return true;
        }
        body.significant = true;
        let Some(flat) = flatten(raw) else {
            self.facts.content_seen |= raw.len() > 2;
            self.facts.output_bytes = self.facts.output_bytes.saturating_add(raw.len() as u64);
            return true;
        };
        comma(out);
        out.extend_from_slice(b"\"content\":");
        let before = out.len();
        scan::push_string(out, &flat.text);
        self.facts.content_seen |= out.len() > before + 2;
        self.facts.output_bytes = self.facts.output_bytes.saturating_add(flat.text.len() as u64);
        if !flat.thinking.is_empty() {
            let mut quoted = Vec::with_capacity(flat.thinking.len() + 2);
            scan::push_string(&mut quoted, &flat.thinking);
            body.reasoning.plain = String::from_utf8(quoted).ok().map(Cow::Owned);
        }
        false
    }

    fn count_text(&mut self, raw: &str) {
        if scan::is_text(raw) {
            self.facts.content_seen = true;
            self.facts.output_bytes = self.facts.output_bytes.saturating_add(scan::text_bytes(raw));
        }
    }

    /// Appends the calls; `true` when there is any.
    fn write_tool_calls(
        &mut self,
        scanner: &mut Scanner<'_>,
        index: u32,
        out: &mut Vec<u8>,
    ) -> Result<bool, StreamFault> {
        comma(out);
        out.extend_from_slice(b"\"tool_calls\":[");
        scanner.enter_array()?;
        self.spoiled = true;
        let mut first = true;
        let mut any = false;
        while scanner.next_item(&mut first)? {
            any = true;
            comma(out);
            scanner.peek();
            let start = scanner.at();
            let call = read_call(scanner)?;
            let number = self.watch_call(&call, index)?;
            if let (Some(calls), Some(number)) = (&mut self.calls, number) {
                calls.fragment((index, number), call.name, call.arguments);
            }
            let raw = scanner.slice(start, scanner.at());
            let numbered = call.index.is_some() || self.shape == Shape::Whole;
            let quoted = call.arguments.is_none_or(|raw| raw.starts_with('"') || raw == "null");
            if numbered && quoted {
                out.extend_from_slice(raw.as_bytes());
            } else {
                mend_call(raw, number.filter(|_| !numbered), out);
            }
        }
        out.push(b']');
        Ok(any)
    }

    /// Counts a call and gives its index, where the provider left it out: a new id is a new call.
    fn watch_call(&mut self, call: &Call<'_>, choice: u32) -> Result<Option<u64>, StreamFault> {
        let texts = [call.id, call.name, call.arguments];
        let bytes = call.arguments.map_or(0, |raw| {
            if raw.starts_with('"') { scan::text_bytes(raw) } else { raw.len() as u64 }
        });
        let whole = self.shape == Shape::Whole;
        let slot = self.slot(choice)?;
        let number = match (call.index, call.id.filter(|raw| scan::is_text(raw))) {
            (Some(number), _) => number,
            (None, Some(id)) if slot.next_tool > 0 && slot.last_tool_id == id && !whole => {
                slot.next_tool - 1
            }
            (None, Some(id)) => {
                id.clone_into(&mut slot.last_tool_id);
                slot.next_tool
            }
            (None, None) if whole => slot.next_tool,
            (None, None) => slot.next_tool.saturating_sub(1),
        };
        let is_new = number >= slot.next_tool;
        slot.next_tool = slot.next_tool.max(number.saturating_add(1));
        let facts = &mut self.facts;
        facts.tool_calls = facts.tool_calls.saturating_add(u32::from(is_new));
        facts.content_seen |= texts.into_iter().flatten().any(|raw| raw.len() > 2 && raw != "null");
        facts.output_bytes = facts.output_bytes.saturating_add(bytes);
        Ok(Some(number))
    }
}

/// Reads one call where it stands.
fn read_call<'a>(scanner: &mut Scanner<'a>) -> Result<Call<'a>, StreamFault> {
    let mut call = Call::default();
    scanner.enter_object()?;
    let mut first = true;
    while let Some(key) = scanner.next_key(&mut first)? {
        if matches!(&*key.name, "function" | "custom") && scanner.peek() == Some(b'{') {
            scanner.enter_object()?;
            let mut first = true;
            while let Some(key) = scanner.next_key(&mut first)? {
                let raw = scanner.value()?;
                match &*key.name {
                    "name" => call.name = Some(raw),
                    "arguments" | "input" => call.arguments = Some(raw),
                    _ => {}
                }
            }
            continue;
        }
        let raw = scanner.value()?;
        match &*key.name {
            "index" => call.index = scan::whole(raw),
            "id" => call.id = Some(raw),
            _ => {}
        }
    }
    Ok(call)
}

/// Appends a call with its index and with its arguments as a string, as the dialect has them.
fn mend_call(raw: &str, index: Option<u64>, out: &mut Vec<u8>) {
    let Ok(mut call) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(raw)
    else {
        // Only lone surrogates get here: they are JSON to the scanner alone.
        out.extend_from_slice(raw.as_bytes());
        return;
    };
    if let Some(index) = index {
        call.insert("index".to_owned(), index.into());
    }
    if let Some(arguments) = call.get_mut("function").and_then(|call| call.get_mut("arguments"))
        && !arguments.is_string()
        && !arguments.is_null()
    {
        *arguments = arguments.to_string().into();
    }
    let text = serde_json::Value::Object(call).to_string();
    out.extend_from_slice(text.as_bytes());
}
