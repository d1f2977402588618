//! Whether a model called its tools well (platform spec 15.8): each returned call is judged against
//! the tools of the request.
//!
//! Schemas come from clients and arguments from models, so both may be hostile. A judgement has a
//! budget of steps, and reads nothing but what it is given: what can't be judged within it counts as
//! fine. That is why the schemas are not left to a general validator: those have no budget, and a
//! schema of a few lines can take for ever. One is the oracle of the tests.

use serde_json::Value;

mod budget;
mod compare;
mod pattern;
mod schema;
mod validate;

use budget::Budget;
use pattern::Patterns;
use schema::Schema;

/// What is wrong with a call, by the published classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BadCall {
    /// The arguments are no JSON.
    InvalidJson,
    /// No tool of the request has this name.
    UnknownName,
    /// The arguments do not fit the tool's schema, read as JSON Schema Draft 7.
    SchemaMismatch,
}

/// Most tools of a request that are looked at; a request with more is not judged by name.
const MOST_TOOLS: usize = 1024;
/// Longest arguments that are read, in bytes.
const LONGEST_ARGUMENTS: usize = 256 * 1024;

/// One tool of a request.
#[derive(Debug, Clone)]
struct Tool {
    name: String,
    /// Absent for a tool without one, and for one whose input is no JSON.
    schema: Option<Value>,
    /// Whether its input is text in a grammar of its own.
    free: bool,
}

/// The tools that a request offers.
#[derive(Debug, Clone, Default)]
pub struct Offered {
    tools: Vec<Tool>,
    /// Some tools have no name here: hosted ones, or whole namespaces.
    has_nameless: bool,
}

impl Offered {
    /// Reads the `tools` of a request, in whichever dialect: the name and the schema of a tool are
    /// `function.name` and `function.parameters`, `name` and `parameters`, or `name` and
    /// `input_schema`.
    #[must_use]
    pub fn read(tools: &Value) -> Self {
        let tools = tools.as_array().map_or(&[][..], Vec::as_slice);
        let mut offered = Self { tools: Vec::new(), has_nameless: tools.len() > MOST_TOOLS };
        for tool in tools.iter().take(MOST_TOOLS) {
            let custom = tool.get("custom");
            let inside = tool.get("function").or(custom).unwrap_or(tool);
            let Some(name) = inside.get("name").and_then(Value::as_str) else {
                offered.has_nameless = true;
                continue;
            };
            let kind = tool.get("type").and_then(Value::as_str);
            let free =
                custom.is_some() || kind == Some("custom") && inside.get("input_schema").is_none();
            let schema = inside.get("parameters").or_else(|| inside.get("input_schema"));
            let schema = schema.filter(|schema| !schema.is_null() && !free).cloned();
            offered.tools.push(Tool { name: name.to_owned(), schema, free });
        }
        offered
    }

    /// What is wrong with each of the calls of one answer, given as names and arguments; all of
    /// them share one budget. Empty arguments are those of a tool that takes none.
    pub fn judge<'c>(
        &self,
        calls: impl Iterator<Item = (&'c str, &'c str)>,
    ) -> Vec<Option<BadCall>> {
        let mut budget = Budget::default();
        calls.map(|(name, arguments)| self.judge_one(name, arguments, &mut budget)).collect()
    }

    fn judge_one(&self, name: &str, arguments: &str, budget: &mut Budget) -> Option<BadCall> {
        let tool = self.tools.iter().find(|tool| tool.name == name);
        if tool.is_some_and(|tool| tool.free) || arguments.len() > LONGEST_ARGUMENTS {
            return None;
        }
        let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
        let read = serde_json::from_str::<Value>(arguments);
        let value = match read {
            Ok(value) => Some(value),
            Err(error) if is_ours(&error) => None,
            Err(_) => return Some(BadCall::InvalidJson),
        };
        let Some(tool) = tool else {
            return (!self.has_nameless).then_some(BadCall::UnknownName);
        };
        let (schema, value) = (tool.schema.as_ref()?, value?);
        fits(schema, &value, budget).is_some_and(|fits| !fits).then_some(BadCall::SchemaMismatch)
    }
}

/// Whether a value fits a schema; `None` when the schema can't be compiled, or the budget is spent.
fn fits(schema: &Value, value: &Value, budget: &mut Budget) -> Option<bool> {
    let mut patterns = Patterns::default();
    let schema = Schema::compile(schema, &mut patterns, budget).ok()?;
    validate::fits(&schema, value, &patterns, budget).ok()
}

/// What JSON permits and the reader does not: deep nesting, and halves of surrogate pairs.
fn is_ours(error: &serde_json::Error) -> bool {
    let text = error.to_string();
    text.contains("recursion limit") || text.contains("hex escape")
}

#[cfg(test)]
mod tests;
