//! Where each kind of body keeps its texts. A member that is there twice is read twice: which one a
//! provider takes nobody can tell.

use super::leaves::Texts;
use super::{Body, Text, Voice};
use crate::document::{Document, Kind, Raw};
use crate::openai_responses;

pub(super) fn walk(document: &Document, body: Body) -> Vec<Text<'_>> {
    let mut out = Texts::new(document);
    for (key, text) in document.members() {
        let raw = Raw::new(text);
        match (body, key) {
            (Body::Chat, "messages") => raw.elements().for_each(|(_, one)| chat(&mut out, one)),
            (Body::Chat | Body::Responses, "prediction") => {
                let contents = raw.members().filter(|member| member.key == "content");
                contents.for_each(|member| parts(&mut out, Voice::User, member.value));
            }
            (Body::Chat | Body::Completions, "prompt") => out.strings(Voice::User, raw),
            (Body::Messages, "system") => blocks(&mut out, Voice::System, raw),
            (Body::Messages, "messages") => raw.elements().for_each(|(_, one)| {
                let voice = voice(one);
                let contents = one.members().filter(|member| member.key == "content");
                contents.for_each(|member| blocks(&mut out, voice, member.value));
            }),
            (Body::Responses, "instructions") => parts(&mut out, Voice::System, raw),
            (Body::Responses, "input") if raw.kind() == Kind::String => out.add(Voice::User, raw),
            (Body::Responses, "input") => raw.elements().for_each(|(_, one)| item(&mut out, one)),
            (Body::Embeddings, "input") => embedded(&mut out, raw),
            (Body::Rerank, "query") => out.add(Voice::User, raw),
            (Body::Rerank, "documents") => raw.elements().for_each(|(_, one)| {
                part(&mut out, Voice::User, one);
            }),
            _ => {}
        }
    }
    out.finish()
}

/// Who speaks in a message. One that says two things is the user's when one of them is.
fn voice(message: Raw<'_>) -> Voice {
    let mut voice = None;
    for role in message.members().filter(|member| member.key == "role") {
        let said = match role.value.string().as_deref() {
            Some("system" | "developer") => Voice::System,
            Some("assistant") => Voice::Assistant,
            Some("tool" | "function") => Voice::Tool,
            _ => Voice::User,
        };
        if voice != Some(Voice::User) {
            voice = Some(said);
        }
    }
    voice.unwrap_or(Voice::User)
}

fn chat<'a>(out: &mut Texts<'a>, message: Raw<'a>) {
    let voice = voice(message);
    for member in message.members() {
        match &*member.key {
            "content" | "refusal" => parts(out, voice, member.value),
            "function_call" => call(out, member.value),
            "tool_calls" => {
                for (_, one) in member.value.elements() {
                    let inside = one.members();
                    let called = inside.filter(|one| matches!(&*one.key, "function" | "custom"));
                    called.for_each(|one| call(out, one.value));
                }
            }
            _ => {}
        }
    }
}

/// The arguments of a function, or the input of a custom tool.
fn call<'a>(out: &mut Texts<'a>, called: Raw<'a>) {
    for member in called.members() {
        match &*member.key {
            "arguments" => out.arguments(Voice::Assistant, member.value),
            "input" => out.add(Voice::Assistant, member.value),
            _ => {}
        }
    }
}

/// The kinds of parts that keep their text in `text` or `refusal`, and media, which have none.
const KNOWN: &[&str] = &[
    "text",
    "refusal",
    "input_text",
    "output_text",
    "summary_text",
    "image_url",
    "input_image",
    "input_audio",
    "video_url",
    "input_video",
    "file",
    "input_file",
];

/// A text, or a list of texts and of objects that have one. A part of another kind is passed on as it is, so
/// all of its strings are read.
fn parts<'a>(out: &mut Texts<'a>, voice: Voice, raw: Raw<'a>) {
    match raw.kind() {
        Kind::String => out.add(voice, raw),
        Kind::Array => in_row(out, raw, |out, one| part(out, voice, one)),
        _ => {}
    }
}

/// Reads the parts of one content. `read` says whether a part is text; one that follows another continues it.
fn in_row<'a>(
    out: &mut Texts<'a>,
    raw: Raw<'a>,
    mut read: impl FnMut(&mut Texts<'a>, Raw<'a>) -> bool,
) {
    let mut after_text = false;
    for (_, one) in raw.elements() {
        let before = out.count();
        let is_text = read(out, one);
        let says = out.count() > before;
        if is_text && says && after_text {
            out.continues(before);
        }
        after_text = is_text && (says || after_text);
    }
}

fn part<'a>(out: &mut Texts<'a>, voice: Voice, part: Raw<'a>) -> bool {
    if part.kind() == Kind::String {
        out.add(voice, part);
        return true;
    }
    if is_foreign(part) {
        out.formed(voice, part);
        return false;
    }
    let mut is_text = false;
    for member in part.members() {
        if matches!(&*member.key, "text" | "refusal") {
            out.add(voice, member.value);
            is_text = true;
        }
    }
    is_text
}

fn is_foreign(part: Raw<'_>) -> bool {
    let kind = part.get("type").and_then(Raw::string);
    kind.is_some_and(|kind| !KNOWN.contains(&&*kind))
}

/// The content of a message, a result or a document in the Messages dialect.
fn blocks<'a>(out: &mut Texts<'a>, voice: Voice, raw: Raw<'a>) {
    if raw.kind() == Kind::String {
        return out.add(voice, raw);
    }
    in_row(out, raw, |out, one| block(out, voice, one));
}

/// Reads a block, and says whether it is text.
fn block<'a>(out: &mut Texts<'a>, voice: Voice, block: Raw<'a>) -> bool {
    let kind = block.get("type").and_then(Raw::string).unwrap_or_default();
    match &*kind {
        "text" => {
            let texts = block.members().filter(|member| member.key == "text");
            texts.for_each(|member| out.add(voice, member.value));
            return true;
        }
        "thinking" | "redacted_thinking" | "image" => {}
        "tool_use" | "server_tool_use" | "mcp_tool_use" => {
            let inputs = block.members().filter(|member| member.key == "input");
            inputs.for_each(|member| out.free(Voice::Assistant, member.value));
        }
        "tool_result" => {
            let contents = block.members().filter(|member| member.key == "content");
            contents.for_each(|member| blocks(out, Voice::Tool, member.value));
        }
        "document" => document(out, voice, block),
        _ => out.formed(voice, block),
    }
    false
}

fn document<'a>(out: &mut Texts<'a>, voice: Voice, block: Raw<'a>) {
    for member in block.members() {
        match &*member.key {
            "title" | "context" => out.add(voice, member.value),
            "source" => {
                let plain =
                    member.value.get("type").and_then(Raw::string).as_deref() == Some("text");
                for inside in member.value.members() {
                    match &*inside.key {
                        "data" if plain => out.add(voice, inside.value),
                        "content" => blocks(out, voice, inside.value),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// One item of a Responses request.
fn item<'a>(out: &mut Texts<'a>, raw: Raw<'a>) {
    let member =
        |key: &'static str| raw.members().filter(move |one| one.key == key).map(|one| one.value);
    match &*openai_responses::survey::kind_of(raw) {
        "message" => {
            let voice = voice(raw);
            member("content").for_each(|value| parts(out, voice, value));
        }
        "function_call" | "custom_tool_call" => call(out, raw),
        "function_call_output" | "custom_tool_call_output" => {
            member("output").for_each(|value| parts(out, Voice::Tool, value));
        }
        "reasoning" => {}
        _ => out.formed(Voice::Tool, raw),
    }
}

/// What is to be embedded: texts, and objects whose `content` is a list of parts. Tokens are no text.
fn embedded<'a>(out: &mut Texts<'a>, raw: Raw<'a>) {
    if raw.kind() == Kind::String {
        return out.add(Voice::User, raw);
    }
    for (_, one) in raw.elements() {
        match one.kind() {
            Kind::String => out.add(Voice::User, one),
            Kind::Object => {
                let contents = one.members().filter(|member| member.key == "content");
                contents.for_each(|member| parts(out, Voice::User, member.value));
            }
            _ => {}
        }
    }
}
