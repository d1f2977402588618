//! The tool calls of an answer, gathered while it passes by, for whoever judges them afterwards.

use crate::event::{Block, Event, Piece};
use crate::scan;

/// Most bytes of names and arguments that are kept of one answer; what has more is not judged.
const MOST_BYTES: usize = 256 * 1024;
/// Most calls that are kept.
const MOST_CALLS: usize = 128;

/// One call as the provider returned it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReturnedCall {
    /// Name of the tool.
    pub name: String,
    /// The arguments: JSON if the model kept to it.
    pub arguments: String,
}

/// The calls so far. At most 256 KiB.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    /// Each with what it is known by: its block, or its choice and its number there.
    calls: Vec<((u32, u64), ReturnedCall)>,
    bytes: usize,
    too_many: bool,
}

impl Calls {
    /// The calls of a list of events.
    #[must_use]
    pub fn of(events: &[Event]) -> Self {
        let mut calls = Self::default();
        events.iter().for_each(|event| calls.event(event));
        calls
    }

    /// Looks at an event of an answer.
    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::Open { index, block: Block::ToolCall { name, .. }, .. } => {
                self.call((*index, 0), name, "");
            }
            Event::Delta { index, piece: Piece::Arguments(text) } => {
                self.call((*index, 0), "", text);
            }
            _ => {}
        }
    }

    /// Looks at a fragment of a chat call; name and arguments are JSON texts.
    pub(crate) fn fragment(
        &mut self,
        place: (u32, u64),
        name: Option<&str>,
        arguments: Option<&str>,
    ) {
        let name = name.and_then(scan::text).unwrap_or_default();
        match arguments.filter(|raw| *raw != "null") {
            // Some providers send an object where the dialect has a text.
            Some(raw) if !raw.starts_with('"') => self.call(place, &name, raw),
            Some(raw) => self.call(place, &name, &scan::text(raw).unwrap_or_default()),
            None => self.call(place, &name, ""),
        }
    }

    fn call(&mut self, place: (u32, u64), name: &str, arguments: &str) {
        self.bytes = self.bytes.saturating_add(name.len()).saturating_add(arguments.len());
        let known = self.calls.iter().position(|(one, _)| *one == place);
        if self.bytes > MOST_BYTES || known.is_none() && self.calls.len() >= MOST_CALLS {
            self.too_many = true;
            self.calls.clear();
            return;
        }
        if known.is_none() {
            self.calls.push((place, ReturnedCall::default()));
        }
        let at = known.unwrap_or(self.calls.len().saturating_sub(1));
        if let Some((_, call)) = self.calls.get_mut(at) {
            if call.name.is_empty() {
                name.clone_into(&mut call.name);
            }
            call.arguments.push_str(arguments);
        }
    }

    /// The calls, unless there were too many to keep.
    pub fn returned(&self) -> Option<impl Iterator<Item = &ReturnedCall>> {
        (!self.too_many).then(|| self.calls.iter().map(|(_, call)| call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returned(calls: &Calls) -> Vec<(&str, &str)> {
        let calls = calls.returned().unwrap();
        calls.map(|one| (one.name.as_str(), one.arguments.as_str())).collect()
    }

    #[test]
    fn fragments_are_put_together_by_choice_and_number() {
        let mut calls = Calls::default();
        calls.fragment((0, 0), Some(r#""a""#), Some(r#""{\"x\"""#));
        calls.fragment((0, 1), Some(r#""b""#), Some("{\"y\":1}"));
        calls.fragment((1, 0), Some(r#""c""#), None);
        calls.fragment((0, 0), Some("null"), Some(r#"":1}""#));
        calls.fragment((1, 0), None, Some("null"));
        assert_eq!(returned(&calls), [("a", "{\"x\":1}"), ("b", "{\"y\":1}"), ("c", "")]);
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let long = format!("\"{}\"", "x".repeat(100 * 1024));
        let mut calls = Calls::default();
        for _ in 0..10 {
            calls.fragment((0, 0), None, Some(&long));
        }
        assert!(calls.returned().is_none() && calls.calls.is_empty());
        let mut many = Calls::default();
        (0..1000).for_each(|one| many.fragment((0, one), Some(r#""f""#), None));
        assert!(many.returned().is_none());
    }
}
