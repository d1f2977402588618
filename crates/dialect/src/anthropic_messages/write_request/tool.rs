//! Tools on offer, and which to use.

use signalbox_core::Parameter;

use super::{Target, cache_control};
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{Function, Tool, ToolChoice, WireDialect};
use crate::document::{Edits, Raw, quoted, splice};
use crate::loss::Lost;

/// Writes `tools` and `tool_choice`. Tells whether a call is forced.
pub(super) fn write(target: &mut Target<'_>, body: &mut ObjectText) -> bool {
    if !target.supports(Parameter::Tools) {
        return false;
    }
    let mut list = ArrayText::new();
    for tool in &target.conversation.tools {
        match tool {
            Tool::Function(one) => {
                let json = function(one, target);
                list.push(&json);
            }
            Tool::Native { verbatim, .. } if verbatim.dialect == WireDialect::AnthropicMessages => {
                list.push(&verbatim.json);
            }
            Tool::Native { kind, .. } => target.lose(Lost::Tool, kind),
        }
    }
    if list.is_empty() {
        return false;
    }
    body.json("tools", &list.finish());
    choice(target, body)
}

/// The schema must say that it is one of an object; arguments always are.
fn function(function: &Function, target: &mut Target<'_>) -> String {
    let schema = Raw::new(function.parameters.as_deref().unwrap_or("{}"));
    let mut edits = Edits::default();
    if schema.get("type").is_none() {
        edits.set("type", "\"object\"".to_owned());
    }
    let schema = splice(schema.text(), schema.members(), &edits);
    let mut tool = ObjectText::new();
    tool.text("name", &function.name);
    let description = function.description.as_deref().filter(|text| !text.is_empty());
    tool.optional_text("description", description);
    tool.json("input_schema", &schema);
    // Strict needs a header that the client has to send (inference spec 1.4, rule 7).
    match function.strict {
        Some(strict) if target.out.has_beta(super::STRICT_BETA) => {
            tool.json("strict", &strict.to_string())
        }
        Some(true) => target.lose(Lost::Property, "strict"),
        _ => {}
    }
    // Arguments then arrive as they are made (inference spec 1.4, rule 6).
    if target.out.stream {
        tool.json("eager_input_streaming", "true");
    }
    if let Some(mark) = function.cache_mark {
        tool.json("cache_control", &cache_control(mark));
    }
    tool.finish()
}

fn choice(target: &mut Target<'_>, body: &mut ObjectText) -> bool {
    let conversation = target.conversation;
    let supported = target.supports(Parameter::ToolChoice);
    let choice = conversation.tool_choice.as_ref().filter(|_| supported);
    let single = conversation.parallel_tool_calls == Some(false);
    let (kind, name) = match choice {
        Some(ToolChoice::Native(verbatim))
            if verbatim.dialect == WireDialect::AnthropicMessages =>
        {
            body.json("tool_choice", &verbatim.json);
            return false;
        }
        Some(ToolChoice::Native(_)) => {
            target.lose(Lost::Tool, "tool_choice");
            ("auto", None)
        }
        Some(ToolChoice::Auto) => ("auto", None),
        Some(ToolChoice::None) => ("none", None),
        Some(ToolChoice::Required) => ("any", None),
        Some(ToolChoice::Function(name)) => ("tool", Some(name.as_str())),
        None if single => ("auto", None),
        None => return false,
    };
    let mut object = ObjectText::typed(kind);
    if let Some(name) = name {
        object.json("name", &quoted(name));
    }
    if single && kind != "none" {
        object.json("disable_parallel_tool_use", "true");
    }
    body.json("tool_choice", &object.finish());
    matches!(kind, "any" | "tool")
}
