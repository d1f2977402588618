//! The few rewrites inside messages, made only where a survey found something to rewrite.

use crate::document::{Edits, Kind, Raw, rewrite_elements, splice};
use crate::openai_chat::survey::Marks;
use crate::outbound::{BREAKPOINT, CacheStyle};

/// Which rewrites to make.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rewrite {
    /// Put `name` into the text.
    pub(super) name: bool,
    /// Leave out `model`.
    pub(super) author: bool,
    /// Turn the image detail `original` into `high`.
    pub(super) detail: bool,
    /// Turn the part type `input_video` into `video_url`.
    pub(super) video: bool,
    /// Mark cached prefixes in this way.
    pub(super) cache: Option<CacheStyle>,
}

/// The way to mark cached prefixes, where what was sent may be marked in another.
pub(super) const fn cache_rewrite(style: CacheStyle, marks: Marks) -> Option<CacheStyle> {
    let is_needed = match style {
        CacheStyle::AsSent | CacheStyle::Control => marks.cache_breakpoint,
        CacheStyle::Automatic => marks.cache_breakpoint || marks.cache_control,
        CacheStyle::Breakpoints => marks.cache_control,
    };
    if is_needed { Some(style) } else { None }
}

impl Rewrite {
    pub(super) const fn any(self) -> bool {
        self.name || self.author || self.detail || self.video || self.cache.is_some()
    }
}

/// The message after the rewrites; none when it stays as it is.
pub(super) fn rewritten(message: Raw<'_>, wanted: Rewrite) -> Option<String> {
    let mut edits = Edits::default();
    if wanted.author && message.get("model").is_some() {
        edits.remove("model");
    }
    let is_answer = message.get("role").and_then(Raw::string).as_deref() == Some("assistant");
    let mut content = message.get("content").and_then(|content| {
        rewrite_elements(content, |part| rewritten_part(part, wanted, is_answer))
    });
    if let Some(name) = message.get("name").filter(|_| wanted.name) {
        edits.remove("name");
        let is_tool = message.get("role").and_then(Raw::string).is_some_and(|role| role == "tool");
        let name = name.inner().filter(|name| !name.is_empty() && !is_tool);
        let current = content.as_deref().map(Raw::new).or_else(|| message.get("content"));
        if let (Some(name), Some(current)) = (name, current) {
            content = named(current, name).or(content);
        }
    }
    if let Some(content) = content {
        edits.set("content", content);
    }
    (!edits.is_empty()).then(|| splice(message.text(), message.members(), &edits))
}

/// Content that says who speaks. `name` still has its escapes.
fn named(content: Raw<'_>, name: &str) -> Option<String> {
    if let Some(text) = content.inner() {
        return Some(format!("\"{name}: {text}\""));
    }
    if content.kind() != Kind::Array {
        return None;
    }
    let mut told = false;
    let with_name = rewrite_elements(content, |part| {
        let text = part.get("text").filter(|_| !told && is_type(part, "text"))?.inner()?;
        told = true;
        let mut edits = Edits::default();
        edits.set("text", format!("\"{name}: {text}\""));
        Some(splice(part.text(), part.members(), &edits))
    });
    with_name.or_else(|| {
        let rest = content.text().strip_prefix('[')?;
        let comma = if content.elements().next().is_some() { "," } else { "" };
        Some(format!("[{{\"type\":\"text\",\"text\":\"{name}: \"}}{comma}{rest}"))
    })
}

fn rewritten_part(part: Raw<'_>, wanted: Rewrite, is_answer: bool) -> Option<String> {
    let mut edits = Edits::default();
    if wanted.detail && is_type(part, "image_url") {
        let image = part.get("image_url").filter(|image| {
            image.get("detail").and_then(Raw::string).is_some_and(|detail| detail == "original")
        });
        if let Some(image) = image {
            let mut inner = Edits::default();
            inner.set("detail", "\"high\"".to_owned());
            edits.set("image_url", splice(image.text(), image.members(), &inner));
        }
    }
    if wanted.video && is_type(part, "input_video") {
        edits.set("type", "\"video_url\"".to_owned());
    }
    if let Some(style) = wanted.cache {
        mark(part, style, is_answer, &mut edits);
    }
    (!edits.is_empty()).then(|| splice(part.text(), part.members(), &edits))
}

/// Marks a part as the endpoint wants it (inference spec 14.1). What the model said can have no
/// breakpoint, and a breakpoint has no lifetime.
fn mark(part: Raw<'_>, style: CacheStyle, is_answer: bool, edits: &mut Edits) {
    let [control, point] =
        ["cache_control", "prompt_cache_breakpoint"].map(|key| part.get(key).is_some());
    match style {
        CacheStyle::Breakpoints if control => {
            edits.remove("cache_control");
            if !point && !is_answer {
                edits.set("prompt_cache_breakpoint", BREAKPOINT.to_owned());
            }
        }
        CacheStyle::Control if point => {
            edits.remove("prompt_cache_breakpoint");
            if !control {
                edits.set("cache_control", "{\"type\":\"ephemeral\"}".to_owned());
            }
        }
        CacheStyle::Automatic | CacheStyle::AsSent => {
            if point {
                edits.remove("prompt_cache_breakpoint");
            }
            if control && style == CacheStyle::Automatic {
                edits.remove("cache_control");
            }
        }
        CacheStyle::Breakpoints | CacheStyle::Control => {}
    }
}

fn is_type(part: Raw<'_>, kind: &str) -> bool {
    part.get("type").and_then(Raw::string).is_some_and(|found| found == kind)
}
