//! Tools for a model that knows none: they are told in the prompt, and calls and results become text
//! (inference spec 1.4, rule 4). What the model answers is a plain message.

use std::collections::HashMap;

use super::{Conversation, Part, PartBody, ToolChoice};
use crate::loss::{Loss, Lost, report};
use crate::openai_completions::tool_text::{call_as_text, result_as_text, tools_as_text};

impl Conversation {
    /// Puts tools, calls and results into words. Tools that only another dialect knows are lost, and
    /// so is what makes a call a call.
    pub fn tell_tools(&mut self, losses: &mut Vec<Loss>) {
        let choice = self.tool_choice.take();
        let tools = std::mem::take(&mut self.tools);
        self.parallel_tool_calls = None;
        let text = tools_as_text(&tools);
        if !text.is_empty() && choice != Some(ToolChoice::None) {
            report(losses, Lost::Tool, "tool_calls");
            self.system.push(Part::text(text));
            match choice {
                Some(ToolChoice::Required) => {
                    self.system.push(Part::text("Call one of the tools now."));
                }
                Some(ToolChoice::Function(name)) => {
                    self.system.push(Part::text(format!("Call the tool {name} now.")));
                }
                _ => {}
            }
        }
        let mut names: HashMap<String, String> = HashMap::new();
        for message in &mut self.messages {
            let parts = std::mem::take(&mut message.parts);
            message.parts = parts.into_iter().flat_map(|part| in_words(part, &mut names)).collect();
        }
    }
}

/// A part in words; what is inside a result and no text follows it.
fn in_words(part: Part, names: &mut HashMap<String, String>) -> Vec<Part> {
    let cache_mark = part.cache_mark;
    let mut parts = match part.body {
        PartBody::ToolCall { id, name, arguments } => {
            let text = call_as_text(&name, &arguments);
            names.insert(id, name);
            vec![Part::text(text)]
        }
        PartBody::ToolResult { call_id, parts, is_error } => {
            let (texts, others): (Vec<Part>, Vec<Part>) =
                parts.into_iter().partition(|one| matches!(one.body, PartBody::Text(_)));
            let texts: Vec<&str> = texts
                .iter()
                .filter_map(|one| match &one.body {
                    PartBody::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect();
            let name = names.get(&call_id).map(String::as_str);
            let text = result_as_text(name, &texts.join("\n"), is_error);
            [Part::text(text)].into_iter().chain(others).collect()
        }
        body => vec![Part::new(body)],
    };
    if let Some(last) = parts.last_mut() {
        last.cache_mark = cache_mark;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::super::{CacheMark, Function, Message, Role, Tool};
    use super::*;

    fn text(part: &Part) -> &str {
        match &part.body {
            PartBody::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_turn_with_tools_is_told_in_words() {
        let call = PartBody::ToolCall {
            id: "c1".to_owned(),
            name: "add".to_owned(),
            arguments: r#"{"a":1}"#.to_owned(),
        };
        let result = PartBody::ToolResult {
            call_id: "c1".to_owned(),
            parts: vec![Part::text("3")],
            is_error: false,
        };
        let marked = Part { cache_mark: Some(CacheMark::OneHour), ..Part::new(result) };
        let function = Function {
            name: "add".to_owned(),
            description: None,
            parameters: Some("{}".to_owned()),
            strict: None,
            cache_mark: None,
            extra: Vec::new(),
        };
        let mut conversation = Conversation {
            tools: vec![Tool::Function(function)],
            tool_choice: Some(ToolChoice::Required),
            messages: vec![
                Message::new(Role::Assistant, vec![Part::new(call)]),
                Message::new(Role::User, vec![marked]),
            ],
            ..Conversation::default()
        };
        let mut losses = Vec::new();
        conversation.tell_tools(&mut losses);
        assert_eq!(losses, [Loss::new(Lost::Tool, "tool_calls")]);
        assert!(conversation.tools.is_empty() && conversation.tool_choice.is_none());
        assert!(text(&conversation.system[0]).contains("name: \"add\""));
        assert_eq!(text(&conversation.system[1]), "Call one of the tools now.");
        assert!(text(&conversation.messages[0].parts[0]).starts_with("tool_call:"));
        let told = &conversation.messages[1].parts[0];
        assert!(text(told).contains("name: \"add\"") && text(told).contains("\"3\""));
        assert_eq!(told.cache_mark, Some(CacheMark::OneHour));
    }
}
