//! `tools`, `tool_choice` and `strict_tools`.
//!
//! There is no choice of one function: then it is the only one on offer, and must be called.

use signalbox_core::Parameter;

use super::Target;
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{Function, Tool, ToolChoice};
use crate::loss::Lost;

/// A function without parameters; the member is required.
const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

/// Writes the members; `true` when there are tools.
pub(super) fn write(target: &mut Target<'_>, body: &mut ObjectText) -> bool {
    let conversation = target.conversation;
    if !target.supports(Parameter::Tools) {
        return false;
    }
    let mut functions = Vec::new();
    for tool in &conversation.tools {
        match tool {
            Tool::Function(function) => functions.push(function),
            Tool::Native { kind, .. } => target.lose(Lost::Tool, kind),
        }
    }
    if functions.is_empty() {
        return false;
    }
    let choice = conversation.tool_choice.as_ref();
    let choice = choice.filter(|_| target.supports(Parameter::ToolChoice));
    let word = chosen(target, choice, &mut functions);
    let mut list = ArrayText::new();
    for function in &functions {
        list.push(&declaration(target, function));
    }
    body.json("tools", &list.finish());
    body.optional_text("tool_choice", word);
    strict(target, &functions, body);
    if conversation.parallel_tool_calls == Some(false)
        && target.supports(Parameter::ParallelToolCalls)
    {
        target.lose(Lost::Parameter, Parameter::ParallelToolCalls.name());
    }
    true
}

fn chosen(
    target: &mut Target<'_>,
    choice: Option<&ToolChoice>,
    functions: &mut Vec<&Function>,
) -> Option<&'static str> {
    match choice? {
        ToolChoice::Auto => None,
        ToolChoice::None => Some("NONE"),
        ToolChoice::Required => Some("REQUIRED"),
        ToolChoice::Function(name) if functions.iter().any(|one| one.name == *name) => {
            functions.retain(|one| one.name == *name);
            Some("REQUIRED")
        }
        ToolChoice::Function(_) | ToolChoice::Native(_) => {
            target.lose(Lost::Tool, Parameter::ToolChoice.name());
            None
        }
    }
}

fn declaration(target: &mut Target<'_>, function: &Function) -> String {
    let mut inner = ObjectText::new();
    inner.text("name", &function.name);
    inner.optional_text("description", function.description.as_deref());
    inner.json("parameters", function.parameters.as_deref().unwrap_or(NO_PARAMETERS));
    if function.cache_mark.is_some() {
        target.lose(Lost::CacheMark, "cache_control");
    }
    let mut tool = ObjectText::typed("function");
    tool.json("function", &inner.finish());
    tool.finish()
}

/// Strictness is of all functions or of none, and refused for some schemas: it is asked for when
/// every function asks.
fn strict(target: &mut Target<'_>, functions: &[&Function], body: &mut ObjectText) {
    if functions.iter().all(|function| function.strict == Some(true)) {
        body.json("strict_tools", "true");
    } else if functions.iter().any(|function| function.strict == Some(true)) {
        target.lose(Lost::Property, "strict");
    }
}
