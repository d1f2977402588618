//! A conversation as one text.

use std::collections::HashMap;

use super::template::{PromptTemplate, System};
use super::tool_text::{call_as_text, result_as_text, tools_as_text};
use crate::conversation::{
    Conversation, FileSource, Message, Part, PartBody, Role, Tool, ToolChoice,
};
use crate::gemini::write_request::with_name;
use crate::loss::{Loss, Lost, report};

/// What stands between texts of one turn.
const GLUE: &str = "\n\n";

/// A turn as plain text.
struct Turn {
    role: Role,
    text: String,
}

/// Puts the turns together.
struct Script<'a> {
    turns: Vec<Turn>,
    /// Names of functions by the id of their last call.
    names: HashMap<&'a str, &'a str>,
    losses: &'a mut Vec<Loss>,
}

/// The prompt. A last turn of the model is left open: the model goes on with it.
pub(super) fn render(
    conversation: &Conversation,
    template: PromptTemplate,
    losses: &mut Vec<Loss>,
) -> String {
    if template == PromptTemplate::Verbatim
        && let Some(text) = verbatim(conversation)
    {
        return text.to_owned();
    }
    let mut script = Script { turns: Vec::new(), names: HashMap::new(), losses };
    script.system(conversation);
    for message in &conversation.messages {
        script.message(message);
    }
    written(script.turns, template)
}

/// The one text that the conversation is.
pub(super) fn verbatim(conversation: &Conversation) -> Option<&str> {
    let [message] = conversation.messages.as_slice() else { return None };
    let [part] = message.parts.as_slice() else { return None };
    let alone = conversation.system.is_empty() && conversation.tools.is_empty();
    match &part.body {
        PartBody::Text(text) if alone && message.role == Role::User && message.name.is_none() => {
            Some(text)
        }
        _ => None,
    }
}

impl<'a> Script<'a> {
    fn lose(&mut self, what: Lost, detail: &str) {
        report(self.losses, what, detail);
    }

    /// Adds to the last turn when it is of the same role.
    fn say(&mut self, role: Role, text: &str) {
        match self.turns.last_mut() {
            _ if text.is_empty() => {}
            Some(last) if last.role == role => {
                last.text.push_str(GLUE);
                last.text.push_str(text);
            }
            _ => self.turns.push(Turn { role, text: text.to_owned() }),
        }
    }

    fn system(&mut self, conversation: &Conversation) {
        for part in &conversation.system {
            self.part(Role::System, part);
        }
        for tool in &conversation.tools {
            match tool {
                Tool::Native { kind, .. } => self.lose(Lost::Tool, kind),
                Tool::Function(function) => {
                    if function.cache_mark.is_some() {
                        self.lose(Lost::CacheMark, "cache_control");
                    }
                    if function.strict == Some(true) {
                        self.lose(Lost::Property, "strict");
                    }
                }
            }
        }
        if conversation.tool_choice == Some(ToolChoice::None) {
            return;
        }
        let text = tools_as_text(&conversation.tools);
        if text.is_empty() {
            return;
        }
        self.lose(Lost::Tool, "tool_calls");
        self.say(Role::System, &text);
        match &conversation.tool_choice {
            Some(ToolChoice::Required) => self.say(Role::System, "Call one of the tools now."),
            Some(ToolChoice::Function(name)) => {
                self.say(Role::System, &format!("Call the tool {name} now."));
            }
            Some(ToolChoice::Native(_)) => self.lose(Lost::Tool, "tool_choice"),
            _ => {}
        }
    }

    fn message(&mut self, message: &'a Message) {
        for extra in &message.extra {
            self.lose(Lost::Property, &extra.key);
        }
        for part in &message.parts {
            if let PartBody::ToolCall { id, name, .. } = &part.body {
                self.names.insert(id, name);
            }
        }
        let named = with_name(message);
        for part in &named.as_ref().unwrap_or(message).parts {
            self.part(message.role, part);
        }
    }

    fn part(&mut self, role: Role, part: &Part) {
        if part.cache_mark.is_some() {
            self.lose(Lost::CacheMark, "cache_control");
        }
        match &part.body {
            PartBody::Text(text) => self.say(role, text),
            PartBody::Refusal(text) => {
                self.lose(Lost::Property, "refusal");
                self.say(role, text);
            }
            PartBody::File { source: FileSource::Text(text), filename } => {
                let title = filename.as_deref().map(|name| format!("{name}:\n\n"));
                self.say(role, &format!("{}{text}", title.unwrap_or_default()));
            }
            PartBody::ToolCall { name, arguments, .. } => {
                self.say(role, &call_as_text(name, arguments));
            }
            PartBody::ToolResult { call_id, parts, is_error } => {
                let mut texts = Vec::new();
                for part in parts {
                    if part.cache_mark.is_some() {
                        self.lose(Lost::CacheMark, "cache_control");
                    }
                    match &part.body {
                        PartBody::Text(text) => texts.push(text.as_str()),
                        other => self.lose(Lost::Content, other.kind()),
                    }
                }
                let name = self.names.get(call_id.as_str()).copied();
                self.say(role, &result_as_text(name, &texts.join("\n"), *is_error));
            }
            PartBody::Reasoning(_) | PartBody::RedactedReasoning(_) => {
                self.lose(Lost::Reasoning, "text");
            }
            other => self.lose(Lost::Content, other.kind()),
        }
    }
}

fn written(mut turns: Vec<Turn>, template: PromptTemplate) -> String {
    let form = template.form();
    let mut prompt = String::new();
    if !matches!(form.system, System::Turn(..)) {
        let texts: Vec<String> =
            turns.extract_if(.., |turn| turn.role == Role::System).map(|turn| turn.text).collect();
        let text = texts.join(GLUE);
        turns = joined(turns);
        match form.system {
            _ if text.is_empty() => {}
            System::Head(suffix) => {
                prompt.push_str(&template.neutral(&text));
                prompt.push_str(suffix);
            }
            _ => match turns.iter_mut().find(|turn| turn.role == Role::User) {
                Some(first) => first.text.insert_str(0, &format!("{text}{GLUE}")),
                None => turns.insert(0, Turn { role: Role::User, text }),
            },
        }
    }
    let last = turns.len().saturating_sub(1);
    let mut speaks = false;
    for (position, turn) in turns.iter().enumerate() {
        let (before, after) = match (turn.role, form.system) {
            (Role::System, System::Turn(before, after)) => (before, after),
            (Role::Assistant, _) => form.assistant,
            _ => form.user,
        };
        prompt.push_str(before);
        prompt.push_str(&template.neutral(&turn.text));
        speaks = turn.role == Role::Assistant && position == last;
        if !speaks {
            prompt.push_str(after);
        }
    }
    if !speaks {
        // A space at the end would be a token of its own.
        prompt.push_str(form.assistant.0.trim_end_matches(' '));
    }
    prompt
}

/// Turns of one role that came to stand side by side become one.
fn joined(turns: Vec<Turn>) -> Vec<Turn> {
    let mut list: Vec<Turn> = Vec::new();
    for turn in turns {
        match list.last_mut() {
            Some(last) if last.role == turn.role => {
                last.text.push_str(GLUE);
                last.text.push_str(&turn.text);
            }
            _ => list.push(turn),
        }
    }
    list
}
