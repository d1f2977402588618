//! Which tool is the same tool (platform spec 8.3).

use std::borrow::Cow;

use crate::compose::ArrayText;
use crate::document::{Kind, Raw};

/// What makes two tools the same: functions by their name, advisors and subagents by the name in
/// their parameters, all others by their type.
#[derive(Debug, PartialEq, Eq)]
enum Identity<'a> {
    Function(Cow<'a, str>),
    Named(Cow<'a, str>, Option<Cow<'a, str>>),
    /// Nothing tells what it is; it is the same as one of the same text.
    Unknown(&'a str),
}

fn identity<'a>(tool: Raw<'a>) -> Identity<'a> {
    let text = |raw: Option<Raw<'a>>| raw.and_then(Raw::string);
    let kind = text(tool.get("type"));
    match kind.as_deref() {
        // A tool of the Messages dialect, or a function of any other.
        None | Some("custom" | "function") => {
            let inner = tool.get("function").or_else(|| tool.get("custom"));
            let name = text(tool.get("name")).or_else(|| text(inner?.get("name")));
            name.map_or(Identity::Unknown(tool.text()), Identity::Function)
        }
        Some("openrouter:advisor" | "openrouter:subagent") => {
            let name = text(tool.get("parameters").and_then(|one| one.get("name")));
            Identity::Named(kind.unwrap_or_default(), name)
        }
        Some(_) => Identity::Named(kind.unwrap_or_default(), None),
    }
}

/// The tools of a preset with those of a request, both raw JSON: in the preset's order, a request's
/// own in the place of the same one, then those that only the request has. `None` when the request
/// has something else than a list there: its word stands.
#[must_use]
pub fn union(preset: &str, request: Option<&str>) -> Option<String> {
    let request = request.map(Raw::new);
    if request.is_some_and(|raw| raw.kind() != Kind::Array) {
        return None;
    }
    let mut own: Vec<(Identity<'_>, Option<Raw<'_>>)> = request
        .into_iter()
        .flat_map(Raw::elements)
        .map(|(_, tool)| (identity(tool), Some(tool)))
        .collect();
    let mut all = ArrayText::new();
    for (_, kept) in Raw::new(preset).elements() {
        let name = identity(kept);
        let same = |one: &&mut (Identity<'_>, Option<Raw<'_>>)| one.0 == name && one.1.is_some();
        let instead = own.iter_mut().find(same).and_then(|(_, tool)| tool.take());
        all.push(instead.unwrap_or(kept).text());
    }
    for (_, tool) in own {
        if let Some(tool) = tool {
            all.push(tool.text());
        }
    }
    Some(all.finish())
}
