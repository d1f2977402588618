//! `toolConfig`: tools on offer, and which to use.

use signalbox_core::Parameter;

use super::{Target, cache_point, member};
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{Function, PartBody, Tool, ToolChoice};
use crate::document::{Edits, Raw, quoted, splice};
use crate::loss::Lost;

/// Writes the member. Tells whether a call is forced.
pub(super) fn write(target: &mut Target<'_>, body: &mut ObjectText) -> bool {
    let conversation = target.conversation;
    let called = called(target);
    let choice =
        conversation.tool_choice.as_ref().filter(|_| target.supports(Parameter::ToolChoice));
    let mut list = ArrayText::new();
    if target.supports(Parameter::Tools) {
        for tool in &conversation.tools {
            match tool {
                Tool::Function(one) => offer(one, target, &mut list),
                Tool::Native { kind, .. } => target.lose(Lost::Tool, kind),
            }
        }
    }
    if choice == Some(&ToolChoice::None) {
        if called.is_empty() {
            // No tools are how this dialect says that none may be called.
            return false;
        }
        target.lose(Lost::Parameter, Parameter::ToolChoice.name());
    }
    if list.is_empty() {
        // Calls and results are refused where no tool is named.
        for name in &called {
            target.lose(Lost::Property, "tools");
            let function = Function {
                name: (*name).to_owned(),
                description: None,
                parameters: None,
                strict: None,
                cache_mark: None,
                extra: Vec::new(),
            };
            offer(&function, target, &mut list);
        }
        if list.is_empty() {
            return false;
        }
    }
    let mut config = ObjectText::new();
    config.json("tools", &list.finish());
    if conversation.parallel_tool_calls == Some(false)
        && target.supports(Parameter::ParallelToolCalls)
    {
        target.lose(Lost::Parameter, Parameter::ParallelToolCalls.name());
    }
    let forced = match choice {
        None | Some(ToolChoice::None) => None,
        Some(ToolChoice::Native(_)) => {
            target.lose(Lost::Tool, Parameter::ToolChoice.name());
            None
        }
        Some(ToolChoice::Auto) => Some((member("auto", "{}"), false)),
        Some(ToolChoice::Required) => Some((member("any", "{}"), true)),
        Some(ToolChoice::Function(name)) => {
            Some((member("tool", &member("name", &quoted(name))), true))
        }
    };
    config.optional_json("toolChoice", forced.as_ref().map(|(json, _)| json.as_str()));
    body.json("toolConfig", &config.finish());
    forced.is_some_and(|(_, forced)| forced)
}

/// Names of the tools in the history, each once.
fn called<'a>(target: &Target<'a>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for part in target.conversation.messages.iter().flat_map(|message| &message.parts) {
        let name = match &part.body {
            PartBody::ToolCall { name, .. } => name.as_str(),
            _ => continue,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A tool and, when it is marked, the end of what is to be cached. The schema must say that it is one
/// of an object; arguments always are.
fn offer(function: &Function, target: &mut Target<'_>, list: &mut ArrayText) {
    let schema = Raw::new(function.parameters.as_deref().unwrap_or("{}"));
    let mut edits = Edits::default();
    if schema.get("type").is_none() {
        edits.set("type", "\"object\"".to_owned());
    }
    let schema = splice(schema.text(), schema.members(), &edits);
    let mut tool = ObjectText::new();
    tool.text("name", &function.name);
    let description = function.description.as_deref().filter(|text| !text.trim().is_empty());
    tool.optional_text("description", description);
    tool.json("inputSchema", &member("json", &schema));
    // Few models know it, and the others refuse it.
    if function.strict == Some(true) {
        target.lose(Lost::Property, "strict");
    }
    list.push(&member("toolSpec", &tool.finish()));
    if let Some(point) = function.cache_mark.and_then(|mark| cache_point(mark, target)) {
        list.push(&point);
    }
}
