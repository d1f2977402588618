//! Tools on offer, and which to use.

use signalbox_core::Parameter;

use super::{Target, part};
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{Conversation, Function, Tool, ToolChoice, WireDialect};
use crate::document::quoted;
use crate::loss::Lost;

/// Writes `tools`, `tool_choice` and `parallel_tool_calls`. Without tools the others say nothing.
pub(super) fn write(conversation: &Conversation, target: &mut Target<'_>, body: &mut ObjectText) {
    let unsupported = target.out.unsupported;
    if unsupported.contains(Parameter::Tools) {
        return;
    }
    let mut list = ArrayText::new();
    for tool in &conversation.tools {
        match tool {
            Tool::Function(one) => list.push(&function(one, target)),
            Tool::Native { verbatim, .. } if verbatim.dialect == WireDialect::OpenaiChat => {
                list.push(&verbatim.json);
            }
            Tool::Native { kind, .. } => target.lose(Lost::Tool, kind),
        }
    }
    if list.is_empty() {
        return;
    }
    body.json("tools", &list.finish());
    if let Some(choice) = &conversation.tool_choice
        && !unsupported.contains(Parameter::ToolChoice)
    {
        match chosen(choice) {
            Some(json) => body.json("tool_choice", &json),
            None => target.lose(Lost::Tool, "tool_choice"),
        }
    }
    if let Some(parallel) = conversation.parallel_tool_calls
        && !unsupported.contains(Parameter::ParallelToolCalls)
    {
        body.json("parallel_tool_calls", if parallel { "true" } else { "false" });
    }
}

fn function(function: &Function, target: &mut Target<'_>) -> String {
    let mut inner = ObjectText::new();
    inner.text("name", &function.name);
    inner.optional_text("description", function.description.as_deref());
    inner.optional_json("parameters", function.parameters.as_deref());
    if let Some(strict) = function.strict {
        inner.json("strict", if strict { "true" } else { "false" });
    }
    let mut tool = ObjectText::typed("function");
    tool.json("function", &inner.finish());
    part::mark(function.cache_mark, true, target, &mut tool);
    tool.finish()
}

fn chosen(choice: &ToolChoice) -> Option<String> {
    Some(match choice {
        ToolChoice::Auto => "\"auto\"".to_owned(),
        ToolChoice::None => "\"none\"".to_owned(),
        ToolChoice::Required => "\"required\"".to_owned(),
        ToolChoice::Function(name) => {
            format!("{{\"type\":\"function\",\"function\":{{\"name\":{}}}}}", quoted(name))
        }
        ToolChoice::Native(verbatim) if verbatim.dialect == WireDialect::OpenaiChat => {
            verbatim.json.clone()
        }
        ToolChoice::Native(_) => return None,
    })
}
