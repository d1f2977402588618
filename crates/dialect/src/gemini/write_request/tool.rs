//! `tools` and `toolConfig`.
//!
//! Schemas go as `parametersJsonSchema`, which takes any JSON schema byte for byte; `parameters`
//! takes a dialect of its own and refuses most others.

use signalbox_core::Parameter;

use super::Target;
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{Function, Tool, ToolChoice};
use crate::document::quoted;
use crate::loss::Lost;

pub(super) fn write(target: &mut Target<'_>, body: &mut ObjectText) {
    let conversation = target.conversation;
    if !target.supports(Parameter::Tools) {
        return;
    }
    let mut list = ArrayText::new();
    for tool in &conversation.tools {
        match tool {
            Tool::Function(function) => list.push(&declaration(target, function)),
            Tool::Native { kind, .. } => target.lose(Lost::Tool, kind),
        }
    }
    if list.is_empty() {
        return;
    }
    let mut functions = ObjectText::new();
    functions.json("functionDeclarations", &list.finish());
    body.json("tools", &format!("[{}]", functions.finish()));
    if conversation.parallel_tool_calls == Some(false)
        && target.supports(Parameter::ParallelToolCalls)
    {
        target.lose(Lost::Parameter, Parameter::ParallelToolCalls.name());
    }
    if let Some(choice) = &conversation.tool_choice
        && target.supports(Parameter::ToolChoice)
        && let Some(calling) = calling(target, choice)
    {
        let mut config = ObjectText::new();
        config.json("functionCallingConfig", &calling);
        body.json("toolConfig", &config.finish());
    }
}

fn declaration(target: &mut Target<'_>, function: &Function) -> String {
    let mut declaration = ObjectText::new();
    declaration.text("name", &function.name);
    declaration.optional_text("description", function.description.as_deref());
    declaration.optional_json("parametersJsonSchema", function.parameters.as_deref());
    if function.strict == Some(true) {
        target.lose(Lost::Property, "strict");
    }
    declaration.finish()
}

fn calling(target: &mut Target<'_>, choice: &ToolChoice) -> Option<String> {
    let mut calling = ObjectText::new();
    match choice {
        ToolChoice::Auto => calling.text("mode", "AUTO"),
        ToolChoice::None => calling.text("mode", "NONE"),
        ToolChoice::Required => calling.text("mode", "ANY"),
        ToolChoice::Function(name) => {
            calling.text("mode", "ANY");
            calling.json("allowedFunctionNames", &format!("[{}]", quoted(name)));
        }
        ToolChoice::Native(_) => {
            target.lose(Lost::Tool, Parameter::ToolChoice.name());
            return None;
        }
    }
    Some(calling.finish())
}
